package presets_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
)

// FuzzTwilio: what passes is what was signed, up to where its parts are joined.
func FuzzTwilio(f *testing.F) {
	p, _ := presets.Lookup("twilio")
	v, err := newPreset(p, "token")
	if err != nil {
		f.Fatal(err)
	}
	const form = "application/x-www-form-urlencoded"
	var signatures []string
	for _, seed := range []struct{ kind, query, body string }{{form, "a=1", "Body=hi&From=%2B1"}, {"application/json", "", "{}"}} {
		r := authtest.Header("Content-Type", seed.kind)
		r.URL.RawQuery, r.Body = seed.query, []byte(seed.body)
		if err := v.Sign(context.Background(), r); err != nil {
			f.Fatal(err)
		}
		sig := r.Header.Get("X-Twilio-Signature")
		signatures = append(signatures, sig)
		f.Add(sig, "", seed.kind, r.URL.RawQuery, seed.body)
		f.Add(sig+"=", "key=,algorithm=HMAC_SHA256", seed.kind+";x", r.URL.RawQuery+"&bodySHA256=%3", seed.body+"&a=1;b")
	}
	f.Fuzz(func(t *testing.T, sig, settings, kind, query, body string) {
		r := authtest.Request()
		r.Header = http.Header{"X-Twilio-Signature": {sig}, "Content-Type": {kind}}
		if settings != "" {
			r.Header["X-Twilio-Webhooks-Signature-Settings"] = []string{settings}
		}
		r.URL.RawQuery, r.Body = query, []byte(body)
		_, err := v.Verify(context.Background(), r)
		v.Mark(r)
		if err != nil {
			return
		}
		switch sig {
		case signatures[0]:
			fields, err := url.ParseQuery(body)
			if err != nil || strings.Contains(body, "{") || len(fields) == 0 && body != "" && strings.Trim(body, "&") != "" {
				t.Errorf("accepted the form %q", body)
			}
		case signatures[1]:
			if body != "{}" {
				t.Errorf("accepted %q with the hash of another", body)
			}
		default:
			t.Errorf("accepted the signature %q", sig)
		}
	})
}

// FuzzContentful: arbitrary lists, times, queries and bodies; what passes is
// what was signed.
func FuzzContentful(f *testing.F) {
	p, _ := presets.Lookup("contentful")
	v, err := newPreset(p, strings.Repeat("s", 64))
	if err != nil {
		f.Fatal(err)
	}
	good := authtest.Request()
	good.Header.Set("X-Contentful-Topic", "t")
	if err := v.Sign(context.Background(), good); err != nil {
		f.Fatal(err)
	}
	h := good.Header
	const list, at = "X-Contentful-Signed-Headers", "X-Contentful-Timestamp"
	sig := h.Get("X-Contentful-Signature")
	f.Add(sig, h.Get(list), h.Get(at), "a=1", authtest.Body)
	f.Add(strings.ToUpper(sig), strings.ToUpper(h.Get(list))+", host", h.Get(at)+"0", "a=1?b=%", authtest.Body)
	f.Add("", ",,", "-1", "%zz", "")
	f.Fuzz(func(t *testing.T, sig, names, stamp, query, body string) {
		r := authtest.Request()
		r.Header = good.Header.Clone()
		r.Header["X-Contentful-Signature"], r.Header[list], r.Header[at] = []string{sig}, []string{names}, []string{stamp}
		r.URL.RawQuery, r.Body = query, []byte(body)
		if _, err := v.Verify(context.Background(), r); err != nil {
			return
		}
		if !strings.EqualFold(sig, h.Get("X-Contentful-Signature")) || stamp != h.Get(at) || query != "a=1" || body != authtest.Body {
			t.Errorf("accepted %q %q %q %q", sig, stamp, query, body)
		}
	})
}

// FuzzPaypal: arbitrary headers and answers of the server with the certificate.
// Nobody else's certificate is trusted.
func FuzzPaypal(f *testing.F) {
	a := theAuthority()
	good := paypalRequest(f)
	h := good.Header
	f.Add(pemChain(a.leaf(nil), a.issuer), h.Get("Paypal-Transmission-Sig"), h.Get("Paypal-Transmission-Time"), paypalURL)
	f.Add(pemChain(a.leaf(nil)), "AAAA", "2026-03-01T12:00:00Z", "https://api.paypal.com/v1/notifications/certs/x")
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), "", "", "https://api.paypal.com:1/v1/notifications/certs/../x?y#z")
	f.Fuzz(func(t *testing.T, answer []byte, sig, at, from string) {
		w := serving(answer)
		v := paypalVerifier(t, w, 0)
		r := authtest.Request()
		r.Header = good.Header.Clone()
		r.Header["Paypal-Transmission-Sig"], r.Header["Paypal-Transmission-Time"], r.Header["Paypal-Cert-Url"] = []string{sig}, []string{at}, []string{from}
		_, err := v.Verify(context.Background(), r)
		if u, err := url.Parse(from); w.asked.Load() > 0 && (err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Host, ".paypal.com") || u.User != nil) {
			t.Errorf("asked for %q", from)
		}
		if err == nil && at != h.Get("Paypal-Transmission-Time") {
			t.Errorf("accepted at %q", at)
		}
	})
}
