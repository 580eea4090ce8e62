package netguard

import (
	"net/netip"

	"code.dny.dev/ssrf"
)

// Rule names why an address is refused. It is a stable slug.
type Rule string

// The rules.
const (
	RuleMetadata      Rule = "metadata"      // hands out credentials of the machine
	RuleLoopback      Rule = "loopback"      // this machine
	RuleUnspecified   Rule = "unspecified"   // this machine on many systems
	RulePrivate       Rule = "private"       // RFC 1918
	RuleUniqueLocal   Rule = "unique_local"  // RFC 4193
	RuleLinkLocal     Rule = "link_local"    // RFC 3927, RFC 4291
	RuleSiteLocal     Rule = "site_local"    // RFC 3879, deprecated
	RuleCGNAT         Rule = "cgnat"         // RFC 6598
	RuleMulticast     Rule = "multicast"     // RFC 5771, RFC 4291
	RuleDocumentation Rule = "documentation" // RFC 5737, RFC 3849, RFC 9637
	RuleBenchmark     Rule = "benchmark"     // RFC 2544, RFC 5180
	RuleReserved      Rule = "reserved"      // RFC 1112 and other ranges without hosts
	RuleEmbeddedIPv4  Rule = "embedded_ipv4" // a road from IPv6 into IPv4
	RuleNotGlobal     Rule = "not_global"    // IPv6 outside 2000::/3
	RuleSpecial       Rule = "special_purpose"
	RuleNetwork       Rule = "network" // not a TCP connection
)

type special struct {
	prefix netip.Prefix
	rule   Rule
}

// metadata are the addresses at which clouds hand out credentials or their
// control plane listens. Most lie in ranges that are refused anyway; they are
// here because opening such a range does not open them.
var metadata = addrSet(
	"169.254.169.254",    // AWS, Azure, Google, Oracle, DigitalOcean, OpenStack and others
	"169.254.170.2",      // AWS ECS task credentials
	"169.254.170.23",     // AWS EKS pod identity
	"169.254.0.23",       // Tencent
	"169.254.42.42",      // Scaleway
	"168.63.129.16",      // Azure host: a public address, not in any registry
	"100.100.100.200",    // Alibaba
	"100.96.0.96",        // Volcengine
	"192.0.0.192",        // Oracle classic
	"fd00:ec2::254",      // AWS
	"fd00:ec2::23",       // AWS EKS pod identity
	"fd20:ce::254",       // Google
	"fd00:42::42",        // Scaleway
	"fe80::a9fe:a9fe",    // OpenStack, link-local form
	"fd00:c1::a9fe:a9fe", // Oracle
)

// specials are the ranges that no webhook should go to; the first match wins.
// Sources: the IANA IPv4 and IPv6 special-purpose address registries.
var specials = []special{
	{netip.MustParsePrefix("0.0.0.0/32"), RuleUnspecified},
	{netip.MustParsePrefix("0.0.0.0/8"), RuleUnspecified}, // "this network": some stacks answer
	{netip.MustParsePrefix("127.0.0.0/8"), RuleLoopback},
	{netip.MustParsePrefix("10.0.0.0/8"), RulePrivate},
	{netip.MustParsePrefix("172.16.0.0/12"), RulePrivate},
	{netip.MustParsePrefix("192.168.0.0/16"), RulePrivate},
	{netip.MustParsePrefix("169.254.0.0/16"), RuleLinkLocal},
	{netip.MustParsePrefix("100.64.0.0/10"), RuleCGNAT},
	{netip.MustParsePrefix("224.0.0.0/4"), RuleMulticast},
	{netip.MustParsePrefix("192.0.2.0/24"), RuleDocumentation},
	{netip.MustParsePrefix("198.51.100.0/24"), RuleDocumentation},
	{netip.MustParsePrefix("203.0.113.0/24"), RuleDocumentation},
	{netip.MustParsePrefix("198.18.0.0/15"), RuleBenchmark},
	{netip.MustParsePrefix("192.0.0.0/24"), RuleReserved},
	{netip.MustParsePrefix("192.88.99.0/24"), RuleReserved}, // 6to4 relays, RFC 7526
	{netip.MustParsePrefix("240.0.0.0/4"), RuleReserved},    // and broadcast

	{netip.MustParsePrefix("::/128"), RuleUnspecified},
	{netip.MustParsePrefix("::1/128"), RuleLoopback},
	{netip.MustParsePrefix("::/96"), RuleEmbeddedIPv4},           // compatible, RFC 4291 2.5.5.1
	{netip.MustParsePrefix("::ffff:0:0:0/96"), RuleEmbeddedIPv4}, // translated, RFC 2765
	{netip.MustParsePrefix("64:ff9b::/96"), RuleEmbeddedIPv4},    // NAT64, RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), RuleEmbeddedIPv4},  // local NAT64, RFC 8215
	{netip.MustParsePrefix("2002::/16"), RuleEmbeddedIPv4},       // 6to4, RFC 3056
	{netip.MustParsePrefix("2001::/32"), RuleEmbeddedIPv4},       // Teredo, RFC 4380
	{netip.MustParsePrefix("2001:2::/48"), RuleBenchmark},        // RFC 5180
	{netip.MustParsePrefix("2001::/23"), RuleReserved},           // protocol assignments, ORCHID
	{netip.MustParsePrefix("2001:db8::/32"), RuleDocumentation},  //
	{netip.MustParsePrefix("3fff::/20"), RuleDocumentation},      // RFC 9637
	{netip.MustParsePrefix("fc00::/7"), RuleUniqueLocal},
	{netip.MustParsePrefix("fe80::/10"), RuleLinkLocal},
	{netip.MustParsePrefix("fec0::/10"), RuleSiteLocal},
	{netip.MustParsePrefix("ff00::/8"), RuleMulticast},
	{netip.MustParsePrefix("100::/64"), RuleReserved},  // discard, RFC 6666
	{netip.MustParsePrefix("5f00::/16"), RuleReserved}, // segment routing, RFC 9602
}

// registry is the last word on what the table does not name.
var registry = ssrf.New(ssrf.WithAnyNetwork(), ssrf.WithAnyPort())

// Classify names the rule that addr falls under and the range that it is in;
// an empty rule is a public address. It is total: every address has one answer.
func Classify(addr netip.Addr) (Rule, netip.Prefix) {
	addr = canonical(addr)
	if !addr.IsValid() {
		return RuleNetwork, netip.Prefix{}
	}
	self := netip.PrefixFrom(addr, addr.BitLen())
	if metadata[addr] {
		return RuleMetadata, self
	}
	inner := embedded(addr)
	for _, v4 := range inner {
		if metadata[v4] {
			return RuleMetadata, self
		}
	}
	for _, s := range specials {
		if s.prefix.Contains(addr) {
			return s.rule, s.prefix
		}
	}
	if addr.Is6() && !ssrf.IPv6GlobalUnicast.Contains(addr) {
		return RuleNotGlobal, self
	}
	// What is left with an IPv4 address inside is ISATAP in somebody's public
	// range: it is as public as the address inside.
	for _, v4 := range inner {
		if rule, _ := Classify(v4); rule != "" {
			return RuleEmbeddedIPv4, self
		}
	}
	if registry.SafeAddr(addr) != nil {
		return RuleSpecial, self
	}
	return "", netip.Prefix{}
}

// canonical drops the zone and turns ::ffff:a.b.c.d into a.b.c.d, which is what
// the system dials for it.
func canonical(addr netip.Addr) netip.Addr { return addr.WithZone("").Unmap() }

func addrSet(texts ...string) map[netip.Addr]bool {
	set := make(map[netip.Addr]bool, len(texts))
	for _, t := range texts {
		set[netip.MustParseAddr(t)] = true
	}
	return set
}
