package httpwebhook_test

import (
	"bufio"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/modules"
	httpwebhook "github.com/hookd/hookd/modules/http_webhook"
)

// open makes a destination behind the policy and closes it after the test.
func open(t *testing.T, o *httpwebhook.Options, p netguard.Policy) modules.Destination {
	t.Helper()
	g, err := netguard.New(p)
	if err != nil {
		t.Fatal(err)
	}
	g = g.With(o.AllowedHosts())
	tr := g.Transport(netguard.TransportOptions{})
	m := httpwebhook.Module()
	env := modules.Env{Log: slog.New(slog.DiscardHandler), Dial: g.DialContext, HTTP: tr, Owner: "hookd/test"}
	k, err := m.Open(t.Context(), env, nil)
	if err != nil {
		t.Fatal(err)
	}
	dest, err := m.New(env, k, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(context.Background()); err != nil {
			t.Error(err)
		}
		tr.CloseIdleConnections()
	})
	return dest
}

var loopback = netguard.Policy{AllowLoopback: true}

func options(t *testing.T, target string) *httpwebhook.Options {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &httpwebhook.Options{URL: *u, Timeout: 20 * time.Second}
}

func delivery(h http.Header, body string) *event.Delivery {
	ev := &event.Event{Hook: "github", Type: "push", Header: h, Body: []byte(body)}
	ev.ID[0] = 1
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, "github/x"), Event: ev, Lane: "github/x", Attempt: 1, Body: ev.Body}
	d.Header = http.Header{
		"Hookd-Delivery-Id": {d.ID.String()}, "Hookd-Event-Id": {ev.ID.String()}, "Hookd-Attempt": {"1"},
		"Content-Type": {"application/json"}, "Traceparent": {"00-a-b-01"},
	}
	return d
}

func failure(t *testing.T, err error) modules.Failure {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	return modules.FailureOf(err)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	dest := open(t, options(t, r.url()), loopback)
	for _, c := range []struct {
		status int
		after  string
		kind   modules.FailureKind
		code   string
		wait   time.Duration
	}{
		{300, "", modules.Retryable, "http_300", 0},
		{302, "", modules.Retryable, "http_302", 0},
		{304, "", modules.Retryable, "http_304", 0},
		{400, "", modules.Rejected, "http_400", 0},
		{400, "60", modules.Rejected, "http_400", 0},
		{401, "", modules.Rejected, "http_401", 0},
		{404, "", modules.Rejected, "http_404", 0},
		{408, "", modules.Retryable, "http_408", 0},
		{409, "", modules.Retryable, "http_409", 0},
		{409, "5", modules.Throttled, "http_409", 5 * time.Second},
		{410, "", modules.Rejected, "http_410", 0},
		{413, "", modules.Rejected, "http_413", 0},
		{422, "", modules.Rejected, "http_422", 0},
		{425, "", modules.Retryable, "http_425", 0},
		{429, "", modules.Throttled, "http_429", 0},
		{429, "120", modules.Throttled, "http_429", 2 * time.Minute},
		{429, "nonsense", modules.Throttled, "http_429", 0},
		{429, "99999999999999999999", modules.Throttled, "http_429", 24 * time.Hour},
		{500, "", modules.Retryable, "http_500", 0},
		{501, "", modules.Retryable, "http_501", 0},
		{503, "0", modules.Retryable, "http_503", 0},
		{503, "3600", modules.Throttled, "http_503", time.Hour},
		{599, "", modules.Retryable, "http_599", 0},
		{700, "", modules.Retryable, "http_700", 0},
	} {
		r.answer(func(w http.ResponseWriter, _ *http.Request) {
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, "the reason")
		})
		_, err := dest.Send(t.Context(), delivery(nil, "{}"))
		f := failure(t, err)
		if f.Kind != c.kind || f.Code != c.code || f.After != c.wait {
			t.Errorf("%d %q: %s %s %v", c.status, c.after, f.Kind, f.Code, f.After)
		}
		if c.status != 304 && !strings.Contains(err.Error(), "the reason") {
			t.Errorf("%d: %v", c.status, err)
		}
	}
	for _, status := range []int{200, 201, 202, 204, 206, 299} {
		r.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if status != 204 {
				_, _ = io.WriteString(w, "thank\n\n\tyou\x00\x1b")
			}
		})
		receipt, err := dest.Send(t.Context(), delivery(nil, "{}"))
		if err != nil {
			t.Errorf("%d: %v", status, err)
		}
		want := fmt.Sprintf("%d %s", status, http.StatusText(status))
		if status != 204 {
			want += ": thank you"
		}
		if receipt.Status != want {
			t.Errorf("%d: receipt %q, want %q", status, receipt.Status, want)
		}
	}
	if n := r.accepted.Load(); n != 1 {
		t.Errorf("%d connections, want one that is used again", n)
	}
}

func TestRetryAfterDate(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	dest := open(t, options(t, r.url()), loopback)
	for _, c := range []struct {
		at       time.Duration
		low, top time.Duration
	}{
		{time.Hour, 50 * time.Minute, time.Hour},
		{-time.Hour, 0, 0},
		{100 * time.Hour, 24 * time.Hour, 24 * time.Hour},
	} {
		r.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", time.Now().Add(c.at).UTC().Format(http.TimeFormat))
			w.WriteHeader(503)
		})
		_, err := dest.Send(t.Context(), delivery(nil, "{}"))
		if f := failure(t, err); f.After < c.low || f.After > c.top {
			t.Errorf("%v: %v", c.at, f.After)
		}
	}
}

// A redirect is not followed, neither to where the policy would allow it.
func TestRedirectToCanary(t *testing.T) {
	t.Parallel()
	canary, r := newReceiver(t), newReceiver(t)
	dest := open(t, options(t, r.url()), loopback)
	for _, status := range []int{301, 302, 303, 307, 308} {
		r.answer(func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, canary.url(), status) })
		_, err := dest.Send(t.Context(), delivery(nil, "{}"))
		if f := failure(t, err); f.Kind != modules.Retryable || f.Code != fmt.Sprintf("http_%d", status) || !strings.Contains(err.Error(), "not followed") {
			t.Errorf("%d: %s %v", status, f.Code, err)
		}
	}
	if canary.accepted.Load() != 0 {
		t.Error("the canary was reached")
	}
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, answer, code string }{
		{"nothing", "", modules.CodeConnectionLost},
		{"nonsense", "SSH-2.0-OpenSSH_9.6\r\n", modules.CodeBadAnswer},
		{"control bytes", "\x00\x01\x02\xff\xfe\r\n\r\n", modules.CodeBadAnswer},
		{"bad status", "HTTP/1.1 abc OK\r\n\r\n", modules.CodeBadAnswer},
		{"bad header", "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", modules.CodeBadAnswer},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", modules.CodeBadAnswer},
		{"closed in the status line", "HTTP/1.1 20", modules.CodeBadAnswer}, // net/http reads what came as a line
		{"closed in the header", "HTTP/1.1 200 OK\r\nContent-Le", modules.CodeBadAnswer},
		{"closed before the header ends", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", modules.CodeConnectionLost},
		{"header too large", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 128<<10) + "\r\n\r\n", modules.CodeBadAnswer},
		{"switched protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", modules.CodeBadAnswer},
		{"TLS", "\x15\x03\x01\x00\x02\x02\x46", modules.CodeBadAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dest := open(t, options(t, raw(t, c.answer)), loopback)
			_, err := dest.Send(t.Context(), delivery(nil, "{}"))
			f := failure(t, err)
			if f.Kind != modules.Retryable || f.Code != c.code {
				t.Errorf("%s %s: %v", f.Kind, f.Code, err)
			}
			if strings.ContainsAny(err.Error(), "\x00\x01") || !utf8.ValidString(err.Error()) || len(err.Error()) > 2048 {
				t.Errorf("the error shows raw bytes: %q", err)
			}
		})
	}
}

// The status is the far end's word; a body that breaks off takes nothing back.
func TestAnswerThatBreaksOffAfterItsStatus(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nonly this",
	} {
		dest := open(t, options(t, raw(t, answer)), loopback)
		if receipt, err := dest.Send(t.Context(), delivery(nil, "{}")); err != nil || !strings.HasPrefix(receipt.Status, "200 OK") {
			t.Errorf("%q: %v, %v", answer, receipt, err)
		}
	}
}

func TestBigAnswer(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	dest := open(t, options(t, r.url()), loopback)
	r.answer(func(w http.ResponseWriter, _ *http.Request) {
		for range 1024 {
			if _, err := io.WriteString(w, strings.Repeat("é", 1024)); err != nil {
				return
			}
		}
	})
	receipt, err := dest.Send(t.Context(), delivery(nil, "{}"))
	if err != nil || len(receipt.Status) > 1100 || !strings.HasSuffix(receipt.Status, "é") {
		t.Errorf("%v, a receipt of %d bytes", err, len(receipt.Status))
	}
}

// Compression is not asked for and not undone.
func TestGzipAnswerIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	o := options(t, r.url())
	o.Forward = true
	dest := open(t, o, loopback)
	r.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte{0x1f, 0x8b, 'b', 'o', 'm', 'b'})
	})
	receipt, err := dest.Send(t.Context(), delivery(http.Header{"Accept-Encoding": {"gzip"}}, "{}"))
	if err != nil || !strings.Contains(receipt.Status, "bomb") {
		t.Errorf("%v %v", receipt, err)
	}
	if got := r.last(t).Header.Get("Accept-Encoding"); got != "" {
		t.Errorf("asked for %q", got)
	}
}

// A kept connection that the far end closed meanwhile costs no attempt.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	target, requests := stale(t)
	o := options(t, target)
	dest := open(t, o, loopback)
	for range 2 {
		if _, err := dest.Send(t.Context(), delivery(nil, "{}")); err != nil {
			t.Error(err)
		}
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests were read, want 3: the second was not the one that was cut", n)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	_, release := r.stall()
	defer release()
	o := options(t, r.url())
	o.Timeout = 50 * time.Millisecond
	dest := open(t, o, loopback)
	_, err := dest.Send(t.Context(), delivery(nil, "{}"))
	if f := failure(t, err); f.Kind != modules.Retryable || f.Code != modules.CodeTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s %s %v", f.Kind, f.Code, err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.stop()
	defer r.start()
	dest := open(t, options(t, r.url()), loopback)
	_, err := dest.Send(t.Context(), delivery(nil, "{}"))
	if f := failure(t, err); f.Kind != modules.Retryable || f.Code != modules.CodeUnavailable {
		t.Errorf("%s %s %v", f.Kind, f.Code, err)
	}
}

// The policy refuses the dialled address, says so, and nothing arrives; the
// destination's allowed_hosts lifts it.
func TestEgress(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	o := options(t, r.url())
	dest := open(t, o, netguard.Policy{})
	_, err := dest.Send(t.Context(), delivery(nil, "{}"))
	var denied *netguard.Denied
	if f := failure(t, err); f.Kind != modules.Retryable || f.Code != modules.CodeEgressDenied || !errors.As(err, &denied) || denied.Rule != netguard.RuleLoopback {
		t.Errorf("%s %s %v", f.Kind, f.Code, err)
	}
	if err := dest.(modules.Checker).Check(t.Context()); modules.FailureOf(err).Code != modules.CodeEgressDenied {
		t.Errorf("Check: %v", err)
	}
	if r.accepted.Load() != 0 {
		t.Fatal("it arrived")
	}
	o.Hosts = []string{"127.0.0.1"}
	if _, err := open(t, o, netguard.Policy{}).Send(t.Context(), delivery(nil, "{}")); err != nil {
		t.Error(err)
	}
}

// An error page that echoes the request does not bring secrets into the
// history, and no error names the URL's path.
func TestSecretsInAnswers(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	o := options(t, "http://"+r.addr+"/services/T000-long-path-secret?key=query-secret")
	o.Headers = map[string]secret.String{"Authorization": secret.New("Bearer header-secret"), "X-Key": secret.New(strings.Repeat("k", 40))}
	dest := open(t, o, loopback)
	for _, status := range []int{200, 404, 500} {
		r.answer(func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.Repeat("x", 1010)+req.Header.Get("X-Key")+"Cannot POST "+req.URL.String()+" "+req.Header.Get("Authorization"))
		})
		receipt, err := dest.Send(t.Context(), delivery(nil, "{}"))
		noSecret(t, fmt.Sprint(receipt, err))
		r.answer(func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "Cannot POST "+req.URL.String()+" "+req.Header.Get("Authorization")+" header-secret")
		})
		receipt, err = dest.Send(t.Context(), delivery(nil, "{}"))
		noSecret(t, fmt.Sprint(receipt, err))
	}
	r.stop()
	defer r.start()
	_, err := dest.Send(t.Context(), delivery(nil, "{}"))
	noSecret(t, fmt.Sprint(err))
}

// A secret that begins like another does not leave the rest of that one behind.
func TestSecretInsideAnother(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.answer(func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, req.Header.Get("X-B"))
	})
	for range 20 { // headers have no order
		o := options(t, r.url())
		o.Headers = map[string]secret.String{"X-A": secret.New("abcd"), "X-B": secret.New("abcd-and-more"), "X-C": secret.New("more")}
		_, err := open(t, o, loopback).Send(t.Context(), delivery(nil, "{}"))
		if text := fmt.Sprint(err); strings.Contains(text, "and") {
			t.Fatal(text)
		}
	}
}

func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{"path-secret", "query-secret", "header-secret", "kkkk"} {
		if strings.Contains(text, s) {
			t.Errorf("%s is shown: %s", s, text)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.ServerName != "" && r.TLS.ServerName != "example.com" {
			t.Errorf("server name %q", r.TLS.ServerName)
		}
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	ca := t.TempDir() + "/ca.pem"
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		tls  httpwebhook.TLS
		code string
	}{
		{"system authorities", httpwebhook.TLS{}, "http_tls"},
		{"own authority", httpwebhook.TLS{CAFile: ca}, ""},
		{"own authority, its name", httpwebhook.TLS{CAFile: ca, ServerName: "example.com"}, ""},
		{"own authority, wrong name", httpwebhook.TLS{CAFile: ca, ServerName: "other.example"}, "http_tls"},
		{"insecure", httpwebhook.TLS{Insecure: true}, ""},
	} {
		o := options(t, srv.URL)
		o.TLS = c.tls
		dest := open(t, o, loopback)
		_, err := dest.Send(t.Context(), delivery(nil, "{}"))
		checked := dest.(modules.Checker).Check(t.Context())
		for what, err := range map[string]error{"Send": err, "Check": checked} {
			switch {
			case c.code == "" && err != nil:
				t.Errorf("%s: %s: %v", c.name, what, err)
			case c.code != "" && (err == nil || modules.FailureOf(err).Code != c.code):
				t.Errorf("%s: %s: %v", c.name, what, err)
			}
		}
	}
	// Files that cannot be used are an error when the destination is made.
	for _, bad := range []httpwebhook.TLS{{CAFile: ca + "x"}, {CertFile: ca, KeyFile: ca}, {CAFile: "send_test.go"}} {
		o := options(t, srv.URL)
		o.TLS = bad
		m := httpwebhook.Module()
		k, err := m.Open(t.Context(), modules.Env{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.New(modules.Env{}, k, o); err == nil {
			t.Errorf("%+v passed", bad)
		}
	}
}

// Destinations come and go under one connection, which reloads keep.
func TestOneConnectionManyDestinations(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	g, err := netguard.New(loopback)
	if err != nil {
		t.Fatal(err)
	}
	m := httpwebhook.Module()
	env := modules.Env{Dial: g.DialContext}
	k, err := m.Open(t.Context(), env, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			o := options(t, srv.URL)
			o.TLS.Insecure = true
			dest, err := m.New(env, k, o)
			if err == nil {
				_, err = dest.Send(t.Context(), delivery(nil, "{}"))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := k.Close(t.Context()); err != nil { // goleak sees what it left
		t.Error(err)
	}
}

// A far end that switches protocols has the connection for itself: what it does
// with it must not hold a delivery beyond its time.
func TestSwitchedProtocolsAndHeldOpen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // until hookd hangs up
	}()
	o := options(t, "http://"+l.Addr().String())
	o.Timeout = time.Second
	sent := make(chan error, 1)
	dest := open(t, o, loopback)
	go func() {
		_, err := dest.Send(t.Context(), delivery(nil, "{}"))
		sent <- err
	}()
	select {
	case err := <-sent:
		if f := failure(t, err); f.Code != modules.CodeBadAnswer {
			t.Errorf("%s: %v", f.Code, err)
		}
	case <-time.After(20 * time.Second):
		t.Error("no end")
	}
	<-ended
	_ = l.Close()
}

// A kept connection that the far end closes when the next request comes costs no
// attempt: the request is sent once more over another.
func TestConnectionClosedWhileIdle(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		served.Wait()
	})
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				if req, err := http.ReadRequest(in); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
					_, _ = in.ReadByte() // of the next
				}
			})
		}
	})
	dest := open(t, options(t, "http://"+l.Addr().String()), loopback)
	for i := range 3 {
		if _, err := dest.Send(t.Context(), delivery(nil, "{}")); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}
