package cmd

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/netguard"
)

// TestTrace: each step of the way to an HTTPS server is told once, and the
// first that fails is the last.
func TestTrace(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	_, port, _ := strings.Cut(srv.Listener.Addr().String(), ":")
	for _, c := range []struct {
		name, host string
		loopback   bool
		steps      string
		fails      string
	}{
		{"whole way", "localhost", true, "resolve egress dial tls", ""},
		{"an address is not resolved", "127.0.0.1", true, "egress dial tls", ""},
		{"refused by the policy", "localhost", false, "resolve egress", `rule "loopback"`},
		{"no such name", "nowhere.invalid", true, "resolve", "nowhere.invalid"},
	} {
		guard, err := netguard.New(netguard.Policy{AllowLoopback: c.loopback})
		if err != nil {
			t.Fatal(err)
		}
		tr := &trace{now: time.Now}
		transport := guard.Transport(netguard.TransportOptions{})
		transport.DialContext = tr.dialer(guard)
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test's own certificate
		for range 2 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+c.host+":"+port, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := transport.RoundTrip(req)
			if err == nil {
				_ = res.Body.Close()
			}
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) && len(tr.steps) < 2 {
				t.Errorf("%s: %v", c.name, err)
			}
			transport.CloseIdleConnections()
			if c.fails != "" {
				break
			}
		}
		var names []string
		for i, s := range tr.steps {
			names = append(names, s.Name)
			if last := i == len(tr.steps)-1; (s.Error != "") != (last && c.fails != "") || !strings.Contains(s.Error, c.fails) && last {
				t.Errorf("%s: step %+v", c.name, s)
			}
		}
		if got := strings.Join(names, " "); got != c.steps {
			t.Errorf("%s: steps %q, want %q", c.name, got, c.steps)
		}
	}
}
