// Package turnstile asks Cloudflare whether a person sent the request.
package turnstile

import (
	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/siteverify"
	"github.com/hookd/hookd/internal/spec"
)

// service is as developers.cloudflare.com/turnstile/get-started/server-side-validation
// has it; the member is what the widget puts into a form. The header is hookd's
// choice: those that begin with CF- belong to Cloudflare's proxies.
func service() *siteverify.Service {
	return &siteverify.Service{
		Name:     "turnstile",
		Endpoint: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
		Header:   "X-Turnstile-Token",
		Members:  []string{"cf-turnstile-response"},
		MaxToken: 2048,
	}
}

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    service().Name,
		Title:   "Turnstile",
		Summary: "A page sends the token with which Cloudflare tells people from programs.",
		Doc: "Each request is asked about at Cloudflare, after all other proofs of the hook have held. A token is good for five minutes and for one request: " +
			"a page that sends again needs a new one, also when the first answer was an error. " +
			"While Cloudflare cannot be reached, or does not know `secret_key`, requests are answered 503; none passes unchecked.\n\n" +
			"Set `action` to the `data-action` of the widget, so that a token that another page of the site asked for is no good here.\n\n" +
			"A token in a header is not stored. One in the body stays where it is, since the body is delivered as it came. " +
			"In a compressed body no token is found.\n\n" +
			"Nobody but a page can make a token, so `hookd test-send` cannot sign for this method; Cloudflare has secret keys for tests that let any token pass. " +
			"Cloudflare is told the address of the client: that after the hook's `trusted_proxies`, never one that a header merely claims.\n\n" +
			"Source: <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>.",
		New: func(env auth.Env, o *options) (auth.Verifier, error) {
			return siteverify.New(env, service(), o.Options, nil)
		},
	})
}

type options struct{ siteverify.Options }

// Fields describes the options.
func (o *options) Fields() spec.Fields { return o.Options.Fields(service()) }
