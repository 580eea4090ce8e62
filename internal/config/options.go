package config

import (
	"fmt"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// options are what a step's module is configured with: the step's own
// module-config, over the hook's, over the keys that the original service had
// outside of it. rest are the members of the hook's "redis" object that the
// module's options do not have.
func (b *builder) options(m *ModuleSpec, s *step, path string, n *spec.Node, single bool) (_ *spec.Node, rest *spec.Node) {
	known := canonical(m.Options())
	own := s.options
	if own != nil && own.Kind != spec.NodeObject {
		b.at(own, spec.JoinPath(path, "module-config"), "bad_type", "must be an object, not "+own.Kind.String(), "")
		own = nil
	}
	out := &spec.Node{Pos: s.module.Pos, Width: s.module.Width, Kind: spec.NodeObject}
	if own != nil {
		out = own.With(func(string) bool { return true })
	}
	has := map[string]bool{}
	for _, o := range out.Members {
		if o.Value.Kind != spec.NodeNull {
			has[known[o.Key]] = known[o.Key] != ""
		}
	}
	// add takes a member where the module has the option.
	add := func(member *spec.Member) bool {
		name := known[member.Key]
		if name != "" && !has[name] {
			has[name] = true
			out.Members = append(out.Members, *member)
		}
		return name != ""
	}
	for _, key := range []string{"queue_name", "topic"} {
		legacy := n.Member(key)
		if legacy == nil {
			continue
		}
		if !single && own.Get(key) != nil {
			b.key(diag.Error, *legacy, spec.JoinPath(path, key), "set_twice",
				fmt.Sprintf(`%q is here and in "module-config"`, key), "keep the one in module-config")
			continue
		}
		took := add(legacy)
		if single {
			b.used[key] = took
		} else if !took {
			b.key(diag.Warning, *legacy, spec.JoinPath(path, key), "unused", fmt.Sprintf("does nothing: the module %s has no such option", m.Name), "remove it")
		}
	}
	if !single {
		b.shared(add)
	}
	return out, b.redis(m, add)
}

// shared gives a step of a chain what the hook says for all.
func (b *builder) shared(add func(*spec.Member) bool) {
	switch o := b.entry.options; {
	case o == nil:
	case o.Kind != spec.NodeObject:
		b.at(o, spec.JoinPath(b.hook.Path, "module-config"), "bad_type", "must be an object, not "+o.Kind.String(), "")
	default:
		for i := range o.Members {
			if add(&o.Members[i]) {
				b.used["module-config."+o.Members[i].Key] = true
			}
		}
	}
	for _, key := range []string{"queue_name", "topic"} {
		if legacy := b.node.Member(key); legacy != nil && add(legacy) {
			b.used[key] = true
		}
	}
}

// redis gives a step the hook's "redis" object: what is an option becomes one,
// and the rest describes a connection.
func (b *builder) redis(m *ModuleSpec, add func(*spec.Member) bool) *spec.Node {
	member := b.node.Member("redis")
	if member == nil {
		return nil
	}
	if add(member) {
		b.used["redis"] = true
		return nil
	}
	if !takesRedis(m) {
		return nil
	}
	b.used["redis"] = true
	if member.Value.Kind != spec.NodeObject {
		b.at(member.Value, spec.JoinPath(b.hook.Path, "redis"), "bad_type", "must be an object, not "+member.Value.Kind.String(), "")
		return nil
	}
	options := canonical(m.Options())
	for i := range member.Value.Members {
		add(&member.Value.Members[i])
	}
	return member.Value.With(func(key string) bool { return options[key] == "" || spec.IsComment(key) })
}

// connectionOf finds the step's connection: its own, the hook's, what the
// hook's "redis" object says, or else, unless the step stands alone, the module's
// defaults.
func (b *builder) connectionOf(m *ModuleSpec, s *step, path string, redis *spec.Node, alone bool) string {
	own := spec.JoinPath(path, "connection")
	if s.connection != nil {
		return b.connect(m, s.connection, own, false)
	}
	if len(m.ConnectionTypes) == 0 {
		return ""
	}
	if c := b.entry.connection; c != nil && b.entry.chain != nil {
		before := len(b.out)
		name := b.connect(m, c, spec.JoinPath(b.hook.Path, "connection"), true)
		b.used["connection"] = b.used["connection"] || name != "" || len(b.out) > before
		if name != "" || len(b.out) > before {
			return name
		}
	}
	if redis != nil {
		at := spec.JoinPath(b.hook.Path, "redis")
		return b.implicit(m, "/"+at, at, redis, b.hook.ID)
	}
	if alone {
		return ""
	}
	n := &spec.Node{Pos: s.module.Pos, Width: s.module.Width, Kind: spec.NodeObject}
	if problems := spec.Decode(n, m.Connection(), ""); problems.HasErrors() {
		what := "a connection"
		if _, ok := m.Options().(Standalone); ok {
			what = "a url or a connection"
		}
		b.at(s.module, own, "required", fmt.Sprintf("the module %s needs %s", m.Name, what), b.connectionHint("", m))
		return ""
	}
	b.warn(s.module, own, "default_connection", fmt.Sprintf("the module %s is used without a connection, with the defaults of one", m.Name),
		`name one with "connection"`)
	return b.implicit(m, "/"+m.Name, "connections", n, "")
}
