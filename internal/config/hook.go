package config

import (
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

func (l *loader) hooks(entries []spec.Member) []Hook {
	var out []Hook
	for _, m := range entries {
		path := spec.JoinPath("hooks", m.Key)
		if message, hint := badHookID(m.Key); message != "" {
			l.key(diag.Error, m, path, "bad_hook_id", message, hint)
		}
		if m.Value.Kind != spec.NodeObject {
			l.at(m.Value, path, "bad_type", "must be an object, not "+m.Value.Kind.String(), `a key that starts with "_" is a comment`)
			continue
		}
		out = append(out, l.hook(m, path))
	}
	return out
}

func (l *loader) hook(m spec.Member, path string) Hook {
	n := m.Value
	e := &entry{proofEntry: proofEntry{names: l.names}}
	problems := spec.Decode(n, e, path)
	l.misplaced(problems, e.module, path)
	misspelt := l.improve(problems, n, path)
	if e.hasRetry {
		l.clamp(&e.retry, problems, n.Get("retry"), spec.JoinPath(path, "retry"))
	}
	l.out = append(l.out, problems...)

	h := Hook{
		ID: m.Key, Pos: m.Pos, Path: path, Description: e.description, Enabled: e.enabled, DataType: e.dataType,
		TrustedProxies: e.proxies, MaxBody: e.maxBody, Response: e.response,
		Execution: e.chainConfig.execution, ContinueOnError: e.chainConfig.onError,
		Filter: expr(e.filter, n.Get("filter")), Transform: expr(e.transform, n.Get("transform")),
	}
	if e.hasLimit {
		h.RateLimit = &e.rateLimit
	}
	if e.hasRetry {
		h.Retry = &e.retry
	}
	if e.hasCleanup {
		e.cleanup.Remove = e.cleanup.mode == "remove"
		h.Cleanup = &e.cleanup.Cleanup
	}
	if e.hasDedupe {
		h.Dedupe = &e.dedupe
		h.Dedupe.KeyPos = n.Get("deduplicate").Pos
		if k := n.Get("deduplicate").Get("key"); k != nil {
			h.Dedupe.KeyPos = k.Pos
		}
	}
	l.schema(&h, e.schema, path)
	h.ProofSet = l.proofSet(&e.proofEntry, m, path, 0)
	l.destinations(&h, n, e, misspelt)
	return h
}

// improve adds to problems what only the loader knows. It tells whether the key
// of the destinations is misspelt.
func (l *loader) improve(problems diag.List, n *spec.Node, path string) (misspelt bool) {
	for i := range problems {
		p := &problems[i]
		misspelt = misspelt || p.Code == "unknown_key" && (p.Hint == `did you mean "module"?` || p.Hint == `did you mean "chain"?`)
		switch {
		case p.Message == errUnknownProvider.Error():
			name := n.Get("provider")
			p.Code, p.Message = "unknown_provider", fmt.Sprintf("there is no provider %s", name.Quote())
			if p.Hint = diag.Suggest(name.Text, l.names.catalog.Providers); p.Hint == "" {
				p.Hint = "hookd providers lists them"
			}
		case p.Code == "unknown_key" && p.Hint == "" && stepKeys[strings.TrimPrefix(p.Path, path+".")]:
			p.Hint = `it belongs into a step of a "chain"`
		case p.Path == path+".trusted_proxies" && p.Code == "bad_value":
			for j, item := range n.Get("trusted_proxies").Items {
				if !isAddress(item.Text) {
					p.Pos, p.Width, p.Path = item.Pos, item.Width, fmt.Sprintf("%s[%d]", p.Path, j)
					break
				}
			}
		}
	}
	return misspelt
}

// misplaced finds options of a module that stand beside it.
func (l *loader) misplaced(problems diag.List, module *spec.Node, path string) {
	if module == nil || l.names.modules[module.Text] == nil {
		return
	}
	options := canonical(l.names.modules[module.Text].Options())
	for i := range problems {
		if p := &problems[i]; p.Code == "unknown_key" && options[strings.TrimPrefix(p.Path, path+".")] != "" {
			p.Hint = `it belongs into "module-config"`
		}
	}
}

// stepKeys are the keys of a step that a hook does not have.
var stepKeys = map[string]bool{"name": true, "concurrency": true, "timeout": true, "format": true}

func (l *loader) schema(h *Hook, n *spec.Node, path string) {
	path = spec.JoinPath(path, "json_schema")
	switch {
	case n == nil:
	case n.Kind != spec.NodeObject:
		l.at(n, path, "bad_type", "must be an object, not "+n.Kind.String(), "")
	case len(n.Members) == 0:
		l.at(n, path, "empty", `"json_schema" is empty: every body would pass; remove the key or fill it`, "")
	default:
		h.Schema, h.SchemaPos = n.Any(), n.Pos
	}
}

// proofs decodes every method of authentication that the hook names, in file
// order. Nothing that is written may end up as no check at all.
func (l *loader) proofs(n *spec.Node, path string) []Proof {
	var out []Proof
	for _, m := range n.Members {
		for i := range l.names.catalog.Auth {
			a := &l.names.catalog.Auth[i]
			if a.Name != m.Key || m.Value.Kind == spec.NodeNull {
				continue
			}
			p := Proof{Method: a.Name, Pos: m.Pos, Path: spec.JoinPath(path, a.Name), Options: a.Options()}
			if m.Value.Empty() || m.Value.Kind == spec.NodeString && !m.Value.Unresolved && strings.TrimSpace(m.Value.Text) == "" {
				l.at(m.Value, p.Path, "empty_proof",
					fmt.Sprintf("%q is empty: it would leave the hook open; remove the key or fill it", a.Name), "")
				continue
			}
			l.out = append(l.out, spec.Decode(m.Value, p.Options, p.Path)...)
			out = append(out, p)
		}
	}
	return out
}

func expr(source string, n *spec.Node) *Expr {
	if source == "" || n == nil {
		return nil
	}
	return &Expr{Source: source, Pos: n.Pos}
}
