package link_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type connection struct{ TLS link.TLS }

func (c *connection) Fields() spec.Fields { return spec.Fields{c.TLS.Field("tls").Alias("ssl")} }

// The settings are an object, or one word for the whole.
func TestWhenTLSIsOn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{}`: false, `{"tls": true}`: true, `{"ssl": true}`: true, `{"tls": false}`: false, `{"tls": {}}`: true,
		`{"tls": {"server_name": "x"}}`: true, `{"tls": {"enabled": false, "server_name": "x"}}`: false, `{"tls": "yes"}`: true,
	} {
		var c connection
		node, list := spec.ParseJSON("f", []byte(text))
		if list = append(list, spec.Decode(node, &c, "")...); len(list) > 0 {
			t.Errorf("%s: %v", text, list)
		}
		if c.TLS.On() != want {
			t.Errorf("%s: %v", text, c.TLS.On())
		}
		if cfg, err := c.TLS.Client("h"); err != nil || (cfg != nil) != want {
			t.Errorf("%s: %v %v", text, cfg, err)
		}
	}
}

func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []link.TLS{{CAFile: missing}, {CAFile: "link_test.go"}, {CertFile: missing, KeyFile: missing}} {
		c.Written, c.Enabled = true, true
		if _, err := c.Client("h"); err == nil {
			t.Errorf("%+v passed", c)
		}
	}
	for _, text := range []string{`{"tls": {"cert_file": "x"}}`, `{"tls": {"key_file": "x"}}`, `{"tls": 7}`} {
		node, list := spec.ParseJSON("f", []byte(text))
		if list = append(list, spec.Decode(node, &connection{}, "")...); !list.HasErrors() {
			t.Errorf("%s passed", text)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	ended, end := context.WithCancel(t.Context())
	end()
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, c := range []struct {
		ctx  context.Context
		err  error
		code string
	}{
		{t.Context(), refused, modules.CodeUnavailable},
		{t.Context(), &netguard.Denied{}, modules.CodeEgressDenied},
		{over, refused, modules.CodeTimeout},
		{ended, refused, modules.CodeShutdown},
		{t.Context(), &net.DNSError{IsTimeout: true}, modules.CodeTimeout},
		{t.Context(), &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, modules.CodeTLS},
	} {
		f := modules.FailureOf(link.Failure(c.ctx, c.err))
		if f.Code != c.code || f.Kind != modules.Retryable || !errors.Is(&f, c.err) {
			t.Errorf("%v: %+v, want %s", c.err, f, c.code)
		}
	}
}

// A call that returns in time is not cut; one that hangs is, soon after its
// context ended.
func TestBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		want := errors.New("its own")
		uncut := func() { t.Error("cut") }
		if err := link.Bounded(ctx, uncut, func() error { return want }); !errors.Is(err, want) {
			t.Error(err)
		}
		late := func() error { <-time.After(time.Second + link.Grace/2); return nil }
		if err := link.Bounded(ctx, uncut, late); err != nil {
			t.Error(err)
		}
		start, hang := time.Now(), make(chan struct{})
		_ = link.Bounded(ctx, func() { close(hang) }, func() error { <-hang; return nil })
		if took := time.Since(start); took != link.Grace {
			t.Errorf("cut after %v", took)
		}
	})
}
