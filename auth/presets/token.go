package presets

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// tokenPresets are the senders that sign a JSON Web Token.
func tokenPresets() []*Preset { return []*Preset{livekit(), netlify(), pubsub()} }

// tokenHash is a proof whose token holds the SHA-256 of the body, and nothing
// else of the request.
type tokenHash struct {
	tokens *jose.Verifier
	name   string
	place  jose.Place
	claim  string
	encode func([]byte) string
	// own are claims of a test request that differ from the usual ones; nil
	// takes one away.
	own map[string]any
}

func (h *tokenHash) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	token, code := h.place.Token(r.Header)
	if code != "" {
		return auth.Identity{}, auth.Deny(h.name, code)
	}
	claims, err := h.tokens.Verify(ctx, token, r.Now)
	if err != nil {
		return auth.Identity{}, err
	}
	got, ok := claims.Text(h.claim)
	if !ok {
		return auth.Identity{}, &auth.Denial{Method: h.name, Code: auth.CodeClaim, Err: errors.New("the token has no " + h.claim)}
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(h.sum(r.Body))) == 0 {
		return auth.Identity{}, &auth.Denial{Method: h.name, Code: auth.CodeSignatureMismatch, Err: errors.New("the token is for another body")}
	}
	return h.tokens.Identity(claims), nil
}

func (h *tokenHash) sum(body []byte) string {
	sum := sha256.Sum256(body)
	return h.encode(sum[:])
}

func (h *tokenHash) Sign(_ context.Context, r *auth.Request) error {
	claims := map[string]any{h.claim: h.sum(r.Body)}
	for name, value := range h.own {
		claims[name] = value
	}
	token, err := h.tokens.Mint(r.Now, claims)
	if err != nil {
		return err
	}
	h.place.Set(r, token)
	return nil
}

// Covers is the body.
func (h *tokenHash) Covers(src scheme.Source) bool { return strings.HasPrefix(src.String(), "json:") }

func (h *tokenHash) CredentialHeaders() []string { return []string{h.place.Header} }

func (h *tokenHash) CredentialParams() []string { return nil }
