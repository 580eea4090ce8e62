// Package header compares an API key in a header.
package header

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const name = "header_auth"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "API key in a header",
		Summary: "The sender sends a fixed key in a header of your choice.",
		Doc: "Letters are compared without regard to case unless `case_sensitive` is set, as the original service does; set it for new hooks. " +
			"`api_key` may be a list while the key is being replaced.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type options struct {
	header string
	keys   []secret.String
	exact  bool
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.header, "header_name").Default(defaultHeader).Check(checkName).Doc("The header; its case does not matter."),
		spec.Secrets(&o.keys, "api_key").Required().Check(checkKeys).Doc("The key, or a list of them while one is being replaced."),
		spec.Bool(&o.exact, "case_sensitive").Default(false).Doc("Compare letters exactly."),
	}
}

const defaultHeader = "X-API-Key"

// A server consumes these itself, so no key in them would ever be seen.
var consumed = []string{"host", "content-length", "transfer-encoding", "connection", "trailer", "te", "upgrade"}

func checkName(s string) error {
	switch {
	case s == "" || strings.ContainsFunc(s, notToken):
		return errors.New("is no header name: letters, digits and !#$%&'*+-.^_`|~ only")
	case len(s) > 100:
		return errors.New("must not be longer than 100 characters")
	case slices.Contains(consumed, strings.ToLower(s)):
		return errors.New("is a header of HTTP itself; a key in it is never seen")
	}
	return nil
}

// notToken is the complement of tchar, RFC 9110 section 5.6.2.
func notToken(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func checkKeys(keys []secret.String) error {
	for _, k := range keys {
		text := k.Reveal()
		switch {
		case strings.TrimSpace(text) == "":
			return errors.New("must not be blank")
		case strings.Trim(text, " \t") != text:
			return errors.New("must not begin or end with a blank: HTTP takes blanks around a header off")
		case auth.HasControl(text):
			return errors.New("must not hold control characters")
		case len(text) > auth.MaxCredential:
			return errors.New("must not be longer than " + strconv.Itoa(auth.MaxCredential) + " bytes")
		}
	}
	return nil
}

type verifier struct {
	header string // canonical
	tokens auth.Tokens
	first  secret.String
}

func newVerifier(o *options) (*verifier, error) {
	if len(o.keys) == 0 {
		return nil, errors.New("header_auth: no api_key")
	}
	if o.header == "" {
		o.header = defaultHeader
	}
	if err := errors.Join(checkName(o.header), checkKeys(o.keys)); err != nil {
		return nil, errors.New("header_auth: " + err.Error())
	}
	return &verifier{
		header: textproto.CanonicalMIMEHeaderKey(o.header),
		tokens: auth.NewTokens(!o.exact, o.keys...),
		first:  o.keys[0],
	}, nil
}

// Verify compares the value as it came; nothing is trimmed or taken out.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	got, code := auth.OneHeader(r.Header, v.header)
	if code != "" {
		return auth.Identity{}, auth.Deny(name, code)
	}
	i, ok := v.tokens.Find(got)
	if !ok {
		return auth.Identity{}, auth.Deny(name, auth.CodeMismatch)
	}
	return auth.Identity{Method: name, Subject: name + ":" + strconv.Itoa(i)}, nil
}

// Cost is that of a header.
func (v *verifier) Cost() auth.Cost { return auth.CostHeader }

// Sign sets the first key.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set(v.header, v.first.Reveal())
	return nil
}

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{v.header} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
