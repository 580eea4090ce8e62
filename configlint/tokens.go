package configlint

import (
	"slices"

	"github.com/hookd/hookd/internal/config"
)

// tokenRules are about proofs that hold longer, or for more, than it seems.
func tokenRules() []Rule {
	return []Rule{{
		Code:  "endless_token",
		Title: "tokens that need not expire",
		Why:   "A JSON Web Token without exp is valid until the key is changed, whoever has got hold of it.",
		Fix:   `set "require_exp": true, or "max_age"`,
		check: func(r *run) {
			r.proofs("jwt", func(_ *config.Hook, p config.Proof, o map[string]any) {
				if !is(o, "require_exp") && o["max_age"] == nil && !is(o, "once") {
					r.warn(p.Pos, "a token without exp is taken, and never expires", p.Path+".require_exp", p.Path)
				}
			})
		},
	}, {
		Code:  "any_audience",
		Title: "tokens that were made for others",
		Why:   "An issuer signs the tokens of all its applications with the same key: without an audience, those of every other application pass here.",
		Fix:   `set "audience" to the name that the issuer has for hookd`,
		check: func(r *run) {
			for _, method := range []string{"jwt", "oauth2"} {
				r.proofs(method, func(_ *config.Hook, p config.Proof, o map[string]any) {
					if o["jwks_url"] != nil && o["audience"] == nil {
						r.warn(p.Pos, "a token that the issuer made for another application is taken", p.Path+".jwks_url", p.Path)
					}
				})
			}
		},
	}, {
		Code:  "any_token",
		Title: "OAuth 2.0 tokens that nobody checks",
		Why:   "With validate_token off, and no key to check tokens with, any text behind Bearer is let in.",
		Fix:   `set "introspection_endpoint", "jwks_url" or "jwt_secret", and take validate_token out`,
		check: func(r *run) {
			r.proofs("oauth2", func(_ *config.Hook, p config.Proof, o map[string]any) {
				if checked, set := o["validate_token"].(bool); set && !checked && o["jwt_secret"] == nil && o["public_key"] == nil && o["jwks_url"] == nil {
					r.warn(p.Pos, "any token is taken", p.Path+".validate_token", p.Path)
				}
			})
		},
	}, {
		Code:  "weak_digest",
		Title: "HTTP Digest in its oldest forms",
		Why:   "MD5 makes guessing a password from one captured request cheap, and the form of RFC 2069 lets a nonce be used for one request only.",
		Fix:   `let "algorithms" name SHA-256 where the sender can, and "qop" stay "auth"`,
		check: func(r *run) {
			r.proofs("digest_auth", func(_ *config.Hook, p config.Proof, o map[string]any) {
				if offered := list(o, "algorithms"); len(offered) > 0 && !slices.ContainsFunc(offered, func(a string) bool { return a != "MD5" && a != "MD5-sess" }) {
					r.warn(p.Pos, "only MD5 is offered", p.Path+".algorithms", p.Path)
				}
				if n := r.nodes[p.Path+".qop"]; n != nil && n.Text == "" {
					r.warn(p.Pos, "the form of RFC 2069 is taken", p.Path+".qop", p.Path)
				}
			})
		},
	}, {
		Code:  "loose_oauth1",
		Title: "OAuth 1.0 with a part of its protection off",
		Why:   "Without timestamp or nonce a captured request can be sent again; PLAINTEXT and path_only leave the request itself unsigned, in whole or in part.",
		Fix:   "take the setting out, unless the sender leaves no choice",
		check: func(r *run) {
			r.proofs("oauth1", func(_ *config.Hook, p config.Proof, o map[string]any) {
				for _, key := range []string{"verify_timestamp", "verify_nonce"} {
					if on, set := o[key].(bool); set && !on {
						r.warn(p.Pos, "a captured request can be sent again: "+key+" is off", p.Path+"."+key, p.Path)
					}
				}
				if text(o, "signature_method") == "PLAINTEXT" {
					r.warn(p.Pos, "the request is not signed: PLAINTEXT sends the secrets themselves", p.Path+".signature_method", p.Path)
				}
				if is(o, "path_only") {
					r.warn(p.Pos, "host and query are not signed: path_only is on", p.Path+".path_only", p.Path)
				}
			})
		},
	}}
}
