package edge_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
)

// newServer serves the hooks "a" and "hidden", which take any bytes.
func newServer(t testing.TB, o edge.Options) (addr string, q *memory) {
	t.Helper()
	q = &memory{}
	open := func(id string) *ingest.Hook { return &ingest.Hook{ID: id, Auth: auth.NewChain()} }
	if o.Gate == nil {
		o.Gate = &ingest.Gate{Hooks: hooks{"a": open("a"), "hidden": open("hidden")}, Queue: q}
	}
	o.Log = slog.New(slog.DiscardHandler)
	return serve(t, edge.NewServer(o), edge.NewListener(listen(t), o)), q
}

// TestRaw sends the files of testdata/raw as they are. Their head tells what
// must come back: "want" the statuses of the answers in their order, or
// alternatives of the first; "events" how many events may be stored at most.
// The hook "hidden" is only ever named behind what another reader could take
// for the end of the first request: it must never get an event.
func TestRaw(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/raw/*.http")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".http"), func(t *testing.T) {
			t.Parallel()
			want, events, raw := readCase(t, f)
			addr, q := newServer(t, edge.Options{})
			got := exchange(t, addr, raw)
			var statuses []string
			for _, r := range got {
				statuses = append(statuses, strconv.Itoa(r.StatusCode))
				checkAnswer(t, r)
			}
			text := strings.Join(statuses, " ")
			if text != want && (len(statuses) != 1 || !strings.Contains("|"+want+"|", "|"+text+"|")) {
				t.Errorf("answered %q, want %q", text, want)
			}
			stored := q.stored()
			if len(stored) > events || strings.HasPrefix(text, "200") && events > 0 && len(stored) != events {
				t.Errorf("%d events, want %d", len(stored), events)
			}
			for _, ev := range stored {
				if ev.Hook == "hidden" {
					t.Error("the hidden request was delivered")
				}
			}
		})
	}
}

var repeated = regexp.MustCompile(`(?s)\{\{(.+?)\*(\d+)\}\}`)

func readCase(t *testing.T, file string) (want string, events int, raw []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, raw, found := bytes.Cut(b, []byte("---\n"))
	if !found {
		t.Fatal("no --- line")
	}
	for line := range strings.Lines(string(head)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		if v, ok := strings.CutPrefix(line, "want: "); ok {
			want = v
		}
		if v, ok := strings.CutPrefix(line, "events: "); ok {
			if events, err = strconv.Atoi(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	raw = repeated.ReplaceAllFunc(raw, func(m []byte) []byte {
		p := repeated.FindSubmatch(m)
		n, err := strconv.Atoi(string(p[2]))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Repeat(p[1], n)
	})
	return want, events, raw
}

// exchange sends raw, half-closes, and reads answers until the server closes.
func exchange(t *testing.T, addr string, raw []byte) []*http.Response {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		_, _ = c.Write(raw)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	var all []*http.Response
	r := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(r, &http.Request{Method: methodOf(raw)})
		if err != nil {
			return all
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Errorf("half an answer: %v", err)
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
		all = append(all, res)
	}
}

func methodOf(raw []byte) string {
	if bytes.HasPrefix(raw, []byte("HEAD ")) {
		return "HEAD"
	}
	return "POST"
}

// checkAnswer checks what every answer has, whoever wrote it.
func checkAnswer(t *testing.T, r *http.Response) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Xss-Protection": "1; mode=block",
		"Referrer-Policy": "strict-origin-when-cross-origin",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%d: %s is %q, want %q", r.StatusCode, name, got, want)
		}
	}
	for _, name := range []string{"Permissions-Policy", "Content-Security-Policy"} {
		if r.Header.Get(name) == "" {
			t.Errorf("%d: no %s", r.StatusCode, name)
		}
	}
	if r.StatusCode < 400 || r.Request.Method == "HEAD" || r.Header.Get("Content-Type") == "text/plain; charset=utf-8" {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p map[string]any
	if err := json.Unmarshal(body, &p); err != nil || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d: %s %q: %v", r.StatusCode, r.Header.Get("Content-Type"), body, err)
		return
	}
	for _, key := range []string{"type", "title", "status", "detail", "code", "request_id"} {
		if p[key] == nil {
			t.Errorf("%d: %q has no %s", r.StatusCode, body, key)
		}
	}
	if fmt.Sprint(p["status"]) != strconv.Itoa(r.StatusCode) {
		t.Errorf("status %v in an answer with %d", p["status"], r.StatusCode)
	}
}
