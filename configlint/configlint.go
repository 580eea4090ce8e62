// Package configlint finds what is legal in a configuration but unwise. Each
// rule is one entry of a list, with its reason and what to do; each has cases
// in testdata/lint. It knows no module or proof but by the names in the files.
package configlint

import (
	"strings"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
)

// Rule is one thing to look for.
type Rule struct {
	Code  string // stable slug, the Code of its problems
	Title string // what it finds, in a line
	Why   string
	Fix   string
	check func(*run)
}

// Options are settings of the daemon that change what is unwise.
type Options struct {
	// CleanupDefault says that bodies are cleaned where a hook says nothing.
	CleanupDefault bool
	// Egress is the policy for destinations; nil skips the rules about it.
	Egress *netguard.Guard
	// Used are connections that the daemon itself uses.
	Used []string
}

// Rules lists all rules in the order of `hookd rules`.
func Rules() []Rule {
	all := append(proofRules(), tokenRules()...)
	all = append(all, secretRules()...)
	all = append(all, addressRules()...)
	return append(all, deliveryRules()...)
}

// Lookup finds a rule by its code.
func Lookup(code string) (Rule, bool) {
	for _, r := range Rules() {
		if r.Code == code {
			return r, true
		}
	}
	return Rule{}, false
}

// Check runs all rules over a configuration without errors. The problems are
// warnings and notes, in the order of files and lines.
func Check(cfg *config.Config, sources config.Sources, o Options) diag.List {
	r := &run{cfg: cfg, o: o, nodes: index(cfg, sources), sources: sources, paths: make(map[diag.Pos]string)}
	for path, n := range r.nodes {
		if n.Secret && n.Kind == spec.NodeString {
			r.paths[n.Pos] = path
		}
	}
	for _, rule := range Rules() {
		r.rule = rule
		rule.check(r)
	}
	r.out.Sort()
	return r.out
}

// run is one check of one configuration.
type run struct {
	cfg     *config.Config
	sources config.Sources
	o       Options
	nodes   map[string]*spec.Node // by path: "hooks.github.hmac.algorithm"
	paths   map[diag.Pos]string   // of secrets
	rule    Rule
	out     diag.List
}

// index finds the node of each path. A file that holds hooks is one of hooks;
// any other is one of connections.
func index(cfg *config.Config, sources config.Sources) map[string]*spec.Node {
	hooks := make(map[string]bool)
	for i := range cfg.Hooks {
		hooks[cfg.Hooks[i].Pos.File] = true
	}
	nodes := make(map[string]*spec.Node)
	for _, f := range sources.Files() {
		t := sources.Tree(f)
		if t == nil {
			continue
		}
		root := "connections"
		if hooks[f] {
			root = "hooks"
		}
		t.Walk("", func(path string, n *spec.Node) {
			if path != "" && path[0] != '[' {
				path = "." + path
			}
			nodes[root+path] = n
		})
	}
	return nodes
}

// warn adds a warning at the node of the first path that is written; else at
// the place given.
func (r *run) warn(at diag.Pos, message string, paths ...string) {
	r.add(diag.Warning, at, message, paths)
}

// note adds a note.
func (r *run) note(at diag.Pos, message string, paths ...string) {
	r.add(diag.Note, at, message, paths)
}

func (r *run) add(s diag.Severity, at diag.Pos, message string, paths []string) {
	p := diag.Problem{Severity: s, Pos: at, Code: r.rule.Code, Message: message, Hint: r.rule.Fix}
	if len(paths) > 0 {
		p.Path = paths[len(paths)-1]
	}
	for _, path := range paths {
		if n := r.nodes[path]; n != nil {
			p.Pos, p.Width, p.Path = n.Pos, n.Width, path
			break
		}
	}
	r.out.Add(p)
}

// hooks calls f for each hook that is served.
func (r *run) hooks(f func(h *config.Hook, path string)) {
	for i := range r.cfg.Hooks {
		if h := &r.cfg.Hooks[i]; h.Enabled {
			f(h, spec.JoinPath("hooks", h.ID))
		}
	}
}

// proofs calls f for each proof of the method.
func (r *run) proofs(method string, f func(h *config.Hook, p config.Proof, options map[string]any)) {
	r.hooks(func(h *config.Hook, _ string) {
		for set := range h.Sets() {
			for _, p := range set.Proofs {
				if p.Method == method {
					f(h, p, fields(p.Options))
				}
			}
		}
	})
}

// fields is the content of options, without secrets.
func fields(d spec.Described) map[string]any {
	if d == nil {
		return nil
	}
	m, _ := spec.Redacted(d).(map[string]any)
	return m
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func is(m map[string]any, key string) bool {
	b, _ := m[key].(bool)
	return b
}

func list(m map[string]any, key string) []string {
	s, _ := m[key].([]string)
	return s
}

// optionPaths are where an option of a destination may be written.
func optionPaths(d *config.Destination, key string) []string {
	hook := d.Path
	if i := strings.Index(hook, ".chain["); i >= 0 {
		hook = hook[:i]
	}
	return []string{d.Path + ".module-config." + key, hook + ".module-config." + key, d.Path}
}
