package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/log"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is a standard output that can be read back and can fail.
type screen struct {
	mu     sync.Mutex
	b      bytes.Buffer
	writes int
	err    error
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	s.writes++
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *screen) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

var idField = regexp.MustCompile(` delivery=([0-9a-f-]{36}) `)

// messages reads three lines for each.
func (s *screen) messages() []moduletest.Message {
	var all []moduletest.Message
	lines := strings.Split(s.String(), "\n")
	for at := 0; at+2 < len(lines); at += 3 {
		m := moduletest.Message{Body: []byte(lines[at+2])}
		if id := idField.FindStringSubmatch(lines[at]); id != nil {
			m.ID = id[1]
		}
		all = append(all, m)
	}
	return all
}

func TestSuite(t *testing.T) {
	var out *screen // of the test that runs
	forward := writer(func(p []byte) (int, error) { return out.Write(p) })
	moduletest.Run(t, moduletest.Harness{
		Module: log.Module(forward),
		Start: func(*testing.T) *moduletest.Far {
			s := &screen{}
			out = s
			return &moduletest.Far{
				Options:  `{"max_chars": 0}`,
				Received: s.messages,
				Cut:      func() { s.fail(errors.New("broken pipe")) },
				Restore:  func() { s.fail(nil) },
				Harmless: func(t *testing.T) {
					if lines := strings.Count(s.String(), "\n"); lines%3 != 0 {
						t.Errorf("%d lines", lines)
					}
					if strings.ContainsAny(s.String(), "\x00\x1b\r") || !utf8.ValidString(s.String()) {
						t.Error("control characters reached the screen")
					}
				},
			}
		},
		Carries: func(body []byte) bool {
			return utf8.Valid(body) && !bytes.ContainsAny(body, "\r\n\x00\u202e")
		},
		Bad: []moduletest.Bad{
			{Options: `{"max_chars": -1}`, Path: "max_chars"},
			{Options: `{"pretty_print": "perhaps"}`, Path: "pretty_print"},
			{Options: `{"output": "syslog"}`, Want: "stdout", Path: "output"},
		},
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// shown is what one delivery looks like on the screen.
func shown(t *testing.T, o log.Options, d *event.Delivery) string {
	t.Helper()
	s := &screen{}
	m := log.Module(s)
	env := modules.Env{Log: slog.New(slog.NewJSONHandler(s, nil))}
	k, err := m.Open(t.Context(), env, nil)
	if err != nil {
		t.Fatal(err)
	}
	dest, err := m.New(env, k, &o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dest.Send(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if s.writes != 1 {
		t.Errorf("%d writes for one record", s.writes)
	}
	return s.String()
}

func delivery(body string) *event.Delivery {
	ev := &event.Event{
		Hook: "github", Type: "push", Received: time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC), Remote: netip.MustParseAddr("192.0.2.1"),
		Subject: "hmac:github", Header: http.Header{"X-One": {"1"}, "X-Auth-Token": {"hunter2"}, "X-Two": {"2", "3"}}, Body: []byte(body),
	}
	return &event.Delivery{ID: event.DeliveryID(ev.ID, "github/log-1"), Event: ev, Lane: "github/log-1", Attempt: 1, Body: []byte(body)}
}

// defaults are what the fields say.
func defaults() log.Options {
	return log.Options{Redact: true, Headers: true, MaxChars: 10_000, Output: log.Stdout}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	return lines[len(lines)-1]
}

// The payload of an ordinary event stands in the log as it was sent, with the
// options that one gets without asking.
func TestPayloadByteForByte(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"hello":"world"}`,
		`{"b":1,  "a":1.0000000000000000001, "a":"\u00e9é\/\n<>&"}`,
		`[]`, `"text"`, `17`, `plain text`, `a=1&b=2`, `{"author":"x","monkey":1,"keyboard":"k","primary_key":7}`,
		"{\"tab\":\t1}",
		`{"n":"` + strings.Repeat("é", 9_000) + `"}`,
		``,
	} {
		got := shown(t, defaults(), delivery(body))
		if lastLine(got) != body || strings.Count(got, "\n") != 3 {
			t.Errorf("%q\nis shown as %q", body, got)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	got := shown(t, defaults(), delivery(`{}`))
	want := `webhook hook=github event=00000000-0000-0000-0000-000000000000 delivery=` + delivery("").ID.String() +
		` lane=github/log-1 attempt=1 bytes=2 type=push remote=192.0.2.1 subject=hmac:github received=2026-03-04T05:06:07.008Z
headers {"X-Auth-Token":"[REDACTED]","X-One":"1","X-Two":"2","X-Two":"3"}
{}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	o := defaults()
	o.Headers = false
	if got := shown(t, o, delivery(`{}`)); strings.Contains(got, "headers") {
		t.Errorf("%s", got)
	}
}

func TestPretty(t *testing.T) {
	t.Parallel()
	o := defaults()
	o.Pretty = true
	got := shown(t, o, delivery(`{"b":1,"token":"t","a":[1.50]}`))
	rule := strings.Repeat("=", 80) + "\n"
	for _, want := range []string{rule + "WEBHOOK RECEIVED\n", "hook: github\n", "\"X-Auth-Token\": \"[REDACTED]\"", "payload:\n{\n  \"b\": 1,\n  \"token\": \"[REDACTED]\",\n  \"a\": [\n    1.50\n  ]\n}\n" + rule} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := shown(t, o, delivery("not\r\njson\x1b[2J")); !strings.Contains(got, "payload:\nnot\njson[CTRL][2J\n") {
		t.Errorf("%q", got)
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"a\nb":                "a[NL]b",
		"a\r\nb\r":            "a[NL]b[NL]",
		"a\n\nb":              "a[NL][NL]b",
		"\x1b[31mred\x07\x7f": "[CTRL][31mred[CTRL][CTRL]",
		"nul\x00":             "nul[CTRL]",
		"\u0085\u2028\u2029":  "[NL][NL][NL]",
		"\u009b2J":            "[CTRL]2J", // C1 drives terminals too
		"a\u202eb\u2066":      "a[CTRL]b[CTRL]",
		"bad \xff\xc3( ok":    "bad [0xff][0xc3]( ok",
		"\ufffd is a letter":  "\ufffd is a letter",
		"tab\tstays":          "tab\tstays",
	} {
		if got := lastLine(shown(t, defaults(), delivery(body))); got != want {
			t.Errorf("%q is shown as %q, want %q", body, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	got := lastLine(shown(t, defaults(), delivery(strings.Repeat("é", 10_001))))
	if want := strings.Repeat("é", 10_000) + " [1 more characters truncated]"; got != want {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-40:])
	}
	for _, c := range []struct {
		max  int
		body string
		want string
	}{
		{3, "abc", "abc"},
		{3, "abcd", "abc [1 more characters truncated]"},
		{2, "\xff\xff\xff", "[0xff][0xff] [1 more characters truncated]"},
		{0, "abcd", "abcd"},
	} {
		o := defaults()
		o.MaxChars = c.max
		if got := lastLine(shown(t, o, delivery(c.body))); got != c.want {
			t.Errorf("%d: %q, want %q", c.max, got, c.want)
		}
	}
}

func TestOutputLog(t *testing.T) {
	t.Parallel()
	o := defaults()
	o.Output = log.Log
	var entry struct {
		Msg, Body, Hook, Delivery string
		Headers                   map[string]string
	}
	d := delivery("{\"a\":1,\n\"password\":\"p\"}")
	if err := json.Unmarshal([]byte(shown(t, o, d)), &entry); err != nil {
		t.Fatal(err)
	}
	if entry.Msg != "webhook" || entry.Hook != "github" || entry.Delivery != d.ID.String() || entry.Headers["X-Auth-Token"] != "[REDACTED]" {
		t.Errorf("%+v", entry)
	}
	if entry.Body != "{\"a\":1,\n\"password\":\"[REDACTED]\"}" {
		t.Errorf("body %q", entry.Body)
	}
}

// A screen that cannot be written to is a failure to retry, not a loss.
func TestBrokenOutput(t *testing.T) {
	t.Parallel()
	s := &screen{err: errors.New("broken pipe")}
	m := log.Module(s)
	o := defaults()
	dest, err := m.New(modules.Env{}, &modules.None{}, &o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dest.Send(t.Context(), delivery("{}"))
	if f := modules.FailureOf(err); err == nil || f.Kind != modules.Retryable || f.Code != modules.CodeUnavailable {
		t.Errorf("%v", err)
	}
}

// Records of many goroutines do not run into each other.
func TestRecordsStayWhole(t *testing.T) {
	t.Parallel()
	s := &screen{}
	m := log.Module(s)
	o := defaults()
	dest, err := m.New(modules.Env{}, &modules.None{}, &o)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if _, err := dest.Send(t.Context(), delivery(fmt.Sprintf(`{"n":%d}`, i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.messages(); len(got) != 32 || s.writes != 32 {
		t.Errorf("%d records in %d writes", len(got), s.writes)
	}
}
