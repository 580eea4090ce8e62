package configlint

import (
	"fmt"
	"strings"

	"github.com/hookd/hookd/internal/config"
)

func proofRules() []Rule {
	return []Rule{{
		Code:  "no_proof",
		Title: "a hook that asks for no proof",
		Why:   "Anybody who finds the URL can send events, and hookd delivers them as if they were real.",
		Fix:   "add a provider and its secret, or hmac, header_auth or another proof",
		check: noProof,
	}, {
		Code:  "address_only",
		Title: "an address as the only proof",
		Why:   "An address says from where a request came, not from whom: everybody behind the same proxy, cloud or NAT has it too.",
		Fix:   "add a proof with a secret beside ip_whitelist",
		check: addressOnly,
	}, {
		Code:  "any_case_key",
		Title: "a key that is compared without regard to case",
		Why:   "It is the original service's default, and halves the work of guessing each letter.",
		Fix:   `set "case_sensitive": true`,
		check: anyCaseKey,
	}, {
		Code:  "key_in_url",
		Title: "a key that travels in the URL",
		Why:   "URLs end in the logs of every proxy on the way, and in the history of browsers.",
		Fix:   "use header_auth where the sender can set a header",
		check: func(r *run) {
			r.proofs("query_auth", func(_ *config.Hook, p config.Proof, _ map[string]any) {
				r.note(p.Pos, "the key is part of the URL", p.Path)
			})
		},
	}, {
		Code:  "weak_hash",
		Title: "a signature with SHA-1",
		Why:   "SHA-1 is broken for collisions. HMAC-SHA1 still holds, but nothing new should start with it.",
		Fix:   `use "sha256" where the sender can`,
		check: func(r *run) {
			r.proofs("hmac", func(_ *config.Hook, p config.Proof, o map[string]any) {
				if text(o, "algorithm") == "sha1" {
					r.warn(p.Pos, "the signature uses SHA-1", p.Path+".algorithm", p.Path)
				}
			})
		},
	}, {
		Code:  "replayable",
		Title: "a signature that is valid forever",
		Why:   "Whoever captures one signed request can send it again at any time: the signature covers no time, and repeats are not recognised.",
		Fix:   `set "timestamp_header" where the sender has one, or "deduplicate" with a window`,
		check: func(r *run) {
			r.proofs("hmac", func(h *config.Hook, p config.Proof, o map[string]any) {
				if text(o, "timestamp_header") == "" && (h.Dedupe == nil || h.Dedupe.Window == 0) {
					r.warn(p.Pos, "a captured request can be sent again", p.Path)
				}
			})
		},
	}, {
		Code:  "default_hook",
		Title: "a hook that answers for every unknown id",
		Why:   `The hook "default" takes whatever no other hook is named for: a mistyped URL is accepted instead of refused.`,
		Fix:   "give it another id, unless that is what it is for",
		check: func(r *run) {
			r.hooks(func(h *config.Hook, path string) {
				if h.ID == "default" {
					r.warnKey(h, "takes the events of every id that is not configured", path)
				}
			})
		},
	}, {
		Code:  "refuses_all",
		Title: "a rate limit of 0",
		Why:   "It refuses every request with 429.",
		Fix:   `set "max_requests" to more, or "enabled": false on the hook`,
		check: func(r *run) {
			r.hooks(func(h *config.Hook, path string) {
				if l := h.RateLimit; l != nil && l.Enabled && l.Max == 0 {
					r.warn(h.Pos, "the rate limit refuses every request", path+".rate_limit.max_requests", path+".rate_limit")
				}
			})
		},
	}}
}

func noProof(r *run) {
	r.hooks(func(h *config.Hook, path string) {
		if h.Open() {
			r.warnKey(h, "asks for no proof: it is open to everybody", path)
		}
	})
}

// warnKey warns at the key of a hook, not at its content.
func (r *run) warnKey(h *config.Hook, message, path string) {
	r.warn(h.Pos, message)
	last := &r.out[len(r.out)-1]
	last.Path, last.Width = path, len(h.ID)+2
}

// addressOnly finds sets of proofs that an address alone satisfies: the hook's
// own, unless it has groups, and each alternative.
func addressOnly(r *run) {
	r.hooks(func(h *config.Hook, _ string) {
		for set := range h.Sets() {
			whole := set == &h.ProofSet || strings.Contains(set.Root, ".any_of[") && !strings.Contains(set.Root, ".all_of[")
			if whole && (set.Provider == "" || set.Unsigned) && len(set.Proofs) == 1 && set.Proofs[0].Method == "ip_whitelist" && len(set.AllOf)+len(set.AnyOf) == 0 {
				p := set.Proofs[0]
				r.warn(p.Pos, "an address is the only proof", p.Path)
			}
		}
	})
}

func anyCaseKey(r *run) {
	for _, method := range []string{"header_auth", "query_auth"} {
		r.proofs(method, func(_ *config.Hook, p config.Proof, o map[string]any) {
			if !is(o, "case_sensitive") {
				r.warn(p.Pos, fmt.Sprintf("the key of %s is compared without regard to case", method), p.Path+".case_sensitive", p.Path)
			}
		})
	}
}
