package spec

import (
	"strings"

	"github.com/hookd/hookd/internal/secret"
)

// Secret is a text that is never shown. An empty one is an error, and so is one
// that is not a string.
func Secret(p *secret.String, name string) *Value[secret.String] {
	return &Value[secret.String]{
		p: p, info: Info{Name: name, Kind: KindSecret, Secret: true},
		dec:  secretText,
		flat: func(v secret.String) any { return v },
	}
}

// OptionalSecret is a Secret that may also be written as an empty string, which
// is the same as none. A reference must still lead to something, unless it says
// itself that it may not: {$NAME:}.
func OptionalSecret(p *secret.String, name string) *Value[secret.String] {
	v := Secret(p, name)
	v.dec = func(n *Node, at scope) (secret.String, bool) {
		if n.Kind == NodeString && n.Text == "" && (!n.FromReference || n.WholeReference && strings.HasSuffix(n.Written, ":}")) {
			n.Secret = true
			return secret.String{}, true
		}
		return secretText(n, at)
	}
	return v
}

func secretText(n *Node, at scope) (secret.String, bool) {
	n.Secret = true
	switch {
	case n.Kind != NodeString:
		hint := ""
		if n.Kind == NodeNumber || n.Kind == NodeBool {
			hint = "put it in quotes"
		}
		at.bad(n, "bad_secret", "must be a string, not "+n.Kind.String(), hint)
		return secret.String{}, false
	case strings.TrimSpace(n.Text) == "":
		message, hint := "is empty", ""
		if n.FromReference {
			message = "is empty: its reference has an empty value"
		}
		at.bad(n, "empty_secret", message, hint)
		return secret.String{}, false
	}
	return secret.New(n.Text), true
}

// Secrets is one secret or a list of them: rotation. An empty list is an error.
func Secrets(p *[]secret.String, name string) *Value[[]secret.String] {
	return &Value[[]secret.String]{
		p: p, info: Info{Name: name, Kind: KindList, Item: KindSecret, Secret: true},
		dec: func(n *Node, at scope) ([]secret.String, bool) {
			if n.Kind != NodeArray {
				s, ok := secretText(n, at)
				return []secret.String{s}, ok
			}
			if len(n.Items) == 0 {
				at.bad(n, "empty_secret", "is empty", "")
				return nil, false
			}
			all, out := true, make([]secret.String, len(n.Items))
			for i, item := range n.Items {
				s, ok := secretText(item, at.item(i))
				out[i], all = s, all && ok
			}
			return out, all
		},
		flat: func(v []secret.String) any { return v },
	}
}

// SecretMap is an object of secret texts, such as headers that carry keys.
func SecretMap(p *map[string]secret.String, name string) *Value[map[string]secret.String] {
	return &Value[map[string]secret.String]{
		p: p, info: Info{Name: name, Kind: KindMap, Item: KindSecret, Secret: true},
		dec: func(n *Node, at scope) (map[string]secret.String, bool) {
			return mapOf(n, at, secretText)
		},
		flat: func(v map[string]secret.String) any { return v },
	}
}

// SecretHeaders is a SecretMap whose names know no case, as those of [Headers].
func SecretHeaders(p *map[string]secret.String, name string) *Value[map[string]secret.String] {
	return noCase(SecretMap(p, name))
}
