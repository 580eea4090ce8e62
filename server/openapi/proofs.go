package openapi

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
)

// proofs is how a hook wants to be convinced.
type proofs struct {
	security   []object // alternatives: scheme name → no scopes; all of one must hold
	parameters []any
	notes      []string // what no scheme can say
}

// schemes collects the security schemes of all hooks. A scheme is named after
// what it is ("hmac.X-Hub-Signature-256"), so that hooks that ask for the same
// share it, and a new hook renames none.
type schemes struct {
	registry *auth.Registry
	found    map[string]object
}

func newSchemes(reg *auth.Registry) *schemes {
	return &schemes{registry: reg, found: map[string]object{}}
}

// components returns the schemes in the order of their names.
func (s *schemes) components() object {
	var names []string
	for n := range s.found {
		names = append(names, n)
	}
	slices.Sort(names)
	out := object{}
	for _, n := range names {
		out = append(out, member{n, s.found[n]})
	}
	return out
}

func (s *schemes) of(h *config.Hook) proofs {
	p := proofs{security: []object{nil}}
	s.set(&h.ProofSet, &p)
	return p
}

// set adds what a set of proofs asks for. Each alternative of a group is asked
// for together with all that was there before.
func (s *schemes) set(set *config.ProofSet, p *proofs) {
	if set.Provider != "" {
		s.provider(set, p)
	}
	for _, proof := range set.Proofs {
		s.proof(proof, p)
	}
	for i := range set.AllOf {
		s.set(&set.AllOf[i], p)
	}
	if len(set.AnyOf) == 0 {
		return
	}
	var all []object
	for i := range set.AnyOf {
		q := proofs{parameters: p.parameters}
		for _, alternative := range p.security {
			q.security = append(q.security, slices.Clone(alternative))
		}
		s.set(&set.AnyOf[i], &q)
		for j := len(p.parameters); j < len(q.parameters); j++ {
			if o, ok := q.parameters[j].(object); ok {
				q.parameters[j] = o.with("required", false)
			}
		}
		all, p.parameters = append(all, q.security...), q.parameters
		for _, note := range q.notes {
			p.notes = append(p.notes, fmt.Sprintf("Alternative %d: %s", i+1, note))
		}
	}
	p.security = all
}

// require adds a scheme to those that must hold. A second, different scheme
// that would have the same name gets a number.
func (s *schemes) require(p *proofs, name string, scheme object) {
	name = componentName(name)
	for i := 2; ; i++ {
		old, taken := s.found[name]
		if !taken || same(old, scheme) {
			break
		}
		name = fmt.Sprintf("%s-%d", strings.TrimSuffix(name, fmt.Sprintf("-%d", i-1)), i)
	}
	s.found[name] = scheme
	for i := range p.security {
		if _, there := p.security[i].get(name); !there {
			p.security[i] = append(p.security[i], member{name, []any{}})
		}
	}
}

// simple are the methods whose scheme needs nothing of their options.
var simple = map[string]object{
	"basic_auth":  {{"type", "http"}, {"scheme", "basic"}},
	"jwt":         {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}, {"description", "A signed JSON Web Token."}},
	"digest_auth": {{"type", "http"}, {"scheme", "digest"}, {"description", "HTTP Digest (RFC 7616); the challenge is in the 401."}},
	"oauth1":      {{"type", "http"}, {"scheme", "OAuth"}, {"description", "A request signed with OAuth 1.0 (RFC 5849)."}},
	"oauth2":      {{"type", "http"}, {"scheme", "bearer"}, {"description", "An OAuth 2.0 access token (RFC 6750)."}},
}

func (s *schemes) proof(proof config.Proof, p *proofs) {
	if proof.Method == "ip_whitelist" {
		p.notes = append(p.notes, "Requests are taken from listed addresses only.")
		return
	}
	if scheme, ok := simple[proof.Method]; ok {
		s.require(p, proof.Method, scheme)
		return
	}
	title, v := proof.Method, auth.Verifier(nil)
	if s.registry != nil {
		if m, ok := s.registry.Lookup(proof.Method); ok {
			title = m.Title()
			// Without a verifier the note below says enough.
			if made, err := m.New(auth.Env{}, proof.Options); err == nil {
				v = made
			}
		}
	}
	if proof.Method == "authorization" && isBearer(v) {
		s.require(p, "authorization.bearer", object{{"type", "http"}, {"scheme", "bearer"}})
		return
	}
	s.sourced(p, proof.Method, title, v)
}

func (s *schemes) provider(h *config.ProofSet, p *proofs) {
	preset, ok := presets.Lookup(h.Provider)
	if !ok {
		p.notes = append(p.notes, "Requests must be signed as "+h.Provider+" does.")
		return
	}
	if preset.Unsigned {
		p.notes = append(p.notes, "Sent by "+preset.Title+", which proves nothing by itself.")
		return
	}
	text := "Signed as " + preset.Title + " does"
	for _, f := range preset.Facts() {
		if f.Label == "signature" {
			text += ": " + f.Text
			break
		}
	}
	text += "."
	if preset.Source != "" {
		text += " See " + preset.Source + "."
	}
	var v auth.Verifier
	if pv, err := preset.New(auth.Env{}, presets.Options{Secrets: h.Secrets, PublicURL: h.PublicURL, Tolerance: h.Tolerance, Params: h.Params}); err == nil {
		v = pv
	}
	s.sourced(p, "provider."+preset.Name, text, alternatives{v})
	for _, at := range slices.Concat(preset.ID, preset.Type) {
		if name, ok := strings.CutPrefix(at, "header:"); ok {
			p.header(name, "Set by "+preset.Title+".", false)
		}
	}
}

// alternatives is a proof of which one header is enough: a sender that signs in
// several has them for its ways to prove, or for its keys.
type alternatives struct{ auth.Verifier }

func (a alternatives) CredentialHeaders() []string {
	if src, ok := a.Verifier.(auth.Sourced); ok && len(src.CredentialHeaders()) > 0 {
		return src.CredentialHeaders()[:1]
	}
	return nil
}

func (a alternatives) CredentialParams() []string {
	if src, ok := a.Verifier.(auth.Sourced); ok {
		return src.CredentialParams()
	}
	return nil
}

// sourced describes a proof by where its credentials travel: the first header
// or parameter is the scheme, further headers are required beside it.
func (s *schemes) sourced(p *proofs, name, text string, v auth.Verifier) {
	src, _ := v.(auth.Sourced)
	if src == nil || len(src.CredentialHeaders())+len(src.CredentialParams()) == 0 {
		p.notes = append(p.notes, strings.TrimSuffix(text, ".")+".")
		return
	}
	headers := src.CredentialHeaders()
	if len(headers) == 0 {
		param := src.CredentialParams()[0]
		s.require(p, name+"."+param, object{{"type", "apiKey"}, {"in", "query"}, {"name", param}, {"description", text}})
		return
	}
	s.require(p, cmp.Or(name, "header")+"."+headers[0], object{{"type", "apiKey"}, {"in", "header"}, {"name", headers[0]}, {"description", text}})
	for _, h := range headers[1:] {
		p.header(h, text, true)
	}
}

// header adds a header parameter, once.
func (p *proofs) header(name, description string, required bool) {
	for _, old := range p.parameters {
		if o, ok := old.(object); ok {
			if n, _ := o.get("name"); strings.EqualFold(fmt.Sprint(n), name) {
				return
			}
		}
	}
	p.parameters = append(p.parameters, object{
		{"name", name},
		{"in", "header"},
		{"required", required},
		{"description", description},
		{"schema", object{{"type", "string"}}},
	})
}

// isBearer lets the proof sign an empty request and looks at the scheme.
func isBearer(v auth.Verifier) bool {
	signer, ok := v.(auth.Signer)
	if !ok {
		return false
	}
	r := &auth.Request{Method: http.MethodPost, URL: &url.URL{Path: "/"}, Header: http.Header{}, Now: time.Unix(0, 0)}
	return signer.Sign(context.Background(), r) == nil && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// componentName replaces what names of components may not have
// (OpenAPI 3.1.1 section 4.8.7: A-Z a-z 0-9 . - _).
func componentName(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			return c
		}
		return '_'
	}, s)
}

func same(a, b object) bool {
	x, errX := encode(a)
	y, errY := encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
