package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
)

func certificate(k crypto.Signer) string {
	c := &x509.Certificate{SerialNumber: big.NewInt(1)}
	b, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		panic(err)
	}
	return block("CERTIFICATE", b)
}

func TestPEM(t *testing.T) {
	t.Parallel()
	k := rsaKeys()[0]
	token := forge(`{"alg":"RS256"}`, `{}`, rs256(k))
	public := publicPEM(k)
	for name, pem := range map[string]string{
		"public key":       public,
		"PKCS#1":           block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.PublicKey)),
		"certificate":      certificate(k),
		"text around it":   "Bag Attributes\n" + public + "\n\n",
		"carriage returns": strings.ReplaceAll(public, "\n", "\r\n"),
	} {
		for where, c := range map[string]jose.Config{
			"public key": {PublicKeys: []string{pem}},
			"secret":     {Secrets: []secret.String{secret.New(pem)}},
			"of two":     {PublicKeys: []string{publicPEM(rsaKeys()[1]), pem}},
		} {
			c.Algorithms = []jose.Algorithm{"RS256"}
			if got := code(t, build(t, auth.Env{}, c), token); got != "" {
				t.Errorf("%s as %s: %s", name, where, got)
			}
		}
	}
}

// TestBadConfig: what cannot be right is told when it is read, and no secret
// with it.
func TestBadConfig(t *testing.T) {
	t.Parallel()
	algs := func(as ...jose.Algorithm) []jose.Algorithm { return as }
	rsaPEM, ecPEM := publicPEM(rsaKeys()[0]), publicPEM(ecKeys()[0])
	sec := func(ss ...string) (all []secret.String) {
		for _, s := range ss {
			all = append(all, secret.New(s))
		}
		return all
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		jose.Config
		text string // in the error
	}{
		"no key":                 {jose.Config{Algorithms: algs("HS256")}, "needs a key"},
		"two sources":            {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{rsaPEM}, JWKS: keysURL}, "more than one source"},
		"secret and JWK Set":     {jose.Config{Algorithms: algs("HS256", "RS256"), Secrets: sec("s3cret"), JWKS: keysURL}, "more than one source"},
		"no algorithm":           {jose.Config{Secrets: sec("s3cret")}, "does not go with nothing"},
		"none":                   {jose.Config{Algorithms: algs("none"), Secrets: sec("s3cret")}, `no algorithm "none"`},
		"algorithm twice":        {jose.Config{Algorithms: algs("HS256", "HS256"), Secrets: sec("s3cret")}, "twice"},
		"lower case":             {jose.Config{Algorithms: algs("hs256"), Secrets: sec("s3cret")}, "no algorithm"},
		"blank secret":           {jose.Config{Algorithms: algs("HS256"), Secrets: sec(" \t\n")}, "blank"},
		"one blank":              {jose.Config{Algorithms: algs("HS256"), Secrets: sec("s3cret", "")}, "blank"},
		"too many":               {jose.Config{Algorithms: algs("HS256"), Secrets: sec("1", "2", "3", "4", "5", "6", "7", "8", "9")}, "more keys"},
		"HS256 with a PEM":       {jose.Config{Algorithms: algs("HS256"), Secrets: sec(rsaPEM)}, "set the algorithm to RS256"},
		"HS256 with a PEM, EC":   {jose.Config{Algorithms: algs("HS256"), PublicKeys: []string{ecPEM}}, "set the algorithm to ES256"},
		"HS256 with a broken":    {jose.Config{Algorithms: algs("HS256"), Secrets: sec(rsaPEM[:60])}, "no public key in PEM"},
		"HS256 with one line":    {jose.Config{Algorithms: algs("HS256"), Secrets: sec(strings.ReplaceAll(rsaPEM, "\n", `\n`))}, "where its lines should end"},
		"HS256 with OpenSSH":     {jose.Config{Algorithms: algs("HS256"), Secrets: sec("ssh-rsa AAAAB3NzaC1yc2E= s3cret")}, "no public key in PEM"},
		"HS256 with a JWK":       {jose.Config{Algorithms: algs("HS256"), Secrets: sec(rfcA2Key)}, "no public key in PEM"},
		"HS256 with a set":       {jose.Config{Algorithms: algs("HS256"), JWKS: keysURL}, "shared secret"},
		"RS256 with a secret":    {jose.Config{Algorithms: algs("RS256"), Secrets: sec("s3cret")}, "set the algorithm to HS256"},
		"RS256 with EC":          {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{ecPEM}}, "set the algorithm to ES256"},
		"ES256 with P-384":       {jose.Config{Algorithms: algs("ES256"), PublicKeys: []string{publicPEM(ecKeys()[1])}}, "set the algorithm to ES384"},
		"one of two":             {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{rsaPEM, ecPEM}}, "set the algorithm to ES256"},
		"more algorithms":        {jose.Config{Algorithms: algs("RS256", "ES256"), PublicKeys: []string{rsaPEM}}, "ES256 suits none"},
		"secret and public":      {jose.Config{Algorithms: algs("HS256", "RS256"), Secrets: sec("s3cret", rsaPEM)}, "mixed"},
		"narrowed to nothing":    {jose.Config{Algorithms: algs("HS256"), JWKS: keysURL, Narrow: true}, "no algorithm: HS256"},
		"private key":            {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{privatePEM(rsaKeys()[0])}}, "private key"},
		"chain":                  {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{certificate(rsaKeys()[0]) + certificate(rsaKeys()[1])}}, "more than one PEM block"},
		"other block":            {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{block("X509 CRL", []byte("x"))}}, `"X509 CRL"`},
		"weak":                   {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{publicPEM(weakRSA())}}, "1024 bits"},
		"P-224":                  {jose.Config{Algorithms: algs("ES256"), PublicKeys: []string{publicPEM(p224)}}, "another curve"},
		"no PEM":                 {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{"s3cret"}}, "no public key in PEM"},
		"http":                   {jose.Config{Algorithms: algs("RS256"), JWKS: "http://issuer.example/keys"}, "https"},
		"http in capitals":       {jose.Config{Algorithms: algs("RS256"), JWKS: "HTTP://issuer.example/keys"}, "https"},
		"file":                   {jose.Config{Algorithms: algs("RS256"), JWKS: "file:///etc/keys"}, "scheme"},
		"no URL":                 {jose.Config{Algorithms: algs("RS256"), JWKS: "::"}, "cannot be read"},
		"user in the URL":        {jose.Config{Algorithms: algs("RS256"), JWKS: "https://u:s3cret@issuer.example/"}, "user name"},
		"signing key and secret": {jose.Config{Algorithms: algs("HS256"), Secrets: sec("s3cret"), SigningKey: secret.New(privatePEM(rsaKeys()[0]))}, "shared secret signs"},
		"signing key of another": {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{rsaPEM}, SigningKey: secret.New(privatePEM(rsaKeys()[1]))}, "does not belong"},
		"signing key of EC":      {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{rsaPEM}, SigningKey: secret.New(privatePEM(ecKeys()[0]))}, "does not go with"},
		"signing key public":     {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{rsaPEM}, SigningKey: secret.New(rsaPEM)}, "private key"},
		"signing key broken":     {jose.Config{Algorithms: algs("RS256"), PublicKeys: []string{rsaPEM}, SigningKey: secret.New(block("PRIVATE KEY", []byte("s3cret")))}, "cannot be read"},
		"rules":                  {jose.Config{Algorithms: algs("HS256"), Secrets: sec("s3cret"), Rules: jose.Rules{Once: true}}, "once"},
	} {
		_, err := jose.New(auth.Env{}, c.Config)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s tells a secret: %v", name, err)
		}
	}
	for _, loopback := range []string{"http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/keys", "https://issuer.example/keys?x=1"} {
		u, err := url.Parse(loopback)
		if err != nil {
			t.Fatal(err)
		}
		if err := jose.CheckKeysURL(*u); err != nil {
			t.Errorf("%s: %v", loopback, err)
		}
	}
}

// TestNarrow: of HS256 and RS256, the original's default, only what suits the
// key is left.
func TestNarrow(t *testing.T) {
	t.Parallel()
	public := publicPEM(rsaKeys()[0])
	both := []jose.Algorithm{"HS256", "RS256"}
	byKey := build(t, auth.Env{}, jose.Config{Algorithms: both, Narrow: true, Secrets: []secret.String{secret.New(public)}})
	bySecret := build(t, auth.Env{}, jose.Config{Algorithms: both, Narrow: true, Secrets: []secret.String{secret.New(shared)}})
	byURL := build(t, serving(jwks(jwk(rsaKeys()[0], nil))), jose.Config{Algorithms: both, Narrow: true, JWKS: keysURL})
	hs := func(key string) string { return forge(`{"alg":"HS256"}`, `{}`, hs256(key)) }
	rs := forge(`{"alg":"RS256"}`, `{}`, rs256(rsaKeys()[0]))
	for name, c := range map[string]struct {
		v     *jose.Verifier
		token string
		code  string
	}{
		"key":                         {byKey, rs, ""},
		"public key as the secret":    {byKey, hs(public), auth.CodeAlgorithm},
		"secret":                      {bySecret, hs(shared), ""},
		"RS256 for a secret":          {bySecret, rs, auth.CodeAlgorithm},
		"URL":                         {byURL, rs, ""},
		"URL, public key as a secret": {byURL, hs(public), auth.CodeAlgorithm},
	} {
		if got := code(t, c.v, c.token); got != c.code {
			t.Errorf("%s: code %q, want %q", name, got, c.code)
		}
	}
}

// TestMint: what each kind of key signs is what it verifies.
func TestMint(t *testing.T) {
	t.Parallel()
	rules := jose.Rules{
		VerifyExpiry: true, RequireExpiry: true, Once: true,
		Issuers: []string{"i"}, Audiences: []string{"a", "b"}, Scopes: []string{"x", "y z"},
	}
	signers := map[jose.Algorithm]crypto.Signer{
		"RS256": rsaKeys()[0], "RS384": rsaKeys()[0], "RS512": rsaKeys()[0], "PS256": rsaKeys()[0], "PS384": rsaKeys()[0], "PS512": rsaKeys()[0],
		"ES256": ecKeys()[0], "ES384": ecKeys()[1], "ES512": newEC(elliptic.P521()), "EdDSA": edKey(),
	}
	for _, alg := range jose.Algorithms() {
		c := jose.Config{Algorithms: []jose.Algorithm{alg}, Rules: rules}
		if k, ok := signers[alg]; ok {
			c.PublicKeys, c.SigningKey = []string{publicPEM(k)}, secret.New(privatePEM(k))
		} else {
			c.Secrets = []secret.String{secret.New(shared)}
		}
		v := build(t, auth.Env{}, c)
		token, err := v.Mint(authtest.Now, map[string]any{"more": "m"})
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		claims, err := v.Verify(t.Context(), token, authtest.Now)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if more, _ := claims.Text("more"); more != "m" || claims.Issuer != "i" || claims.Subject != "hookd-test" || len(claims.ID) < 20 {
			t.Errorf("%s: claims %+v", alg, claims)
		}
		// In the middle of the signature: the last byte of one by Ed25519 is zero
		// in one of seventeen.
		at, other := len(token)-20, "A"
		if token[at] == 'A' {
			other = "B"
		}
		if got := code(t, v, token[:at]+other+token[at+1:]); got != auth.CodeSignatureMismatch {
			t.Errorf("%s changed: code %q", alg, got)
		}
	}
	v := build(t, auth.Env{}, jose.Config{Algorithms: []jose.Algorithm{"RS256"}, PublicKeys: []string{publicPEM(rsaKeys()[0])}})
	if _, err := v.Mint(authtest.Now, nil); err == nil || !strings.Contains(err.Error(), "signing_key") {
		t.Errorf("minted with a public key: %v", err)
	}
}
