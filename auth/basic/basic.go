// Package basic is HTTP Basic authentication, RFC 7617.
package basic

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const (
	name   = "basic_auth"
	header = "Authorization"
)

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "Basic",
		Summary: "The sender sends a user name and a password (RFC 7617).",
		Doc: "The password crosses the network as it is: use TLS. Bytes that are not UTF-8 are read as Latin-1, as older clients send them. " +
			"`password` may be a list while it is being replaced.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type options struct {
	username  string
	passwords []secret.String
	realm     string
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.username, "username").Required().Check(checkUser).Doc("The user name; without a colon."),
		spec.Secrets(&o.passwords, "password").Required().Check(checkPasswords).
			Doc("The password, or a list of them while one is being replaced."),
		spec.String(&o.realm, "realm").Default(defaultRealm).Check(checkRealm).Advanced().
			Doc("What the sender is told that the password is for, in `WWW-Authenticate`."),
	}
}

const defaultRealm = "Webhook API"

// The longest name and password whose header is still within MaxCredential.
const maxPart = 3000

func checkUser(s string) error {
	switch {
	case s == "":
		return errors.New("must not be empty")
	case strings.Contains(s, ":"):
		return errors.New("must not hold a colon: RFC 7617 ends the name at the first")
	}
	return checkPart(s)
}

func checkPasswords(ss []secret.String) error {
	for _, s := range ss {
		if s.IsZero() {
			return errors.New("must not be empty")
		}
		if err := checkPart(s.Reveal()); err != nil {
			return err
		}
	}
	return nil
}

func checkPart(s string) error {
	if len(s) > maxPart {
		return errors.New("must not be longer than " + strconv.Itoa(maxPart) + " bytes")
	}
	if hasControl(s) {
		return errors.New("must not hold control characters")
	}
	return nil
}

func checkRealm(s string) error {
	if hasControl(s) || strings.ContainsAny(s, `"\`) {
		return errors.New(`must not hold quotes, backslashes or control characters`)
	}
	return nil
}

// hasControl reports any control character; RFC 7617 section 2 forbids all.
func hasControl(s string) bool { return auth.HasControl(s) || strings.Contains(s, "\t") }

type verifier struct {
	user      auth.Tokens
	passwords auth.Tokens
	name      string
	first     secret.String
	challenge string
}

func newVerifier(o *options) (*verifier, error) {
	if len(o.passwords) == 0 {
		return nil, errors.New("basic_auth: no password")
	}
	if err := errors.Join(checkUser(o.username), checkPasswords(o.passwords), checkRealm(o.realm)); err != nil {
		return nil, errors.New("basic_auth: " + err.Error())
	}
	realm := o.realm
	if realm == "" {
		realm = defaultRealm
	}
	return &verifier{
		user:      auth.NewTokens(false, secret.New(o.username)),
		passwords: auth.NewTokens(false, o.passwords...),
		name:      o.username,
		first:     o.passwords[0],
		challenge: `Basic realm="` + realm + `", charset="UTF-8"`,
	}, nil
}

// Verify compares name and password, always both.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	value, code := auth.OneHeader(r.Header, header)
	if code != "" {
		return auth.Identity{}, auth.Deny(name, code)
	}
	user, password, ok := scheme.ParseBasic(value)
	if !ok {
		return auth.Identity{}, auth.Deny(name, auth.CodeMalformed)
	}
	_, userOK := v.user.Find(user)
	_, passwordOK := v.passwords.Find(password)
	if both := userOK && passwordOK; !both {
		return auth.Identity{}, auth.Deny(name, auth.CodeMismatch)
	}
	return auth.Identity{Method: name, Subject: "basic:" + v.name}, nil
}

// Cost is that of a header.
func (v *verifier) Cost() auth.Cost { return auth.CostHeader }

// Challenge is that of RFC 7617 section 2.1.
func (v *verifier) Challenge(*auth.Request) string { return v.challenge }

// Sign sends the name and the first password.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set(header, scheme.FormatBasic(v.name+":"+v.first.Reveal()))
	return nil
}

// CredentialHeaders is the header.
func (v *verifier) CredentialHeaders() []string { return []string{header} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
