package config

import (
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// maxChain is the original service's bound on the steps of a chain.
const maxChain = 20

// destinations reads the hook's module, or its chain.
func (l *loader) destinations(h *Hook, n *spec.Node, e *entry, misspelt bool) {
	b := &builder{loader: l, hook: h, entry: e, node: n, used: map[string]bool{}, count: map[string]int{}, names: map[string]bool{}, misspelt: misspelt}
	if e.chain == nil {
		h.Execution = Sequential
		if c := n.Member("chain-config"); c != nil {
			l.key(diag.Warning, *c, spec.JoinPath(h.Path, c.Key), "unused", `does nothing without a "chain"`, "")
		}
		b.single()
	} else {
		b.chain()
	}
	b.leftovers()
}

// builder makes the destinations of one hook.
type builder struct {
	*loader
	hook  *Hook
	entry *entry
	node  *spec.Node
	used  map[string]bool // keys of the hook that some step took
	count map[string]int  // steps by module
	names map[string]bool // of destinations
	// unsure says that a step's module is not known, so that it is not known
	// either what would be of use to it.
	unsure bool
	// misspelt says that "module" or "chain" is there under a wrong name.
	misspelt bool
}

func (b *builder) single() {
	e := b.entry
	if e.module == nil {
		if !b.misspelt {
			b.out.Add(diag.Problem{
				Pos: b.node.Pos, Width: 1, Path: b.hook.Path, Code: "required",
				Message: `needs a "module" or a "chain"`, Hint: "hookd modules lists what there is",
			})
		}
		b.unsure = true
		return
	}
	s := &step{module: e.module, connection: e.connection, options: e.options, queueName: e.queueName, topic: e.topic, format: FormatPayload}
	b.used["connection"], b.used["module-config"] = true, true
	if d, ok := b.destination(s, b.hook.Path, b.node, true); ok {
		b.hook.Destinations = []Destination{d}
	}
}

func (b *builder) chain() {
	e, path := b.entry, spec.JoinPath(b.hook.Path, "chain")
	switch {
	case e.chain.Kind != spec.NodeArray:
		b.at(e.chain, path, "bad_type", "must be a list, not "+e.chain.Kind.String(), "")
		b.unsure = true
		return
	case len(e.chain.Items) == 0:
		b.at(e.chain, path, "empty", "a chain needs at least one step", "")
		b.unsure = true
		return
	case len(e.chain.Items) > maxChain:
		b.at(e.chain, path, "out_of_range", fmt.Sprintf("a chain has at most %d steps, not %d", maxChain, len(e.chain.Items)), "")
	}
	if m := b.node.Member("module"); m != nil {
		b.key(diag.Warning, *m, spec.JoinPath(b.hook.Path, "module"), "unused", `does nothing beside a "chain"`, "remove it")
	}
	if c := b.node.Get("chain-config"); c != nil {
		switch {
		case b.hook.Execution == Parallel:
			b.hook.ChainTimeout = e.chainConfig.timeout
		case e.chainConfig.timeout > 0:
			b.warn(c.Get("timeout"), b.hook.Path+".chain-config.timeout", "unused", "is for parallel chains only", `give the steps a "timeout"`)
		}
	}
	for i, item := range e.chain.Items {
		s, at := &step{}, fmt.Sprintf("%s[%d]", path, i)
		if item.Kind != spec.NodeObject && item.Kind != spec.NodeString {
			b.at(item, at, "bad_type", "must be the name of a module or an object, not "+item.Kind.String(), "")
			b.unsure = true
			continue
		}
		problems := spec.Decode(item, s, at)
		b.misplaced(problems, s.module, at)
		if s.hasRetry {
			b.clamp(&s.retry, problems, item.Get("retry"), spec.JoinPath(at, "retry"))
		}
		b.out = append(b.out, problems...)
		if s.module == nil {
			b.unsure = true
			continue
		}
		if d, ok := b.destination(s, at, item, false); ok {
			b.hook.Destinations = append(b.hook.Destinations, d)
		}
	}
}

// destination makes one. n is the step's object, or its name alone.
func (b *builder) destination(s *step, path string, n *spec.Node, single bool) (Destination, bool) {
	m, ok := b.module(s.module, path)
	if !ok {
		b.unsure = true
		return Destination{}, false
	}
	b.count[m.Name]++
	d := Destination{
		Name: s.name, Pos: s.module.Pos, Path: path, Module: m.Name, Options: m.Options(),
		Concurrency: s.concurrency, Timeout: s.timeout, Format: s.format,
	}
	if !single {
		d.Pos = n.Pos
		d.Filter, d.Transform = expr(s.filter, n.Get("filter")), expr(s.transform, n.Get("transform"))
	}
	if s.hasRetry {
		d.Retry = &s.retry
	}
	where := d.Pos
	width := s.module.Width
	if given := n.Get("name"); d.Name != "" && given != nil {
		where, width = given.Pos, given.Width
	} else {
		d.Name = fmt.Sprintf("%s-%d", m.Name, b.count[m.Name])
	}
	if b.names[d.Name] {
		b.out.Add(diag.Problem{
			Pos: where, Width: width, Path: spec.JoinPath(path, "name"), Code: "name_taken",
			Message: fmt.Sprintf("two steps of the hook are named %q", d.Name),
		})
	}
	b.names[d.Name] = true
	options, rest := b.options(m, s, path, n, single)
	problems := spec.Decode(options, d.Options, spec.JoinPath(path, "module-config"))
	for i := range problems {
		if p := &problems[i]; p.Code == "unknown_key" && p.Path == spec.JoinPath(path, "module-config")+".connection" && len(m.ConnectionTypes) > 0 {
			p.Hint = `it belongs beside "module-config"`
		}
	}
	d.Connection = b.connectionOf(m, s, path, rest, standalone(d.Options, problems))
	b.out = append(b.out, problems...)
	return d, true
}

// standalone reports whether a step says by itself what a connection would. Of
// one with mistakes it is not known, and they are enough to say.
func standalone(o spec.Described, problems diag.List) bool {
	s, ok := o.(Standalone)
	return ok && (problems.HasErrors() || s.Standalone())
}

func (b *builder) module(n *spec.Node, path string) (*ModuleSpec, bool) {
	path = strings.TrimSuffix(path, ".module") + ".module"
	switch {
	case n.Kind != spec.NodeString:
		b.at(n, path, "bad_type", "must be the name of a module, not "+n.Kind.String(), "")
		return nil, false
	case n.Unresolved:
		return nil, false
	}
	m := b.loader.names.modules[n.Text]
	if m == nil {
		hint := diag.Suggest(n.Text, b.loader.names.known.modules)
		if hint == "" {
			hint = "hookd modules lists what there is"
		}
		b.at(n, path, "unknown_module", fmt.Sprintf("there is no module %s", n.Quote()), hint)
	}
	return m, m != nil
}

// leftovers warns of keys of the hook that no step took.
func (b *builder) leftovers() {
	if b.unsure {
		return
	}
	for _, key := range []string{"connection", "queue_name", "topic", "redis"} {
		if m := b.node.Member(key); m != nil && !b.used[key] {
			b.key(diag.Warning, *m, spec.JoinPath(b.hook.Path, key), "unused", "does nothing: no module of the hook takes it", "remove it")
		}
	}
	if b.entry.chain == nil || b.entry.options == nil {
		return
	}
	for _, m := range b.entry.options.Members {
		if !spec.IsComment(m.Key) && !b.used["module-config."+m.Key] {
			b.key(diag.Error, m, spec.JoinPath(b.hook.Path+".module-config", m.Key), "unknown_key", "unknown key: no module of the chain has this option", "")
		}
	}
}
