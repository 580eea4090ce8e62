package ip

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/hookd/hookd/auth"
)

// Proxies are the proxies whose word on the client's address is taken. It is
// immutable and safe for concurrent use; nil trusts none.
type Proxies struct{ trusted *set }

// ParseProxies reads addresses and CIDR networks; an empty list trusts none.
func ParseProxies(list []string) (*Proxies, error) {
	s, err := parseSet(list)
	if err != nil {
		return nil, err
	}
	return &Proxies{trusted: s}, nil
}

// maxHops bounds the addresses of X-Forwarded-For.
const maxHops = 64

// Client finds the client behind the peer: the right-most address of
// X-Forwarded-For that is no trusted proxy, since everything left of it was
// written by the client; where all are trusted, the left-most. X-Real-IP counts
// only where there is no X-Forwarded-For. Both count only when the peer itself
// is trusted. The address has no zone and is IPv4 where it was IPv4-mapped.
//
// The error is a *auth.Denial: a trusted proxy sent something that is no
// address.
func (p *Proxies) Client(peer netip.Addr, h http.Header) (netip.Addr, error) {
	peer = plain(peer)
	if p == nil || p.trusted.empty() || !p.trusted.contains(peer) {
		return peer, nil
	}
	if forwarded := h["X-Forwarded-For"]; len(forwarded) > 0 {
		return p.rightmost(forwarded)
	}
	switch given := h["X-Real-Ip"]; len(given) {
	case 0:
		return peer, nil
	case 1:
		if a, ok := parseHop(given[0]); ok {
			return a, nil
		}
	}
	return refuse("X-Real-IP is not one address")
}

func (p *Proxies) rightmost(lines []string) (netip.Addr, error) {
	var client netip.Addr
	found, hops := false, 0
	for i := len(lines) - 1; i >= 0; i-- {
		for line, more := lines[i], true; more; {
			var hop string
			if j := strings.LastIndexByte(line, ','); j >= 0 {
				line, hop = line[:j], line[j+1:]
			} else {
				hop, more = line, false
			}
			if hops++; hops > maxHops {
				return refuse("X-Forwarded-For is too long")
			}
			a, ok := parseHop(hop)
			if !ok {
				return refuse("X-Forwarded-For holds something that is no address")
			}
			if !found {
				client, found = a, !p.trusted.contains(a)
			}
		}
	}
	return client, nil
}

// parseHop reads an address with blanks around it and, as some proxies write
// it, with a port behind it.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.Trim(text, " \t")
	if len(text) > 64 {
		return netip.Addr{}, false
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return plain(a), true
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return plain(ap.Addr()), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			a, err := netip.ParseAddr(inner)
			return plain(a), err == nil && a.Is6()
		}
	}
	return netip.Addr{}, false
}

func refuse(why string) (netip.Addr, error) {
	return netip.Addr{}, &auth.Denial{Method: "trusted_proxies", Code: auth.CodeMalformed, Err: errors.New(why)}
}
