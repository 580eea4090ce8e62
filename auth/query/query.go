// Package query compares an API key in the query string.
package query

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const name = "query_auth"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "API key in the query",
		Summary: "The sender puts a fixed key into the URL.",
		Doc: "For senders that can set nothing but the URL. URLs end up in the logs of proxies: prefer a header where there is a choice. " +
			"Letters are compared without regard to case unless `case_sensitive` is set, as the original service does; set it for new hooks.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type options struct {
	param string
	keys  []secret.String
	exact bool
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.param, "parameter_name").Default(defaultParam).Check(checkName).
			Doc("The parameter; its case matters. 1 to 100 of `A-Z a-z 0-9 _ . -`."),
		spec.Secrets(&o.keys, "api_key").Required().Check(checkKeys).Doc("The key, or a list of them while one is being replaced."),
		spec.Bool(&o.exact, "case_sensitive").Default(false).Doc("Compare letters exactly."),
	}
}

const (
	defaultParam = "api_key"
	maxKey       = 1000 // characters
)

func checkName(s string) error {
	if len(s) == 0 || len(s) > 100 || strings.ContainsFunc(s, notName) {
		return errors.New("must be 1 to 100 of A-Z a-z 0-9 _ . -")
	}
	return nil
}

func notName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-'
}

func checkKeys(keys []secret.String) error {
	for _, k := range keys {
		text := k.Reveal()
		switch {
		case strings.TrimSpace(text) == "":
			return errors.New("must not be blank")
		case auth.HasControl(text) || strings.Contains(text, "\t"):
			return errors.New("must not hold control characters")
		case utf8.RuneCountInString(text) > maxKey:
			return errors.New("must not be longer than " + strconv.Itoa(maxKey) + " characters")
		}
	}
	return nil
}

type verifier struct {
	param  string
	tokens auth.Tokens
	first  secret.String
}

func newVerifier(o *options) (*verifier, error) {
	if len(o.keys) == 0 {
		return nil, errors.New("query_auth: no api_key")
	}
	if o.param == "" {
		o.param = defaultParam
	}
	if err := errors.Join(checkName(o.param), checkKeys(o.keys)); err != nil {
		return nil, errors.New("query_auth: " + err.Error())
	}
	return &verifier{param: o.param, tokens: auth.NewTokens(!o.exact, o.keys...), first: o.keys[0]}, nil
}

// Verify compares the decoded value; nothing is trimmed or taken out.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	raw := ""
	if r.URL != nil {
		raw = r.URL.RawQuery
	}
	got, code := auth.OneParam(raw, v.param)
	if code == "" && utf8.RuneCountInString(got) > maxKey {
		code = auth.CodeTooLong
	}
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

// Sign adds the first key to the URL, in place of one that is there.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	if r.URL == nil {
		r.URL = &url.URL{}
	}
	var kept []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		k, _, _ := strings.Cut(pair, "=")
		if k, err := url.QueryUnescape(k); pair != "" && (err != nil || k != v.param) {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, v.param+"="+url.QueryEscape(v.first.Reveal()))
	r.URL.RawQuery = strings.Join(kept, "&")
	return nil
}

// CredentialHeaders is empty.
func (v *verifier) CredentialHeaders() []string { return nil }

// CredentialParams is the parameter.
func (v *verifier) CredentialParams() []string { return []string{v.param} }
