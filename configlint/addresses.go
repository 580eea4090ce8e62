package configlint

import (
	"fmt"
	"net/netip"

	"github.com/hookd/hookd/internal/config"
)

func addressRules() []Rule {
	return []Rule{{
		Code:  "open_address_list",
		Title: "an address list that lets everybody in",
		Why:   "0.0.0.0/0 and ::/0 are all addresses: the list proves nothing.",
		Fix:   "list the sender's own addresses, or remove ip_whitelist",
		check: func(r *run) {
			r.proofs("ip_whitelist", func(_ *config.Hook, p config.Proof, o map[string]any) {
				for _, s := range list(o, "allow") {
					if wide(s) {
						r.warn(p.Pos, fmt.Sprintf("%q is at least half of all addresses", s), p.Path)
					}
				}
			})
		},
	}, {
		Code:  "trusts_everyone",
		Title: "every address is a trusted proxy",
		Why:   "Then every sender may write any address into X-Forwarded-For, and the address list and the rate limit per client believe it.",
		Fix:   "list the addresses of your own proxies only",
		check: func(r *run) {
			r.hooks(func(h *config.Hook, path string) {
				for i, s := range h.TrustedProxies {
					if wide(s) {
						r.warn(h.Pos, fmt.Sprintf("%q trusts everybody", s), fmt.Sprintf("%s.trusted_proxies[%d]", path, i), path+".trusted_proxies")
					}
				}
			})
		},
	}, {
		Code:  "address_behind_proxy",
		Title: "an address list without trusted proxies",
		Why:   "Behind a proxy or load balancer every request comes from its address, so that the list refuses, or allows, them all.",
		Fix:   `list your proxies in "trusted_proxies"; without a proxy all is well`,
		check: func(r *run) {
			r.proofs("ip_whitelist", func(h *config.Hook, p config.Proof, _ map[string]any) {
				if len(h.TrustedProxies) == 0 {
					r.note(p.Pos, "looks at the address of the connection, not at X-Forwarded-For", p.Path)
				}
			})
		},
	}}
}

// wide reports a range of at least half of all addresses.
func wide(s string) bool {
	p, err := netip.ParsePrefix(s)
	return err == nil && p.Bits() <= 1
}
