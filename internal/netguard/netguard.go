// Package netguard decides where hookd may connect to. The decision falls on
// the address that is really dialled: after the name was resolved, for each of
// its addresses, on every connection. A check of the text of a URL cannot do
// that: a name may point anywhere, may point elsewhere a second later, and
// some resolvers read "127.1", "0x7f000001" and "2130706433" as loopback.
//
// Two sources are asked. The table in rules.go gives every refusal a name and
// the line that would lift it. code.dny.dev/ssrf, generated from the IANA
// special-purpose registries, is asked last with its allow-list shape for IPv6
// (2000::/3 without the special ranges), so that a range that the table does
// not know is refused all the same. Its own switches are not used: they open a
// range for every name, and hookd opens a host for connections made under that
// name only, judges the IPv4 address inside an IPv6 one, and keeps metadata
// services shut whatever range is opened.
package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// dialTimeout bounds one connect over all addresses of a name.
const dialTimeout = 10 * time.Second

// Policy is what a guard is made from. The zero Policy allows what is public.
type Policy struct {
	// AllowLoopback opens 127.0.0.0/8 and ::1 (`serve --dev`).
	AllowLoopback bool
	// Operator is the mode for connections that the operator wrote down
	// (connections.json): everything but metadata services is open.
	Operator bool
	// Allow opens host names, "*.suffix" patterns, addresses and CIDRs for all
	// destinations; see CheckEntry.
	Allow []string
	// Resolver replaces the system's; nil is net.DefaultResolver.
	Resolver *net.Resolver
}

// Guard judges and dials. It is immutable and safe for concurrent use.
type Guard struct {
	loopback bool
	operator bool
	entries  []entry
	resolver *net.Resolver
}

// New makes a guard. Every entry of Allow that is wrong is in the error.
func New(p Policy) (*Guard, error) {
	g := &Guard{loopback: p.AllowLoopback, operator: p.Operator, resolver: p.Resolver}
	var errs []error
	for _, text := range p.Allow {
		e, err := parseEntry(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		g.entries = append(g.entries, e)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return g, nil
}

// With is the guard for one destination that has an allow-list of its own. An
// entry that CheckEntry refuses opens nothing.
func (g *Guard) With(allowedHosts []string) *Guard {
	if len(allowedHosts) == 0 {
		return g
	}
	with := *g
	with.entries = slices.Clone(g.entries)
	for _, text := range allowedHosts {
		if e, err := parseEntry(text); err == nil {
			with.entries = append(with.entries, e)
		}
	}
	return &with
}

// DialContext connects to addr ("host:port"). network is "tcp", "tcp4" or
// "tcp6", and "unix" for an operator's guard. A refusal by policy is a *Denied,
// wrapped by package net. The dial takes at most 10 s.
func (g *Guard) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Resolver: g.resolver}
	switch network {
	case "tcp", "tcp4", "tcp6":
	case "unix":
		if !g.operator {
			return nil, &Denied{Host: addr, Rule: RuleNetwork, Hint: "local sockets are for connections.json only"}
		}
		return d.DialContext(ctx, network, addr)
	default:
		return nil, &Denied{Host: addr, Rule: RuleNetwork, Hint: fmt.Sprintf("%q is not a network that hookd dials", network)}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return nil, fmt.Errorf("egress: port %q of %s is not in 1 to 65535", port, host)
	}
	d.ControlContext = func(_ context.Context, _, dialled string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(dialled)
		if err != nil {
			return &Denied{Host: host, Rule: RuleNetwork, Hint: "the dialled address cannot be read"}
		}
		return g.Judge(host, ap.Addr())
	}
	return d.DialContext(ctx, network, addr)
}

// Judge says whether a connection made under the name host may go to addr: nil
// or a *Denied.
func (g *Guard) Judge(host string, addr netip.Addr) error {
	addr = canonical(addr)
	rule, prefix := Classify(addr)
	switch {
	case rule == "":
		return nil
	case rule == RuleMetadata:
		if g.opensExactly(addr) {
			return nil
		}
		return denied(host, addr, rule, prefix)
	case g.operator, rule == RuleLoopback && g.loopback, g.opensName(host), g.opensExactly(addr):
		return nil
	case g.opensRange(addr):
		// An IPv6 range may be a road into IPv4 (NAT64): opening it opens the
		// road, not what lies at its end.
		for _, inner := range embedded(addr) {
			if g.Judge(host, inner) != nil {
				return denied(host, addr, rule, prefix)
			}
		}
		return nil
	}
	return denied(host, addr, rule, prefix)
}
