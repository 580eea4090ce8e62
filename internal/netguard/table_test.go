package netguard_test

import (
	"bufio"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"

	"code.dny.dev/ssrf"
	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/netguard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cases reads a table: the first column, and the rest of the line.
func cases(t *testing.T, file string) [][2]string {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][2]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.Index(line, "  ")
		if at < 0 {
			at = strings.LastIndexByte(line, ' ')
		}
		all = append(all, [2]string{line[:at], strings.TrimSpace(line[at:])})
	}
	if len(all) < 10 {
		t.Fatalf("%s has %d cases", file, len(all))
	}
	return all
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "addresses.txt") {
		rule, prefix := netguard.Classify(netip.MustParseAddr(c[0]))
		got := string(rule)
		if rule == "" {
			got = "public"
		}
		if got != c[1] {
			t.Errorf("%s is %q, want %q", c[0], got, c[1])
		}
		if (rule == "") == prefix.IsValid() {
			t.Errorf("%s: rule %q with prefix %v", c[0], rule, prefix)
		}
	}
}

// Everything that the generated registry refuses is refused here, whatever the
// table says; and the edges of its ranges are where it says.
func TestClassifyCoversTheRegistry(t *testing.T) {
	t.Parallel()
	for _, p := range append(ssrf.IPv4DeniedPrefixes, ssrf.IPv6DeniedPrefixes...) {
		for _, a := range []netip.Addr{p.Addr(), last(p)} {
			if rule, _ := netguard.Classify(a); rule == "" {
				t.Errorf("%s of %s is public", a, p)
			}
		}
	}
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "urls.txt") {
		u, err := url.Parse(c[0])
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		match(t, c[0], netguard.CheckURL(u), c[1])
	}
	u := &url.URL{Scheme: "wss", Host: "example.com"}
	match(t, "wss", netguard.CheckURL(u, "ws", "wss"), "ok")
	match(t, "wss", netguard.CheckURL(u), `scheme "wss"`)
	u = &url.URL{Scheme: "https", Host: "example.com", Path: strings.Repeat("a", 8192)}
	match(t, "long", netguard.CheckURL(u), "longer than 8192")
	for _, host := range []string{"exa\x00mple", `10.0.0.1:443\@example.com`, "a b"} {
		if err := netguard.CheckURL(&url.URL{Scheme: "https", Host: host}); err == nil {
			t.Errorf("host %q passed", host)
		}
	}
}

func TestCheckURLHidesSecrets(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("ftp://user:hunter2@example.com/hunter2?token=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	for _, schemes := range [][]string{nil, {"ftp"}} {
		err := netguard.CheckURL(u, schemes...)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}

func TestCheckEntry(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "entries.txt") {
		match(t, c[0], netguard.CheckEntry(c[0]), c[1])
	}
	match(t, "empty", netguard.CheckEntry(""), "1 to 253")
	_, err := netguard.New(netguard.Policy{Allow: []string{"a b", "ok.example", "10.0.0.0/99"}})
	match(t, "New", err, `"a b"`)
	match(t, "New", err, `"10.0.0.0/99"`)
}

func match(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "ok" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "ok" && err == nil:
		t.Errorf("%s passed, want an error with %q", what, want)
	case want != "ok" && !strings.Contains(err.Error(), want):
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	allow := func(entries ...string) netguard.Policy { return netguard.Policy{Allow: entries} }
	for _, c := range []struct {
		name   string
		policy netguard.Policy
		host   string
		addr   string
		rule   netguard.Rule // "" passes
	}{
		{"public", netguard.Policy{}, "a.example", "1.1.1.1", ""},
		{"private", netguard.Policy{}, "a.example", "10.0.0.1", netguard.RulePrivate},
		{"dev opens loopback", netguard.Policy{AllowLoopback: true}, "localhost", "127.0.0.1", ""},
		{"dev opens mapped loopback", netguard.Policy{AllowLoopback: true}, "localhost", "::ffff:127.0.0.1", ""},
		{"dev opens nothing else", netguard.Policy{AllowLoopback: true}, "a.example", "10.0.0.1", netguard.RulePrivate},
		{"dev opens no road to loopback", netguard.Policy{AllowLoopback: true}, "a", "64:ff9b::7f00:1", netguard.RuleEmbeddedIPv4},
		{"name", allow("a.internal"), "A.Internal.", "10.0.0.1", ""},
		{"name opens itself only", allow("a.internal"), "b.internal", "10.0.0.1", netguard.RulePrivate},
		{"name is not a suffix", allow("internal"), "a.internal", "10.0.0.1", netguard.RulePrivate},
		{"name opens no metadata", allow("metadata.google.internal"), "metadata.google.internal", "169.254.169.254", netguard.RuleMetadata},
		{"pattern", allow("*.internal"), "x.a.internal", "10.0.0.1", ""},
		{"pattern needs a name below", allow("*.internal"), "internal", "10.0.0.1", netguard.RulePrivate},
		{"pattern is not a plain suffix", allow("*.internal"), "xinternal", "10.0.0.1", netguard.RulePrivate},
		{"address", allow("10.0.0.1"), "any.example", "10.0.0.1", ""},
		{"address, its neighbour", allow("10.0.0.1"), "any.example", "10.0.0.2", netguard.RulePrivate},
		{"address in other spelling", allow("::ffff:10.0.0.1"), "any.example", "10.0.0.1", ""},
		{"range", allow("10.0.0.0/8"), "any.example", "10.9.9.9", ""},
		{"range of one", allow("10.0.0.1/32"), "any.example", "10.0.0.1", ""},
		{"range opens no metadata", allow("169.254.0.0/16"), "any.example", "169.254.169.254", netguard.RuleMetadata},
		{"everything opens no metadata", allow("0.0.0.0/0", "::/0"), "any.example", "fd00:ec2::254", netguard.RuleMetadata},
		{"public metadata", allow("168.0.0.0/8"), "any.example", "168.63.129.16", netguard.RuleMetadata},
		{"metadata by address", allow("169.254.169.254"), "any.example", "169.254.169.254", ""},
		{"metadata by address, no road", allow("169.254.169.254"), "any.example", "64:ff9b::a9fe:a9fe", netguard.RuleMetadata},
		{"NAT64 opened, public end", allow("64:ff9b::/96"), "a.example", "64:ff9b::808:808", ""},
		{"NAT64 opened, private end", allow("64:ff9b::/96"), "a.example", "64:ff9b::a00:1", netguard.RuleEmbeddedIPv4},
		{"NAT64 and its end opened", allow("64:ff9b::/96", "10.0.0.0/8"), "a.example", "64:ff9b::a00:1", ""},
		{"operator, private", netguard.Policy{Operator: true}, "db", "10.0.0.1", ""},
		{"operator, loopback", netguard.Policy{Operator: true}, "localhost", "::1", ""},
		{"operator, metadata", netguard.Policy{Operator: true}, "db", "169.254.169.254", netguard.RuleMetadata},
		{"operator, road to metadata", netguard.Policy{Operator: true}, "db", "::ffff:169.254.169.254", netguard.RuleMetadata},
		{"operator, metadata by address", netguard.Policy{Operator: true, Allow: []string{"169.254.169.254"}}, "db", "169.254.169.254", ""},
	} {
		g, err := netguard.New(c.policy)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		err = g.Judge(c.host, netip.MustParseAddr(c.addr))
		var d *netguard.Denied
		switch {
		case c.rule == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.rule != "" && (!errors.As(err, &d) || d.Rule != c.rule):
			t.Errorf("%s: %v, want rule %q", c.name, err, c.rule)
		}
	}
}

func TestWithOpensForOneDestinationOnly(t *testing.T) {
	t.Parallel()
	g, err := netguard.New(netguard.Policy{Allow: []string{"shared.internal"}})
	if err != nil {
		t.Fatal(err)
	}
	one := g.With([]string{"one.internal", "not a host"})
	other := g.With([]string{"other.internal"})
	addr := netip.MustParseAddr("10.0.0.1")
	for _, c := range []struct {
		guard *netguard.Guard
		host  string
		open  bool
	}{
		{g, "one.internal", false},
		{one, "one.internal", true},
		{one, "other.internal", false},
		{other, "other.internal", true},
		{other, "one.internal", false},
		{one, "shared.internal", true},
		{one, "not a host", false},
	} {
		if open := c.guard.Judge(c.host, addr) == nil; open != c.open {
			t.Errorf("%s: open %v", c.host, open)
		}
	}
}

func TestDeniedSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	g, err := netguard.New(netguard.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ host, addr, want string }{
		{"internal.example", "10.0.0.5", `egress to "internal.example" (10.0.0.5) refused by rule "private": add "10.0.0.0/8" to egress.allow in hookd.yaml, or "internal.example" to allowed_hosts of the destination`},
		{"::1", "::1", `egress to "::1" refused by rule "loopback": add "::1" to egress.allow in hookd.yaml, or "::1" to allowed_hosts of the destination`},
		{"m", "169.254.169.254", `only its exact address in egress.allow of hookd.yaml opens it: "169.254.169.254"`},
	} {
		if err := g.Judge(c.host, netip.MustParseAddr(c.addr)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "::1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:a9fe:a9fe::", "2600:1::5efe:10.0.0.1", "8.8.8.8"} {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	std := ssrf.New(ssrf.WithAnyNetwork(), ssrf.WithAnyPort())
	g, err := netguard.New(netguard.Policy{Allow: []string{"0.0.0.0/0", "::/0"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		rule, _ := netguard.Classify(a)
		if rule == "" && std.SafeAddr(a.Unmap()) != nil {
			t.Errorf("%s is public here and special in the registry", a)
		}
		if rule == netguard.RuleMetadata && g.Judge("h", a) == nil {
			t.Errorf("%s was opened by a range", a)
		}
		if a.Is4() {
			m := a.As16()
			if mapped, _ := netguard.Classify(netip.AddrFrom16(m)); mapped != rule {
				t.Errorf("%s is %q, mapped %q", a, rule, mapped)
			}
		}
	})
}

func FuzzCheckEntry(f *testing.F) {
	for _, s := range []string{"a.example", "*.x", "10.0.0.0/8", "[::1]", "::ffff:1.2.3.4/100"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if netguard.CheckEntry(s) != nil {
			return
		}
		g, err := netguard.New(netguard.Policy{Allow: []string{s}})
		if err != nil {
			t.Fatalf("%q passed the check: %v", s, err)
		}
		if g.Judge("another.invalid.name.that.nobody.lists", netip.MustParseAddr("fd00:ec2::254")) == nil && s != "fd00:ec2::254" {
			if a, err := netip.ParseAddr(strings.Trim(s, "[] ")); err == nil && a.WithZone("") == netip.MustParseAddr("fd00:ec2::254") {
				return
			}
			if p, err := netip.ParsePrefix(strings.TrimSpace(s)); err == nil && p.IsSingleIP() {
				return
			}
			t.Errorf("%q opened a metadata service", s)
		}
	})
}
