package ip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// set holds networks. A lookup costs one map access per prefix length in use,
// however many networks there are. It is immutable.
type set struct {
	nets  map[netip.Prefix]struct{}
	bits4 []int // prefix lengths in use
	bits6 []int
}

// parseSet reads addresses and CIDR networks. IPv4-mapped IPv6 is taken for the
// IPv4 that it stands for.
func parseSet(list []string) (*set, error) {
	s := &set{nets: make(map[netip.Prefix]struct{})}
	for _, text := range list {
		p, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		s.nets[p] = struct{}{}
		bits := &s.bits6
		if p.Addr().Is4() {
			bits = &s.bits4
		}
		if !slices.Contains(*bits, p.Bits()) {
			*bits = append(*bits, p.Bits())
		}
	}
	return s, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a network like 192.0.2.0/24", text)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a network like 192.0.2.0/24", text)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%q reaches beyond the IPv4-mapped addresses", text)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func (s *set) empty() bool { return len(s.nets) == 0 }

// contains reports whether a is in one of the networks.
func (s *set) contains(a netip.Addr) bool {
	a = plain(a)
	if !a.IsValid() {
		return false
	}
	bits := s.bits6
	if a.Is4() {
		bits = s.bits4
	}
	for _, n := range bits {
		if p, err := a.Prefix(n); err == nil {
			if _, ok := s.nets[p]; ok {
				return true
			}
		}
	}
	return false
}

// plain is a without a zone, and IPv4 where it is IPv4-mapped.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }
