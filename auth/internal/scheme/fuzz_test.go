package scheme_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// FuzzDescription compiles whatever it is told to, and verifies and signs with
// what compiles: a description must not be able to make hookd panic.
func FuzzDescription(f *testing.F) {
	for _, seed := range []struct{ signed, at, time, pair, items string }{
		{"v0:{time}:{body}", "header:X-Sig", "header:X-T", "{query:h}", ""},
		{"{item:id}:{item?:a.b}", "item:sig", "item:t", "", "json:list"},
		{"{sorted_form}{url}{path}{method}{crc32:body}", "header:X-*", "sig:t", "{hex:sha256:body}", ""},
		{"{json:a.0.b}{param:p}{form:x}", "json:a.sig", "json:t", "{header?:x}", "json:"},
		{"{body", "query:s", "form:t", "}{", "form:x"},
		{"{}{:}{?:x}{item?:}{header:}", ":", "x:", "{{}}", "json:a..b"},
	} {
		f.Add(seed.signed, seed.at, seed.time, seed.pair, seed.items, uint8(0), `{"list":[{"id":1,"t":1}]}`)
		f.Add(seed.signed, seed.at, seed.time, seed.pair, seed.items, uint8(3), "a=1&t=2")
	}
	keys := map[scheme.Kind]string{
		scheme.Basic: "u:p", scheme.Ed25519: "seed:" + strings.Repeat("9d61b19d", 8), scheme.ECDSA: ecdsaPair(f, elliptic.P256()).private, scheme.RSA: rsaPair(f).private,
	}
	f.Fuzz(func(t *testing.T, signed, at, clock, pair, items string, form uint8, body string) {
		a := scheme.Alternative{Kind: scheme.Kind(form % 8), Sig: scheme.Sig{At: []string{at}, Enc: scheme.Encoding(form % 5)}, Signed: signed, ForEach: items}
		if a.Kind == scheme.Ed25519 {
			a.Key.Enc = scheme.Hex
		}
		if form&16 != 0 {
			a.Sig.Split, a.Sig.KV, a.Sig.Pick = ",", "=", "v1"
		}
		if clock != "" {
			a.Time = &scheme.Time{At: clock, Tolerance: time.Minute}
		}
		if pair != "" {
			a.Require = [][2]string{{pair, "{body}"}}
		}
		key := keys[a.Kind]
		if key == "" {
			key = "k"
		}
		o := options(key)
		o.URL, o.Params = "https://example.com/h", map[string]string{"p": "v"}
		s, err := scheme.Compile([]scheme.Alternative{a}, o)
		scheme.Covered([]scheme.Alternative{a}, at)
		if err != nil {
			return
		}
		r := request(body, "X-Id", "1", "X-Sig-2", "00")
		r.Now = time.Unix(1772366400, 0)
		_, before := s.Verify(r)
		if before == nil && a.Kind != scheme.Token {
			t.Errorf("accepted an unsigned request under %+v", a)
		}
		if s.Sign(r) == nil {
			_, _ = s.Verify(r)
		}
	})
}

// FuzzVerify sends arbitrary credentials and bodies to each kind: only what was
// signed for is accepted.
func FuzzVerify(f *testing.F) {
	const now = 1772366400
	type kind struct {
		s         *scheme.Scheme
		sig, body string // that pass
	}
	var all []kind
	for _, d := range []struct {
		a   scheme.Alternative
		key string
	}{
		{signedAt(scheme.HMAC, scheme.SHA512, scheme.Plain, scheme.Base64URL), "k"},
		{signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Hex), "seed:" + strings.Repeat("9d61b19d", 8)},
		{signedAt(scheme.ECDSA, 0, scheme.Plain, scheme.Base64), ecdsaPair(f, elliptic.P256()).private},
		{signedAt(scheme.RSA, scheme.SHA256, scheme.Plain, scheme.Base64), rsaPair(f).private},
		{scheme.Alternative{Kind: scheme.Digest, Sig: scheme.Sig{At: []string{"header:X-Sig"}, Enc: scheme.Hex}, Signed: "{secret}{body}"}, "k"},
		{scheme.Alternative{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"header:X-Sig"}}}, "k"},
		{scheme.Alternative{Kind: scheme.Basic}, "u:p"},
		{perItem("{item:id}{item?:n}"), "k"},
		{mailgun("json"), "k"},
	} {
		s, err := scheme.Compile([]scheme.Alternative{d.a}, options(d.key))
		if err != nil {
			f.Fatal(err)
		}
		r := request(`{"list":[{"id":"a"}],"signature":{"token":"t"}}`)
		r.Now = time.Unix(now, 0)
		if err := s.Sign(r); err != nil {
			f.Fatal(err)
		}
		sig := r.Header.Get("X-Sig") + r.Header.Get("Authorization")
		all = append(all, kind{s, sig, string(r.Body)})
		f.Add(uint8(len(all)-1), sig, "1772366400", string(r.Body))
		f.Add(uint8(len(all)-1), strings.ToUpper(sig)+"=", "1772366401", string(r.Body)+" ")
	}
	f.Fuzz(func(t *testing.T, which uint8, sig, at, body string) {
		k := all[int(which)%len(all)]
		r := &auth.Request{Method: "POST", URL: &url.URL{Path: "/"}, Body: []byte(body), Now: time.Unix(now, 0)}
		r.Header = http.Header{"X-Sig": {sig}, "Authorization": {sig}, "X-Time": {at}}
		if _, err := k.s.Verify(r); err != nil {
			return
		}
		switch int(which) % len(all) {
		case 5, 6: // the credential is all
		case 7:
			if !sameItems(t, body) {
				t.Errorf("accepted items %s", body)
			}
		case 8:
			if !strings.Contains(body, "1772366400") {
				t.Errorf("accepted %s", body)
			}
		case 2: // another signature of the same key may be made of one
			if body != k.body {
				t.Errorf("accepted %q over %q", sig, body)
			}
		default:
			if body != k.body || !strings.EqualFold(strings.TrimRight(sig, "="), strings.TrimRight(k.sig, "=")) {
				t.Errorf("accepted %q over %q", sig, body)
			}
		}
	})
}

// sameItems reports whether all items of the list are the one that was signed.
func sameItems(t *testing.T, body string) bool {
	t.Helper()
	var doc struct {
		List []struct {
			ID any `json:"id"`
			N  any `json:"n"`
		} `json:"list"`
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(body)))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return false
	}
	for _, item := range doc.List {
		id, _ := item.ID.(string)
		if n, isText := item.N.(string); id+n != "a" || item.N != nil && !isText {
			return false
		}
	}
	return len(doc.List) > 0
}

// FuzzPlace: a body that takes a value can be read again, and has it.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":{}}`, `{"a":{"sig":1}}`, ` { "a" : { "x":[1,{}] , "sig" : "x" } }`, `{"A":{}}`, `{"a":1}`, `[]`, `{"a":{"sig":{}}}`, `{"\u0061":{"s\u0069g":null}}`, `{"a":{},"a":{}}`,
	} {
		f.Add(seed)
	}
	a := scheme.Alternative{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"json:a.sig"}}}
	s, err := scheme.Compile([]scheme.Alternative{a}, options("k\"\\\u00e9"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := request(body)
		if s.Sign(r) != nil {
			return
		}
		if !json.Valid(r.Body) {
			t.Errorf("%s became %s", body, r.Body)
		}
		if _, err := s.Verify(r); err != nil {
			t.Errorf("%s became %s: %v", body, r.Body, err)
		}
	})
}
