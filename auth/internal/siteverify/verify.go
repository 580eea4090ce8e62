package siteverify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
)

const (
	timeout  = 5 * time.Second // of the whole exchange
	maxReply = 64 << 10        // bytes
)

// Verify takes the token out of the request and asks the service about it. One
// that cannot be told by its form to be wrong costs a request to the service,
// which takes each token once.
func (v *Verifier) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	token, code, err := v.token(r)
	if code != "" {
		return auth.Identity{}, &auth.Denial{Method: v.service.Name, Code: code, Err: err}
	}
	rep, err := v.ask(ctx, token, r.Remote)
	if err == nil {
		err = rep.fault()
	}
	if err != nil {
		return auth.Identity{}, &auth.Denial{Method: v.service.Name, Code: auth.CodeUnavailable, Unavailable: true, Err: err}
	}
	if code, err := v.expect.judge(rep); code != "" {
		return auth.Identity{}, &auth.Denial{Method: v.service.Name, Code: code, Err: err}
	}
	return auth.Identity{Method: v.service.Name, Subject: v.service.Name}, nil
}

// ask makes the request. It does not pass through an http.Client, which would
// follow redirects with the secret, and put the URL into its errors.
func (v *Verifier) ask(ctx context.Context, token string, remote netip.Addr) (*reply, error) {
	if v.http == nil {
		return nil, errors.New("the service cannot be asked offline")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	form := url.Values{"secret": {v.o.Secret.Reveal()}, "response": {token}}
	if remote.IsValid() {
		form.Set("remoteip", remote.Unmap().WithZone("").String())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the endpoint is no URL that can be asked")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hookd")
	resp, err := v.http.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	// A refusal may be a 400 with the reason in its body.
	if c := resp.StatusCode; c != http.StatusOK && (c < 400 || c > 499 || c == http.StatusTooManyRequests) {
		return nil, fmt.Errorf("%s answered %d", req.URL.Host, c)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer of %s broke off: %w", req.URL.Host, err)
	case len(body) > maxReply:
		return nil, fmt.Errorf("the answer of %s is longer than %d bytes", req.URL.Host, maxReply)
	}
	rep, err := parseReply(body)
	if err == nil && resp.StatusCode != http.StatusOK && (rep.success || len(rep.codes) == 0) {
		err = errors.New("it gives no reason")
	}
	if err != nil {
		return nil, fmt.Errorf("%s answered %d, and not as siteverify does: %w", req.URL.Host, resp.StatusCode, err)
	}
	return rep, nil
}
