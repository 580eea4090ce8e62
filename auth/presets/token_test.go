package presets_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// tokenSettings are what the presets with tokens need.
var tokenSettings = map[string]map[string]string{
	"livekit": {"api_key": "APIkey1"},
	"netlify": nil,
	"pubsub":  {"audience": "https://hooks.example.com/", "email": "push@example.iam.gserviceaccount.com"},
}

func tokenPreset(env auth.Env, name string, secrets ...string) (*presets.Verifier, error) {
	p, ok := presets.Lookup(name)
	if !ok {
		panic("no preset " + name)
	}
	o := presets.Options{Params: maps.Clone(tokenSettings[name])}
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	return p.New(env, o)
}

func mustToken(t testing.TB, env auth.Env, name string, secrets ...string) *presets.Verifier {
	t.Helper()
	v, err := tokenPreset(env, name, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTokenSuite(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]authtest.Subject{
		"netlify": {Header: "X-Webhook-Signature"},
		"livekit": {Header: "Authorization", Clock: map[time.Duration]string{
			0: "", 6*time.Minute - time.Second: "", 6 * time.Minute: auth.CodeExpired, -time.Minute: "", -61 * time.Second: auth.CodeNotYetValid,
		}},
	} {
		s.CoversBody = true
		s.Secrets = [3]string{"whsec_first-Secret-of-3", "whsec_second-Secret", "third secret, with \u00fcmlaut"}
		s.New = func(secrets ...string) (auth.Verifier, error) {
			v, err := tokenPreset(auth.Env{}, name, secrets...)
			if err != nil {
				return nil, err
			}
			return v, nil
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, s)
		})
	}
}

// The tokens were made with openssl (dgst -mac HMAC) after the descriptions at
// docs.netlify.com and docs.livekit.io.
const (
	netlifyBody  = `{"id":"5ebc34bf4fea0b01f02efa3a","state":"ready"}`
	netlifyToken = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJuZXRsaWZ5Iiwic2hhMjU2IjoiZWI0NWQ3MDA4YTgyNjMxZjBiM2M0ZjgyYmM4NzgxZWIwZGM0NGZiNzQwM2EzNzVhNGJmNTZhN2RmZWJmNWQyYiJ9." +
		"Pkh-rfsCWVVMMeNx5ukvTC6i4pYVBFa2Yt8G1ambGv0"
	livekitBody  = `{"event":"room_started","id":"EV_1","createdAt":"1772366400"}`
	livekitToken = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJBUElrZXkxIiwibmJmIjoxNzcyMzY2NDAwLCJleHAiOjE3NzIzNjY3MDAsInNoYTI1NiI6IkxTK0daaEF3d2xBYVR3ZWpGcGJnZnZDcEhLSFF3UEpBQXJJaUJjVGJJYkE9In0." +
		"9QkA-EPW2Hb67VsPBJfk5GDMiNcwPPGBo_AKAuBiYdA"
)

func TestTokenVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, preset, secret, header, token, body string
		code                                      string
		marks                                     auth.Marks
	}{
		{"good", "netlify", "netlify-shared-secret", "X-Webhook-Signature", netlifyToken, netlifyBody, "", auth.Marks{}},
		{"other body", "netlify", "netlify-shared-secret", "X-Webhook-Signature", netlifyToken, netlifyBody + " ", auth.CodeSignatureMismatch, auth.Marks{}},
		{"other secret", "netlify", "netlify-shared-secre", "X-Webhook-Signature", netlifyToken, netlifyBody, auth.CodeSignatureMismatch, auth.Marks{}},
		{"other header", "netlify", "netlify-shared-secret", "Authorization", netlifyToken, netlifyBody, auth.CodeMissing, auth.Marks{}},
		{"with a scheme", "netlify", "netlify-shared-secret", "X-Webhook-Signature", "Bearer " + netlifyToken, netlifyBody, auth.CodeMalformed, auth.Marks{}},
		{"blank before", "netlify", "netlify-shared-secret", "X-Webhook-Signature", " " + netlifyToken, netlifyBody, auth.CodeMalformed, auth.Marks{}},
		{"token of another sender", "netlify", "livekit-api-secret", "X-Webhook-Signature", livekitToken, livekitBody, auth.CodeClaim, auth.Marks{}},
		{"good", "livekit", "livekit-api-secret", "Authorization", livekitToken, livekitBody, "", auth.Marks{DeliveryID: "EV_1", Type: "room_started", Window: 7 * 24 * time.Hour, Covered: true}},
		{"other body", "livekit", "livekit-api-secret", "Authorization", livekitToken, "", auth.CodeSignatureMismatch, auth.Marks{}},
		{"with a scheme", "livekit", "livekit-api-secret", "Authorization", "Bearer " + livekitToken, livekitBody, auth.CodeMalformed, auth.Marks{}},
		{"token of another sender", "livekit", "netlify-shared-secret", "Authorization", netlifyToken, netlifyBody, auth.CodeClaim, auth.Marks{}},
	} {
		r := authtest.Header(c.header, c.token)
		r.Body = []byte(c.body)
		v := mustToken(t, auth.Env{}, c.preset, c.secret)
		id, err := v.Verify(context.Background(), r)
		got := ""
		if err != nil {
			got = auth.DenialOf(err).Code
		} else if id.Method != c.preset || id.Subject == "" {
			t.Errorf("%s %s: identity %+v", c.preset, c.name, id)
		}
		if got != c.code {
			t.Errorf("%s %s: code %q, want %q", c.preset, c.name, got, c.code)
		}
		if m := v.Mark(r); c.code == "" && m != c.marks {
			t.Errorf("%s %s: marks %+v", c.preset, c.name, m)
		}
	}
}

// TestTokenHash: a token that is rightly signed and says nothing of the body, or
// says it in another form, is for no body.
func TestTokenHash(t *testing.T) {
	t.Parallel()
	v := mustToken(t, auth.Env{}, "netlify", "s3cret")
	sum := sha256.Sum256([]byte(authtest.Body))
	hexSum := hex.EncodeToString(sum[:])
	for claims, code := range map[string]string{
		`{"iss":"netlify","sha256":"` + hexSum + `"}`:                                    "",
		`{"iss":"netlify","sha256":"` + strings.ToUpper(hexSum) + `"}`:                   auth.CodeSignatureMismatch,
		`{"iss":"netlify","sha256":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}`: auth.CodeSignatureMismatch,
		`{"iss":"netlify","sha256":""}`:                                                  auth.CodeSignatureMismatch,
		`{"iss":"netlify","sha256":null}`:                                                auth.CodeClaim,
		`{"iss":"netlify","SHA256":"` + hexSum + `"}`:                                    auth.CodeClaim,

		`{"iss":"netlify"}`:                           auth.CodeClaim,
		`{"sha256":"` + hexSum + `"}`:                 auth.CodeClaim,
		`{"iss":"Netlify","sha256":"` + hexSum + `"}`: auth.CodeClaim,

		`{"iss":"netlify","sha256":"` + hexSum + `","exp":` + fmt.Sprint(authtest.Now.Unix()-1) + `}`: auth.CodeExpired,
		`{"iss":"netlify","sha256":"` + hexSum + `","sha256":"` + hexSum + `"}`:                       auth.CodeMalformed,
		`{"iss":"netlify","sha256":"` + strings.Repeat("0", 64) + `"}`:                                auth.CodeSignatureMismatch,
		`{"iss":"netlify","sha256":["` + hexSum + `"]}`:                                               auth.CodeClaim,
	} {
		signed := b64(`{"alg":"HS256"}`) + "." + b64(claims)
		m := hmac.New(sha256.New, []byte("s3cret"))
		m.Write([]byte(signed))
		_, err := v.Verify(context.Background(), authtest.Header("X-Webhook-Signature", signed+"."+b64(string(m.Sum(nil)))))
		got := ""
		if err != nil {
			got = auth.DenialOf(err).Code
		}
		if got != code {
			t.Errorf("%s: code %q, want %q", claims, got, code)
		}
	}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestTokenSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		preset string
		o      presets.Options
		text   string
	}{
		"netlify without a secret":  {"netlify", presets.Options{}, "needs a secret"},
		"netlify, blank":            {"netlify", presets.Options{Secrets: []secret.String{secret.New(" ")}}, "blank"},
		"livekit without a secret":  {"livekit", presets.Options{Params: tokenSettings["livekit"]}, "needs a secret"},
		"livekit without a key":     {"livekit", presets.Options{Secrets: []secret.String{secret.New("s")}}, `"api_key"`},
		"pubsub with a secret":      {"pubsub", presets.Options{Secrets: []secret.String{secret.New("s3cret")}, Params: tokenSettings["pubsub"]}, "has no secret"},
		"pubsub without an email":   {"pubsub", presets.Options{Params: map[string]string{"audience": "a"}}, `"email"`},
		"pubsub without audience":   {"pubsub", presets.Options{Params: map[string]string{"email": "a"}}, `"audience"`},
		"pubsub with another URL":   {"pubsub", presets.Options{Params: map[string]string{"audience": "a", "email": "a", "jwks_url": "http://example.com/"}}, "https"},
		"pubsub with other setting": {"pubsub", presets.Options{Params: map[string]string{"audience": "a", "email": "a", "iss": "a"}}, `no setting "iss"`},
		"pubsub, tolerance":         {"pubsub", presets.Options{Params: tokenSettings["pubsub"], Tolerance: time.Hour}, "leeway"},
	} {
		p, _ := presets.Lookup(c.preset)
		_, err := p.New(auth.Env{}, c.o)
		if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
}

func TestTokenFacts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"netlify": "signature: header X-Webhook-Signature, a JSON Web Token",
		"livekit": "delivery id: JSON member id (covered by the signature)",
		"pubsub":  "delivery id: JSON member message.messageId, else header X-Goog-Pubsub-Message-Id (not covered",
	} {
		p, _ := presets.Lookup(name)
		if !slices.ContainsFunc(p.Facts(), func(f presets.Fact) bool { return strings.HasPrefix(f.Label+": "+f.Text, want) }) {
			t.Errorf("%s lacks %q: %v", name, want, p.Facts())
		}
	}
}

func TestTokenSamples(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]string{"netlify": {"s"}, "livekit": {"s"}, "pubsub": nil} {
		v := mustToken(t, auth.Env{}, name, secrets...)
		p := v.Preset()
		r := authtest.Request()
		r.Header = nil
		r.Body = p.Body("", `evt_"1`, authtest.Now)
		v.Prepare(r, "", `evt_"1`)
		if !json.Valid(r.Body) || r.Header.Get("User-Agent") == "" || r.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %v\n%s", name, r.Header, r.Body)
		}
		if m := v.Mark(r); m.Type != p.DefaultEvent || m.DeliveryID != "" && m.DeliveryID != `evt_"1` || (m.DeliveryID == "") != (len(p.ID) == 0) {
			t.Errorf("%s: marks %+v", name, m)
		}
	}
}

var googleKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// google serves the key, and notes where it was asked for.
type google struct{ asked *string }

func (g google) RoundTrip(r *http.Request) (*http.Response, error) {
	*g.asked = r.URL.String()
	k := googleKey()
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"1","use":"sig","alg":"RS256","n":"%s","e":"%s"}]}`, b64(string(k.N.Bytes())), b64(string(big.NewInt(int64(k.E)).Bytes())))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(set)))}, nil
}

func TestPubSub(t *testing.T) {
	t.Parallel()
	asked := ""
	v := mustToken(t, auth.Env{HTTP: google{&asked}}, "pubsub")
	now := authtest.Now.Unix()
	good := map[string]any{
		"iss": "https://accounts.google.com", "aud": "https://hooks.example.com/", "azp": "113774264463038321964", "sub": "113774264463038321964",
		"email": "push@example.iam.gserviceaccount.com", "email_verified": true, "iat": now - 10, "exp": now + 3590,
	}
	for _, c := range []struct {
		name, claim string
		value       any
		code        string
	}{
		{"good", "x", 1, ""},
		{"issuer without https", "iss", "accounts.google.com", ""},
		{"other issuer", "iss", "https://accounts.google.com.example", auth.CodeClaim},
		{"no issuer", "iss", nil, auth.CodeClaim},
		{"other audience", "aud", "https://hooks.example.com", auth.CodeClaim},
		{"no audience", "aud", nil, auth.CodeClaim},
		{"other account", "email", "push@attacker.iam.gserviceaccount.com", auth.CodeClaim},
		{"account in other case", "email", "Push@example.iam.gserviceaccount.com", auth.CodeClaim},
		{"no account", "email", nil, auth.CodeClaim},
		{"not verified", "email_verified", false, auth.CodeClaim},
		{"verified as a text", "email_verified", "true", auth.CodeClaim},
		{"verified missing", "email_verified", nil, auth.CodeClaim},
		{"expired", "exp", now - 60, auth.CodeExpired},
		{"just expired", "exp", now - 59, ""},
		{"no exp", "exp", nil, auth.CodeClaim},
		{"from the future", "iat", now + 61, auth.CodeNotYetValid},
	} {
		claims := maps.Clone(good)
		if claims[c.claim] = c.value; c.value == nil {
			delete(claims, c.claim)
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		signed := b64(`{"alg":"RS256","kid":"1","typ":"JWT"}`) + "." + b64(string(payload))
		sum := sha256.Sum256([]byte(signed))
		sig, err := rsa.SignPKCS1v15(rand.Reader, googleKey(), crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		r := authtest.Header("Authorization", "Bearer "+signed+"."+b64(string(sig)))
		r.Body = []byte(`{"message":{"messageId":"17","attributes":{"eventType":"OBJECT_DELETE"}},"subscription":"s"}`)
		id, err := v.Verify(context.Background(), r)
		got := ""
		if err != nil {
			got = auth.DenialOf(err).Code
		} else if id.Subject != "pubsub:push@example.iam.gserviceaccount.com" {
			t.Errorf("%s: identity %+v", c.name, id)
		}
		if got != c.code {
			t.Errorf("%s: code %q, want %q", c.name, got, c.code)
		}
		want := auth.Marks{DeliveryID: "17", Type: "OBJECT_DELETE", Window: 7 * 24 * time.Hour}
		if m := v.Mark(r); m != want {
			t.Errorf("%s: marks %+v", c.name, m)
		}
	}
	if asked != "https://www.googleapis.com/oauth2/v3/certs" {
		t.Errorf("asked %q", asked)
	}
	if err := v.Sign(context.Background(), authtest.Request()); err == nil {
		t.Error("signed as Google")
	}
	_, err := mustToken(t, auth.Env{}, "pubsub").Verify(context.Background(), authtest.Header("Authorization", "Bearer "+livekitToken))
	if d := auth.DenialOf(err); d.Code != auth.CodeAlgorithm {
		t.Errorf("a token of another sender: %v", d)
	}
}
