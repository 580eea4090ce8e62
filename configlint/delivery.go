package configlint

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
)

func deliveryRules() []Rule {
	return []Rule{{
		Code:  "plain_http",
		Title: "a destination without TLS",
		Why:   "Everybody on the way can read the events, and change them.",
		Fix:   "use https",
		check: func(r *run) {
			r.destinations(func(h *config.Hook, d *config.Destination, o map[string]any) {
				u, host := destinationURL(o)
				if u != nil && (u.Scheme == "http" || u.Scheme == "ws") && !loopback(host) {
					r.warn(d.Pos, "is sent without TLS", optionPaths(d, "url")...)
				}
			})
		},
	}, {
		Code:  "egress_refused",
		Title: "a destination that the egress policy refuses",
		Why:   "hookd connects to public addresses only, so that a hook cannot be used to reach into your network.",
		Fix:   `name the host in "allowed_hosts" of the destination, or in egress.allow of hookd.yaml`,
		check: egressRefused,
	}, {
		Code:  "no_retry",
		Title: "a destination that is tried once",
		Why:   "The first time that the far end restarts, what comes in goes to the dead letters.",
		Fix:   "remove the retry block: without one hookd tries for about a day",
		check: func(r *run) {
			r.hooks(func(h *config.Hook, path string) {
				if h.Retry != nil && tries(h.Retry) < 2 {
					r.triedOnce(h.Pos, h.Retry, path)
				}
				for i := range h.Destinations {
					d := &h.Destinations[i]
					own := r.nodes[d.Path+".retry"] != nil && strings.Contains(d.Path, ".chain[")
					if own && d.Retry != nil && tries(d.Retry) < 2 {
						r.triedOnce(d.Pos, d.Retry, d.Path)
					}
				}
			})
		},
	}, {
		Code:  "clear_log",
		Title: "bodies in clear in the log",
		Why:   "Logs are kept long and read by many. This hook writes whole bodies there, with the credentials that are in them.",
		Fix:   `remove "redact_sensitive": false, or set "credential_cleanup": {"enabled": true}`,
		check: func(r *run) {
			r.destinations(func(h *config.Hook, d *config.Destination, o map[string]any) {
				cleaned := h.Cleanup != nil && h.Cleanup.Enabled || h.Cleanup == nil && r.o.CleanupDefault
				if d.Module == "log" && !is(o, "redact_sensitive") && !cleaned {
					r.warn(d.Pos, "credentials in bodies are logged in clear", optionPaths(d, "redact_sensitive")...)
				}
			})
		},
	}, {
		Code:  "unused",
		Title: "a connection that no hook uses",
		Why:   "It may be a leftover, or a hook may name another by mistake.",
		Fix:   "remove it, or name it in a hook",
		check: func(r *run) {
			used := make(map[string]bool)
			for _, name := range r.o.Used {
				used[name] = true
			}
			for i := range r.cfg.Hooks {
				for _, d := range r.cfg.Hooks[i].Destinations {
					used[d.Connection] = true
				}
			}
			for _, k := range r.cfg.Connections {
				if k.Hook == "" && !used[k.Name] {
					r.note(k.Pos, "no hook uses this connection", spec.JoinPath("connections", k.Name))
				}
			}
		},
	}}
}

// tries is how often a delivery is attempted.
func tries(r *config.Retry) int {
	if !r.Enabled {
		return 1
	}
	return r.MaxAttempts
}

func (r *run) triedOnce(at diag.Pos, policy *config.Retry, path string) {
	key := ".retry.enabled"
	if policy.Enabled {
		key = ".retry.max_attempts"
	}
	r.warn(at, "each delivery is tried once", path+key, path+".retry")
}

func (r *run) destinations(f func(h *config.Hook, d *config.Destination, options map[string]any)) {
	r.hooks(func(h *config.Hook, _ string) {
		for i := range h.Destinations {
			d := &h.Destinations[i]
			f(h, d, fields(d.Options))
		}
	})
}

// destinationURL is the option "url" with its host; nil where there is none.
func destinationURL(o map[string]any) (*url.URL, string) {
	u, err := url.Parse(text(o, "url"))
	if err != nil || u.Hostname() == "" {
		return nil, ""
	}
	return u, u.Hostname()
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// egressRefused judges hosts that are addresses, or localhost: what a name
// stands for is only known when it is dialled.
func egressRefused(r *run) {
	if r.o.Egress == nil {
		return
	}
	r.destinations(func(_ *config.Hook, d *config.Destination, o map[string]any) {
		u, host := destinationURL(o)
		if u == nil {
			return
		}
		addr, err := netip.ParseAddr(host)
		if err != nil && loopback(host) {
			addr, err = netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
		}
		if err != nil {
			return
		}
		var denied *netguard.Denied
		if errors.As(r.o.Egress.With(list(o, "allowed_hosts")).Judge(host, addr), &denied) {
			r.warn(d.Pos, fmt.Sprintf("%s will be refused: %s", host, denied.Rule), optionPaths(d, "url")...)
		}
	})
}
