package netguard

import (
	"fmt"
	"net/netip"
	"strings"
)

// Denied is a refusal by the egress policy. It holds no secret: a host name or
// address, never a URL.
type Denied struct {
	Host string // as it was to be dialled
	Addr string // the address behind it; empty when there was none
	Rule Rule
	Hint string // the line that would lift the refusal
}

// Error says what was refused, by which rule, and what to write to allow it.
func (d *Denied) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "egress to %q", d.Host)
	if d.Addr != "" && d.Addr != d.Host {
		fmt.Fprintf(&b, " (%s)", d.Addr)
	}
	fmt.Fprintf(&b, " refused by rule %q", string(d.Rule))
	if d.Hint != "" {
		b.WriteString(": ")
		b.WriteString(d.Hint)
	}
	return b.String()
}

func denied(host string, addr netip.Addr, rule Rule, prefix netip.Prefix) *Denied {
	d := &Denied{Host: host, Addr: addr.String(), Rule: rule}
	switch rule {
	case RuleMetadata:
		d.Hint = fmt.Sprintf("it hands out credentials of this machine; only its exact address in egress.allow of hookd.yaml opens it: %q", addr)
	default:
		d.Hint = fmt.Sprintf("add %q to egress.allow in hookd.yaml, or %q to allowed_hosts of the destination", line(prefix), host)
	}
	return d
}

// line writes a single address without its length.
func line(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
