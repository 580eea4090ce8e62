package httpwebhook_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/secret"
	httpwebhook "github.com/hookd/hookd/modules/http_webhook"
)

// sent is the header of one delivery as it arrives.
func sent(t *testing.T, change func(*httpwebhook.Options), from http.Header) http.Header {
	t.Helper()
	r := newReceiver(t)
	o := options(t, r.url())
	change(o)
	if _, err := open(t, o, loopback).Send(t.Context(), delivery(from, `{}`)); err != nil {
		t.Fatal(err)
	}
	return r.last(t).Header
}

func want(t *testing.T, h http.Header, name string, values ...string) {
	t.Helper()
	if got := h.Values(name); !slices.Equal(got, values) {
		t.Errorf("%s is %q, want %q", name, got, values)
	}
}

func TestNothingIsForwardedUnasked(t *testing.T) {
	t.Parallel()
	h := sent(t, func(*httpwebhook.Options) {}, http.Header{"X-Github-Event": {"push"}, "User-Agent": {"GitHub"}})
	want(t, h, "X-Github-Event")
	want(t, h, "User-Agent", "hookd/test")
	want(t, h, "Content-Type", "application/json")
	want(t, h, "X-Test-Method", "POST")
}

func TestForward(t *testing.T) {
	t.Parallel()
	h := sent(t, func(o *httpwebhook.Options) { o.Forward = true }, http.Header{
		"X-Github-Event":       {"push"},
		"X-Twice":              {"1", "2"},
		"User-Agent":           {"GitHub"},
		"Content-Type":         {"text/plain"},
		"Host":                 {"evil.example"},
		"Content-Length":       {"999"},
		"Content-Encoding":     {"gzip"},
		"Transfer-Encoding":    {"chunked"},
		"Connection":           {"keep-alive, X-Hop"},
		"X-Hop":                {"1"},
		"Keep-Alive":           {"1"},
		"Proxy-Connection":     {"1"},
		"Proxy-Authenticate":   {"1"},
		"Proxy-Authorization":  {"1"},
		"Te":                   {"trailers"},
		"Trailer":              {"X"},
		"Upgrade":              {"h2c"},
		"Expect":               {"100-continue"},
		"Bad Name":             {"1"},
		"X-Bad-Value":          {"a\r\nX-Injected: 1"},
		"X-Half-Bad":           {"good", "b\x00d"},
		"Hookd-Delivery-Id":    {"forged"},
		"Hookd-Extra":          {"forged"},
		"Traceparent":          {"forged"},
		"Tracestate":           {"forged"},
		"Webhook-Id":           {"forged"},
		"Authorization":        {"kept for another destination"},
		"X-Hub-Signature-256":  {"kept for another destination"},
		"Cookie":               {"kept=1"},
		"Idempotency-Reminder": {"x"},
	})
	want(t, h, "X-Github-Event", "push")
	want(t, h, "X-Twice", "1", "2")
	want(t, h, "User-Agent", "GitHub")
	want(t, h, "Content-Type", "application/json") // hookd's: the body may be a transform's
	want(t, h, "X-Half-Bad", "good")
	want(t, h, "Traceparent", "00-a-b-01")
	want(t, h, "Idempotency-Reminder", "x")
	for _, gone := range []string{
		"Content-Encoding", "Transfer-Encoding", "Connection", "X-Hop", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
		"Proxy-Authorization", "Te", "Trailer", "Upgrade", "Expect", "Bad Name", "X-Bad-Value", "X-Injected",
		"Hookd-Extra", "Tracestate", "Webhook-Id", "Authorization", "X-Hub-Signature-256", "Cookie",
	} {
		want(t, h, gone)
	}
	if got := h.Get("X-Test-Host"); !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("host %q", got)
	}
	if got := h.Values("Hookd-Delivery-Id"); len(got) != 1 || got[0] == "forged" {
		t.Errorf("delivery id %q", got)
	}
}

// An empty list forwards none, no list all; what is named is sent on although
// it is a credential.
func TestAllowedHeaders(t *testing.T) {
	t.Parallel()
	from := http.Header{"X-One": {"1"}, "X-Two": {"2"}, "Authorization": {"Basic x"}, "Connection": {"x"}}
	h := sent(t, func(o *httpwebhook.Options) { o.Forward, o.AllowedSet, o.Allowed = true, true, []string{} }, from)
	want(t, h, "X-One")
	h = sent(t, func(o *httpwebhook.Options) {
		o.Forward, o.AllowedSet, o.Allowed = true, true, []string{"x-one", "AUTHORIZATION", "connection", "X-Absent"}
	}, from)
	want(t, h, "X-One", "1")
	want(t, h, "X-Two")
	want(t, h, "Authorization", "Basic x")
	want(t, h, "Connection")
	h = sent(t, func(o *httpwebhook.Options) { o.AllowedSet, o.Allowed = true, []string{"X-One"} }, from)
	want(t, h, "X-One")

	o := &httpwebhook.Options{Allowed: []string{"Authorization"}}
	if o.ForwardedHeaders() != nil {
		t.Error("names headers that it does not forward")
	}
	o.Forward = true
	if !slices.Equal(o.ForwardedHeaders(), []string{"Authorization"}) {
		t.Error("does not name what it forwards")
	}
}

func TestConfiguredHeaders(t *testing.T) {
	t.Parallel()
	h := sent(t, func(o *httpwebhook.Options) {
		o.Forward, o.Method = true, httpwebhook.Put
		o.Headers = map[string]secret.String{
			"x-one":             secret.New("configured"),
			"Authorization":     secret.New("Bearer t"),
			"content-type":      secret.New("application/vnd.x+json"),
			"user-agent":        secret.New("own"),
			"Bad Name":          secret.New("x"),
			"X-Bad":             secret.New("a\r\nX-Injected: 1"),
			"Connection":        secret.New("close"),
			"Host":              secret.New("evil.example"),
			"Content-Length":    secret.New("1"),
			"Hookd-Delivery-Id": secret.New("forged"),
		}
	}, http.Header{"X-One": {"forwarded", "twice"}, "Authorization": {"Basic sender"}})
	want(t, h, "X-One", "configured")
	want(t, h, "Authorization", "Bearer t")
	want(t, h, "Content-Type", "application/vnd.x+json")
	want(t, h, "User-Agent", "own")
	want(t, h, "X-Test-Method", "PUT")
	for _, gone := range []string{"X-Bad", "X-Injected", "Bad Name", "Connection"} {
		want(t, h, gone)
	}
	if got := h.Get("Hookd-Delivery-Id"); got == "forged" || got == "" {
		t.Errorf("delivery id %q", got)
	}
	if got := h.Get("X-Test-Host"); !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("host %q", got)
	}
}
