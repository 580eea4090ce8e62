package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	authall "github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/testinfra"
	modulesall "github.com/hookd/hookd/modules/all"
	"github.com/hookd/hookd/server"
	"github.com/hookd/hookd/server/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// running is a daemon in this process.
type running struct {
	server.Started
	dir    string
	out    *lockedBuffer // of the log module
	reload chan struct{}
	cancel context.CancelFunc
	done   chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// options are those of a daemon in dir, with webhooks.json there.
func options(t *testing.T, dir, webhooks string) (server.Options, *lockedBuffer) {
	t.Helper()
	out := &lockedBuffer{}
	mods, err := modulesall.Registry(out)
	if err != nil {
		t.Fatal(err)
	}
	methods, err := authall.Registry()
	if err != nil {
		t.Fatal(err)
	}
	var catalog config.Catalog
	for m := range mods.All() {
		catalog.Modules = append(catalog.Modules, config.ModuleSpec{
			Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(), Options: m.Options, Connection: m.Connection,
		})
	}
	for m := range methods.All() {
		catalog.Auth = append(catalog.Auth, config.AuthSpec{Name: m.Name(), Options: m.Options})
	}
	for _, p := range presets.All() {
		catalog.Providers = append(catalog.Providers, p.Name)
		if p.Unsigned {
			catalog.Unsigned = append(catalog.Unsigned, p.Name)
		}
	}
	if webhooks != "" {
		if err := os.WriteFile(filepath.Join(dir, "webhooks.json"), []byte(webhooks), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return server.Options{
		Version: "test", Modules: mods, Auth: methods, Catalog: catalog,
		Files:  server.Files{Webhooks: filepath.Join(dir, "webhooks.json"), Connections: filepath.Join(dir, "connections.json")},
		Listen: "127.0.0.1:0", Admin: server.Admin{Listen: "127.0.0.1:0"}, DataDir: filepath.Join(dir, "data"),
		Delivery: server.Delivery{Timeout: 5 * time.Second, Grace: 5 * time.Second},
		Limits:   server.Limits{Body: 1 << 20, BodyTime: 5 * time.Second},
	}, out
}

// start runs a daemon until the test ends.
func start(t *testing.T, dir, webhooks string, set ...func(*server.Options)) *running {
	t.Helper()
	o, out := options(t, dir, webhooks)
	r := &running{dir: dir, out: out, reload: make(chan struct{}), done: make(chan error, 1)}
	o.Reload = r.reload
	up := make(chan server.Started, 1)
	o.Started = func(s server.Started) { up <- s }
	for _, f := range set {
		f(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.done <- server.Run(ctx, o) }()
	select {
	case r.Started = <-up:
	case err := <-r.done:
		t.Fatalf("did not start: %v", err)
	}
	t.Cleanup(func() { r.stop(t) })
	return r
}

// stop ends the daemon as SIGTERM does. A second call does nothing.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if r.cancel == nil {
		return
	}
	r.cancel()
	r.cancel = nil
	if err := <-r.done; err != nil {
		t.Errorf("end of run: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// push posts a signed push and returns the status and the answer.
func (r *running) push(t *testing.T, delivery, body, signed string) (int, map[string]any) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	_, _ = io.WriteString(mac, signed)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.Listen+"/webhook/github", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	req.Header.Set("X-GitHub-Delivery", delivery)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatalf("status %d: %v", res.StatusCode, err)
	}
	return res.StatusCode, answer
}

func (r *running) client(t *testing.T) *admin.Client {
	c := &admin.Client{BaseURL: "http://" + r.Admin, HTTP: admin.NewHTTPClient()}
	t.Cleanup(c.HTTP.CloseIdleConnections)
	return c
}

// settled waits until no delivery is open.
func (r *running) settled(t *testing.T) {
	t.Helper()
	c := r.client(t)
	ok := poll(20*time.Second, func() bool {
		lanes, err := c.Lanes(t.Context())
		if err != nil {
			return false
		}
		n := 0
		for _, l := range lanes {
			n += l.Ready + l.Delayed + l.Leased
		}
		return n == 0
	})
	if !ok {
		t.Fatal("deliveries stay open")
	}
}

// collector is a far end that keeps the bodies it gets.
type collector struct {
	*sink
	mu     sync.Mutex
	bodies []string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies = append(c.bodies, string(b))
	w.WriteHeader(http.StatusNoContent)
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{sink: newSink(t)}
	c.server.Handler = c
	return c
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.bodies...)
}

const spreads = `{"github": {"provider": "github", "secret": %q,
  "chain": [
    {"module": "log", "name": "log", "module-config": {"redact_sensitive": false}},
    {"module": "save_to_disk", "name": "disk", "module-config": {"path": "received", "base_dir": %q}},
    {"module": "http_webhook", "name": "http", "module-config": {"url": %q, "allowed_hosts": ["127.0.0.1"]}}
  ], "chain-config": {"execution": "parallel"}}}`

func TestSpreadsByteForByte(t *testing.T) {
	far := newCollector(t)
	dir := t.TempDir()
	r := start(t, dir, fmt.Sprintf(spreads, webhookSecret, dir, far.url))
	body := `{"ref":"refs/heads/main",  "note":"bytes stay as they are: \u00e9 é"}`

	status, answer := r.push(t, "one", body, body)
	if status != http.StatusOK || len(fmt.Sprint(answer["id"])) != 36 {
		t.Fatalf("status %d, answer %v", status, answer)
	}
	if status, again := r.push(t, "one", body, body); status != http.StatusOK || again["id"] != answer["id"] || again["duplicate"] != true {
		t.Errorf("the same delivery id again: %d %v", status, again)
	}
	if status, refused := r.push(t, "two", body, body+" "); status != http.StatusUnauthorized || refused["id"] != nil {
		t.Errorf("a body that was not signed: %d %v", status, refused)
	}
	r.settled(t)

	if got := far.got(); len(got) != 1 || got[0] != body {
		t.Errorf("the HTTP receiver got %q", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "received", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if b, err := os.ReadFile(files[0]); err != nil || string(b) != body {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if !strings.Contains(r.out.String(), body) {
		t.Errorf("the log does not hold the body:\n%s", r.out)
	}
}

// What was accepted before an orderly end is delivered after the next start.
func TestDeliversAfterRestart(t *testing.T) {
	far := newCollector(t)
	far.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	dir := t.TempDir()
	hooks := fmt.Sprintf(spreads, webhookSecret, dir, far.url)
	r := start(t, dir, hooks)
	if status, answer := r.push(t, "one", `{"a":1}`, `{"a":1}`); status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	r.stop(t)

	up := newCollector(t)
	r = start(t, dir, fmt.Sprintf(spreads, webhookSecret, dir, up.url))
	r.settled(t)
	if got := up.got(); len(got) != 1 || got[0] != `{"a":1}` {
		t.Errorf("after the restart: %q", got)
	}
}

func TestReload(t *testing.T) {
	one, two := newCollector(t), newCollector(t)
	dir := t.TempDir()
	r := start(t, dir, fmt.Sprintf(spreads, webhookSecret, dir, one.url))
	c := r.client(t)
	write := func(s string) admin.ReloadResult {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "webhooks.json"), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := c.Reload(t.Context(), admin.ReloadRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}

	if res := write(`{"github": {"module": "no_such_module"}}`); res.OK || len(res.Problems) == 0 {
		t.Errorf("a bad file was taken: %+v", res)
	}
	if status, answer := r.push(t, "one", `{"a":1}`, `{"a":1}`); status != http.StatusOK {
		t.Errorf("after a refused reload: %d %v", status, answer)
	}
	r.settled(t)
	if res := write(fmt.Sprintf(spreads, webhookSecret, dir, two.url)); !res.OK {
		t.Fatalf("refused: %+v", res)
	}
	if status, answer := r.push(t, "two", `{"a":2}`, `{"a":2}`); status != http.StatusOK {
		t.Errorf("after a reload: %d %v", status, answer)
	}
	r.settled(t)
	if a, b := one.got(), two.got(); len(a) != 1 || len(b) != 1 || b[0] != `{"a":2}` {
		t.Errorf("before the reload %q, after it %q", a, b)
	}
}

func TestConfigurationWithErrorsDoesNotStart(t *testing.T) {
	o, _ := options(t, t.TempDir(), `{"github": {"module": "lgo"}}`)
	err := server.Run(t.Context(), o)
	var bad *server.ConfigError
	if !errors.As(err, &bad) || !bad.Problems.HasErrors() {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(o.DataDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data directory was touched: %v", err)
	}
}

func TestDevNeedsNoFile(t *testing.T) {
	r := start(t, t.TempDir(), "", func(o *server.Options) { o.Dev = true })
	res, err := http.Post("http://"+r.Listen+"/webhook/demo", "application/json", strings.NewReader(`{"hello":"world"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	r.settled(t)
	if !strings.Contains(r.out.String(), `{"hello":"world"}`) {
		t.Errorf("log: %s", r.out)
	}
}

// TestProofThatCannotBeMade: what only the sender finds wrong ends the start with
// the place in the file.
func TestProofThatCannotBeMade(t *testing.T) {
	o, _ := options(t, t.TempDir(), `{"square": {"provider": "square", "secret": "s3cret-0123456789", "module": "log"}}`)
	var bad *server.ConfigError
	if err := server.Run(t.Context(), o); !errors.As(err, &bad) || len(bad.Problems) != 1 || !strings.Contains(bad.Problems[0].Message, "public_url") {
		t.Errorf("got %v", err)
	}
}

// What an operator and the docs see of the configuration holds no secret.
func TestConfigurationIsShownWithoutSecrets(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, fmt.Sprintf(`{"github": {"provider": "github", "secret": %q, "module": "log"},
		"basic": {"basic_auth": {"username": "ci", "password": "pass-word-of-ci"}, "module": "http_webhook",
		"module-config": {"url": "https://example.com/", "headers": {"X-Api-Key": "key-of-the-far-end"}}}}`, webhookSecret))
	for _, u := range []string{"http://" + r.Admin + "/api/v1/config", "http://" + r.Admin + "/api/v1/hooks", "http://" + r.Listen + "/openapi.json"} {
		res, err := http.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || !strings.Contains(string(b), "github") {
			t.Errorf("%s: %d %s", u, res.StatusCode, b)
		}
		for _, s := range []string{webhookSecret, "pass-word-of-ci", "key-of-the-far-end"} {
			if strings.Contains(string(b), s) {
				t.Errorf("%s shows %q", u, s)
			}
		}
	}
}

// The limits of hookd.yaml hold for JSON bodies.
func TestLimitsOfBodies(t *testing.T) {
	r := start(t, t.TempDir(), fmt.Sprintf(`{"github": {"provider": "github", "secret": %q, "module": "log"}}`, webhookSecret),
		func(o *server.Options) { o.Limits.Depth, o.Limits.String = 2, 5 })
	for body, want := range map[string]int{
		`[[1]]`: http.StatusOK, `[[[1]]]`: http.StatusBadRequest, `"12345"`: http.StatusOK, `{"123456":1}`: http.StatusBadRequest,
	} {
		if status, answer := r.push(t, body, body, body); status != want {
			t.Errorf("%s: %d %v, want %d", body, status, answer, want)
		}
	}
}

// A sender that is still sending when hookd ends is cut off in the end, and the
// end is an orderly one.
func TestEndWithoutSlowSenders(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), `{"open": {"module": "log"}}`, func(o *server.Options) { o.Limits.BodyTime = 100 * time.Millisecond })
	c, err := net.Dial("tcp", r.Listen) //nolint:noctx // as a stranger would
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // far more than it takes
	_, err = fmt.Fprintf(c, "POST /webhook/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") { // the handler reads
		t.Fatal(line, err)
	}
	if _, err := c.Write(make([]byte, 50_000)); err != nil { // a large body, at any rate
		t.Fatal(err)
	}
	r.stop(t)
	if rest, err := io.ReadAll(in); errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(string(rest), " 200 ") {
		t.Errorf("answered %q, %v", rest, err)
	}
}
