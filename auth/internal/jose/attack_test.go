package jose_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
)

const hsHeader = `{"alg":"HS256","typ":"JWT"}`

// TestContainer: rightly signed, but written in a way that no issuer writes.
func TestContainer(t *testing.T) {
	t.Parallel()
	v := withSecret(t, jose.Rules{})
	sign := hs256(shared)
	header := func(h string) string { return forge(h, `{"sub":"a"}`, sign) }
	payload := func(p string) string { return forge(hsHeader, p, sign) }
	good := header(hsHeader)
	first, rest, _ := strings.Cut(good, ".")
	second, third, _ := strings.Cut(rest, ".")
	resigned := func(signed string) string { return signed + "." + b64(sign(signed)) }
	loose := third[:len(third)-1] + string(third[len(third)-1]+1) // the same bytes, with bits left over

	for name, c := range map[string]struct{ token, code string }{
		"good":                      {good, ""},
		"no typ":                    {header(`{"alg":"HS256"}`), ""},
		"unknown header":            {header(`{"alg":"HS256","x":{"y":[1,null]}}`), ""},
		"kid of a single key":       {header(`{"alg":"HS256","kid":"any"}`), ""},
		"at+jwt":                    {header(`{"alg":"HS256","typ":"at+jwt"}`), ""},
		"blanks":                    {header(" {\t\"alg\" :\n\"HS256\" } "), ""},
		"escaped":                   {header(`{"\u0061lg":"HS\u0032\u0035\u0036"}`), ""},
		"empty":                     {"", auth.CodeMalformed},
		"one segment":               {first, auth.CodeMalformed},
		"two segments":              {first + "." + second, auth.CodeMalformed},
		"four segments":             {good + ".", auth.CodeMalformed},
		"five segments":             {good + ".." + third, auth.CodeMalformed},
		"no signature":              {first + "." + second + ".", auth.CodeSignatureMismatch},
		"no payload":                {resigned(first + "."), auth.CodeMalformed},
		"no header":                 {resigned("." + second), auth.CodeMalformed},
		"padded signature":          {good + "=", auth.CodeMalformed},
		"standard alphabet":         {resigned(first + "." + base64.RawStdEncoding.EncodeToString([]byte("{\"a\":\"\u00bf\u00bf\u00be\u00bf\"}"))), auth.CodeMalformed},
		"bits left over":            {first + "." + second + "." + loose, auth.CodeMalformed},
		"line feed behind":          {good + "\n", auth.CodeMalformed},
		"line feed inside":          {good[:len(good)-4] + "\n" + good[len(good)-4:], auth.CodeMalformed},
		"carriage return, resigned": {resigned(first + "." + second[:4] + "\r\n" + second[4:]), auth.CodeMalformed},
		"blank inside":              {first + ". " + second + "." + third, auth.CodeMalformed},
		"crit":                      {header(`{"alg":"HS256","crit":["exp"],"exp":1}`), auth.CodeMalformed},
		"crit empty":                {header(`{"alg":"HS256","crit":[]}`), auth.CodeMalformed},
		"crit null":                 {header(`{"alg":"HS256","crit":null}`), auth.CodeMalformed},
		"crit b64":                  {header(`{"alg":"HS256","crit":["b64"],"b64":false}`), auth.CodeMalformed},
		"b64 false":                 {header(`{"alg":"HS256","b64":false}`), auth.CodeMalformed},
		"b64 true":                  {header(`{"alg":"HS256","b64":true}`), auth.CodeMalformed},
		"header no JSON":            {header(`alg=HS256`), auth.CodeMalformed},
		"header cut":                {header(`{"alg":"HS256"`), auth.CodeMalformed},
		"header and more":           {header(`{"alg":"HS256"}{}`), auth.CodeMalformed},
		"header list":               {header(`["HS256"]`), auth.CodeMalformed},
		"header null":               {header(`null`), auth.CodeMalformed},
		"header bad UTF-8":          {header("{\"alg\":\"HS256\",\"x\":\"\xff\"}"), auth.CodeMalformed},
		"header twice alg":          {header(`{"alg":"none","alg":"HS256"}`), auth.CodeMalformed},
		"header twice, escaped":     {header(`{"alg":"HS256","\u0061lg":"HS256"}`), auth.CodeMalformed},
		"header twice kid":          {header(`{"alg":"HS256","kid":"a","kid":"b"}`), auth.CodeMalformed},
		"header twice below":        {header(`{"alg":"HS256","x":{"y":1,"y":2}}`), auth.CodeMalformed},
		"header deep":               {header(`{"alg":"HS256","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`), auth.CodeMalformed},
		"header long":               {header(`{"alg":"HS256","x":"` + strings.Repeat("x", 4096) + `"}`), auth.CodeMalformed},
		"alg missing":               {header(`{"typ":"JWT"}`), auth.CodeMalformed},
		"alg null":                  {header(`{"alg":null}`), auth.CodeMalformed},
		"alg list":                  {header(`{"alg":["HS256"]}`), auth.CodeMalformed},
		"ALG":                       {header(`{"ALG":"HS256"}`), auth.CodeMalformed},
		"alg long":                  {header(`{"alg":"` + strings.Repeat("H", 65) + `"}`), auth.CodeMalformed},
		"kid long":                  {header(`{"alg":"HS256","kid":"` + strings.Repeat("k", 257) + `"}`), auth.CodeMalformed},
		"kid number":                {header(`{"alg":"HS256","kid":1}`), auth.CodeMalformed},
		"typ list":                  {header(`{"alg":"HS256","typ":[]}`), auth.CodeMalformed},
		"alg hs256":                 {header(`{"alg":"hs256"}`), auth.CodeAlgorithm},
		"alg none":                  {forge(`{"alg":"none"}`, `{"sub":"a"}`, nil), auth.CodeAlgorithm},
		"alg None":                  {forge(`{"alg":"None"}`, `{"sub":"a"}`, nil), auth.CodeAlgorithm},
		"alg NONE":                  {forge(`{"alg":"NONE"}`, `{"sub":"a"}`, nil), auth.CodeAlgorithm},
		"alg nOnE signed":           {header(`{"alg":"nOnE"}`), auth.CodeAlgorithm},
		"alg blank":                 {header(`{"alg":" HS256"}`), auth.CodeAlgorithm},
		"alg unknown":               {header(`{"alg":"HS255"}`), auth.CodeAlgorithm},
		"HS512 of the same secret":  {forge(`{"alg":"HS512"}`, `{"sub":"a"}`, hs512(shared)), auth.CodeAlgorithm},
		"signature cut":             {first + "." + second + "." + b64(sign(first + "." + second)[:31]), auth.CodeSignatureMismatch},
		"signed with nothing":       {forge(hsHeader, `{"sub":"a"}`, hs256("")), auth.CodeSignatureMismatch},
		"payload no JSON":           {payload(`sub=a`), auth.CodeMalformed},
		"payload empty":             {payload(``), auth.CodeMalformed},
		"payload empty object":      {payload(`{}`), ""},
		"payload list":              {payload(`[{"sub":"a"}]`), auth.CodeMalformed},
		"payload text":              {payload(`"sub"`), auth.CodeMalformed},
		"payload null":              {payload(`null`), auth.CodeMalformed},
		"payload twice":             {payload(`{"sub":"a","sub":"b"}`), auth.CodeMalformed},
		"payload twice, escaped":    {payload(`{"sub":"a","s\u0075b":"b"}`), auth.CodeMalformed},
		"payload twice below":       {payload(`{"x":[{"y":1,"y":1}]}`), auth.CodeMalformed},
		"payload bad UTF-8":         {payload("{\"sub\":\"\xc3\x28\"}"), auth.CodeMalformed},
		"payload deep":              {payload(`{"x":` + strings.Repeat(`{"x":`, 40) + `1` + strings.Repeat(`}`, 41)), auth.CodeMalformed},
		"nested token":              {forge(`{"alg":"HS256","cty":"JWT"}`, good, sign), auth.CodeMalformed},
	} {
		if got := code(t, v, c.token); got != c.code {
			t.Errorf("%s: code %q, want %q (%s)", name, got, c.code, c.token)
		}
	}
}

func hs512(key string) func(string) []byte {
	return func(signed string) []byte {
		m := hmac.New(sha512.New, []byte(key))
		m.Write([]byte(signed))
		return m.Sum(nil)
	}
}

// TestConfusion: what is public never verifies as a secret, and a key that the
// token brings along is not looked at.
func TestConfusion(t *testing.T) {
	t.Parallel()
	k, other := rsaKeys()[0], rsaKeys()[1]
	public := publicPEM(k)
	v := build(t, auth.Env{}, jose.Config{Algorithms: []jose.Algorithm{"RS256"}, PublicKeys: []string{public}})
	const claims = `{"sub":"a"}`
	mine := jwk(other, nil)
	own := func(member string) string {
		return forge(`{"alg":"RS256",`+member+`}`, claims, rs256(other))
	}
	for name, c := range map[string]struct{ token, code string }{
		"good":                     {forge(`{"alg":"RS256"}`, claims, rs256(k)), ""},
		"HS256 with the PEM":       {forge(`{"alg":"HS256"}`, claims, hs256(public)), auth.CodeAlgorithm},
		"HS256 without line feed":  {forge(`{"alg":"HS256"}`, claims, hs256(strings.TrimSpace(public))), auth.CodeAlgorithm},
		"RS256, signed with a MAC": {forge(`{"alg":"RS256"}`, claims, hs256(public)), auth.CodeSignatureMismatch},
		"none":                     {forge(`{"alg":"none"}`, claims, nil), auth.CodeAlgorithm},
		"PS256":                    {forge(`{"alg":"PS256"}`, claims, rs256(k)), auth.CodeAlgorithm},
		"other key":                {forge(`{"alg":"RS256"}`, claims, rs256(other)), auth.CodeSignatureMismatch},
		"jwk":                      {own(`"jwk":{"kty":"RSA","n":"` + mine["n"].(string) + `","e":"AQAB"}`), auth.CodeSignatureMismatch},
		"jku":                      {own(`"jku":"https://attacker.example/keys"`), auth.CodeSignatureMismatch},
		"x5u":                      {own(`"x5u":"https://attacker.example/cert"`), auth.CodeSignatureMismatch},
		"x5c":                      {own(`"x5c":["MIIB"]`), auth.CodeSignatureMismatch},
		"empty signature":          {forge(`{"alg":"RS256"}`, claims, nil), auth.CodeSignatureMismatch},
	} {
		if got := code(t, v, c.token); got != c.code {
			t.Errorf("%s: code %q, want %q", name, got, c.code)
		}
	}
	ec := build(t, auth.Env{}, jose.Config{Algorithms: []jose.Algorithm{"ES256"}, PublicKeys: []string{publicPEM(ecKeys()[0])}})
	for name, sig := range map[string][]byte{
		"zeros": make([]byte, 64), "empty": {}, "short": make([]byte, 63), "long": make([]byte, 65),
	} {
		if got := code(t, ec, forge(`{"alg":"ES256"}`, claims, func(string) []byte { return sig })); got != auth.CodeSignatureMismatch {
			t.Errorf("ES256 with %s: code %q", name, got)
		}
	}
}

// TestManyAlgorithms: several algorithms may be listed, and a key still serves
// its own kind only.
func TestManyAlgorithms(t *testing.T) {
	t.Parallel()
	set := jwks(jwk(rsaKeys()[0], map[string]any{"kid": "r"}), jwk(ecKeys()[0], map[string]any{"kid": "e"}), jwk(edKey(), map[string]any{"kid": "d"}))
	v := remote(t, serving(set), "RS256", "PS256", "ES256", "EdDSA")
	ed := func(signed string) []byte {
		sig, err := edKey().Sign(nil, []byte(signed), crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	for name, c := range map[string]struct{ token, code string }{
		"RS256":          {forge(`{"alg":"RS256","kid":"r"}`, `{}`, rs256(rsaKeys()[0])), ""},
		"ES256":          {forge(`{"alg":"ES256","kid":"e"}`, `{}`, es256(ecKeys()[0])), ""},
		"EdDSA":          {forge(`{"alg":"EdDSA","kid":"d"}`, `{}`, ed), ""},
		"no kid":         {forge(`{"alg":"ES256"}`, `{}`, es256(ecKeys()[0])), ""},
		"kid of another": {forge(`{"alg":"ES256","kid":"r"}`, `{}`, es256(ecKeys()[0])), auth.CodeKey},
		"RS for PS":      {forge(`{"alg":"PS256","kid":"r"}`, `{}`, rs256(rsaKeys()[0])), auth.CodeSignatureMismatch},
		"not listed":     {forge(`{"alg":"RS512","kid":"r"}`, `{}`, rs256(rsaKeys()[0])), auth.CodeAlgorithm},
	} {
		if got := code(t, v, c.token); got != c.code {
			t.Errorf("%s: code %q, want %q", name, got, c.code)
		}
	}
}
