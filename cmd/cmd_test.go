package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookd/hookd/server/admin"
)

// newTestApp is an app without a process.
func newTestApp(in string) (a *app, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a = &app{
		io:  IO{In: strings.NewReader(in), Out: out, Err: errs, Width: 80},
		env: Env{}, now: func() time.Time { return now },
	}
	return a, out, errs
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	a, _, errs := newTestApp("")
	root := newRootCmd(a)
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want int
		says string
	}{
		{t.Context(), nil, 0, ""},
		{t.Context(), errors.New("broken"), 1, "hookd: broken\n"},
		{t.Context(), usagef("no such thing"), 2, "hookd: no such thing\nRun 'hookd --help' for usage.\n"},
		{t.Context(), fmt.Errorf("x: %w", usagef("deep")), 2, "deep"},
		{t.Context(), fmt.Errorf("%w: more", errConfig), 3, ""},
		{t.Context(), errCheck, 4, ""},
		{t.Context(), errRefused, 5, ""},
		{ended, fmt.Errorf("send: %w", context.Canceled), 130, ""},
		{t.Context(), context.Canceled, 1, "canceled"}, // of something else
	} {
		errs.Reset()
		if got := a.report(tt.ctx, root, tt.err); got != tt.want {
			t.Errorf("%v: exit code %d, want %d", tt.err, got, tt.want)
		}
		if (tt.says == "") != (errs.Len() == 0) || !strings.Contains(errs.String(), tt.says) {
			t.Errorf("%v: said %q, want %q", tt.err, errs, tt.says)
		}
	}
}

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A result that could not be written is a failure, however it is written.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"modules"}, {"modules", "--json"}, {"modules", "log"}, {"schema", "hookd"}, {"completion", "bash"}, {"version"}, {"--help"}, {"serve", "--help"}, {"rules"},
	} {
		var errs bytes.Buffer
		a := &app{io: systemIO(strings.NewReader(""), full{}, &errs, Env{}), env: Env{}, now: time.Now}
		if code := a.main(args); code != exitFailure || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%v: exit code %d, said %q", args, code, errs.String())
		}
	}
}

// What is not the admin API says so, and where that is.
func TestNotTheAdminAPI(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	a, _, errs := newTestApp("")
	if code := a.main([]string{"stats", "--server", srv.URL}); code != exitFailure || !strings.Contains(errs.String(), srv.URL+" is not the admin API") {
		t.Errorf("exit code %d, said %q", code, errs)
	}
}

// TestFlagsReachTheirOptions runs constructors with a run function that only
// looks at what it got.
func TestFlagsReachTheirOptions(t *testing.T) {
	t.Parallel()
	a, _, _ := newTestApp("")
	var got sendOptions
	c := newTestSendCmd(a, func(_ context.Context, o *sendOptions) error { got = *o; return nil })
	c.SetArgs(strings.Fields("github --event push -H A:1 --header B:2 --repeat 5 --rate 2.5 --concurrency 3 --tamper body --replay x --to http://h"))
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got.target != "github" || got.event != "push" || len(got.headers) != 2 || got.repeat != 5 || got.rate != 2.5 ||
		got.concurrency != 3 || got.tamper != "body" || got.replay != "x" || got.to != "http://h" || got.timeout != 30*time.Second {
		t.Errorf("got %+v", got)
	}
	var purge purgeOptions
	c = newDeadPurgeCmd(a, func(_ context.Context, o *purgeOptions) error { purge = *o; return nil })
	c.SetArgs(strings.Fields("id-1 id-2 --yes --hook github --dry-run"))
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(purge.ids) != 2 || !purge.yes || !purge.dryRun || purge.filter.hook != "github" {
		t.Errorf("got %+v", purge)
	}
}

func TestSendOptionsRefuse(t *testing.T) {
	t.Parallel()
	ok := sendOptions{repeat: 1, concurrency: 1, timeout: time.Second}
	if err := ok.check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*sendOptions){
		"repeat":         func(o *sendOptions) { o.repeat = 0 },
		"concurrency":    func(o *sendOptions) { o.concurrency = 0 },
		"rate":           func(o *sendOptions) { o.rate = -1 },
		"timeout":        func(o *sendOptions) { o.timeout = 0 },
		"two bodies":     func(o *sendOptions) { o.data, o.replay = "x", "y" },
		"dry and many":   func(o *sendOptions) { o.dryRun, o.repeat = true, 2 },
		"header":         func(o *sendOptions) { o.headers = []string{"no colon"} },
		"nameless":       func(o *sendOptions) { o.headers = []string{" :x"} },
		"unknown tamper": func(o *sendOptions) { o.tamper = "everything" },
	} {
		o := ok
		change(&o)
		var usage *usageError
		if err := o.check(); !errors.As(err, &usage) {
			t.Errorf("%s: %v, want a usage error", name, err)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"":                          {},
		"90s":                       now.Add(-90 * time.Second),
		"2h":                        now.Add(-2 * time.Hour),
		"7d":                        now.AddDate(0, 0, -7),
		"2026-01-02":                time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"2026-01-02 03:04":          time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC),
		"2026-01-02T03:04:05+01:00": time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC),
	} {
		if got, err := moment("--since", in, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"yesterday", "-2h", "d", "99999d", "2026-13-01"} {
		if got, err := moment("--since", in, now); err == nil {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestSpoilChangesWhatIsSigned(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "sha256=00ff", "t=1,v1=ff", "QUJDREVGRw==", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", "zzzz9999ffff"} {
		if got := spoilText(s); got == s {
			t.Errorf("%q stays", s)
		}
	}
	for _, s := range []string{"", `{"a":true}`, `{}`, "\x00", "plain", `{"é":1}`} {
		if got := spoilBody([]byte(s)); string(got) == s {
			t.Errorf("%q stays", s)
		}
	}
	if got := string(spoilBody([]byte(`{"action":true}`))); got != `{"bction":true}` {
		t.Errorf("%s: only a signature should be able to tell", got)
	}
}

func TestWithID(t *testing.T) {
	t.Parallel()
	const body = `{"data":{"id":"inner"}, "id": "evt_0", "event":{"id":1},"n":[1]}`
	for _, tt := range []struct{ source, want string }{
		{"json:id", `{"data":{"id":"inner"}, "id": "x\"y", "event":{"id":1},"n":[1]}`},
		{"json:event.id", `{"data":{"id":"inner"}, "id": "evt_0", "event":{"id":734555970},"n":[1]}`}, // a number stays one
		{"json:n.0", `{"data":{"id":"inner"}, "id": "evt_0", "event":{"id":1},"n":[734555970]}`},
		{"json:data", body},
		{"json:n.1", body},
		{"json:nothing", body},
		{"json:n.id", body},
		{"header:X-Id", body},
	} {
		if got := withID([]byte(body), []string{tt.source}, `x"y`); string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.source, got, tt.want)
		}
	}
	const form = "a=1&Sid=old%20one&b"
	if got := withID([]byte(form), []string{"form:Sid"}, "x&y"); string(got) != "a=1&Sid=x%26y&b" {
		t.Errorf("got %s", got)
	}
	if got := withID([]byte(`[{"id":"a"},{"id":"b"}]`), []string{"json:1.id"}, "17"); string(got) != `[{"id":"a"},{"id":"17"}]` {
		t.Errorf("got %s", got)
	}
	if got := valueAt([]byte(form), "form:Sid"); got != "old one" {
		t.Errorf("got %q", got)
	}
	if got := withID([]byte("not json"), []string{"json:id"}, "x"); string(got) != "not json" {
		t.Errorf("got %s", got)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var ms []time.Duration
	for i := range 100 {
		ms = append(ms, time.Duration(i+1)*time.Millisecond)
	}
	for q, want := range map[float64]float64{0.5: 50, 0.9: 90, 0.99: 99, 1: 100} {
		if got := quantile(ms, q); got != want {
			t.Errorf("p%v is %v, want %v", q*100, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 || quantile(ms[:1], 0.99) != 1 {
		t.Error("of none it is 0, of one that one")
	}
}

func TestTablesOnATerminalAndElsewhere(t *testing.T) {
	t.Parallel()
	table := tableOf{head: []string{"NAME", "SAYS"}}
	table.add("a", "\x1b[31mred\nline")
	table.add("longer", "x")

	a, out, _ := newTestApp("")
	a.io.table(table)
	if want := "NAME\tSAYS\na\t�[31mred�line\nlonger\tx\n"; out.String() != want {
		t.Errorf("without a terminal: %q, want %q", out, want)
	}
	a, out, _ = newTestApp("")
	a.io.OutTTY = true
	a.io.table(table)
	if want := "NAME    SAYS\na       �[31mred�line\nlonger  x\n"; out.String() != want {
		t.Errorf("on a terminal without colour: %q, want %q", out, want)
	}
	a, out, _ = newTestApp("")
	a.io.OutTTY, a.io.Color = true, true
	a.io.table(table)
	if !strings.Contains(out.String(), "\x1b[1m") || strings.Contains(out.String(), "\x1b[31mred") {
		t.Errorf("with colour: %q", out)
	}
}

func TestNoColour(t *testing.T) {
	t.Parallel()
	if s := systemIO(strings.NewReader(""), io.Discard, io.Discard, Env{}); s.Color || s.OutTTY || s.Width != 80 {
		t.Errorf("a pipe is no terminal: %+v", s)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "": false, "yes": true} {
		a, _, errs := newTestApp(in)
		if got := a.ask("sure?") == nil; got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
		if !strings.HasPrefix(errs.String(), "sure? [y/N] ") {
			t.Errorf("asked %q", errs)
		}
	}
}

func TestFactLine(t *testing.T) {
	t.Parallel()
	a, _, _ := newTestApp("")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	for _, tt := range []struct {
		fact admin.Fact
		want string
	}{
		{
			admin.Fact{Time: at, Kind: "refused", Hook: "github", Status: 401, Code: "unauthorized", DurationMS: 1.23},
			"03:04:05.006  refused    github                    401  unauthorized  1.2 ms",
		},
		{
			admin.Fact{Time: at, Kind: "retried", Lane: "github/http", Attempt: 2, Note: "a\x1bb", NextTry: at.Add(1500 * time.Millisecond)},
			"03:04:05.006  retried    github/http               #2  a�b  again in 1.5s",
		},
	} {
		if got := factLine(a, a.io.style(), tt.fact); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	if got := shellQuote("it's $x"); got != `'it'\''s $x'` {
		t.Errorf("got %s", got)
	}
	if got := shellVariable("X-Api-Key"); got != "X_API_KEY" {
		t.Errorf("got %s", got)
	}
}
