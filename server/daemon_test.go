package server_test

import (
	"bytes"
	"cmp"
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
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/server/admin"
)

// These tests run the real binary as a process of its own: what they ask is
// what is left of it after kill -9, a power cut, or a million events.

const webhookSecret = "a secret of the crash tests"

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hookd-bin-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "hookd")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "grpcnotrace,nomsgpack", "-o", bin, "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

func binary(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the binary: not in -short")
	}
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// daemon is one run of `hookd serve`.
type daemon struct {
	cmd  *exec.Cmd
	base string
	done chan error
	log  *bytes.Buffer
}

type daemonConfig struct {
	bin, dir, data string
	listen, admin  string
	env            []string
	stdout         *os.File // instead of the log; nil for none
}

// newDaemonConfig writes the configuration of a hook "github" that delivers to
// each of urls.
func newDaemonConfig(t testing.TB, data string, urls ...string) daemonConfig {
	t.Helper()
	dir := t.TempDir()
	var chain []map[string]any
	for i, u := range urls {
		chain = append(chain, map[string]any{
			"module": "http_webhook", "name": "sink-" + strconv.Itoa(i+1), "concurrency": 32,
			"module-config": map[string]any{"url": u, "allowed_hosts": []string{"127.0.0.1"}, "timeout": 5},
		})
	}
	hooks, err := json.Marshal(map[string]any{"github": map[string]any{
		"provider": "github", "secret": webhookSecret, "chain": chain,
		"chain-config": map[string]any{"execution": "parallel"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "webhooks.json"), hooks, 0o600); err != nil {
		t.Fatal(err)
	}
	return daemonConfig{bin: binary(t), dir: dir, data: data, listen: freeAddr(t), admin: freeAddr(t)}
}

// freeAddr is a loopback address that nothing listens on and that stays free while
// the daemon is down.
func freeAddr(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(testinfra.FreePort(t)))
}

// start runs the daemon and waits until it is ready.
func (c daemonConfig) start(t testing.TB) *daemon {
	t.Helper()
	d := &daemon{base: "http://" + c.listen, done: make(chan error, 1), log: new(bytes.Buffer)}
	d.cmd = exec.Command(c.bin, "serve", "--webhooks", "webhooks.json", "--connections", "connections.json",
		"--listen", c.listen, "--admin-listen", c.admin, "--data-dir", c.data)
	d.cmd.Dir = c.dir
	d.cmd.Env = append(os.Environ(), c.env...)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if c.stdout != nil {
		d.cmd.Stdout = c.stdout
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.done <- d.cmd.Wait() }()
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	ready := poll(30*time.Second, func() bool {
		res, err := http.Get(d.base + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	if !ready {
		_ = d.cmd.Process.Kill()
		<-d.done
		t.Fatalf("hookd did not become ready:\n%s", d.log)
	}
	return d
}

// kill ends the daemon as a crash does.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	<-d.done
}

// stop ends the daemon as an operator does.
func (d *daemon) stop(t testing.TB) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-d.done; err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, tail(d.log.String()))
	}
}

func tail(s string) string {
	if len(s) > 4000 {
		return "..." + s[len(s)-4000:]
	}
	return s
}

// poll asks ok every few milliseconds until it is so or the time is over: what
// goes on in another process gives no signal.
func poll(limit time.Duration, ok func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for {
		if ok() {
			return true
		}
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
}

// pending is how many deliveries are not settled.
func (c daemonConfig) pending(ctx context.Context) (int, error) {
	client := admin.Client{BaseURL: "http://" + c.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	lanes, err := client.Lanes(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, l := range lanes {
		n += l.Ready + l.Delayed + l.Leased
	}
	return n, nil
}

// sink is a destination that remembers what it took.
type sink struct {
	url    string
	server *http.Server

	mu     sync.Mutex
	times  map[string]int // event id → deliveries
	body   map[string]int // event id → number in the body
	refuse bool
}

func newSink(t testing.TB) *sink {
	t.Helper()
	s := &sink{times: make(map[string]int), body: make(map[string]int)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String() + "/"
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(l) }()
	t.Cleanup(func() { _ = s.server.Close() })
	return s
}

func (s *sink) setRefuse(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = v
}

// ServeHTTP takes a delivery. The event counts as delivered once it is noted,
// whether or not hookd lives to read the answer.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var doc struct{ N int }
	err := json.NewDecoder(r.Body).Decode(&doc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse || err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := r.Header.Get("Hookd-Event-Id")
	s.times[id]++
	s.body[id] = doc.N
}

// ledger is what the sender was told.
type ledger struct {
	mu       sync.Mutex
	accepted map[string]int // event id → number
	refused  map[int]int    // status → count
	broken   int            // requests without an answer
}

func newLedger() *ledger {
	return &ledger{accepted: make(map[string]int), refused: make(map[int]int)}
}

// sender posts numbered, signed events.
type sender struct {
	base   string
	pad    string
	body   string // instead of a number and the pad
	client *http.Client
	book   *ledger
	next   func() int
}

func newSender(base string, book *ledger) *sender {
	var (
		mu sync.Mutex
		n  int
	)
	return &sender{
		base: base, book: book, pad: strings.Repeat("x", 1500),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		next: func() int {
			mu.Lock()
			defer mu.Unlock()
			n++
			return n
		},
	}
}

// run sends from many workers until the context ends. What is under way then
// is sent to its end, so that the ledger knows every answer.
func (s *sender) run(ctx context.Context, workers int) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				s.send(s.next())
			}
		})
	}
	wg.Wait()
	s.client.CloseIdleConnections()
}

// send posts one event. The signature is made here and not by hookd's own code,
// so that the two must agree.
func (s *sender) send(n int) {
	body := cmp.Or(s.body, fmt.Sprintf(`{"n":%d,"pad":%q}`, n, s.pad))
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	_, _ = io.WriteString(mac, body)
	req, err := http.NewRequest(http.MethodPost, s.base+"/webhook/github", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	req.Header.Set("X-GitHub-Delivery", fmt.Sprintf("%08d", n))
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := s.client.Do(req)
	if err == nil {
		var answer struct{ ID string }
		err = errors.Join(json.NewDecoder(res.Body).Decode(&answer), res.Body.Close())
		s.book.mu.Lock()
		defer s.book.mu.Unlock()
		switch {
		case res.StatusCode != http.StatusOK:
			s.book.refused[res.StatusCode]++
		case err == nil:
			s.book.accepted[answer.ID] = n
		default:
			s.book.broken++
		}
		return
	}
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	s.book.broken++
}
