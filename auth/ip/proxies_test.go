package ip_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/ip"
)

func proxies(t testing.TB, list ...string) *ip.Proxies {
	t.Helper()
	p, err := ip.ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestClient is the contract of the original service, rows 96 to 99.
func TestClient(t *testing.T) {
	t.Parallel()
	p := proxies(t, "10.0.0.0/8", "2001:db8:ffff::1", "192.0.2.50")
	xff := func(lines ...string) http.Header { return http.Header{"X-Forwarded-For": lines} }
	realIP := func(lines ...string) http.Header { return http.Header{"X-Real-Ip": lines} }
	both := xff("203.0.113.1")
	both["X-Real-Ip"] = []string{"203.0.113.2"}
	for _, c := range []struct {
		name, peer string
		h          http.Header
		want       string // "" is refused
	}{
		{"no headers", "10.0.0.1", nil, "10.0.0.1"},
		{"96 untrusted peer", "198.51.100.1", xff("203.0.113.1"), "198.51.100.1"},
		{"96 untrusted peer, junk", "198.51.100.1", xff("junk"), "198.51.100.1"},
		{"96 untrusted peer, X-Real-IP", "198.51.100.1", realIP("203.0.113.1"), "198.51.100.1"},
		{"97 right-most", "10.0.0.1", xff("203.0.113.1, 203.0.113.2, 203.0.113.3"), "203.0.113.3"},
		{"97 right-most behind proxies", "10.0.0.1", xff("203.0.113.1, 203.0.113.2,10.0.0.7, 192.0.2.50"), "203.0.113.2"},
		{"97 several lines", "10.0.0.1", xff("203.0.113.1", "203.0.113.2", "10.0.0.7"), "203.0.113.2"},
		{"97 all trusted", "10.0.0.1", xff("10.0.0.9, 10.0.0.8"), "10.0.0.9"},
		{"97 one", "10.0.0.1", xff("203.0.113.1"), "203.0.113.1"},
		{"97 IPv6 proxy", "2001:db8:ffff::1", xff("2001:db8::7"), "2001:db8::7"},
		{"97 mapped peer", "::ffff:10.0.0.1", xff("::ffff:203.0.113.1"), "203.0.113.1"},
		{"97 mapped hop is trusted", "10.0.0.1", xff("203.0.113.1, ::ffff:10.0.0.2"), "203.0.113.1"},
		{"97 with ports", "10.0.0.1", xff("203.0.113.1:4711"), "203.0.113.1"},
		{"97 IPv6 with port", "10.0.0.1", xff("[2001:db8::7]:4711"), "2001:db8::7"},
		{"97 IPv6 in brackets", "10.0.0.1", xff("[2001:db8::7]"), "2001:db8::7"},
		{"97 tabs and blanks", "10.0.0.1", xff("203.0.113.1 ,\t203.0.113.2 "), "203.0.113.2"},
		{"zone is dropped", "10.0.0.1", xff("fe80::1%eth0"), "fe80::1"},
		{"98 X-Real-IP", "10.0.0.1", realIP("203.0.113.1"), "203.0.113.1"},
		{"98 X-Forwarded-For wins", "10.0.0.1", both, "203.0.113.1"},
		{"98 X-Real-IP twice", "10.0.0.1", realIP("203.0.113.1", "203.0.113.1"), ""},
		{"98 X-Real-IP list", "10.0.0.1", realIP("203.0.113.1, 203.0.113.2"), ""},
		{"98 X-Real-IP junk", "10.0.0.1", realIP("junk"), ""},
		{"98 X-Real-IP empty", "10.0.0.1", realIP(""), ""},
		{"99 junk", "10.0.0.1", xff("junk"), ""},
		{"99 junk on the left", "10.0.0.1", xff("junk, 203.0.113.1"), ""},
		{"99 junk between proxies", "10.0.0.1", xff("203.0.113.1, unknown, 10.0.0.2"), ""},
		{"99 empty", "10.0.0.1", xff(""), ""},
		{"99 empty element", "10.0.0.1", xff("203.0.113.1,"), ""},
		{"99 host name", "10.0.0.1", xff("client.example"), ""},
		{"99 number", "10.0.0.1", xff("3405803777"), ""},
		{"99 leading zero", "10.0.0.1", xff("010.0.0.1"), ""},
		{"99 port beyond", "10.0.0.1", xff("203.0.113.1:99999"), ""},
		{"99 IPv4 in brackets", "10.0.0.1", xff("[203.0.113.1]"), ""},
		{"99 control character", "10.0.0.1", xff("203.0.113.1\x00"), ""},
		{"64 hops", "10.0.0.1", xff("203.0.113.1" + strings.Repeat(",10.0.0.2", 63)), "203.0.113.1"},
		{"65 hops", "10.0.0.1", xff("203.0.113.1" + strings.Repeat(",10.0.0.2", 64)), ""},
		{"65 lines", "10.0.0.1", http.Header{"X-Forwarded-For": slices.Repeat([]string{"10.0.0.2"}, 65)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := p.Client(netip.MustParseAddr(c.peer), c.h)
			if c.want == "" {
				if d := auth.DenialOf(err); err == nil || d.Code != auth.CodeMalformed {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil || got.String() != c.want {
				t.Errorf("got %v, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestNoProxies(t *testing.T) {
	t.Parallel()
	h := http.Header{"X-Forwarded-For": {"203.0.113.1"}}
	for _, p := range []*ip.Proxies{nil, proxies(t)} {
		if got, err := p.Client(netip.MustParseAddr("10.0.0.1"), h); err != nil || got.String() != "10.0.0.1" {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if _, err := ip.ParseProxies([]string{"proxy.example"}); err == nil {
		t.Error("took a host name")
	}
}

// FuzzForwardedFor: whatever the client writes in front, the address that the
// proxy appended is the client or the request is refused.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", "junk", "1.2.3.4, 5.6.7.8", "[::1]:80", "::ffff:10.0.0.1", ",", "10.0.0.1,10.0.0.2", "1.2.3.4\r\nX: y", "fe80::1%25eth0"} {
		f.Add(seed)
	}
	p := proxies(f, "10.0.0.0/8")
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := p.Client(peer, http.Header{"X-Forwarded-For": {text}})
		if err == nil && (!got.IsValid() || got.Zone() != "" || got.Is4In6()) {
			t.Errorf("%q: %v", text, got)
		}
		got, err = p.Client(peer, http.Header{"X-Forwarded-For": {text + ", 203.0.113.7"}})
		if err == nil && got.String() != "203.0.113.7" {
			t.Errorf("%q decides: %v", text, got)
		}
		got, err = p.Client(peer, http.Header{"X-Forwarded-For": {text, "203.0.113.7, 10.0.0.9"}})
		if err == nil && got.String() != "203.0.113.7" {
			t.Errorf("%q decides over lines: %v", text, got)
		}
	})
}
