package hmac_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	method "github.com/hookd/hookd/auth/hmac"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, method.Method())
	for name, c := range map[string]struct {
		more string
		authtest.Subject
	}{
		"plain":     {"", authtest.Subject{Header: "X-Hmac-Signature", Same: strings.EqualFold}},
		"sha1":      {`"algorithm":"sha1","header":"x-sig"`, authtest.Subject{Header: "X-Sig", Same: strings.EqualFold}},
		"sha512":    {`"algorithm":"sha512"`, authtest.Subject{Header: "X-Hmac-Signature", Same: strings.EqualFold}},
		"base64":    {`"encoding":"base64"`, authtest.Subject{Header: "X-Hmac-Signature"}},
		"base64url": {`"encoding":"base64url","prefix":"v0="`, authtest.Subject{Header: "X-Hmac-Signature", Same: samePadded}},
		"timestamp": {`"timestamp_header":"X-Time","tolerance":"1m"`, authtest.Subject{Header: "X-Hmac-Signature", Same: strings.EqualFold, Tolerance: time.Minute}},
		"template": {
			`"timestamp_header":"X-Time","signed":"v0:{timestamp}:{body}"`,
			authtest.Subject{Header: "X-Hmac-Signature", Same: strings.EqualFold, Tolerance: 5 * time.Minute},
		},
	} {
		s := c.Subject
		s.New = func(secrets ...string) (auth.Verifier, error) {
			return authtest.Decode(method.Method(), authtest.Object("secret", secrets, c.more))
		}
		s.Secrets = [3]string{"first-Secret", "second secret", "third-s\u00e9cret"}
		s.CoversBody = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, s)
		})
	}
}

// samePadded: base64url comes with padding and without.
func samePadded(a, b string) bool { return strings.TrimSuffix(b, "=") == a }

const (
	h   = "X-HMAC-Signature"
	key = "It's a s3cret"
)

func sum(newHash func() hash.Hash, text string) []byte {
	m := hmac.New(newHash, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func one(v string) *auth.Request { return authtest.Header(h, v) }

// TestContract is the contract of the original service, rows 77 to 91.
func TestContract(t *testing.T) {
	t.Parallel()
	conf := `{"secret":"` + key + `"}`
	with := func(more string) string { return `{"secret":"` + key + `",` + more + `}` }
	digest := sum(sha256.New, authtest.Body)
	good := hex.EncodeToString(digest)
	b64 := base64.StdEncoding.EncodeToString(digest)
	changed, empty := one(good), one(hex.EncodeToString(sum(sha256.New, "")))
	changed.Body = []byte(authtest.Body + " ")
	empty.Body = nil
	row := authtest.Row
	authtest.Table(t, method.Method(), []authtest.Case{
		row("77 hex", conf, one(good), ""),
		row("77 with the name", conf, one("sha256="+good), ""),
		row("77 upper case", conf, one(strings.ToUpper(good)), ""),
		row("78 name in upper case", conf, one("SHA256="+good), ""),
		row("79 other name", conf, one("sha1="+good), auth.CodeMalformed),
		row("79 other digest", conf, one(hex.EncodeToString(sum(sha1.New, authtest.Body))), auth.CodeMalformed),
		row("79 other digest and name", conf, one("sha1="+hex.EncodeToString(sum(sha1.New, authtest.Body))), auth.CodeMalformed),
		row("80 body changed", conf, changed, auth.CodeSignatureMismatch),
		row("81 empty body", conf, empty, ""),
		row("82 cut by one", conf, one(good[:63]), auth.CodeMalformed),
		row("82 cut by two", conf, one(good[:62]), auth.CodeMalformed),
		row("82 one more", conf, one(good+"0"), auth.CodeMalformed),
		row("82 two more", conf, one(good+"00"), auth.CodeMalformed),
		row("83 no hex", conf, one(strings.Repeat("zz", 32)), auth.CodeMalformed),
		row("83 unicode", conf, one(strings.Repeat("\u0661", 32)), auth.CodeMalformed),
		row("83 extra", conf, one("sha256="+good+"=extra"), auth.CodeMalformed),
		row("83 name twice", conf, one("sha256=sha256="+good), auth.CodeMalformed),
		row("84 blank before", conf, one(" "+good), auth.CodeMalformed),
		row("84 blank behind", conf, one(good+" "), auth.CodeMalformed),
		row("85 base64 by default", conf, one(b64), auth.CodeMalformed),
		row("85 base64", with(`"encoding":"base64"`), one(b64), ""),
		row("85 base64 with the name", with(`"encoding":"base64"`), one("Sha256="+b64), ""),
		row("85 hex for base64", with(`"encoding":"base64"`), one(good), auth.CodeMalformed),
		row("87 any case", with(`"algorithm":"SHA256"`), one(good), ""),
		row("87 any case", with(`"algorithm":"Sha1"`), one("SHA1="+hex.EncodeToString(sum(sha1.New, authtest.Body))), ""),
		row("sha512", with(`"algorithm":"sha512"`), one(hex.EncodeToString(sum(sha512.New, authtest.Body))), ""),
		row("wrong secret", `{"secret":"other"}`, one(good), auth.CodeSignatureMismatch),
		row("90 missing", conf, authtest.Request(), auth.CodeMissing),
		row("two headers", conf, authtest.Header(h, good, good), auth.CodeDoubled),
		row("prefix", with(`"prefix":"v1 "`), one("v1 "+good), ""),
		row("prefix missing", with(`"prefix":"v1 "`), one(good), auth.CodeMalformed),
		row("prefix in other case", with(`"prefix":"v1 "`), one("V1 "+good), auth.CodeMalformed),
		row("prefix and name", with(`"prefix":"v1 "`), one("v1 sha256="+good), auth.CodeMalformed),
		row("rotation", `{"secret":["new","`+key+`"]}`, one(good), ""),
	})
	authtest.Refused(t, method.Method(),
		`{}`, `{"secret":""}`, `{"secret":"  "}`, `{"secret":12}`, `{"secret":null}`, `{"secret":[]}`, `{"secret":["s3cret",""]}`,
		`{"secret":"s3cret","algorithm":"md5"}`, `{"secret":"s3cret","algorithm":""}`, `{"secret":"s3cret","encoding":"binary"}`,
		`{"secret":"s3cret","header":"X Sig"}`, `{"secret":"s3cret","timestamp_header":"a:b"}`,
		`{"secret":"s3cret","timestamp_header":"X-T","header":"x-t"}`,
		`{"secret":"s3cret","signed":"{timestamp}"}`, `{"secret":"s3cret","signed":"{timestamp}.{body}"}`, `{"secret":"s3cret","signed":"{body}{url}"}`,
		`{"secret":"s3cret","signed":"text"}`, `{"secret":"s3cret","signed":"{body","timestamp_header":"X-T"}`,
		`{"secret":"s3cret","signed":"{body}","timestamp_header":"X-T"}`,
		`{"secret":"s3cret","timestamp_header":"X-T","tolerance":0}`, `{"secret":"s3cret","timestamp_header":"X-T","tolerance":"-1s"}`,
		`{"secret":["s3cret","2","3","4","5","6","7","8","9"]}`,
	)
}

// TestReplay: without a timestamp the same request passes again, as it did.
func TestReplay(t *testing.T) {
	t.Parallel()
	v, err := authtest.Decode(method.Method(), `{"secret":"`+key+`"}`)
	if err != nil {
		t.Fatal(err)
	}
	r := one(hex.EncodeToString(sum(sha256.New, authtest.Body)))
	for range 2 {
		if id, err := v.Verify(context.Background(), r); err != nil || id.Subject != "hmac:0" {
			t.Errorf("%+v %v", id, err)
		}
	}
}

func TestTimestampHeader(t *testing.T) {
	t.Parallel()
	v, err := authtest.Decode(method.Method(), `{"secret":"`+key+`","timestamp_header":"X-Time"}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		times []string
		code  string
	}{
		{[]string{"1772366400"}, ""},
		{nil, auth.CodeTimestampMissing},
		{[]string{"1772366400", "1772366400"}, auth.CodeDoubled},
		{[]string{"1772366401"}, auth.CodeSignatureMismatch},
		{[]string{"1772366400 "}, auth.CodeMalformed},
		{[]string{"now"}, auth.CodeMalformed},
		{[]string{"1772366400000"}, auth.CodeTimestampInFuture},
		{[]string{"1"}, auth.CodeTimestampTooOld},
	} {
		r := one(hex.EncodeToString(sum(sha256.New, "1772366400."+authtest.Body)))
		r.Header["X-Time"] = c.times
		_, err := v.Verify(context.Background(), r)
		got := ""
		if err != nil {
			got = auth.DenialOf(err).Code
		}
		if got != c.code {
			t.Errorf("%q: code %q, want %q", c.times, got, c.code)
		}
	}
}

func FuzzHMAC(f *testing.F) {
	good := hex.EncodeToString(sum(sha256.New, authtest.Body))
	for _, seed := range []string{good, "sha256=" + good, "SHA256=" + good, "sha1=" + good, good + "=", "sha256=", strings.ToUpper(good), "=" + good} {
		f.Add(seed)
	}
	v, err := authtest.Decode(method.Method(), `{"secret":"`+key+`"}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, err := v.Verify(context.Background(), one(header))
		bare := header
		if len(header) > 7 && strings.EqualFold(header[:7], "sha256=") {
			bare = header[7:]
		}
		if want := len(bare) == 64 && strings.EqualFold(bare, good); (err == nil) != want {
			t.Errorf("%q: %v", header, err)
		}
	})
}

// TestOnce: the mark is that of what is signed, however the signature is
// written, and lasts as long as the time passes.
func TestOnce(t *testing.T) {
	t.Parallel()
	build := func(config string) auth.Verifier {
		v, err := authtest.Decode(method.Method(), config)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := build(`{"secret":"key","timestamp_header":"X-Time","tolerance":60,"once":true}`)
	mark := func(change func(r *auth.Request)) auth.Once {
		r := authtest.Request()
		change(r)
		if err := v.(auth.Signer).Sign(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-HMAC-Signature", strings.ToUpper(r.Header.Get("X-HMAC-Signature")))
		id, err := v.Verify(t.Context(), r)
		if err != nil || len(id.Once) != 1 {
			t.Fatalf("%+v %v", id, err)
		}
		return id.Once[0]
	}
	first := mark(func(*auth.Request) {})
	if want := authtest.Request().Now.Truncate(time.Second).Add(61 * time.Second); !first.Until.Equal(want) {
		t.Errorf("until %s, want %s", first.Until, want)
	}
	if again := mark(func(r *auth.Request) { r.Header.Set("X-Other", "1") }); again != first {
		t.Error("another mark for the same request")
	}
	if other := mark(func(r *auth.Request) { r.Body = []byte("other") }); other.Key == first.Key {
		t.Error("the same mark for another body")
	}
	if other := mark(func(r *auth.Request) { r.Now = r.Now.Add(time.Second) }); other.Key == first.Key {
		t.Error("the same mark for another time")
	}
	r := authtest.Request()
	plain := build(`{"secret":"key","timestamp_header":"X-Time"}`)
	if err := plain.(auth.Signer).Sign(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if id, err := plain.Verify(t.Context(), r); err != nil || id.Once != nil {
		t.Errorf("%+v %v", id, err)
	}
	authtest.Refused(t, method.Method(), `{"secret":"s3cret","once":true}`)
}
