package server_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/server/admin"
)

// TestStandardOutputGone: when whoever reads the standard output goes away, the
// deliveries that are written to it wait, and nothing else does.
func TestStandardOutputGone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGPIPE there, and a pipe that nobody reads is another error")
	}
	cfg := newDaemonConfig(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(cfg.dir, "webhooks.json"), []byte(`{"a": {"module": "log"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cfg.stdout = w
	d := cfg.start(t)
	_, _ = w.Close(), r.Close()
	res, err := http.Post(d.base+"/webhook/a", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	tried := poll(20*time.Second, func() bool {
		page, err := client.Events(t.Context(), admin.Filter{}, "", 10)
		return err == nil && len(page.Events) == 1 && len(page.Events[0].Deliveries) == 1 && page.Events[0].Deliveries[0].Code == "unavailable"
	})
	if !tried {
		t.Errorf("the delivery was not tried again:\n%s", tail(d.log.String()))
	}
	d.stop(t)
}
