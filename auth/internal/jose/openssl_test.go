package jose_test

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/internal/secret"
)

// TestOpenSSL verifies tokens whose keys and signatures another program made.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	bin, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("HOOKD_TEST_REQUIRE") == "all" {
			t.Fatal("HOOKD_TEST_REQUIRE=all, and there is no openssl on the PATH")
		}
		t.Skip("there is no openssl on the PATH")
	}
	run := func(stdin string, args ...string) []byte {
		t.Helper()
		c := exec.CommandContext(t.Context(), bin, args...)
		var errs bytes.Buffer
		c.Stdin, c.Stderr = bytes.NewReader([]byte(stdin)), &errs
		out, err := c.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, errs.String())
		}
		return out
	}
	dir := t.TempDir()
	generate := func(name string, args ...string) (private, public string) {
		private = filepath.Join(dir, name)
		run("", append([]string{"genpkey", "-out", private}, args...)...)
		return private, string(run("", "pkey", "-in", private, "-pubout"))
	}
	rsaFile, rsaPublic := generate("rsa.pem", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
	ecFile, ecPublic := generate("ec.pem", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	cert := string(run("", "req", "-x509", "-key", ecFile, "-subj", "/CN=issuer", "-days", "1"))

	for name, c := range map[string]struct {
		jose.Config
		sign func(signed string) []byte
	}{
		"HS256": {
			jose.Config{Secrets: []secret.String{secret.New(shared)}},
			func(signed string) []byte {
				return run(signed, "dgst", "-sha256", "-mac", "HMAC", "-macopt", "key:"+shared, "-binary")
			},
		},
		"RS256": {
			jose.Config{PublicKeys: []string{rsaPublic}},
			func(signed string) []byte { return run(signed, "dgst", "-sha256", "-sign", rsaFile) },
		},
		"PS384": {
			jose.Config{PublicKeys: []string{rsaPublic}},
			func(signed string) []byte {
				return run(signed, "dgst", "-sha384", "-sign", rsaFile, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
			},
		},
		"ES256": {
			jose.Config{PublicKeys: []string{ecPublic}},
			func(signed string) []byte { return plainSignature(t, run(signed, "dgst", "-sha256", "-sign", ecFile)) },
		},
		"ES256 by certificate": {
			jose.Config{Secrets: []secret.String{secret.New(cert)}},
			func(signed string) []byte { return plainSignature(t, run(signed, "dgst", "-sha256", "-sign", ecFile)) },
		},
	} {
		alg := jose.Algorithm(name[:5])
		c.Algorithms = []jose.Algorithm{alg}
		v := build(t, auth.Env{}, c.Config)
		token := forge(`{"typ":"JWT","alg":"`+string(alg)+`"}`, `{"sub":"openssl"}`, c.sign)
		if got := code(t, v, token); got != "" {
			t.Errorf("%s: code %q", name, got)
		}
		if got := code(t, v, forge(`{"alg":"`+string(alg)+`"}`, `{"sub":"other"}`, func(string) []byte { return c.sign("x.y") })); got != auth.CodeSignatureMismatch {
			t.Errorf("%s of another text: code %q", name, got)
		}
	}
}

// plainSignature turns the DER of an ECDSA signature into that of RFC 7518
// section 3.4.
func plainSignature(t *testing.T, der []byte) []byte {
	t.Helper()
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		t.Fatal(err)
	}
	return append(sig.R.FillBytes(make([]byte, 32)), sig.S.FillBytes(make([]byte, 32))...)
}
