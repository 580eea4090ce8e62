package oauth2

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
)

const (
	maxReply    = 64 << 10 // bytes
	maxCached   = 10_000   // tokens of either kind
	refusedFor  = 10 * time.Second
	contentType = "application/x-www-form-urlencoded"
)

// server asks an introspection endpoint, RFC 7662.
type server struct {
	endpoint string
	header   secret.String // Authorization of hookd at the endpoint; may be zero
	client   *http.Client
	rules    jose.Rules
	cacheFor time.Duration

	good *cache[*jose.Claims]
	bad  *cache[struct{}] // apart, so that junk pushes nothing good out
}

func newServer(env auth.Env, o *options) (*server, error) {
	if err := errors.Join(checkEndpoint(o.endpoint), o.rules.Validate()); err != nil {
		return nil, fmt.Errorf("introspection_endpoint: %w", err)
	}
	if (o.clientID == "") != o.clientKey.IsZero() {
		return nil, errors.New("client_id and client_secret go together")
	}
	s := &server{
		endpoint: o.endpoint.String(), client: jose.NewClient(env), rules: o.rules, cacheFor: o.cacheFor,
		good: newCache[*jose.Claims](maxCached), bad: newCache[struct{}](maxCached),
	}
	if o.clientID != "" {
		s.header = basic(o.clientID, o.clientKey)
	}
	return s, nil
}

// basic encodes both parts as a form before they are joined, RFC 6749 section
// 2.3.1; plain Basic would not.
func basic(id string, key secret.String) secret.String {
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(key.Reveal())
	return secret.New("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
}

func (s *server) verify(ctx context.Context, token string, now time.Time) (auth.Identity, error) {
	claims, err := s.claims(ctx, token)
	if err != nil {
		return auth.Identity{}, &auth.Denial{Method: name, Code: auth.CodeUnavailable, Unavailable: true, Err: err}
	}
	if claims == nil {
		return auth.Identity{}, auth.Deny(name, auth.CodeInactive)
	}
	if err := s.rules.Check(name, claims, now); err != nil {
		return auth.Identity{}, err
	}
	user, _ := claims.Text("username")
	client, _ := claims.Text("client_id")
	return auth.Identity{Method: name, Subject: jose.Subject(name, claims.Subject, user, client)}, nil
}

// claims are what the server says of a token; nil when it is not active. They
// are checked each time, so that a token does not outlive its exp in the cache.
func (s *server) claims(ctx context.Context, token string) (*jose.Claims, error) {
	sum := sha256.Sum256([]byte(token))
	if c, ok := s.good.get(sum); ok {
		return c, nil
	}
	if _, ok := s.bad.get(sum); ok {
		return nil, nil // not active
	}
	c, err := s.ask(ctx, token)
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		s.bad.put(sum, struct{}{}, refusedFor)
	default:
		s.good.put(sum, c, s.cacheFor)
	}
	return c, nil
}

func (s *server) ask(ctx context.Context, token string) (*jose.Claims, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the introspection endpoint cannot be read as a URL")
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	if !s.header.IsZero() {
		req.Header.Set("Authorization", s.header.Reveal())
	}
	resp, body, err := jose.Do(s.client, req, maxReply)
	if err != nil {
		return nil, fmt.Errorf("asking the introspection endpoint: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the introspection endpoint answers with status %d", resp.StatusCode)
	}
	return reply(body)
}

// reply reads RFC 7662 section 2.2. What is null is as if absent: some servers
// write every member. Anything that is no plain yes or no is an error.
func reply(body []byte) (*jose.Claims, error) {
	members, err := jose.Object(body)
	if err != nil {
		return nil, fmt.Errorf("the introspection endpoint's answer %w", err)
	}
	for k, raw := range members {
		if string(raw) == "null" {
			delete(members, k)
		}
	}
	// When the token was issued is the server's business.
	delete(members, "iat")
	switch active := members["active"]; {
	case string(active) == "false":
		return nil, nil // not active
	case string(active) != "true":
		return nil, errors.New(`the introspection endpoint's answer has no "active" that is true or false`)
	}
	c, err := jose.NewClaims(members)
	if err != nil {
		return nil, fmt.Errorf("the introspection endpoint's answer %w", err)
	}
	return c, nil
}
