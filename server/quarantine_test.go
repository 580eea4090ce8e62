package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server"
	"github.com/hookd/hookd/server/admin"
)

func keeping(log *lockedBuffer) func(*server.Options) {
	return func(o *server.Options) {
		o.Quarantine = server.Quarantine{Enabled: true, MaxEntries: 100, MaxBytes: 1 << 20, MaxBody: 64 << 10, PerMinute: 60, MaxAge: time.Hour}
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}
}

const toLog = `{"github": {"provider": "github", "secret": %q, "module": "log", "module-config": {"redact_sensitive": false}}}`

// kept waits until n requests are listed.
func kept(t *testing.T, c *admin.Client, n int) []admin.Quarantined {
	t.Helper()
	var page admin.QuarantinePage
	var err error
	if !poll(10*time.Second, func() bool {
		page, err = c.Quarantine(t.Context(), admin.QuarantineFilter{}, "", 0)
		return err == nil && len(page.Requests) == n
	}) {
		t.Fatalf("%d requests are kept, want %d: %v", len(page.Requests), n, err)
	}
	return page.Requests
}

// TestQuarantineAcrossRestart: refused with a wrong secret, there after a
// restart, explained, and accepted once when the secret is put right; no secret
// and no signature is told anywhere on the way.
func TestQuarantineAcrossRestart(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	const wrong = "canary-wrong-secret"
	r := start(t, dir, fmt.Sprintf(toLog, wrong), keeping(log))
	body := `{"ref":"refs/heads/main","n":1.0}`
	if status, answer := r.push(t, "one", body, body); status != http.StatusUnauthorized || answer["id"] != nil || strings.Contains(fmt.Sprint(answer), "quarantine") {
		t.Fatalf("%d %v", status, answer)
	}
	id := kept(t, r.client(t), 1)[0].ID
	r.stop(t)
	if !strings.Contains(log.String(), "quarantine="+id.String()) {
		t.Errorf("the log does not name it:\n%s", log)
	}

	r = start(t, dir, fmt.Sprintf(toLog, wrong), keeping(log))
	c, ctx := r.client(t), t.Context()
	if q := kept(t, c, 1)[0]; q.ID != id || q.Code != "github:signature_mismatch" || q.Status != 401 || q.Size != len(body) {
		t.Errorf("after a restart: %+v", q)
	}
	d, err := c.Quarantined(ctx, id)
	if err != nil || d.Headers.Get("X-Github-Event") != "push" || len(d.Hidden) != 1 || d.Hidden[0].Name != "X-Hub-Signature-256" {
		t.Errorf("%+v, %v", d, err)
	}
	before, err := c.Explain(ctx, id)
	if err != nil || before.Holds || before.Proofs[0].Code != "signature_mismatch" {
		t.Errorf("%+v, %v", before, err)
	}
	refusedAgain, err := c.QuarantineRetry(ctx, admin.QuarantineRetry{All: true})
	if err != nil || refusedAgain.Refused != 1 {
		t.Errorf("%+v, %v", refusedAgain, err)
	}

	if err := os.WriteFile(filepath.Join(dir, "webhooks.json"), []byte(fmt.Sprintf(toLog, webhookSecret)), 0o600); err != nil {
		t.Fatal(err)
	}
	if res, err := c.Reload(ctx, admin.ReloadRequest{}); err != nil || !res.OK {
		t.Fatalf("%+v, %v", res, err)
	}
	after, err := c.Explain(ctx, id)
	if err != nil || !after.Holds {
		t.Errorf("%+v, %v", after, err)
	}
	got, err := c.QuarantineRetry(ctx, admin.QuarantineRetry{IDs: []event.ID{id}})
	if err != nil || got.Accepted != 1 || got.Results[0].Event.IsZero() {
		t.Fatalf("%+v, %v", got, err)
	}
	r.settled(t)
	if n := strings.Count(r.out.String(), `refs/heads/main`); n != 1 {
		t.Errorf("delivered %d times:\n%s", n, r.out)
	}
	// The sender sends it again by itself: it is the same event.
	if status, answer := r.push(t, "one", body, body); status != http.StatusOK || answer["duplicate"] != true || answer["id"] != got.Results[0].Event.String() {
		t.Errorf("again: %d %v", status, answer)
	}
	kept(t, c, 0)
	told := log.String() + fmt.Sprintf("%+v", []any{d, before, refusedAgain, after, got})
	for _, hidden := range []string{wrong, webhookSecret, "sha256="} {
		text := strings.ReplaceAll(told, `"sha256="`, "") // the prefix, by itself
		if strings.Contains(strings.ReplaceAll(text, `\"sha256=\"`, ""), hidden) {
			t.Errorf("%q is told:\n%s", hidden, told)
		}
	}
}

// TestQuarantineIsMissedByNoSender: a key that is broken keeps nothing from
// being accepted.
func TestQuarantineIsMissedByNoSender(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "quarantine.key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, dir, fmt.Sprintf(toLog, webhookSecret), keeping(log))
	if status, answer := r.push(t, "one", `{}`, `{}`); status != http.StatusOK {
		t.Errorf("%d %v", status, answer)
	}
	if status, answer := r.push(t, "two", `{}`, `{} `); status != http.StatusUnauthorized {
		t.Errorf("%d %v", status, answer)
	}
	_, err := r.client(t).Quarantine(t.Context(), admin.QuarantineFilter{}, "", 0)
	if e := (*admin.APIError)(nil); !errors.As(err, &e) || e.Code != "quarantine_off" {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), "the quarantine cannot be opened") {
		t.Errorf("log:\n%s", log)
	}
}

// TestQuarantineOfOpenHooks: what needs no proof is never kept, nor is anything
// where it is switched off.
func TestQuarantineOfOpenHooks(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	r := start(t, dir, `{"github": {"module": "log", "json_schema": {"type": "array"}}}`, keeping(log))
	if status, _ := r.push(t, "one", `{}`, `{}`); status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	r.stop(t)
	if _, err := os.Stat(filepath.Join(dir, "data", "quarantine.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was kept: %v", err)
	}

	dir = t.TempDir()
	r = start(t, dir, fmt.Sprintf(toLog, "another"))
	if status, _ := r.push(t, "one", `{}`, `{}`); status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
	r.stop(t)
	if _, err := os.Stat(filepath.Join(dir, "data", "quarantine")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a quarantine although it is off: %v", err)
	}
}

// TestExplainOfGoneHook: the hook that refused it is not there any more.
func TestExplainOfGoneHook(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	r := start(t, dir, fmt.Sprintf(toLog, "another"), keeping(log))
	_, _ = r.push(t, "one", `{}`, `{}`)
	c, ctx := r.client(t), t.Context()
	id := kept(t, c, 1)[0].ID
	if err := os.WriteFile(filepath.Join(dir, "webhooks.json"), []byte(`{"other": {"module": "log"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if res, err := c.Reload(ctx, admin.ReloadRequest{}); err != nil || !res.OK {
		t.Fatalf("%+v, %v", res, err)
	}
	x, err := c.Explain(ctx, id)
	if text, _ := json.Marshal(x); err != nil || x.Holds || !strings.Contains(string(text), "not configured any more") {
		t.Errorf("%s, %v", text, err)
	}
	if got, err := c.QuarantineRetry(ctx, admin.QuarantineRetry{All: true}); err != nil || got.Results[0].Code != "unknown_hook" {
		t.Errorf("%+v, %v", got, err)
	}
}
