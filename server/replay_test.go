package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/internal/spec"
)

// replayed are hooks whose proofs hold once: what stands under the method's key.
var replayed = map[string]string{
	"hmac":        `{"secret": "not-a-real-secret", "timestamp_header": "X-Time", "once": true}`,
	"digest_auth": `{"username": "ci", "password": "not-a-real-secret"}`,
	"oauth1":      `{"consumer_key": "ci", "consumer_secret": "not-a-real-secret", "signature_method": "HMAC-SHA256"}`,
}

// TestReplay: of 200 identical signed requests at once exactly one is accepted,
// and none after kill -9 and a restart.
func TestReplay(t *testing.T) {
	t.Parallel()
	cfg := newDaemonConfig(t, t.TempDir())
	hooks := map[string]any{}
	for method, options := range replayed {
		hooks[method] = map[string]any{"module": "log", method: json.RawMessage(options)}
	}
	b, err := json.Marshal(hooks)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.dir, "webhooks.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	d := cfg.start(t)
	requests := map[string]*auth.Request{}
	for method, options := range replayed {
		r := signedOnce(t, method, options, cfg.listen)
		requests[method] = r
		accepted, refused := volley(t, r, 200)
		t.Logf("%s: 200 identical requests at once: %d accepted, %d refused with 401", method, accepted, refused)
		if accepted != 1 || refused != 199 {
			t.Errorf("%s: %d accepted, %d refused; want 1 and 199", method, accepted, refused)
		}
	}
	d.kill()
	d = cfg.start(t)
	for method, r := range requests {
		accepted, refused := volley(t, r, 20)
		t.Logf("%s: the same after kill -9: %d accepted, %d refused with 401", method, accepted, refused)
		if accepted != 0 || refused != 20 {
			t.Errorf("%s after kill -9: %d accepted, %d refused; want none and 20", method, accepted, refused)
		}
		if accepted, _ := volley(t, signedOnce(t, method, replayed[method], cfg.listen), 1); accepted != 1 {
			t.Errorf("%s: a new request is refused", method)
		}
	}
	d.stop(t)
}

// signedOnce is a request to the hook of the method's name, signed now.
func signedOnce(t *testing.T, method, options, addr string) *auth.Request {
	t.Helper()
	reg, err := all.Registry()
	if err != nil {
		t.Fatal(err)
	}
	m, ok := reg.Lookup(method)
	if !ok {
		t.Fatalf("no method %s", method)
	}
	n, problems := spec.ParseJSON("hook.json", []byte(options))
	o := m.Options()
	if problems = append(problems, spec.Decode(n, o, method)...); problems.HasErrors() {
		t.Fatalf("%+v", problems)
	}
	v, err := m.New(auth.Env{Hook: method}, o)
	if err != nil {
		t.Fatal(err)
	}
	r := &auth.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/webhook/" + method}, Host: addr, Header: http.Header{},
		Body: []byte(`{"at":"` + time.Now().Format(time.RFC3339Nano) + `"}`), Now: time.Now(),
	}
	r.Header.Set("Content-Type", "application/json")
	if err := v.(auth.Signer).Sign(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// volley sends the request n times at once.
func volley(t *testing.T, r *auth.Request, n int) (accepted, refused int) {
	t.Helper()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		start = make(chan struct{})
	)
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	for range n {
		wg.Go(func() {
			<-start
			req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), r.Method, "http://"+r.Host+r.URL.String(), bytes.NewReader(r.Body))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header = r.Header.Clone()
			res, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			switch res.StatusCode {
			case http.StatusOK:
				accepted++
			case http.StatusUnauthorized:
				refused++
			default:
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
	close(start)
	wg.Wait()
	return accepted, refused
}
