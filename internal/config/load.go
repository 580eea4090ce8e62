package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// Options say what to load.
type Options struct {
	// Webhooks and Connections are files, or folders of .json, .yaml and .yml
	// files that are read in the order of their names. A Connections that is ""
	// or is not there is an empty set.
	Webhooks, Connections string
	Catalog               Catalog
	// Lookup finds the variable of a reference; nil is the environment.
	Lookup func(name string) (string, bool)
	// Offline looks no reference up (validate-config --no-env): defaults are
	// taken, and what has none is accepted everywhere. The result is for checks
	// only.
	Offline bool
	// ReadFile reads {$file:...}; nil is the disk.
	ReadFile func(name string) ([]byte, error)
	// Overlay has the content of files that are not to be read from the disk.
	Overlay map[string][]byte
}

// Load reads everything and reports every problem of every file in one run, in
// the order of files and lines. The Config is nil when the list has errors. ctx
// is asked between files. It is safe for concurrent use.
func Load(ctx context.Context, o Options) (*Config, diag.List, Sources) {
	if o.Lookup == nil {
		o.Lookup = os.LookupEnv
	}
	l := &loader{o: o, names: newNames(o.Catalog), conns: map[string]*connection{}}
	connections := l.read(ctx, o.Connections, "connections", true)
	webhooks := l.read(ctx, o.Webhooks, "hooks", false)
	l.readConnections(connections)
	cfg := &Config{Hooks: l.hooks(webhooks)}
	cfg.Connections = l.connections()
	l.out = once(l.out)
	l.out.Sort()
	if l.out.HasErrors() {
		cfg = nil
	}
	return cfg, l.out, l.sources
}

type loader struct {
	o       Options
	names   names
	sources Sources
	out     diag.List
	conns   map[string]*connection
	order   []*connection
}

// at adds an error at a node.
func (l *loader) at(n *spec.Node, path, code, message, hint string) {
	l.out.Add(diag.Problem{Pos: n.Pos, Width: n.Width, Path: path, Code: code, Message: message, Hint: hint})
}

// key adds a problem at a key.
func (l *loader) key(s diag.Severity, m spec.Member, path, code, message, hint string) {
	l.out.Add(diag.Problem{Severity: s, Pos: m.Pos, Width: m.Width, Path: path, Code: code, Message: message, Hint: hint})
}

func (l *loader) warn(n *spec.Node, path, code, message, hint string) {
	l.out.Add(diag.Problem{Severity: diag.Warning, Pos: n.Pos, Width: n.Width, Path: path, Code: code, Message: message, Hint: hint})
}

// read parses and resolves the files at path and returns the entries of all of
// them. root begins the path of every problem.
func (l *loader) read(ctx context.Context, path, root string, optional bool) []spec.Member {
	files, err := l.list(path)
	switch {
	case optional && (path == "" || errors.Is(err, fs.ErrNotExist)):
		return nil
	case err != nil:
		l.unreadable(path, err, root)
		return nil
	}
	var entries []spec.Member
	seen := map[string]diag.Pos{}
	for _, f := range files {
		if ctx.Err() != nil {
			l.out.Add(diag.Problem{Pos: diag.Pos{File: f}, Code: "cancelled", Message: "was not read: " + context.Cause(ctx).Error()})
			return entries
		}
		for _, m := range l.file(f, root) {
			if first, twice := seen[m.Key]; twice {
				l.key(diag.Error, m, spec.JoinPath(root, m.Key), "duplicate_key",
					fmt.Sprintf("%q is here twice", m.Key), "it is first at "+first.String())
				continue
			}
			seen[m.Key] = m.Pos
			entries = append(entries, m)
		}
	}
	return entries
}

// file is the entries of one file, without comments.
func (l *loader) file(name, root string) []spec.Member {
	b, err := l.content(name)
	if err != nil {
		l.unreadable(name, err, root)
		return nil
	}
	parse := spec.ParseJSON
	if isYAML(name) {
		parse = spec.ParseYAML
	}
	tree, problems := parse(name, b)
	l.out = append(l.out, problems...)
	l.sources.add(name, b, tree)
	if tree == nil {
		return nil
	}
	if tree.Kind != spec.NodeObject {
		l.at(tree, root, "bad_type", "the file must hold an object, not "+tree.Kind.String(), "")
		return nil
	}
	resolved := spec.Resolve(tree, l.o.Lookup, spec.ResolveOptions{Path: root, ReadFile: l.o.ReadFile, Offline: l.o.Offline})
	for i, p := range resolved {
		if p.Code == "unset_reference" && (strings.HasSuffix(p.Path, ".filter") || strings.HasSuffix(p.Path, ".transform")) {
			resolved[i].Hint += `; if it is meant for jq, write \{$`
		}
	}
	l.out = append(l.out, resolved...)
	return slices.DeleteFunc(slices.Clone(tree.Members), func(m spec.Member) bool { return spec.IsComment(m.Key) })
}

func (l *loader) unreadable(path string, err error, root string) {
	p := diag.Problem{Pos: diag.Pos{File: path}, Code: "unreadable", Message: "cannot be read: " + plainError(err)}
	if root == "hooks" && errors.Is(err, fs.ErrNotExist) {
		p.Message = "there is no such file"
		p.Hint = "name it with --webhooks, or start without one: hookd serve --dev"
	}
	if path == "" {
		p.Pos.File, p.Message = "webhooks", "no file of webhooks is named"
	}
	l.out.Add(p)
}

func plainError(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// once drops problems that were found twice at one place: an option that
// several steps of a chain share is decoded for each of them.
func once(in diag.List) diag.List {
	type id struct {
		pos     diag.Pos
		message string
	}
	seen := map[id]bool{}
	return slices.DeleteFunc(in, func(p diag.Problem) bool {
		k := id{p.Pos, p.Message}
		twice := seen[k] && p.Pos.Line > 0
		seen[k] = true
		return twice
	})
}
