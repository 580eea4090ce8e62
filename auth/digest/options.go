package digest

import (
	"errors"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

type qop string

const (
	qopAuth    qop = "auth"
	qopAuthInt qop = "auth-int"
	qopNone    qop = ""
)

const (
	defaultRealm    = "Webhook API"
	defaultLifetime = 5 * time.Minute
	maxPasswords    = 8
	maxText         = 1000 // bytes of a name, realm or password
)

type options struct {
	username   string
	passwords  []secret.String
	realm      string
	algorithm  string
	algorithms []string
	qop        qop
	qopSet     bool
	lifetime   time.Duration
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.username, "username").Required().Check(checkUser).Doc("The user name; without a colon."),
		spec.Secrets(&o.passwords, "password").Required().Check(checkPasswords).
			Doc("The password, or a list of them while one is being replaced."),
		spec.String(&o.realm, "realm").Default(defaultRealm).Check(checkText).
			Doc("What the password is for. It is part of what the sender hashes."),
		spec.Enum(&o.algorithm, "algorithm", names()...).Default("MD5").
			Doc("The hash that the sender must be able to use. With `MD5` and `MD5-sess`, SHA-256 is offered too, and first."),
		spec.Strings(&o.algorithms, "algorithms").Check(checkAlgorithms).
			Doc("Exactly the hashes to offer, in place of `algorithm`: `[\"SHA-256\"]` where every sender is newer than 2015. They are offered strongest first. " +
				"SHA-512-256 is for senders known to have it: some, such as curl 7.88, take it for SHA-256 and fail."),
		spec.Enum(&o.qop, "qop", qopAuth, qopAuthInt, qopNone).Default(qopAuth).Set(&o.qopSet).
			Doc("What the hash covers: `auth` the method and the URL, `auth-int` the body too, which few senders can do. " +
				"Empty: as `auth`, and senders that know RFC 2069 only are taken as well, each nonce once."),
		spec.Duration(&o.lifetime, "nonce_lifetime").Default(defaultLifetime).Check(checkLifetime).Advanced().
			Doc("How long a nonce may be used. Longer saves the sender a round trip; marks of what was used are kept as long."),
	}
}

func checkUser(s string) error {
	switch {
	case s == "":
		return errors.New("must not be empty")
	case strings.Contains(s, ":"):
		return errors.New("must not hold a colon: it separates the name from the realm in what is hashed")
	}
	return checkText(s)
}

func checkText(s string) error {
	if len(s) > maxText {
		return errors.New("must not be longer than 1000 bytes")
	}
	if auth.HasControl(s) || strings.Contains(s, "\t") {
		return errors.New("must not hold control characters")
	}
	return nil
}

func checkPasswords(ss []secret.String) error {
	for _, s := range ss {
		if s.IsZero() {
			return errors.New("must not be empty")
		}
		if len(s.Reveal()) > maxText {
			return errors.New("must not be longer than 1000 bytes")
		}
	}
	if len(ss) > maxPasswords {
		return errors.New("has more passwords than can be valid at once (8)")
	}
	return nil
}

func checkAlgorithms(names []string) error {
	_, err := byName(names)
	return err
}

func checkLifetime(d time.Duration) error {
	if d < time.Second || d > 24*time.Hour {
		return errors.New("must be at least 1s and at most 24h")
	}
	return nil
}

// complete sets the defaults of options that were not decoded, and checks.
func (o *options) complete() error {
	if o.realm == "" {
		o.realm = defaultRealm
	}
	if o.qop == qopNone && !o.qopSet {
		o.qop = qopAuth
	}
	if o.lifetime == 0 {
		o.lifetime = defaultLifetime
	}
	if o.algorithm == "" {
		o.algorithm = "MD5"
	}
	if len(o.passwords) == 0 {
		return errors.New("no password")
	}
	return errors.Join(checkUser(o.username), checkPasswords(o.passwords), checkText(o.realm), checkLifetime(o.lifetime))
}

// offered are the algorithms of the challenge, strongest first. Whoever
// configured MD5 has senders that need it; those that can do better should.
func (o *options) offered() ([]algorithm, error) {
	if len(o.algorithms) > 0 {
		return byName(o.algorithms)
	}
	if strings.HasPrefix(o.algorithm, "MD5") {
		return byName([]string{"SHA-256", o.algorithm})
	}
	return byName([]string{o.algorithm})
}
