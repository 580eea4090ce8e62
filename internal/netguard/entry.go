package netguard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// entry is one line of an allow-list; exactly one field is set.
type entry struct {
	addr   netip.Addr
	prefix netip.Prefix
	name   string // lower case, without the last dot
	suffix string // ".example.com" from "*.example.com"
}

// CheckEntry says what is wrong with a line of an allow-list. A line is a host
// name ("receiver.internal"), a pattern for the names below one
// ("*.svc.cluster.local"), an address, or a CIDR.
//
// A name opens connections made under that name only. Metadata services open
// to nothing but their exact address.
func CheckEntry(s string) error {
	_, err := parseEntry(s)
	return err
}

func parseEntry(s string) (entry, error) {
	text := strings.TrimSpace(s)
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		text = strings.TrimSuffix(inner, "]")
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return entry{addr: canonical(addr)}, nil
	}
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		switch {
		case err != nil && strings.Contains(text, "://"):
			return entry{}, fmt.Errorf("%q is a URL: write the host name alone", s)
		case err != nil:
			return entry{}, fmt.Errorf("%q is not a CIDR such as 10.0.0.0/8", s)
		case p.Addr().Is4In6():
			return entry{}, fmt.Errorf("%q: write the IPv4 range itself", s)
		case p.IsSingleIP():
			return entry{addr: canonical(p.Addr())}, nil
		}
		return entry{prefix: p.Masked()}, nil
	}
	name := hostKey(text)
	base := strings.TrimPrefix(name, "*.")
	if err := checkName(base); err != nil {
		return entry{}, fmt.Errorf("%q: %w", s, err)
	}
	if base != name {
		return entry{suffix: "." + base}, nil
	}
	return entry{name: name}, nil
}

// checkName takes what resolvers take: letters, digits, '-', '_' and dots.
func checkName(name string) error {
	if name == "" || len(name) > 253 {
		return fmt.Errorf("a host name has 1 to 253 characters")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return fmt.Errorf("not a host name, an address or a CIDR")
		}
		for _, c := range []byte(label) {
			switch {
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			case c == ':', c == '[', c == ']':
				return fmt.Errorf("an entry has no port")
			case c == '*':
				return fmt.Errorf(`a pattern is "*." and a name`)
			case c >= 0x80:
				return fmt.Errorf("write an international name in its xn-- form")
			default:
				return fmt.Errorf("not a host name, an address or a CIDR")
			}
		}
	}
	return nil
}

// hostKey makes two spellings of a host name equal.
func hostKey(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func (g *Guard) opensName(host string) bool {
	key := hostKey(host)
	return slices.ContainsFunc(g.entries, func(e entry) bool {
		return e.name != "" && e.name == key ||
			e.suffix != "" && strings.HasSuffix(key, e.suffix) && len(key) > len(e.suffix)
	})
}

func (g *Guard) opensExactly(addr netip.Addr) bool {
	return slices.ContainsFunc(g.entries, func(e entry) bool { return e.addr.IsValid() && e.addr == addr })
}

func (g *Guard) opensRange(addr netip.Addr) bool {
	return slices.ContainsFunc(g.entries, func(e entry) bool { return e.prefix.IsValid() && e.prefix.Contains(addr) })
}

// Private are the entries that open private networks: RFC 1918 and RFC 4193.
func Private() []string {
	return []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}
}
