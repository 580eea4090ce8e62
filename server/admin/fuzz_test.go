package admin_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/hookd/hookd/server/admin"
)

// answer is a server in a function.
type answer string

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

// Whatever a server streams, the tail ends, with an error as its last word.
func FuzzTail(f *testing.F) {
	f.Add(": hookd\n\nid: 1\ndata: {\"kind\":\"accepted\"}\n\n")
	f.Add("data: {\ndata: }\r\n\r\n")
	f.Add("data:{}\n\ndata")
	f.Fuzz(func(t *testing.T, stream string) {
		c := admin.Client{BaseURL: "http://localhost", HTTP: &http.Client{Transport: answer(stream)}}
		facts, failed := 0, false
		for _, err := range c.Tail(t.Context(), admin.TailFilter{}) {
			if failed {
				t.Fatal("something came after the error")
			}
			if failed = err != nil; !failed {
				facts++
			}
		}
		if !failed || facts > strings.Count(stream, "data:") {
			t.Errorf("%d facts, error %v", facts, failed)
		}
	})
}

// A Host header that passes on loopback is loopback to a browser as well.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"localhost", "LOCALHOST.:80", "127.0.0.1:8001", "[::1]:1", "::1", "[::ffff:127.0.0.1]", "evil.example", "localhost@evil.example", "[localhost]", "localhost:80:80", "127.0.0.1%2eevil.example"} {
		f.Add(s)
	}
	handler := newBench(f).handler
	f.Fuzz(func(t *testing.T, host string) {
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return
		}
		name := host
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
		name = strings.TrimSuffix(strings.Trim(name, "[]"), ".")
		if ip, err := netip.ParseAddr(name); !strings.EqualFold(name, "localhost") && (err != nil || !ip.Unmap().IsLoopback()) {
			t.Errorf("host %q passed; it is %q to a client", host, name)
		}
	})
}
