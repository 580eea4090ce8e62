package config

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// Sources are the files that were read, for excerpts, for `validate-config
// --print` and for lint. They hold secrets in clear: show them only through
// Masks.
type Sources struct{ files []sourceFile }

type sourceFile struct {
	name string
	text []byte
	tree *spec.Node // nil where the file could not be parsed
}

func (s *Sources) add(name string, text []byte, tree *spec.Node) {
	s.files = append(s.files, sourceFile{name, bytes.TrimPrefix(text, []byte("\ufeff")), tree})
}

// Files are the names of the files, connections first.
func (s Sources) Files() []string {
	var out []string
	for _, f := range s.files {
		out = append(out, f.name)
	}
	return out
}

// Bytes is the content of a file; nil for one that was not read.
func (s Sources) Bytes(file string) []byte {
	for _, f := range s.files {
		if f.name == file {
			return f.text
		}
	}
	return nil
}

// Tree is a file's content with the place of everything; nil where it could not
// be read. It is read-only.
func (s Sources) Tree(file string) *spec.Node {
	for _, f := range s.files {
		if f.name == file {
			return f.tree
		}
	}
	return nil
}

// Masks are the parts of a file that an excerpt must not show: the values of
// secret fields, and what looks like one where no description reached. exact is
// false for a file that could not be parsed. It fits diag.RenderOptions.
func (s Sources) Masks(file string) (spans []diag.Span, exact bool) {
	t := s.Tree(file)
	return t.SecretSpans(), t != nil
}

// Secret is a place where a secret is written or referred to.
type Secret struct {
	Path    string
	Pos     diag.Pos
	Width   int
	Literal bool // the secret itself stands in the file
}

// Secrets are all values of secret fields, in the order of files and lines.
func (s Sources) Secrets() []Secret {
	var out []Secret
	for _, f := range s.files {
		if f.tree == nil {
			continue
		}
		f.tree.Walk("", func(path string, n *spec.Node) {
			if n.Secret && n.Kind == spec.NodeString && (n.Text != "" || n.FromReference) {
				out = append(out, Secret{Path: path, Pos: n.Pos, Width: n.Width, Literal: !n.FromReference})
			}
		})
	}
	slices.SortStableFunc(out, func(a, b Secret) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return out
}

// Print is a file's content as JSON, indented, in the order in which it is
// written, with references as they are written and every literal secret
// masked. It is nil where the file could not be read.
func (s Sources) Print(file string) []byte {
	t := s.Tree(file)
	if t == nil {
		return nil
	}
	return t.Print()
}
