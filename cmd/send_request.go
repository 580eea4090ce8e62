package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
)

// request makes one signed request, as it would leave the sender.
func (t *target) request(ctx context.Context, p *payload, deliveryID string, now time.Time) (*auth.Request, error) {
	r := t.unsignedRequest(p, deliveryID, now)
	if err := t.sign(ctx, r); err != nil {
		return nil, err
	}
	if p.challenges != nil {
		if err := t.answer(ctx, r, p.challenges); err != nil {
			return nil, err
		}
	}
	maps.Copy(r.Header, p.wished)
	return r, nil
}

func (t *target) unsignedRequest(p *payload, deliveryID string, now time.Time) *auth.Request {
	r := &auth.Request{
		Method: http.MethodPost,
		URL:    &url.URL{Path: t.url.Path, RawPath: t.url.RawPath, RawQuery: t.url.RawQuery},
		Host:   t.url.Host,
		Header: p.header.Clone(),
		Body:   p.body(deliveryID, now),
		Now:    now,
	}
	maps.Copy(r.Header, p.wished)
	if t.url.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	for _, v := range t.proofs {
		if prep, ok := v.(auth.Preparer); ok {
			prep.Prepare(r, p.event, deliveryID)
		}
	}
	setDefault(r.Header, "Content-Type", contentType(t.dataType))
	setDefault(r.Header, "User-Agent", "hookd/"+readBuildInfo().Version+" test-send")
	return r
}

func setDefault(h http.Header, name, value string) {
	if len(h.Values(name)) == 0 {
		h.Set(name, value)
	}
}

func (t *target) sign(ctx context.Context, r *auth.Request) error {
	for _, v := range t.proofs {
		s, ok := v.(auth.Signer)
		if !ok {
			continue
		}
		if err := s.Sign(ctx, r); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
	}
	return nil
}

// asks reports whether the receiver has to be asked for a challenge first.
func (t *target) asks() bool {
	return slices.ContainsFunc(t.proofs, func(v auth.Verifier) bool { _, ok := auth.AsChallenged(v); return ok })
}

// answer signs once more what a receiver has sent challenges for.
func (t *target) answer(ctx context.Context, r *auth.Request, challenges []string) error {
	for _, v := range t.proofs {
		c, ok := auth.AsChallenged(v)
		if !ok {
			continue
		}
		if err := c.SignChallenge(ctx, r, challenges); err != nil {
			return fmt.Errorf("answer the challenge: %w", err)
		}
	}
	return nil
}

// credentials are the headers and query parameters that the proofs read.
func (t *target) credentials() (headers, params []string) {
	for _, v := range t.proofs {
		if s, ok := v.(auth.Sourced); ok {
			headers = append(headers, s.CredentialHeaders()...)
			params = append(params, s.CredentialParams()...)
		}
	}
	return headers, params
}

// fields are the sources in the body that the senders' proofs read, as
// "json:a.b" or "form:a".
func (t *target) fields() []string {
	var all []string
	for _, v := range t.proofs {
		if of, ok := v.(*presets.Verifier); ok {
			all = append(all, of.CredentialFields()...)
		}
	}
	return all
}

// fixed are the credentials that are the same for another body at another time:
// those are secrets themselves, and no signatures.
type fixed struct {
	headers, params []string
	body            bool // there is one in the body
}

func (t *target) fixed(ctx context.Context, p *payload, r *auth.Request) (f fixed, err error) {
	other := *p
	other.body = func(string, time.Time) []byte { return append(bytes.Clone(r.Body), ' ') }
	r2, err := t.request(ctx, &other, "another-"+newDeliveryID(), r.Now.Add(36*time.Hour))
	if err != nil {
		return f, err
	}
	names, queries := t.credentials()
	for _, n := range names {
		if v := r.Header.Values(n); len(v) > 0 && slices.Equal(v, r2.Header.Values(n)) {
			f.headers = append(f.headers, n)
		}
	}
	q, q2 := r.URL.Query(), r2.URL.Query()
	for _, n := range queries {
		if q.Has(n) && slices.Equal(q[n], q2[n]) {
			f.params = append(f.params, n)
		}
	}
	for _, source := range t.fields() {
		v := valueAt(r.Body, source)
		f.body = f.body || v != "" && v == valueAt(r2.Body, source)
	}
	return f, nil
}

// newDeliveryID is a random UUID (RFC 9562 section 5.4), as most senders use.
func newDeliveryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
