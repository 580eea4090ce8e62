// Package authorization compares the Authorization header with a configured
// value: "Bearer TOKEN", or any other text as a whole.
package authorization

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const (
	name   = "authorization"
	header = "Authorization"
	bearer = "Bearer "
)

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "Authorization header",
		Summary: "The sender puts a fixed text into the Authorization header.",
		Doc: "Written as plain text, `\"authorization\": \"Bearer s3cr3t\"`, as a list of texts while one is being replaced, " +
			"or as an object. A value that starts with `Bearer ` is compared as a bearer token (RFC 6750): one blank, then the token, " +
			"byte for byte. Any other value must be the whole header. Blanks around the header are ignored.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type options struct {
	values    []secret.String
	anyScheme bool
}

// Fields describes the object form.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		o.value().Required(),
		spec.Bool(&o.anyScheme, "scheme_any_case").Default(false).
			Doc("Take `bearer` and `BEARER` for `Bearer`, as RFC 9110 section 11.1 has it. The original service was strict."),
	}
}

// Inline describes the plain form.
func (o *options) Inline() spec.Field { return o.value() }

func (o *options) value() *spec.Value[[]secret.String] {
	return spec.Secrets(&o.values, "value").Check(checkValues).
		Doc("The expected header, or a list of them while one is being replaced.")
}

// Validate refuses what no request could match. An absent value must never
// mean an open hook.
func (o *options) Validate() []spec.Issue {
	if len(o.values) == 0 {
		return []spec.Issue{{Message: "needs a value"}}
	}
	return nil
}

func checkValues(values []secret.String) error {
	for _, v := range values {
		text := strings.Trim(v.Reveal(), " \t")
		token, isBearer := strings.CutPrefix(text+" ", bearer)
		switch {
		case strings.TrimSpace(text) == "":
			return errors.New("must not be blank")
		case auth.HasControl(text):
			return errors.New("must not hold control characters")
		case len(text) > auth.MaxCredential:
			return errors.New("must not be longer than " + strconv.Itoa(auth.MaxCredential) + " bytes")
		case isBearer && strings.TrimSpace(token) == "":
			return errors.New("needs a token behind \"Bearer\"")
		case isBearer && (token[0] == ' ' || token[0] == '\t'):
			return errors.New("needs exactly one blank between \"Bearer\" and the token")
		}
	}
	return nil
}

type verifier struct {
	tokens    auth.Tokens
	first     secret.String
	anyScheme bool
	challenge string
}

func newVerifier(o *options) (*verifier, error) {
	if len(o.values) == 0 {
		return nil, errors.New("authorization: no value")
	}
	if err := checkValues(o.values); err != nil {
		return nil, errors.New("authorization: " + err.Error())
	}
	v := &verifier{anyScheme: o.anyScheme}
	values := make([]secret.String, 0, len(o.values))
	for _, s := range o.values {
		text := strings.Trim(s.Reveal(), " \t")
		values = append(values, secret.New(text))
		if strings.HasPrefix(text, bearer) {
			v.challenge = `Bearer realm="Webhook API"`
		}
	}
	v.first, v.tokens = values[0], auth.NewTokens(false, values...)
	return v, nil
}

// Verify compares the trimmed header as a whole. That is also the rule for
// bearer tokens: scheme, one blank and token must be those configured.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	got, code := auth.OneHeader(r.Header, header)
	if code != "" {
		return auth.Identity{}, auth.Deny(name, code)
	}
	got = strings.Trim(got, " \t")
	if v.anyScheme && len(got) > len(bearer) && strings.EqualFold(got[:len(bearer)], bearer) {
		got = bearer + got[len(bearer):]
	}
	i, ok := v.tokens.Find(got)
	if !ok {
		return auth.Identity{}, auth.Deny(name, auth.CodeMismatch)
	}
	return auth.Identity{Method: name, Subject: name + ":" + strconv.Itoa(i)}, nil
}

// Cost is that of a header.
func (v *verifier) Cost() auth.Cost { return auth.CostHeader }

// Challenge is that of RFC 6750 section 3 for a bearer token; other values have
// no scheme that could be named.
func (v *verifier) Challenge(*auth.Request) string { return v.challenge }

// Sign sets the first value.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set(header, v.first.Reveal())
	return nil
}

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{header} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
