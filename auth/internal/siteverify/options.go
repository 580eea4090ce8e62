// Package siteverify asks a captcha service whether a token is good: a form in,
// JSON out, the protocol that reCAPTCHA introduced and others speak, too.
// Sources: developers.google.com/recaptcha/docs/verify and docs/v3;
// developers.cloudflare.com/turnstile/get-started/server-side-validation.
package siteverify

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

// Service is what differs between the services.
type Service struct {
	Name     string   // the method: "recaptcha"
	Endpoint string   // where it is asked
	Header   string   // where a token is in the header, unless the hook says otherwise
	Members  []string // where it is in a body; the first that is there wins
	MaxToken int      // bytes, at most auth.MaxCredential
}

// Source is the part of a request that a token is in.
type Source string

// The sources.
const (
	FromHeader Source = "header"
	FromBody   Source = "body"
)

// Options are those of every service.
type Options struct {
	Secret    secret.String
	Source    Source
	Field     string // "": that of the service
	Action    string // "": any
	Hostnames []string
	Endpoint  url.URL
}

// Fields describes the options of the service; own are further ones of it.
func (o *Options) Fields(s *Service, own ...spec.Field) spec.Fields {
	endpoint, _ := url.Parse(s.Endpoint) // a constant
	members := "`" + strings.Join(s.Members, "`, then `") + "`"
	fields := spec.Fields{
		spec.Secret(&o.Secret, "secret_key").Required().Doc("The secret key of the site, as the service shows it; not the site key, which is in the page."),
		spec.Enum(&o.Source, "token_source", FromHeader, FromBody).Default(FromHeader).Doc("Where the page puts the token: `header` or `body`."),
		spec.String(&o.Field, "token_field").Check(checkField).
			Doc("The header, by default `" + s.Header + "`; or the name of the form field or top-level JSON member. Without it, and after it, a body is searched for " + members + "."),
		spec.Strings(&o.Hostnames, "hostnames").Check(checkHostnames).
			Doc("The sites whose tokens are taken: the host name of the page must be one of them, in any case. Any site's without."),
		spec.String(&o.Action, "action").Doc("The action that the page must have named when it asked for the token. Any without."),
		spec.URL(&o.Endpoint, "endpoint").Default(*endpoint).Check(func(u url.URL) error { return netguard.CheckURL(&u) }).Advanced().
			Doc("Where to ask; for a mirror of the service, or one that speaks the same protocol."),
	}
	return append(fields, own...)
}

func checkField(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("must not be blank")
	case len(s) > 100 || auth.HasControl(s):
		return errors.New("must be at most 100 characters, without control characters")
	}
	return nil
}

func checkHostnames(all []string) error {
	for _, h := range all {
		if h == "" || strings.ContainsAny(h, "/:*@ \t") {
			return errors.New("must be plain host names, such as www.example.com: no scheme, no port, no path, no wildcard")
		}
	}
	if all != nil && len(all) == 0 {
		return errors.New("must name a host; leave it out to take tokens of any site")
	}
	return nil
}

// Validate checks what spans fields.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	if o.Source != FromBody && o.Field != "" && !httpguts.ValidHeaderFieldName(o.Field) {
		issues = append(issues, spec.Issue{Field: "token_field", Message: "is no header name", Hint: `for a member of the body, set "token_source": "body"`})
	}
	if strings.EqualFold(o.Endpoint.Scheme, "http") {
		issues = append(issues, spec.Issue{Field: "endpoint", Warning: true, Message: "is not https: the secret key travels in the clear"})
	}
	return issues
}

// Verifier asks the service. It is immutable and safe for concurrent use.
type Verifier struct {
	service  *Service
	o        Options
	endpoint string
	http     http.RoundTripper // nil offline
	names    []string          // header, or members of the body
	expect   expectation
}

var (
	_ auth.Verifier = (*Verifier)(nil)
	_ auth.Sourced  = (*Verifier)(nil)
)

// New makes a verifier. score is the least that a token must have; nil is for
// services and versions that have none.
func New(env auth.Env, s *Service, o Options, score *float64) (*Verifier, error) {
	v := &Verifier{service: s, o: o, http: env.HTTP, endpoint: o.Endpoint.String()}
	if o.Secret.IsZero() {
		return nil, errors.New(s.Name + ": needs secret_key")
	}
	if o.Endpoint == (url.URL{}) {
		v.endpoint = s.Endpoint
	}
	if o.Source == FromBody {
		if o.Field != "" {
			v.names = append(v.names, o.Field)
		}
		for _, m := range s.Members {
			if !slices.Contains(v.names, m) {
				v.names = append(v.names, m)
			}
		}
	} else {
		v.names = []string{http.CanonicalHeaderKey(cmp.Or(o.Field, s.Header))}
	}
	v.expect = expectation{hostnames: o.Hostnames, action: o.Action, score: score}
	return v, nil
}

// Cost is that of asking another service.
func (v *Verifier) Cost() auth.Cost { return auth.CostRemote }

// CredentialHeaders is the header with the token; empty where a body has it.
func (v *Verifier) CredentialHeaders() []string {
	if v.o.Source == FromBody {
		return nil
	}
	return v.names
}

// CredentialParams is empty.
func (v *Verifier) CredentialParams() []string { return nil }
