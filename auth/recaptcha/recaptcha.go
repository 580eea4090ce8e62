// Package recaptcha asks Google whether a person sent the request.
package recaptcha

import (
	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/siteverify"
	"github.com/hookd/hookd/internal/spec"
)

// service is as developers.google.com/recaptcha/docs/verify has it. The members
// are those that the original service looked at, the last of them what the
// widget itself puts into a form.
func service() *siteverify.Service {
	return &siteverify.Service{
		Name:     "recaptcha",
		Endpoint: "https://www.google.com/recaptcha/api/siteverify",
		Header:   "X-Recaptcha-Token",
		Members:  []string{"recaptcha_token", "recaptcha", "g-recaptcha-response"},
		MaxToken: auth.MaxCredential,
	}
}

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    service().Name,
		Title:   "reCAPTCHA",
		Summary: "A page sends the token with which Google tells people from programs (v2 and v3).",
		Doc: "Each request is asked about at Google, after all other proofs of the hook have held. A token is good for two minutes and for one request: " +
			"a page that sends again needs a new one, also when the first answer was an error. " +
			"While Google cannot be reached, or does not know `secret_key`, requests are answered 503; none passes unchecked.\n\n" +
			"`v3` wants a score of at least `min_score`; a token without one has the score 0. `v2` wants a solved challenge. " +
			"With v3 set `action`, so that a token that another page of the site asked for is no good here, and `hostnames` where the site key is not bound to domains.\n\n" +
			"A token in a header is not stored. One in the body stays where it is, since the body is delivered as it came. " +
			"In a compressed body no token is found.\n\n" +
			"Nobody but a page can make a token, so `hookd test-send` cannot sign for this method. " +
			"Google is told the address of the client: that after the hook's `trusted_proxies`, never one that a header merely claims.\n\n" +
			"Source: <https://developers.google.com/recaptcha/docs/verify>, <https://developers.google.com/recaptcha/docs/v3>.",
		New: func(env auth.Env, o *options) (auth.Verifier, error) {
			var score *float64
			if o.version != v2 {
				score = &o.minScore
			}
			return siteverify.New(env, service(), o.Options, score)
		},
	})
}

type version string

const (
	v2 version = "v2"
	v3 version = "v3"
)

type options struct {
	siteverify.Options
	version  version
	minScore float64
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return o.Options.Fields(service(),
		spec.Enum(&o.version, "version", v3, v2).Default(v3).Doc("The kind of the site key."),
		spec.Float(&o.minScore, "min_score").Default(0.5).Range(0, 1).
			Doc("The least score, of v3: from 0, surely a program, to 1, surely a person."),
	)
}
