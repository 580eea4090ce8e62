package jose_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/jose"
)

// issuer is a server of keys whose answer a test changes.
type issuer struct {
	asked  atomic.Int32
	mu     sync.Mutex
	answer func(r *http.Request) (*http.Response, error)
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.asked.Add(1)
	i.mu.Lock()
	f := i.answer
	i.mu.Unlock()
	return f(r)
}

func (i *issuer) serve(set string, header ...string) {
	i.set(func(*http.Request) (*http.Response, error) { return answer(200, set, header...), nil })
}

func (i *issuer) fail() {
	i.set(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
}

func (i *issuer) set(f func(*http.Request) (*http.Response, error)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = f
}

func (i *issuer) expect(t *testing.T, n int32, when string) {
	t.Helper()
	if got := i.asked.Load(); got != n {
		t.Errorf("%s: asked %d times, want %d", when, got, n)
	}
}

// The two keys of the tests, as token and as set.
func named(i int) string {
	return forge(fmt.Sprintf(`{"alg":"RS256","kid":"k%d"}`, i), `{}`, rs256(rsaKeys()[i]))
}

func setOf(is ...int) string {
	var keys []map[string]any
	for _, i := range is {
		keys = append(keys, jwk(rsaKeys()[i], map[string]any{"kid": fmt.Sprintf("k%d", i), "use": "sig", "alg": "RS256"}))
	}
	return jwks(keys...)
}

func want(t *testing.T, v *jose.Verifier, token, want, when string) {
	t.Helper()
	if got := code(t, v, token); got != want {
		t.Errorf("%s: code %q, want %q", when, got, want)
	}
}

func TestKeysAreKept(t *testing.T) {
	first, second := named(0), named(1)
	for name, c := range map[string]struct {
		header []string
		fresh  time.Duration
	}{
		"by default":        {nil, 10 * time.Minute},
		"max-age":           {[]string{"Cache-Control", "public, max-age=3600"}, time.Hour},
		"quoted":            {[]string{"Cache-Control", `Max-Age="120"`}, 2 * time.Minute},
		"second header":     {[]string{"Cache-Control", "public", "Cache-Control", "max-age=120"}, 2 * time.Minute},
		"at least":          {[]string{"Cache-Control", "max-age=0"}, time.Minute},
		"at most":           {[]string{"Cache-Control", "max-age=2147483647"}, 24 * time.Hour},
		"no-store":          {[]string{"Cache-Control", "no-store"}, time.Minute},
		"no number":         {[]string{"Cache-Control", "max-age=-5"}, 10 * time.Minute},
		"beyond a number":   {[]string{"Cache-Control", "max-age=99999999999999999999"}, 10 * time.Minute},
		"another directive": {[]string{"Cache-Control", "s-maxage=120"}, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{}
				i.serve(setOf(0), c.header...)
				v := remote(t, auth.Env{HTTP: i}, "RS256")
				i.expect(t, 0, "before the first token")
				for range 3 {
					want(t, v, first, "", "first key")
				}
				i.expect(t, 1, "at first")
				<-time.After(c.fresh - time.Second)
				want(t, v, first, "", "while fresh")
				i.expect(t, 1, "while fresh")
				i.serve(setOf(1), c.header...)
				<-time.After(time.Second)
				want(t, v, first, auth.CodeKey, "after the key was taken away")
				want(t, v, second, "", "the key in its place")
				i.expect(t, 2, "when old")
			})
		})
	}
}

// TestRotation: a token that names a new key has it fetched; a storm of such
// names does not.
func TestRotation(t *testing.T) {
	first, second := named(0), named(1)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		i.serve(setOf(0))
		v := remote(t, auth.Env{HTTP: i}, "RS256")
		want(t, v, first, "", "first key")
		<-time.After(15 * time.Second)
		i.serve(setOf(0, 1))
		want(t, v, second, "", "new key")
		want(t, v, first, "", "old key")
		i.expect(t, 2, "after the rotation")

		for n := range 1000 {
			junk := forge(fmt.Sprintf(`{"alg":"RS256","kid":"junk%d"}`, n), `{}`, rs256(rsaKeys()[0]))
			want(t, v, junk, auth.CodeKey, "junk")
			<-time.After(50 * time.Millisecond) // 50 s in all
		}
		if n := i.asked.Load(); n > 2+4 {
			t.Errorf("a storm of unknown names led to %d requests", n-2)
		}
		want(t, v, first, "", "after the storm")
	})
}

// TestOneFetchAtATime: many tokens that come before the keys wait for one
// request.
func TestOneFetchAtATime(t *testing.T) {
	first := named(0)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		i.set(func(*http.Request) (*http.Response, error) {
			<-time.After(2 * time.Second)
			return answer(200, setOf(0)), nil
		})
		v := remote(t, auth.Env{HTTP: i}, "RS256")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		var good, impatient atomic.Int32
		for n := range 50 {
			wg.Go(func() {
				c := t.Context()
				if n%2 == 1 {
					c = ctx
				}
				_, err := v.Verify(c, first, authtest.Now)
				if err == nil {
					good.Add(1)
				} else if auth.DenialOf(err).Unavailable {
					impatient.Add(1)
				}
			})
		}
		wg.Wait()
		i.expect(t, 1, "50 at once")
		// One of those with the short patience may be the one that fetches, and
		// then it sees the fetch through, since others wait for it.
		if g, im := good.Load(), impatient.Load(); g+im != 50 || g < 25 || g > 26 {
			t.Errorf("%d good, %d gave up", g, im)
		}
	})
}

// TestDown: keys stay in use for a while; without any, the answer is 503.
func TestDown(t *testing.T) {
	first, second := named(0), named(1)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		i.fail()
		v := remote(t, auth.Env{HTTP: i}, "RS256")
		for range 10 {
			want(t, v, first, auth.CodeUnavailable, "down from the start")
		}
		i.expect(t, 1, "down from the start")
		_, err := v.Verify(t.Context(), first, authtest.Now)
		if d := auth.DenialOf(err); !d.Unavailable || !strings.Contains(d.Error(), "connection refused") || strings.Contains(d.Error(), "issuer.example") {
			t.Errorf("denial %v", d)
		}
		i.serve(setOf(0))
		want(t, v, first, auth.CodeUnavailable, "not asked again yet")
		<-time.After(15 * time.Second)
		want(t, v, first, "", "up again")

		i.fail()
		<-time.After(15 * time.Second)
		want(t, v, second, auth.CodeUnavailable, "an unknown name while down: it may be new")
		want(t, v, first, "", "a known one while down")
		<-time.After(24*time.Hour + 9*time.Minute)
		want(t, v, first, "", "the last minutes of the old keys")
		<-time.After(2 * time.Minute)
		want(t, v, first, auth.CodeUnavailable, "too old")
		i.serve(setOf(0))
		<-time.After(15 * time.Second)
		want(t, v, first, "", "up at last")
	})
}

// TestBadAnswers: whatever is no set of keys leaves those that are known.
func TestBadAnswers(t *testing.T) {
	first := named(0)
	slow := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	text := func(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return answer(status, body, header...), nil }
	}
	for name, f := range map[string]func(*http.Request) (*http.Response, error){
		"slow":           slow,
		"huge":           text(200, setOf(0)+strings.Repeat(" ", 1<<20)),
		"500":            text(500, setOf(0)),
		"404":            text(404, setOf(0)),
		"redirect":       text(302, setOf(0), "Location", "https://elsewhere.example/"),
		"no JSON":        text(200, "<html>"),
		"empty":          text(200, ""),
		"no keys":        text(200, `{}`),
		"empty list":     text(200, `{"keys":[]}`),
		"keys no list":   text(200, `{"keys":{"a":1}}`),
		"a key alone":    text(200, strings.TrimSuffix(strings.TrimPrefix(setOf(0), `{"keys":[`), `]}`)),
		"member twice":   text(200, strings.Replace(setOf(0), `"kid":"k0"`, `"kid":"k0","kid":"k1"`, 1)),
		"Keys":           text(200, strings.Replace(setOf(0), `"keys"`, `"Keys"`, 1)),
		"more behind":    text(200, setOf(0)+`{}`),
		"101 keys":       text(200, `{"keys":[`+strings.Repeat(`{},`, 100)+`{}]}`),
		"not a verifier": text(200, strings.ReplaceAll(setOf(0), `"use":"sig"`, `"use":"enc"`)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{}
				i.set(f)
				v := remote(t, auth.Env{HTTP: i}, "RS256")
				start := time.Now()
				want(t, v, first, auth.CodeUnavailable, "at first")
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("took %s", d)
				}
				i.serve(setOf(0))
				<-time.After(time.Minute)
				want(t, v, first, "", "good")
				i.set(f)
				<-time.After(11 * time.Minute)
				want(t, v, first, "", "with the keys that are known")
				i.expect(t, 3, "in all")
			})
		})
	}
}

// TestPickyAboutKeys: a key is used for what it says that it is for.
func TestPickyAboutKeys(t *testing.T) {
	t.Parallel()
	k, e := rsaKeys()[0], ecKeys()[0]
	rs := forge(`{"alg":"RS256","kid":"a"}`, `{}`, rs256(k))
	es := forge(`{"alg":"ES256","kid":"a"}`, `{}`, es256(e))
	with := func(more map[string]any) map[string]any { return jwk(k, more) }
	ec := func(more map[string]any) map[string]any { return jwk(e, more) }
	other := jwk(rsaKeys()[1], map[string]any{"kid": "z"}) // makes every set one that can be used
	for name, c := range map[string]struct {
		key   map[string]any
		token string
		good  bool
	}{
		"bare":              {with(nil), rs, true},
		"kid":               {with(map[string]any{"kid": "a"}), rs, true},
		"other kid":         {with(map[string]any{"kid": "A"}), rs, false},
		"kid number":        {with(map[string]any{"kid": 1}), rs, false},
		"use sig":           {with(map[string]any{"use": "sig"}), rs, true},
		"use enc":           {with(map[string]any{"use": "enc"}), rs, false},
		"use null":          {with(map[string]any{"use": nil}), rs, false},
		"key_ops verify":    {with(map[string]any{"key_ops": []string{"verify"}}), rs, true},
		"key_ops encrypt":   {with(map[string]any{"key_ops": []string{"encrypt"}}), rs, false},
		"key_ops empty":     {with(map[string]any{"key_ops": []string{}}), rs, false},
		"alg":               {with(map[string]any{"alg": "RS256"}), rs, true},
		"other alg":         {with(map[string]any{"alg": "RS512"}), rs, false},
		"alg HS256":         {with(map[string]any{"alg": "HS256"}), rs, false},
		"alg of encryption": {with(map[string]any{"alg": "RSA-OAEP"}), rs, false},
		"kty oct":           {map[string]any{"kty": "oct", "k": b64([]byte(shared))}, forge(hsHeader, `{}`, hs256(shared)), false},
		"kty rsa":           {with(map[string]any{"kty": "rsa"}), rs, false},
		"kty unknown":       {with(map[string]any{"kty": "AKP"}), rs, false},
		"kty missing":       {with(map[string]any{"kty": nil}), rs, false},
		"weak":              {jwk(weakRSA(), nil), forge(`{"alg":"RS256"}`, `{}`, rs256(weakRSA())), false},
		"even exponent":     {with(map[string]any{"e": "AQAC"}), rs, false},
		"exponent 1":        {with(map[string]any{"e": "AQ"}), rs, false},
		"huge exponent":     {with(map[string]any{"e": "AQABAQABAQ"}), rs, false},
		"no modulus":        {with(map[string]any{"n": ""}), rs, false},
		"huge modulus":      {with(map[string]any{"n": strings.Repeat("_", 4000)}), rs, false},
		"padded modulus":    {with(map[string]any{"n": jwk(k, nil)["n"].(string) + "=="}), rs, false},
		"EC":                {ec(nil), es, true},
		"EC other curve":    {ec(map[string]any{"crv": "P-384"}), es, false},
		"EC unknown curve":  {ec(map[string]any{"crv": "secp256k1"}), es, false},
		"EC not on it":      {ec(map[string]any{"y": jwk(e, nil)["x"]}), es, false},
		"EC short":          {ec(map[string]any{"x": "AQ"}), es, false},
		"Ed25519 short":     {map[string]any{"kty": "OKP", "crv": "Ed25519", "x": "AQ"}, es, false},
		"X25519":            {jwk(edKey(), map[string]any{"crv": "X25519"}), es, false},
	} {
		v := remote(t, serving(jwks(c.key, other)), "RS256", "ES256", "EdDSA")
		if got := code(t, v, c.token); (got == "") != c.good {
			t.Errorf("%s: code %q, want good %v", name, got, c.good)
		}
	}
}

// TestOverHTTP fetches from a real server: no redirect is followed, and the
// limit holds while the body is read.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/keys":
			if r.Method != http.MethodGet || r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
				t.Errorf("%s with %v", r.Method, r.Header)
			}
			fmt.Fprint(w, setOf(0))
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/elsewhere":
			elsewhere.Store(true)
			fmt.Fprint(w, setOf(0))
		case "/endless":
			for range 200 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
			t.Error("200 MiB were read")
		}
	}))
	t.Cleanup(s.Close)
	for at, c := range map[string]string{"/keys": "", "/redirect": auth.CodeUnavailable, "/endless": auth.CodeUnavailable, "/none": auth.CodeUnavailable} {
		v := build(t, auth.Env{HTTP: s.Client().Transport}, jose.Config{Algorithms: []jose.Algorithm{"RS256"}, JWKS: s.URL + at})
		want(t, v, named(0), c, at)
	}
	if elsewhere.Load() {
		t.Error("a redirect was followed")
	}
	offline := build(t, auth.Env{}, jose.Config{Algorithms: []jose.Algorithm{"RS256"}, JWKS: s.URL + "/keys"})
	want(t, offline, named(0), auth.CodeUnavailable, "offline")
}
