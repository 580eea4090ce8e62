package ip_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/ip"
)

func from(addr string) *auth.Request {
	r := authtest.Request()
	r.Peer, r.Remote = netip.MustParseAddr("203.0.113.9"), netip.Addr{}
	if addr != "" {
		r.Remote = netip.MustParseAddr(addr)
	}
	return r
}

// TestContract is the contract of the original service, rows 92 to 95, 100 and
// 101.
func TestContract(t *testing.T) {
	t.Parallel()
	authtest.Describe(t, ip.Method())
	row := authtest.Row
	authtest.Table(t, ip.Method(), []authtest.Case{
		row("92 in the list", `["192.0.2.7","198.51.100.1"]`, from("198.51.100.1"), ""),
		row("92 not in the list", `["192.0.2.7"]`, from("192.0.2.8"), auth.CodeAddress),
		row("object form", `{"allow":["192.0.2.7"]}`, from("192.0.2.7"), ""),
		row("93 network", `["127.0.0.0/8"]`, from("127.0.0.1"), ""),
		row("93 beside the network", `["127.0.0.0/8"]`, from("128.0.0.1"), auth.CodeAddress),
		row("network with host bits", `["10.1.2.3/8"]`, from("10.200.0.1"), ""),
		row("first of a network", `["192.0.2.64/26"]`, from("192.0.2.64"), ""),
		row("last of a network", `["192.0.2.64/26"]`, from("192.0.2.127"), ""),
		row("before a network", `["192.0.2.64/26"]`, from("192.0.2.63"), auth.CodeAddress),
		row("after a network", `["192.0.2.64/26"]`, from("192.0.2.128"), auth.CodeAddress),
		row("everyone", `["0.0.0.0/0"]`, from("8.8.8.8"), ""),
		row("everyone of IPv4 is nobody of IPv6", `["0.0.0.0/0"]`, from("2001:db8::1"), auth.CodeAddress),
		row("everyone of IPv6 is nobody of IPv4", `["::/0"]`, from("8.8.8.8"), auth.CodeAddress),
		row("94 long form", `["2001:0DB8:0000::0001"]`, from("2001:db8::1"), ""),
		row("94 network of IPv6", `["2001:DB8::/32"]`, from("2001:db8:ffff::1"), ""),
		row("95 mapped peer", `["1.2.3.4"]`, from("::ffff:1.2.3.4"), ""),
		row("95 mapped entry", `["::ffff:1.2.3.4"]`, from("1.2.3.4"), ""),
		row("95 mapped network", `["::ffff:1.2.3.0/120"]`, from("1.2.3.4"), ""),
		row("blanks", `[" 1.2.3.4 "]`, from("1.2.3.4"), ""),
		row("zone", `["fe80::1"]`, from("fe80::1%eth0"), ""),
		row("no address", `["0.0.0.0/0"]`, from(""), auth.CodeAddress),
	})
	authtest.Refused(t, ip.Method(),
		`[]`, `{}`, `{"allow":[]}`, `null`, `""`, `[""]`, `["localhost"]`, `["1.2.3.4","1.2.3"]`, `["1.2.3.4/33"]`, `["1.2.3.4/-1"]`,
		`["01.2.3.4"]`, `["fe80::1%eth0"]`, `["::ffff:0:0/95"]`, `["1.2.3.4-1.2.3.9"]`, `[12]`,
	)
}

func TestDenial(t *testing.T) {
	t.Parallel()
	v, err := authtest.Decode(ip.Method(), `["192.0.2.7"]`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(context.Background(), from("192.0.2.8"))
	if d := auth.DenialOf(err); !d.Forbidden || strings.Contains(d.Error(), "192.0.2") {
		t.Errorf("denial %+v", d)
	}
	if v.Cost() != auth.CostAddress {
		t.Error("is not checked before the body is read")
	}
	r := from("192.0.2.8")
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	r.Header.Set("X-Real-IP", "192.0.2.7")
	if _, err := v.Verify(context.Background(), r); err == nil {
		t.Error("a header of the client was believed")
	}
}
