package savetodisk

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
)

// Whatever a pattern and a sender's texts hold, a name stays one element of a
// path, fits, and holds the id.
func FuzzName(f *testing.F) {
	f.Add("{uuid}", "", "github", "push")
	f.Add("{hook}_{type}.json", "", "..", "../../etc/passwd")
	f.Add("{timestamp}{timestamp}", "x", "\x00", "\xff{uuid}")
	f.Fuzz(func(t *testing.T, pattern, ext, hook, kind string) {
		if checkPattern(pattern) != nil || checkExtension(ext) != nil {
			return
		}
		d := &event.Delivery{Event: &event.Event{Hook: hook, Type: kind}}
		n := newNaming(pattern, ext)
		name := n.name(d)
		if filepath.Base(name) != name || !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
			t.Errorf("%q makes the name %q", pattern, name)
		}
		if !strings.Contains(name, d.ID.String()) || name != n.name(d) {
			t.Errorf("%q makes %q, without the id or not twice the same", pattern, name)
		}
		if len(name) > 255-len(".headers.json") {
			t.Errorf("a name of %d bytes", len(name))
		}
	})
}

// A path that passes the check cannot be read as leading upwards.
func FuzzCheckPath(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "%2e%2e/x", "%252e%252e/x", `..\x`, "a\x00", "50%", "...", "a..b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if checkPath(p) != nil {
			return
		}
		if clean := filepath.Clean(p); !filepath.IsAbs(p) && !filepath.IsLocal(clean) {
			t.Errorf("%q passed", p)
		}
	})
}
