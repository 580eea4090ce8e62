package configlint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// shortest is the length in bytes from which on a secret cannot be guessed: 128
// bits, even when every byte is random.
const shortest = 16

func secretRules() []Rule {
	return []Rule{{
		Code:  "inline_secret",
		Title: "a secret that stands in the file",
		Why:   "Files of configuration are copied, mailed and committed; whoever reads this one can sign as the sender.",
		Fix:   "use a reference: {$NAME} or {$file:/run/secrets/name}",
		check: func(r *run) {
			for _, s := range r.sources.Secrets() {
				if s.Literal {
					r.addSecret(s, "the secret itself is in the file")
				}
			}
		},
	}, {
		Code:  "short_secret",
		Title: fmt.Sprintf("a secret of less than %d bytes", shortest),
		Why:   "Whoever has one signed request can try all short secrets against it, without asking hookd.",
		Fix:   "let a machine make it: openssl rand -hex 32",
		check: func(r *run) {
			r.proofSecrets(func(path string, n *spec.Node, value string) {
				if len(value) < shortest && !isPlaceholder(value) {
					r.warn(n.Pos, fmt.Sprintf("the secret has fewer than %d bytes", shortest), path)
				}
			})
		},
	}, {
		Code:  "placeholder_secret",
		Title: "a secret from an example",
		Why:   "It is the first that an attacker tries.",
		Fix:   "let a machine make it: openssl rand -hex 32",
		check: func(r *run) {
			r.proofSecrets(func(path string, n *spec.Node, value string) {
				if isPlaceholder(value) {
					r.warn(n.Pos, "the secret is one that examples have", path)
				}
			})
		},
	}, {
		Code:  "shared_secret",
		Title: "one secret for several hooks",
		Why:   "Whoever may send to one of them can send to the others; and a leak of one is a leak of all.",
		Fix:   "give each hook its own secret",
		check: sharedSecret,
	}}
}

func (r *run) addSecret(s config.Secret, message string) {
	path := r.paths[s.Pos]
	if path == "" {
		path = s.Path
	}
	r.out.Add(diag.Problem{
		Severity: diag.Warning, Pos: s.Pos, Width: s.Width, Path: path, Code: r.rule.Code, Message: message, Hint: r.rule.Fix,
	})
}

// proofSecrets calls f for each secret of a proof that is known, in the order
// of their paths. value is without the name of an HTTP scheme.
func (r *run) proofSecrets(f func(path string, n *spec.Node, value string)) {
	roots := make(map[string]bool)
	r.hooks(func(h *config.Hook, _ string) {
		for set := range h.Sets() {
			roots[set.Root+".secret"] = true
			for _, p := range set.Proofs {
				roots[p.Path] = true
			}
		}
	})
	var paths []string
	for path, n := range r.nodes {
		if n.Secret && n.Kind == spec.NodeString && n.Text != "" && !n.Unresolved && below(path, roots) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		n := r.nodes[path]
		f(path, n, withoutScheme(n.Text))
	}
}

// below reports whether path, or something that it is in, is a root.
func below(path string, roots map[string]bool) bool {
	for path != "" {
		if roots[path] {
			return true
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return false
}

// withoutScheme is the token of "Bearer token".
func withoutScheme(s string) string {
	s = strings.TrimSpace(s)
	for _, scheme := range []string{"bearer ", "basic ", "token "} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return strings.TrimSpace(s[len(scheme):])
		}
	}
	return s
}

// placeholders are words of which examples make secrets.
var placeholders = []string{
	"changeme", "change", "me", "replace", "this", "secret", "password", "passwd", "pass", "token", "key", "api", "apikey", "test", "testing", "example",
	"your", "my", "the", "here", "super", "very", "webhook", "hook", "demo", "default", "dummy", "foo", "bar", "baz", "xxx", "todo", "admin", "guest", "123", "1234",
	"12345", "123456", "1234567890", "abc", "abc123", "with", "a", "in", "production", "bearer", "hmac", "github", "stripe", "some", "s3cr3t", "shhh", "strong", "long",
}

// isPlaceholder reports a text that is nothing but words of examples:
// "your-secret-key-here".
func isPlaceholder(s string) bool {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune("-_ .<>:/!", r) })
	if len(words) == 0 {
		return false
	}
	for _, w := range words {
		if !slices.Contains(placeholders, w) {
			return false
		}
	}
	return true
}

func sharedSecret(r *run) {
	first := make(map[string]string) // value → path
	r.proofSecrets(func(path string, n *spec.Node, value string) {
		hook := hookOf(path)
		owner, seen := first[value]
		switch {
		case isPlaceholder(value): // told already
		case !seen:
			first[value] = path
		case hookOf(owner) != hook:
			r.warn(n.Pos, "is the same secret as "+owner, path)
		}
	})
}

// hookOf is "hooks.github" of "hooks.github.hmac.secret".
func hookOf(path string) string {
	rest := strings.TrimPrefix(path, "hooks")
	if rest == "" {
		return path
	}
	if i := strings.IndexAny(rest[1:], ".["); rest[0] == '.' && i >= 0 {
		return "hooks" + rest[:i+1]
	}
	return path
}
