package presets_test

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
)

// FuzzStripeHeader: a header passes only when a plain reading of Stripe's rules
// finds a right signature in it.
func FuzzStripeHeader(f *testing.F) {
	const key, now = "whsec_fuzz", 1772366400
	mac := func(ts, body string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(ts + "." + body))
		return hex.EncodeToString(h.Sum(nil))
	}
	good := "t=1772366400,v1=" + mac("1772366400", authtest.Body)
	for _, seed := range []string{good, good + ",v0=00", "v1=00," + good, good + ",t=1", "t,v1=,v0", ",,", "t=1772366400, v1=", strings.ToUpper(good), "t=1772366400.0,v1=00"} {
		f.Add(seed, authtest.Body)
	}
	v := build(f, "stripe", key)
	f.Fuzz(func(t *testing.T, header, body string) {
		r := authtest.Header("Stripe-Signature", header)
		r.Body, r.Now = []byte(body), time.Unix(now, 0)
		_, err := v.Verify(context.Background(), r)
		v.Mark(r)
		if err != nil {
			return
		}
		ts, found := "", false
		for _, e := range strings.Split(header, ",") {
			if k, val, _ := strings.Cut(strings.TrimSpace(e), "="); k == "t" {
				ts = val
			}
		}
		for _, e := range strings.Split(header, ",") {
			k, val, _ := strings.Cut(strings.TrimSpace(e), "=")
			found = found || k == "v1" && strings.ToLower(val) == mac(ts, body)
		}
		if !found {
			t.Errorf("accepted %q for %q", header, body)
		}
	})
}

func FuzzGitHubHeader(f *testing.F) {
	v := build(f, "github", "s3cret")
	h := hmac.New(sha256.New, []byte("s3cret"))
	h.Write([]byte(authtest.Body))
	good := "sha256=" + hex.EncodeToString(h.Sum(nil))
	for _, seed := range []string{good, "sha256=", "sha1=" + good, strings.ToUpper(good), good + ",", good[:20]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, err := v.Verify(context.Background(), authtest.Header("X-Hub-Signature-256", header))
		same := strings.HasPrefix(header, "sha256=") && strings.EqualFold(header, good) && len(header) == len(good)
		if (err == nil) != same {
			t.Errorf("%q: %v", header, err)
		}
	})
}

// FuzzForgery: whatever stands where the signatures are, and whatever the body,
// no sender's request passes that was signed with another secret.
func FuzzForgery(f *testing.F) {
	var targets, others []*presets.Verifier
	for _, p := range presets.All() {
		if p.Code != nil || p.Unsigned {
			continue
		}
		secrets := secretsOf(f, &p.Verify[0])
		for i, list := range []*[]*presets.Verifier{&targets, &others} {
			v, err := newPreset(p, secrets[i])
			if err != nil {
				f.Fatal(err)
			}
			*list = append(*list, v)
		}
	}
	for i, v := range others {
		r := prepared(f, v.Preset(), v, authtest.Now)
		header := ""
		for _, name := range v.CredentialHeaders() {
			header = cmp.Or(header, r.Header.Get(name))
		}
		f.Add(uint8(i), header, string(r.Body))
		f.Add(uint8(i+1), header, string(r.Body))
	}
	f.Fuzz(func(t *testing.T, i uint8, header, body string) {
		v := targets[int(i)%len(targets)]
		r := prepared(t, v.Preset(), others[int(i)%len(targets)], authtest.Now)
		for _, name := range v.CredentialHeaders() {
			r.Header[name] = []string{header}
		}
		r.Body = []byte(body)
		if _, err := v.Verify(t.Context(), r); err == nil {
			t.Errorf("%s takes %q with %q", v.Preset().Name, header, body)
		}
		v.Mark(r)
	})
}
