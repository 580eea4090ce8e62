// Package all lists the methods of authentication that hookd has.
package all

import (
	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authorization"
	"github.com/hookd/hookd/auth/basic"
	"github.com/hookd/hookd/auth/digest"
	"github.com/hookd/hookd/auth/header"
	"github.com/hookd/hookd/auth/hmac"
	"github.com/hookd/hookd/auth/ip"
	"github.com/hookd/hookd/auth/jwt"
	"github.com/hookd/hookd/auth/oauth1"
	"github.com/hookd/hookd/auth/oauth2"
	"github.com/hookd/hookd/auth/query"
	"github.com/hookd/hookd/auth/recaptcha"
	"github.com/hookd/hookd/auth/standardwebhooks"
	"github.com/hookd/hookd/auth/turnstile"
)

// Methods returns all methods in the order of the documentation.
func Methods() []auth.Method {
	return []auth.Method{
		authorization.Method(),
		basic.Method(),
		jwt.Method(),
		hmac.Method(),
		ip.Method(),
		digest.Method(),
		oauth1.Method(),
		oauth2.Method(),
		query.Method(),
		header.Method(),
		standardwebhooks.Method(),
		recaptcha.Method(),
		turnstile.Method(),
	}
}

// Registry holds all methods.
func Registry() (*auth.Registry, error) { return auth.NewRegistry(Methods()...) }
