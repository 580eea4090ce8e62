package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

// proofEntry is the part of a hook, or one set of its "any_of" and "all_of",
// that says what a request must show.
type proofEntry struct {
	names names

	provider     string
	secrets      []secret.String
	publicURL    url.URL
	tolerance    time.Duration
	params       map[string]string
	allOf, anyOf *spec.Node
	proofs       []*spec.Node // as names.catalog.Auth
}

// Fields of a set of proofs.
func (e *proofEntry) Fields() spec.Fields {
	fs := spec.Fields{
		spec.String(&e.provider, "provider").Check(e.knownProvider).Doc("Preset for a sender: how it signs, where its delivery ids and event types are. See `hookd providers`."),
		spec.Secrets(&e.secrets, "secret").Doc("Secret that the provider signs with; a list while it is rotated."),
		spec.Duration(&e.tolerance, "tolerance").Range(1, 86400).Doc("How old a signed timestamp may be, instead of the provider's own tolerance."),
		spec.URL(&e.publicURL, "public_url").Check(webURL).Doc("URL of the hook as the sender knows it, for senders that sign it."),
		spec.StringMap(&e.params, "params").Doc("More settings of the provider, such as a certificate or an application id."),
		spec.Raw(&e.allOf, "all_of").Doc("List of sets of proofs that must hold, all of them: for two proofs of one kind."),
		spec.Raw(&e.anyOf, "any_of").Doc("List of sets of proofs, one of which must hold: for a sender that is moving from one proof to another."),
	}
	e.proofs = make([]*spec.Node, len(e.names.catalog.Auth))
	for i, a := range e.names.catalog.Auth {
		fs = append(fs, spec.Raw(&e.proofs[i], a.Name).Doc("Proof: see `hookd auth "+a.Name+"`."))
	}
	return fs
}

// Validate finds settings that would look like protection and are none.
func (e *proofEntry) Validate() []spec.Issue {
	var out []spec.Issue
	if e.provider == "" && len(e.secrets) > 0 {
		out = append(out, spec.Issue{
			Field: "secret", Message: `is for a provider, and the hook names none: it would not be checked`,
			Hint: `add "provider", or put the secret into a proof such as "hmac"`,
		})
	}
	for field, set := range map[string]bool{"tolerance": e.tolerance > 0, "params": len(e.params) > 0} {
		if set && e.provider == "" {
			out = append(out, spec.Issue{Field: field, Message: "does nothing without a provider", Warning: true})
		}
	}
	return out
}

var errUnknownProvider = errors.New("there is no such provider")

func (e *proofEntry) knownProvider(name string) error {
	for _, p := range e.names.catalog.Providers {
		if p == name {
			return nil
		}
	}
	return errUnknownProvider
}

const (
	maxProofDepth = 4  // nested any_of and all_of
	maxProofSets  = 20 // in one list
)

// proofSet makes a set of what was decoded of n.
func (l *loader) proofSet(e *proofEntry, m spec.Member, path string, depth int) ProofSet {
	n := m.Value
	s := ProofSet{
		At: m.Pos, Root: path, Provider: e.provider, Secrets: e.secrets, Tolerance: e.tolerance, Params: e.params,
		Unsigned: slices.Contains(l.names.catalog.Unsigned, e.provider), Proofs: l.proofs(n, path),
	}
	if e.publicURL.Host != "" {
		s.PublicURL = e.publicURL.String()
	}
	if p := n.Get("provider"); p != nil {
		s.ProviderPos = p.Pos
	}
	if p := n.Get("secret"); p != nil {
		s.SecretsPos = p.Pos
	}
	s.AllOf = l.proofSets(e.allOf, spec.JoinPath(path, "all_of"), depth+1)
	s.AnyOf = l.proofSets(e.anyOf, spec.JoinPath(path, "any_of"), depth+1)
	return s
}

// proofSets reads a list of sets. None of them may be empty: in "any_of" it
// would let everything pass.
func (l *loader) proofSets(n *spec.Node, path string, depth int) []ProofSet {
	key := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case n == nil || n.Kind == spec.NodeNull:
		return nil
	case n.Kind != spec.NodeArray:
		l.at(n, path, "bad_type", "must be a list of objects, not "+n.Kind.String(), `each object holds proofs: [{"jwt": {…}}, {"basic_auth": {…}}]`)
		return nil
	case len(n.Items) == 0:
		l.at(n, path, "empty_proof", fmt.Sprintf("%q is empty: remove the key or fill it", key), "")
		return nil
	case len(n.Items) > maxProofSets || depth > maxProofDepth:
		l.at(n, path, "too_many", fmt.Sprintf("at most %d sets in a list, and lists %d deep", maxProofSets, maxProofDepth), "")
		return nil
	}
	var out []ProofSet
	for i, item := range n.Items {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item.Kind != spec.NodeObject {
			l.at(item, at, "bad_type", "must be an object with proofs, not "+item.Kind.String(), "")
			continue
		}
		e, before := &proofEntry{names: l.names}, len(l.out)
		problems := spec.Decode(item, e, at)
		l.improve(problems, item, at)
		l.out = append(l.out, problems...)
		set := l.proofSet(e, spec.Member{Pos: item.Pos, Width: item.Width, Value: item}, at, depth)
		known := key == "all_of" && set.Provider != "" // it only names what came
		if set.Open() && !known && len(l.out) == before {
			l.at(item, at, "empty_proof", "holds no proof: every request would pass", "")
		}
		out = append(out, set)
	}
	return out
}
