package standardwebhooks_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/standardwebhooks"
)

func key(t testing.TB, text string) standardwebhooks.Key {
	t.Helper()
	k, err := standardwebhooks.ParseKey(secret.New(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return k
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func TestParseKey(t *testing.T) {
	t.Parallel()
	bytes := func(n int) []byte { return []byte(strings.Repeat("\xfb\xef\xbe", 30))[:n] }
	seed := bytes(ed25519.SeedSize)
	private := ed25519.NewKeyFromSeed(seed)
	public := private[ed25519.SeedSize:]
	urls := base64.RawURLEncoding
	for _, c := range []struct {
		text, err string
		signs     bool
	}{
		{"whsec_" + b64(bytes(24)), "", true},
		{"whsec_" + b64(bytes(64)), "", true},
		{"whsec_" + base64.RawStdEncoding.EncodeToString(bytes(32)), "", true},
		{"whsec_" + base64.URLEncoding.EncodeToString(bytes(32)), "", true},
		{"whsec_" + urls.EncodeToString(bytes(25)), "", true},
		{"whsec_" + b64(bytes(23)), "24 to 64", false},
		{"whsec_" + b64(bytes(65)), "24 to 64", false},
		{"whsec_", "24 to 64", false},
		{"whsec_" + b64(bytes(24)) + "\n", "24 to 64", false},
		{"whsec_" + b64(bytes(24)) + " ", "24 to 64", false},
		{"whsec_" + b64(bytes(25))[:34] + "B=", "24 to 64", false}, // stray bits
		{"whsec_+/" + urls.EncodeToString(bytes(30))[2:], "24 to 64", false},
		{"WHSEC_" + b64(bytes(24)), `"whsk_"`, false},
		{b64(bytes(24)), `"whsec_"`, false},
		{"", `"whsec_"`, false},
		{"whsec", `24 to 64`, false},
		{"v1,whsec_" + b64(bytes(24)), `"whsec_"`, false},
		{"whsk_" + b64(seed), "", true},
		{"whsk_" + b64(private), "", true},
		{"whsk_" + urls.EncodeToString(private), "", true},
		{"whsk_" + b64(append(slices.Clone(seed), seed...)), "another private one", false},
		{"whsk_" + b64(private[:63]), "32 bytes", false},
		{"whsk_" + b64(bytes(24)), "32 bytes", false},
		{"whpk_" + b64(public), "", false},
		{"whpk_" + urls.EncodeToString(public), "", false},
		{"whpk_" + b64(private), "32 bytes", false},
		{"whpk_" + b64(public[:31]), "32 bytes", false},
	} {
		k, err := standardwebhooks.ParseKey(secret.New(c.text))
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.text, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error %v, want %q", c.text, err, c.err)
		case c.err == "" && k.CanSign() != c.signs:
			t.Errorf("%s: can sign %v", c.text, k.CanSign())
		}
		if _, rest, _ := strings.Cut(c.text, "_"); err != nil && len(rest) > 8 && strings.Contains(err.Error(), rest[:8]) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	one := secret.New(whsec)
	if _, err := standardwebhooks.ParseKeys(nil); err == nil {
		t.Error("no key is a key")
	}
	if _, err := standardwebhooks.ParseKeys([]secret.String{one, secret.New("x")}); err == nil {
		t.Error("a bad one beside a good one")
	}
	for n, ok := range map[int]bool{1: true, standardwebhooks.MaxKeys: true, standardwebhooks.MaxKeys + 1: false} {
		keys, err := standardwebhooks.ParseKeys(slices.Repeat([]secret.String{one}, n))
		if (err == nil) != ok || ok && len(keys) != n {
			t.Errorf("%d keys: %d, %v", n, len(keys), err)
		}
	}
}

// TestKeyIsNotPrinted: not as text, nor as the numbers of its bytes.
func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	raw := []byte("0123456789abcdefghijklmn")
	type holder struct{ keys []standardwebhooks.Key }
	h := holder{[]standardwebhooks.Key{key(t, "whsec_"+b64(raw))}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		text := fmt.Sprintf(format+format+format, h, &h, h.keys[0])
		for _, form := range []string{string(raw[:8]), hex.EncodeToString(raw[:8]), b64(raw[:9]), "48 49 50", "0x30, 0x31"} {
			if strings.Contains(text, form) {
				t.Errorf("%s prints %q", format, text)
			}
		}
	}
}
