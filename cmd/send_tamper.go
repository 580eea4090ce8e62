package cmd

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
)

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
		t.spoilCredentials(r)
	}
	return r, nil
}

func (t *target) spoilCredentials(r *auth.Request) {
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
	for _, source := range t.fields() {
		r.Body = replaced(r.Body, source, spoilText)
	}
}

// canTamper refuses a --tamper that would change nothing that is proved.
func (t *target) canTamper(ctx context.Context, how string, p *payload, now time.Time) error {
	if how == "" {
		return nil
	}
	good, err := t.request(ctx, p, newDeliveryID(), now)
	if err != nil {
		return err
	}
	headers, params := t.credentials()
	there := slices.ContainsFunc(headers, func(n string) bool { return good.Header.Get(n) != "" }) ||
		slices.ContainsFunc(params, good.URL.Query().Has) ||
		slices.ContainsFunc(t.fields(), func(source string) bool { return valueAt(good.Body, source) != "" })
	if !there {
		return usagef("--tamper %s: this request has no proof that could be spoilt", how)
	}
	if how == "signature" {
		return nil
	}
	for _, v := range t.proofs {
		covered, err := t.covers(ctx, v, how, p, good)
		if covered || err != nil {
			return err
		}
	}
	return usagef("--tamper %s: no proof of this hook covers the %s", how, how)
}

// covers reports whether the proof v would tell the change: it is asked. What
// cannot be judged here (a token that another service knows) is left to the
// receiver.
func (t *target) covers(ctx context.Context, v auth.Verifier, how string, p *payload, good *auth.Request) (bool, error) {
	if v.Cost() == auth.CostAddress {
		return false, nil // an address covers nothing of the request
	}
	if of, ok := v.(*presets.Verifier); ok && how == "body" {
		return of.Preset().Covers == presets.CoversBody, nil
	}
	if _, err := v.Verify(ctx, good); err != nil {
		return true, nil //nolint:nilerr // it cannot be judged here
	}
	spoilt, err := t.tampered(ctx, how, p, newDeliveryID(), good.Now)
	if err != nil {
		return false, err
	}
	spoilt.Now = good.Now
	_, err = v.Verify(ctx, spoilt)
	return err != nil, nil //nolint:nilerr // a refusal is the answer
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
