package netguard_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/hookd/hookd/internal/netguard"
)

// names is a resolver of the test's own: each look-up of a name takes the next
// of its answers, and the last one from then on.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string
	asked   map[string]int
}

func (n *names) resolver() *net.Resolver {
	n.asked = make(map[string]int)
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// serve speaks DNS over a stream (RFC 7766): a length, a message.
func (n *names) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		answer := n.answer(query)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (n *names) answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
	m.Additionals = nil
	name := strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")
	n.mu.Lock()
	sets := n.answers[name]
	if len(sets) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	} else {
		key := q.Type.String() + " " + name // A and AAAA are asked side by side
		at := min(n.asked[key], len(sets)-1)
		n.asked[key]++
		for _, text := range sets[at] {
			a, h := netip.MustParseAddr(text), dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
			switch {
			case a.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
	}
	n.mu.Unlock()
	b, _ := m.Pack()
	return b
}

// canary is a listener on loopback that counts who comes by.
func canary(t *testing.T) (port string, hits *atomic.Int32) {
	t.Helper()
	hits = new(atomic.Int32)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hits.Add(1) }))
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, hits
}

func guard(t *testing.T, p netguard.Policy) *netguard.Guard {
	t.Helper()
	g, err := netguard.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func get(t *testing.T, g *netguard.Guard, url string) error {
	t.Helper()
	tr := g.Transport(netguard.TransportOptions{})
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func wantRule(t *testing.T, err error, host, addr string, rule netguard.Rule) {
	t.Helper()
	var d *netguard.Denied
	if !errors.As(err, &d) {
		t.Fatalf("%v, want a refusal", err)
	}
	if d.Rule != rule || d.Host != host || d.Addr != addr {
		t.Errorf("%+v, want host %s, address %s, rule %s", d, host, addr, rule)
	}
}

// The name resolves, the canary listens, and the refusal is for the address.
func TestNameThatMapsToLoopback(t *testing.T) {
	t.Parallel()
	port, hits := canary(t)
	n := &names{answers: map[string][][]string{"evil.example": {{"127.0.0.1"}}}}
	p := netguard.Policy{Resolver: n.resolver()}

	wantRule(t, get(t, guard(t, p), "http://evil.example:"+port+"/"), "evil.example", "127.0.0.1", netguard.RuleLoopback)
	if hits.Load() != 0 {
		t.Fatal("the canary was reached")
	}
	// The counter-proof: without the policy the same request arrives.
	p.AllowLoopback = true
	if err := get(t, guard(t, p), "http://evil.example:"+port+"/"); err != nil || hits.Load() != 1 {
		t.Fatalf("allowed: %v, %d hits", err, hits.Load())
	}
}

// A name that was harmless when it was looked at first is judged again by what
// is dialled.
func TestRebinding(t *testing.T) {
	t.Parallel()
	port, hits := canary(t)
	n := &names{answers: map[string][][]string{"turns.example": {{"203.0.113.7"}, {"127.0.0.1"}}}}
	g := guard(t, netguard.Policy{Resolver: n.resolver(), Allow: []string{"203.0.113.0/24"}})
	addrs, err := n.resolverOf(g).LookupNetIP(t.Context(), "ip4", "turns.example")
	if err != nil || len(addrs) != 1 || g.Judge("turns.example", addrs[0]) != nil {
		t.Fatalf("first look: %v, %v", addrs, err)
	}
	wantRule(t, get(t, g, "http://turns.example:"+port+"/"), "turns.example", "127.0.0.1", netguard.RuleLoopback)
	if hits.Load() != 0 {
		t.Error("the canary was reached")
	}
}

// resolverOf is the resolver that the guard uses, with the same state.
func (n *names) resolverOf(*netguard.Guard) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// Every record of an answer is judged for itself.
func TestManyRecords(t *testing.T) {
	t.Parallel()
	port, hits := canary(t)
	n := &names{answers: map[string][][]string{
		"all-bad.example": {{"127.0.0.1", "10.0.0.1", "::1", "fd00::1", "169.254.169.254"}},
		"mixed.example":   {{"10.0.0.1", "127.0.0.1"}},
		"mapped.example":  {{"::ffff:127.0.0.1"}},
	}}
	r := n.resolver()
	strict := guard(t, netguard.Policy{Resolver: r})
	for _, host := range []string{"all-bad.example", "mixed.example", "mapped.example"} {
		var d *netguard.Denied
		if err := get(t, strict, "http://"+host+":"+port+"/"); !errors.As(err, &d) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if hits.Load() != 0 {
		t.Fatal("the canary was reached")
	}
	// One allowed record is enough, and the others stay shut.
	open := guard(t, netguard.Policy{Resolver: r, Allow: []string{"127.0.0.1"}})
	if err := get(t, open, "http://mixed.example:"+port+"/"); err != nil || hits.Load() != 1 {
		t.Errorf("mixed: %v, %d hits", err, hits.Load())
	}
}

// allowed_hosts by name opens connections under that name and no other,
// although both lead to the same place.
func TestAllowedHostsByName(t *testing.T) {
	t.Parallel()
	port, hits := canary(t)
	n := &names{answers: map[string][][]string{"good.internal": {{"127.0.0.1"}}, "evil.example": {{"127.0.0.1"}}, "meta.internal": {{"169.254.169.254"}}}}
	g := guard(t, netguard.Policy{Resolver: n.resolver()}).With([]string{"good.internal", "meta.internal"})
	if err := get(t, g, "http://good.internal:"+port+"/"); err != nil || hits.Load() != 1 {
		t.Fatalf("good: %v, %d hits", err, hits.Load())
	}
	wantRule(t, get(t, g, "http://evil.example:"+port+"/"), "evil.example", "127.0.0.1", netguard.RuleLoopback)
	wantRule(t, get(t, g, "http://127.0.0.1:"+port+"/"), "127.0.0.1", "127.0.0.1", netguard.RuleLoopback)
	wantRule(t, get(t, g, "http://meta.internal/"), "meta.internal", "169.254.169.254", netguard.RuleMetadata)
}

// Every redirect is a new connection and passes the guard.
func TestRedirectToCanary(t *testing.T) {
	t.Parallel()
	port, hits := canary(t)
	n := &names{answers: map[string][][]string{"first.internal": {{"127.0.0.1"}}, "second.internal": {{"127.0.0.1"}}}}
	g := guard(t, netguard.Policy{Resolver: n.resolver()}).With([]string{"first.internal"})
	tr := g.Transport(netguard.TransportOptions{})
	defer tr.CloseIdleConnections()
	hop := httptest.NewServer(http.RedirectHandler("http://second.internal:"+port+"/", http.StatusFound))
	defer hop.Close()
	_, hopPort, err := net.SplitHostPort(hop.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://first.internal:"+hopPort+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	wantRule(t, err, "second.internal", "127.0.0.1", netguard.RuleLoopback)
	if hits.Load() != 0 {
		t.Error("the canary was reached")
	}
}

func TestDialRefusesOtherNetworks(t *testing.T) {
	t.Parallel()
	g := guard(t, netguard.Policy{})
	for _, network := range []string{"udp", "udp4", "ip4:icmp", "unix", "unixgram", ""} {
		var d *netguard.Denied
		if _, err := g.DialContext(t.Context(), network, "example.com:80"); !errors.As(err, &d) || d.Rule != netguard.RuleNetwork {
			t.Errorf("%s: %v", network, err)
		}
	}
	for _, addr := range []string{"example.com", "example.com:0", "example.com:99999", "example.com:http", "1.1.1.1:-1"} {
		if _, err := g.DialContext(t.Context(), "tcp", addr); err == nil || !strings.HasPrefix(err.Error(), "egress: ") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// No literal of the table that is not public can be dialled, in any spelling
// that the dialler takes.
func TestLiteralsAreRefusedWhenDialled(t *testing.T) {
	t.Parallel()
	g := guard(t, netguard.Policy{})
	for _, c := range cases(t, "addresses.txt") {
		if c[1] == "public" {
			continue
		}
		conn, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort(c[0], "9"))
		var d *netguard.Denied
		if conn != nil {
			conn.Close()
		}
		// A zone that this machine does not have ends before the guard.
		if !errors.As(err, &d) && !strings.Contains(c[0], "%") {
			t.Errorf("%s: %v", c[0], err)
		}
	}
}

func TestTransport(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1/")
	t.Setenv("http_proxy", "http://127.0.0.1:1/")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if enc := r.Header.Get("Accept-Encoding"); enc != "" {
			t.Errorf("asks for %q", enc)
		}
		if r.URL.Path == "/big" {
			w.Header().Set("X-Big", strings.Repeat("a", 128<<10))
		}
	}))
	defer srv.Close()
	g := guard(t, netguard.Policy{AllowLoopback: true})
	if err := get(t, g, srv.URL); err != nil {
		t.Error(err)
	}
	if err := get(t, g, srv.URL+"/big"); err == nil {
		t.Error("a header of 128 KiB passed")
	}
}

func TestTransportSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	g := guard(t, netguard.Policy{AllowLoopback: true})
	tr := g.Transport(netguard.TransportOptions{TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig})
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("%s", resp.Proto)
	}
}

func TestUnixSocketsAreForOperators(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := guard(t, netguard.Policy{Operator: true}).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// An answer of 101 makes the connection a body that no context ends.
func TestNobodySwitchesProtocols(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(left)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // until the connection is closed
	}))
	defer srv.Close()
	tr := guard(t, netguard.Policy{AllowLoopback: true}).Transport(netguard.TransportOptions{})
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, netguard.ErrSwitched) {
		t.Errorf("%v", err)
	}
	<-left
}
