package mistakes

import (
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

// secrets are what the configured secret may have been for the sender.
func secrets(t *trial) []mistake {
	if t.alt.Kind > scheme.Basic {
		return nil // public keys
	}
	var all []mistake
	text := func(text, advice string, change func(string) string) {
		all = append(all, mistake{auth.Mistake{Kind: "secret", Text: text, Advice: advice}, func(t *trial) bool {
			return changeSecrets(t, change)
		}})
	}
	const clean = "Take what does not belong to it off the configured secret."
	text("blanks and line ends around the configured secret are removed", clean, strings.TrimSpace)
	text("quotes around the configured secret are removed", clean, func(s string) string {
		return strings.Trim(strings.TrimSpace(s), `"'`)
	})
	text("a newline is added to the configured secret",
		"The sender's copy of the secret ends in a newline (a file, echo without -n): take it off there, or write it here, too.",
		func(s string) string { return s + "\n" })
	if t.alt.Kind == scheme.Token || t.alt.Kind == scheme.Basic {
		return all
	}
	return append(all, keys(t)...)
}

func changeSecrets(t *trial, change func(string) string) bool {
	changed := false
	for i, s := range t.opts.Secrets {
		if other := change(s.Reveal()); other != "" && other != s.Reveal() {
			t.opts.Secrets[i] = secret.New(other)
			changed = true
		}
	}
	return changed
}

// keys are other ways from the secret to the bytes of the key.
func keys(t *trial) []mistake {
	var all []mistake
	const advice = "The sender derives the key from the secret in another way than this proof does: look at its manual, or use its provider."
	add := func(text string, k scheme.Key) {
		if k == t.alt.Key {
			return
		}
		all = append(all, mistake{auth.Mistake{Kind: "secret", Text: text, Advice: advice}, func(t *trial) bool {
			// What leads to the same key would explain nothing.
			t.alt.Key = k
			return true
		}})
	}
	add("the secret is used as text", scheme.Key{})
	add("the secret is decoded from hex", scheme.Key{Enc: scheme.Hex})
	add("the secret is decoded from base64", scheme.Key{Enc: scheme.Base64})
	add("the secret is decoded from base64url", scheme.Key{Enc: scheme.Base64URL})
	add("the SHA-1 of the secret is the key", scheme.Key{SHA1: true})
	for _, prefix := range prefixes(t.opts.Secrets, t.alt.Key.Strip) {
		add("the secret is used without its "+prefix, scheme.Key{Strip: prefix})
		add("the secret is used without its "+prefix+" and decoded from base64", scheme.Key{Strip: prefix, Enc: scheme.Base64})
	}
	return all
}

// prefixes are the well-known ones that the secrets have. They are public: the
// sender's manual has them.
func prefixes(secrets []secret.String, strip string) []string {
	var all []string
	for _, p := range []string{"whsec_", "v1_", "sk_"} {
		for _, s := range secrets {
			if strings.HasPrefix(s.Reveal(), p) && p != strip {
				all = append(all, p)
				break
			}
		}
	}
	return all
}
