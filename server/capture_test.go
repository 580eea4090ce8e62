package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/server"
)

const (
	asanaSecret = "b537207f20cbfa02357cf448134da559"
	evilSecret  = "00000000000000000000000000000000"
	notionToken = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"
)

// hmacIn puts the HMAC of the body into a header.
func hmacIn(header, prefix, key string) proved {
	return func(_ *testing.T, r *auth.Request) {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write(r.Body)
		r.Header.Set(header, prefix+hex.EncodeToString(mac.Sum(nil)))
	}
}

// status sends e and returns how it was answered.
func (r *running) status(t *testing.T, e exchange) int {
	t.Helper()
	res, body := r.do(t, &e)
	t.Log(e.told(res, body))
	return res.StatusCode
}

func (r *running) wants(t *testing.T, what string, want int, e exchange) {
	t.Helper()
	e.name = what
	if got := r.status(t, e); got != want {
		t.Errorf("%s: status %d, want %d", what, got, want)
	}
}

func logged(log *lockedBuffer) func(*server.Options) {
	return func(o *server.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) }
}

func TestCapture(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	const armed = `{"tasks": {"provider": "asana", "params": {"capture": "on"}, "module": "log"}}`
	event := func(key string) exchange {
		return exchange{method: "POST", path: "tasks", body: `{"events":[{"action":"changed"}]}`, prove: hmacIn("X-Hook-Signature", "", key)}
	}
	hands := func(s string) exchange {
		return exchange{method: "POST", path: "tasks", body: `{}`, header: map[string]string{"X-Hook-Secret": s}}
	}
	r := start(t, dir, armed, logged(log))
	file := filepath.Join(dir, "data", "secrets", "tasks")

	r.wants(t, "an event before the handshake", 401, event(asanaSecret))
	if !strings.Contains(log.String(), "asana:secret_not_captured") {
		t.Errorf("the log does not say why: %s", log)
	}
	r.wants(t, "an empty secret", 401, hands(""))
	r.wants(t, "a short secret", 400, hands("short"))
	r.wants(t, "a long secret", 401, hands(strings.Repeat("a", 1025)))
	r.wants(t, "the handshake", 200, hands(asanaSecret))
	r.wants(t, "the handshake again", 200, hands(asanaSecret))
	r.wants(t, "an event", 200, event(asanaSecret))
	r.wants(t, "another one's handshake", 409, hands(evilSecret))
	r.wants(t, "another one's event", 401, event(evilSecret))
	both := event(evilSecret)
	both.header = map[string]string{"X-Hook-Secret": evilSecret}
	r.wants(t, "another one's handshake and event in one", 409, both)
	r.wants(t, "an event after that", 200, event(asanaSecret))
	if res, _ := r.do(t, &exchange{method: "POST", path: "tasks", body: `{}`, header: map[string]string{"X-Hook-Secret": evilSecret}}); res.Header.Get("X-Hook-Secret") != "" {
		t.Error("a refused handshake has its secret back")
	}

	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	if folder, err := os.Stat(filepath.Dir(file)); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", folder, err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != asanaSecret+"\n" {
		t.Errorf("the file holds %q, %v", b, err)
	}

	r.stop(t)
	r = start(t, dir, armed, logged(log))
	r.wants(t, "an event after the restart", 200, event(asanaSecret))
	r.wants(t, "another one's handshake after the restart", 409, hands(evilSecret))

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	r.wants(t, "an event after the file was deleted", 401, event(asanaSecret))
	r.wants(t, "the next handshake", 200, hands(evilSecret))
	r.wants(t, "an event with the next secret", 200, event(evilSecret))
	r.wants(t, "an event with the deleted secret", 401, event(asanaSecret))

	for _, s := range []string{asanaSecret, evilSecret} {
		if strings.Contains(log.String(), s) {
			t.Errorf("the log tells a secret: %s", log)
		}
	}
	if !strings.Contains(log.String(), "asana:credential_mismatch") || !strings.Contains(log.String(), "another secret was captured before") {
		t.Errorf("the refused handshake is not in the log: %s", log)
	}
}

// TestCaptureOfNotion: the operator finds the token in the file that the log
// names.
func TestCaptureOfNotion(t *testing.T) {
	dir, log := t.TempDir(), &lockedBuffer{}
	r := start(t, dir, `{"pages": {"provider": "notion", "params": {"capture": "on"}, "module": "log"}}`, logged(log))
	hands := func(s string) exchange {
		return exchange{method: "POST", path: "pages", body: fmt.Sprintf(`{"verification_token":%q}`, s)}
	}
	r.wants(t, "the handshake", 200, hands(notionToken))
	r.wants(t, "another one's", 409, hands("secret_"+strings.Repeat("0", 43)))
	r.wants(t, "an event", 200, exchange{
		method: "POST", path: "pages", body: `{"id":"1","type":"page.created"}`, prove: hmacIn("X-Notion-Signature", "sha256=", notionToken),
	})
	file := filepath.Join(dir, "data", "secrets", "pages")
	if !strings.Contains(log.String(), file) || strings.Contains(log.String(), notionToken) {
		t.Errorf("log: %s", log)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != notionToken+"\n" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

// TestCaptureBesideSecrets: secrets of the configuration hold as well.
func TestCaptureBesideSecrets(t *testing.T) {
	r := start(t, t.TempDir(), `{"tasks": {"provider": "asana", "secret": "c0nfigured-secret", "params": {"capture": "on"}, "module": "log"}}`)
	event := func(key string) exchange {
		return exchange{method: "POST", path: "tasks", body: `{"events":[]}`, prove: hmacIn("X-Hook-Signature", "", key)}
	}
	r.wants(t, "the configured one before", 200, event("c0nfigured-secret"))
	r.wants(t, "the captured one before", 401, event(asanaSecret))
	r.wants(t, "the handshake", 200, exchange{method: "POST", path: "tasks", body: `{}`, header: map[string]string{"X-Hook-Secret": asanaSecret}})
	r.wants(t, "the configured one", 200, event("c0nfigured-secret"))
	r.wants(t, "the captured one", 200, event(asanaSecret))
}

// TestCaptureIsDurableOrRefused: without a place to keep it, a secret is not
// taken.
func TestCaptureIsDurableOrRefused(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, `{"tasks": {"provider": "asana", "params": {"capture": "on"}, "module": "log"}}`)
	if err := os.WriteFile(filepath.Join(dir, "data", "secrets"), nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	e := exchange{method: "POST", path: "tasks", body: `{}`, header: map[string]string{"X-Hook-Secret": asanaSecret}}
	res, _ := r.do(t, &e)
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("X-Hook-Secret") != "" || res.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	if err := os.Remove(filepath.Join(dir, "data", "secrets")); err != nil {
		t.Fatal(err)
	}
	r.wants(t, "when there is a place", 200, e)
	left := 0
	err := filepath.WalkDir(filepath.Join(dir, "data", "secrets"), func(_ string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			left++
		}
		return err
	})
	if err != nil || left != 1 {
		t.Errorf("%d files, %v", left, err)
	}
}

func TestCaptureIsOnOrOff(t *testing.T) {
	for hooks, want := range map[string]string{
		`{"tasks": {"provider": "asana", "params": {"capture": "yes"}, "module": "log"}}`:                `"capture" is "yes": it is on or off`,
		`{"tasks": {"provider": "asana", "params": {"capture": "off"}, "module": "log"}}`:                "needs a secret",
		`{"tasks": {"provider": "asana", "module": "log"}}`:                                              "needs a secret",
		`{"tasks": {"provider": "github", "secret": "x", "params": {"capture": "on"}, "module": "log"}}`: `has no setting "capture"`,
	} {
		o, _ := options(t, t.TempDir(), hooks)
		o.Log = slog.New(slog.DiscardHandler)
		if err := server.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", hooks, err)
		}
	}
}
