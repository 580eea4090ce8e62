package standardwebhooks_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/standardwebhooks"
)

// pair makes a key pair from a byte; only tests have keys like it.
func pair(c string) (seed, full, public string) {
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(c, ed25519.SeedSize)))
	b64 := base64.StdEncoding.EncodeToString
	return "whsk_" + b64(private.Seed()), "whsk_" + b64(private), "whpk_" + b64(private[ed25519.SeedSize:])
}

func shared(c string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(c, 32)))
}

func TestSuite(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, standardwebhooks.Method())
	seed1, full1, _ := pair("1")
	seed2, full2, _ := pair("2")
	_, full3, _ := pair("3")
	for name, c := range map[string]struct {
		more string
		authtest.Subject
	}{
		"v1":     {"", authtest.Subject{Secrets: [3]string{shared("a"), shared("b"), shared("c")}, Tolerance: 5 * time.Minute}},
		"v1a":    {"", authtest.Subject{Secrets: [3]string{full1, full2, full3}, Tolerance: 5 * time.Minute}},
		"seeds":  {`"tolerance":"90s"`, authtest.Subject{Secrets: [3]string{seed1, seed2, full3}, Tolerance: 90 * time.Second}},
		"both":   {"", authtest.Subject{Secrets: [3]string{full1, shared("b"), full3}, Tolerance: 5 * time.Minute}},
		"prefix": {`"prefix":"svix"`, authtest.Subject{Secrets: [3]string{shared("a"), full2, shared("c")}, Header: "Svix-Signature", Tolerance: 5 * time.Minute}},
	} {
		s := c.Subject
		if s.Header == "" {
			s.Header = "Webhook-Signature"
		}
		s.CoversBody = true
		s.New = func(secrets ...string) (auth.Verifier, error) {
			return authtest.Decode(standardwebhooks.Method(), authtest.Object("secret", secrets, c.more))
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.Run(t, s)
		})
	}
}
