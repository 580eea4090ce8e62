package jose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/netguard"
)

const (
	fetchTimeout = 5 * time.Second
	maxKeysSize  = 1 << 20 // bytes of a JWK Set
)

// CheckKeysURL wants https, or http to this machine: who can change the keys
// can sign anything.
func CheckKeysURL(u url.URL) error {
	if strings.EqualFold(u.Scheme, "http") && !loopback(u.Hostname()) {
		return errors.New("must be https: whoever changes the keys on their way can sign anything")
	}
	return netguard.CheckURL(&u)
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}

// getter fetches a JWK Set.
type getter struct {
	url    string
	place  string // the URL without its query, for the log
	client *http.Client
}

var errOffline = errors.New("there is no network here")

func newGetter(env auth.Env, rawURL string) *getter {
	place, _, _ := strings.Cut(rawURL, "?")
	return &getter{url: rawURL, place: place, client: NewClient(env)}
}

// NewClient is a client that goes through the network guard, follows no
// redirect, and takes 5 s. It is nil where there is no network.
func NewClient(env auth.Env) *http.Client {
	if env.HTTP == nil {
		return nil
	}
	return &http.Client{
		Transport:     env.HTTP,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends a request and reads at most limit bytes of the answer; a longer one
// is an error. Errors do not tell the URL, whose query may be secret.
func Do(client *http.Client, req *http.Request, limit int64) (*http.Response, []byte, error) {
	if client == nil {
		return nil, nil, errOffline
	}
	resp, err := client.Do(req) //nolint:gosec // the URL is the operator's, and the transport is behind the network guard
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(body)) > limit {
		return nil, nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return resp, body, nil
}

// keys fetches the set, and how long it may be kept.
func (g *getter) keys(ctx context.Context) ([]key, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url, nil)
	if err != nil {
		return nil, 0, errors.New("the URL of the JWK Set cannot be read")
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, body, err := Do(g.client, req, maxKeysSize)
	if err != nil {
		return nil, 0, fmt.Errorf("fetching the JWK Set: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("fetching the JWK Set: status %d", resp.StatusCode)
	}
	keys, err := parseJWKs(body)
	return keys, lifetime(resp.Header), err
}

// lifetime reads Cache-Control, RFC 9111 section 5.2.2, within bounds.
func lifetime(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return minKeysFor
		case "max-age":
			if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				return min(max(time.Duration(n)*time.Second, minKeysFor), maxKeysFor)
			}
		}
	}
	return keysFor
}
