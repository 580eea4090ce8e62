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

// fixed says which credentials are the same for another body at another time:
// those are secrets themselves, and no signatures.
func (t *target) fixed(ctx context.Context, p *payload, r *auth.Request) (headers, params []string, err error) {
	other := *p
	other.body = func(string, time.Time) []byte { return append(bytes.Clone(r.Body), ' ') }
	r2, err := t.request(ctx, &other, "another-"+newDeliveryID(), r.Now.Add(36*time.Hour))
	if err != nil {
		return nil, nil, err
	}
	names, queries := t.credentials()
	for _, n := range names {
		if v := r.Header.Values(n); len(v) > 0 && slices.Equal(v, r2.Header.Values(n)) {
			headers = append(headers, n)
		}
	}
	q, q2 := r.URL.Query(), r2.URL.Query()
	for _, n := range queries {
		if q.Has(n) && slices.Equal(q[n], q2[n]) {
			params = append(params, n)
		}
	}
	return headers, params, nil
}

// tooOld is further in the past than any sender's tolerance.
const tooOld = 25 * time.Hour

// tampered is a request that was signed well and spoilt then.
func (t *target) tampered(ctx context.Context, how string, p *payload, deliveryID string, now time.Time) (*auth.Request, error) {
	if how == "timestamp" {
		return t.request(ctx, p, deliveryID, now.Add(-tooOld))
	}
	r, err := t.request(ctx, p, deliveryID, now)
	if err != nil {
		return nil, err
	}
	switch how {
	case "body":
		r.Body = spoilBody(r.Body)
	case "signature":
		headers, params := t.credentials()
		for _, n := range headers {
			for i, v := range r.Header.Values(n) {
				r.Header[http.CanonicalHeaderKey(n)][i] = spoilText(v)
			}
		}
		q := r.URL.Query()
		for _, n := range params {
			if q.Has(n) {
				q.Set(n, spoilText(q.Get(n)))
				r.URL.RawQuery = q.Encode()
			}
		}
	}
	return r, nil
}

// canTamper refuses a --tamper that would change nothing that is proved.
func (t *target) canTamper(ctx context.Context, how string, p *payload, now time.Time) error {
	if how == "" {
		return nil
	}
	id := newDeliveryID()
	good, err := t.request(ctx, p, id, now)
	if err != nil {
		return err
	}
	headers, params := t.credentials()
	there := slices.ContainsFunc(headers, func(n string) bool { return good.Header.Get(n) != "" }) ||
		slices.ContainsFunc(params, good.URL.Query().Has)
	if !there {
		return usagef("--tamper %s: this request has no proof that could be spoilt", how)
	}
	if how == "signature" {
		return nil
	}
	spoilt, err := t.tampered(ctx, how, p, id, now)
	if err != nil {
		return err
	}
	good.Now, spoilt.Now = now, now
	for _, v := range t.proofs {
		if v.Cost() == auth.CostAddress {
			continue // covers nothing of the request
		}
		// What cannot be judged here (a token that another service knows) is left
		// to the receiver.
		if _, err := v.Verify(ctx, good); err != nil {
			return nil //nolint:nilerr // it is no answer
		}
		if _, err := v.Verify(ctx, spoilt); err != nil {
			return nil //nolint:nilerr // it is the answer: the proof covers what is spoilt
		}
	}
	return usagef("--tamper %s: no proof of this hook covers the %s", how, how)
}

// spoilBody changes one letter, where there is one inside a JSON string, so
// that only a signature can tell.
func spoilBody(b []byte) []byte {
	out := bytes.Clone(b)
	start := max(bytes.IndexByte(out, '"'), 0)
	for i := start; i < len(out); i++ {
		if c := out[i] | 0x20; c >= 'a' && c <= 'z' {
			out[i] = spoilByte(out[i])
			return out
		}
	}
	if len(out) == 0 {
		return []byte{'x'}
	}
	out[0] ^= 1
	return out
}

// spoilText changes the last letter or digit.
func spoilText(s string) string {
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		if c := b[i]; c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			// The last character of base64 may hold bits that do not count.
			if i > 0 && i == len(b)-1 && len(b) > 8 {
				b[i-4] = spoilByte(b[i-4])
			}
			b[i] = spoilByte(c)
			return string(b)
		}
	}
	return s + "x"
}

func spoilByte(c byte) byte {
	switch c {
	case '9':
		return '0'
	case 'f', 'F', 'z', 'Z':
		return c - 5
	}
	return c + 1
}

// newDeliveryID is a random UUID (RFC 9562 section 5.4), as most senders use.
func newDeliveryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
