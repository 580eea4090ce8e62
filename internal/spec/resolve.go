package spec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/diag"
)

// maxReferencedFile bounds what {$file:...} reads, in bytes.
const maxReferencedFile = 1 << 20

// ResolveOptions say how references are resolved.
type ResolveOptions struct {
	Path string // of the node, for messages
	// ReadFile reads {$file:...}; nil reads the disk: regular files up to 1 MiB.
	ReadFile func(name string) ([]byte, error)
	// Offline looks nothing up: defaults are taken, and a value without one is
	// marked Unresolved, which Decode accepts everywhere.
	Offline bool
}

// Resolve replaces the references in every string below n. lookup finds a
// variable; a variable that is set but empty is empty. Values are taken as they
// are, and are not searched for references again; one line feed at the end of a
// file is not part of its value. Every reference without a value is a problem
// at its own place inside the string.
func Resolve(n *Node, lookup func(name string) (string, bool), o ResolveOptions) diag.List {
	if o.ReadFile == nil {
		o.ReadFile = readReferenced
	}
	r := resolver{lookup: lookup, o: o, seen: map[*Node]bool{}}
	r.walk(n, o.Path)
	return r.problems
}

type resolver struct {
	lookup   func(string) (string, bool)
	o        ResolveOptions
	problems diag.List
	seen     map[*Node]bool // merged YAML objects share their values
}

func (r *resolver) walk(n *Node, path string) {
	if n == nil || r.seen[n] {
		return
	}
	r.seen[n] = true
	for _, m := range n.Members {
		kept := r.problems
		r.walk(m.Value, JoinPath(path, m.Key))
		if IsComment(m.Key) { // it may also be a property of a JSON Schema: resolve, but do not insist
			r.problems = kept
		}
	}
	for i, item := range n.Items {
		r.walk(item, itemPath(path, i))
	}
	if n.Kind == NodeString && strings.Contains(n.Text, "{$") {
		r.text(n, path)
	}
}

func (r *resolver) text(n *Node, path string) {
	pieces, doubtful := splitReferences(n.Text)
	for _, at := range doubtful {
		r.problems.Add(diag.Problem{
			Severity: diag.Warning, Pos: n.at(at), Width: 2, Path: path, Code: "odd_reference",
			Message: `"{$" here is no reference and is kept as text`, Hint: `a reference is {$NAME} or {$NAME:default}; the text itself is written \{$`,
		})
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		n.FromReference = true
		text, resolved := r.value(n, p.ref, 0, path)
		if !resolved {
			n.Unresolved = true
			text = n.Text[p.ref.start:p.ref.end]
		}
		b.WriteString(text)
	}
	n.WholeReference = len(pieces) == 1 && n.FromReference
	n.Written = n.Text
	n.Text = b.String()
}

// value is what a reference stands for. Where it has none, a problem is added,
// unless nothing is to be looked up.
func (r *resolver) value(n *Node, ref *reference, depth int, path string) (string, bool) {
	if depth > 8 {
		return r.missing(n, ref, path, "references in defaults are nested too deeply", "")
	}
	switch ref.kind {
	case refVariable:
		if r.lookup != nil && !r.o.Offline {
			if v, set := r.lookup(ref.name); set {
				if !utf8.ValidString(v) {
					return r.missing(n, ref, path, fmt.Sprintf("the environment variable %s does not hold UTF-8", ref.name), "")
				}
				return v, true
			}
		}
	case refFile:
		if ref.name == "" {
			return r.missing(n, ref, path, "the reference names no file", "write {$file:/path/to/file}")
		}
		if r.o.Offline {
			return "", false
		}
		return r.file(n, ref, path)
	case refVault:
		if !vaultName(ref.name) {
			return r.missing(n, ref, path, "not a Vault reference", "write {$vault:path#field}")
		}
		if !ref.hasDefault {
			if r.o.Offline {
				return "", false
			}
			return r.missing(n, ref, path, fmt.Sprintf("Vault is not available in this build, and %s has no default", ref.name),
				"use {$NAME} or {$file:/path}, or give a default: {$vault:path#field:default}")
		}
	}
	if ref.hasDefault {
		return r.fallback(n, ref, depth, path)
	}
	if r.o.Offline {
		return "", false
	}
	return r.missing(n, ref, path, fmt.Sprintf("the environment variable %s is not set", ref.name),
		fmt.Sprintf("set it, or give a default: {$%s:value}", ref.name))
}

// fallback is the default, in which references count too.
func (r *resolver) fallback(n *Node, ref *reference, depth int, path string) (string, bool) {
	pieces, _ := splitReferences(ref.def)
	var b strings.Builder
	for _, p := range pieces {
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		inner := *p.ref
		inner.start, inner.end = ref.start, ref.end // the outer one has a place in the file
		text, ok := r.value(n, &inner, depth+1, path)
		if !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

func (r *resolver) file(n *Node, ref *reference, path string) (string, bool) {
	b, err := r.o.ReadFile(ref.name)
	switch {
	case err != nil:
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return r.missing(n, ref, path, fmt.Sprintf("the file %s cannot be read: %v", ref.name, err), "")
	case !utf8.Valid(b):
		return r.missing(n, ref, path, fmt.Sprintf("the file %s does not hold UTF-8", ref.name), "")
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), true
}

func (r *resolver) missing(n *Node, ref *reference, path, message, hint string) (string, bool) {
	r.problems.Add(diag.Problem{
		Pos: n.at(ref.start), Width: ref.end - ref.start, Path: path, Code: "unset_reference", Message: message, Hint: hint,
	})
	return "", false
}

// at is the place of a byte of a string's text, before references were
// replaced.
func (n *Node) at(i int) diag.Pos {
	if n.src == nil {
		return n.Pos
	}
	rest := n.src.text[n.off:]
	if strings.HasPrefix(rest, `"`) {
		return n.src.pos(n.off + 1 + escaped(rest[1:], i))
	}
	// Other strings exist in YAML only. Their text stands in the file unless the
	// reference itself is folded or has a doubled quote; then the string's own
	// place has to do.
	want := n.Text[i:]
	if end := strings.IndexAny(want, "}\n"); end >= 0 {
		want = want[:end+1]
	}
	nth := strings.Count(n.Text[:i], want)
	at := 0
	for {
		k := strings.Index(rest[at:], want)
		if k < 0 {
			return n.Pos
		}
		if nth == 0 {
			return n.src.pos(n.off + at + k)
		}
		nth--
		at += k + len(want)
	}
}

// escaped is the offset in a double-quoted literal at which i bytes of its
// content have been written.
func escaped(raw string, i int) int {
	k := 0
	for got := 0; got < i && k < len(raw); {
		if raw[k] != '\\' || k+1 >= len(raw) {
			got++
			k++
			continue
		}
		if raw[k+1] != 'u' || k+6 > len(raw) {
			got++
			k += 2
			continue
		}
		r, n := unescape(raw[k:])
		got += utf8.RuneLen(r)
		k += n
	}
	return k
}

func readReferenced(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(name) //nolint:gosec // the operator's own configuration names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxReferencedFile+1))
	if err == nil && len(b) > maxReferencedFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxReferencedFile)
	}
	return b, err
}
