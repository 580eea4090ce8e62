package cmd_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/hookd/hookd/cmd"
	"github.com/hookd/hookd/internal/testinfra"
)

// leakChecked runs the tests and then looks for goroutines that they left.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := testinfra.Run(l.m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		// A process of its own, so that it can be sent signals.
		"hookd": func() {
			now := time.Now
			if text := os.Getenv("SCRIPT_NOW"); text != "" {
				t, err := time.Parse(time.RFC3339, text)
				if err != nil {
					panic(err)
				}
				now = func() time.Time { return t }
			}
			os.Exit(cmd.MainAt(now, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
		},
	})
}

// TestScripts runs every file of testdata/script.
func TestScripts(t *testing.T) {
	t.Parallel()
	completions, err := filepath.Abs("../completions")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("COMPLETIONS", completions)
			e.Setenv("TZ", "UTC")
			for _, name := range []string{"LISTEN", "ADMIN", "SINK"} {
				e.Setenv(name, net.JoinHostPort("127.0.0.1", strconv.Itoa(testinfra.FreePort(t))))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "receiver": receiver, "wait-url": waitURL, "wait-file": waitFile, "expand": expand, "terminate": terminate,
			"wait-stdout": waitStdout, "first-id": firstID,
		},
	})
}

// exits runs a command and wants an exit code: exits CODE COMMAND ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit interface{ ExitCode() int }
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// receiver starts an HTTP server that writes each body to a file: receiver
// ADDR DIR [STATUS].
func receiver(ts *testscript.TestScript, _ bool, args []string) {
	status := http.StatusNoContent
	if len(args) == 3 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		status = n
	}
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o755))
	l, err := net.Listen("tcp", args[0])
	ts.Check(err)
	var mu sync.Mutex
	n := 0
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		n++
		var headers strings.Builder
		_ = r.Header.Write(&headers)
		err = errors.Join(err,
			os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.headers", n)), []byte(headers.String()), 0o600),
			os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.tmp", n)), body, 0o600),
			os.Rename(filepath.Join(dir, fmt.Sprintf("%d.tmp", n)), filepath.Join(dir, fmt.Sprintf("%d.body", n))))
		if err != nil {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	ts.Defer(func() {
		_ = s.Close()
		<-done
	})
}

// waitURL waits until a URL answers 200; with a leading "!", until nobody
// answers.
func waitURL(ts *testscript.TestScript, neg bool, args []string) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if !poll(func() bool {
		res, err := client.Get(args[0])
		if err != nil {
			return neg
		}
		_ = res.Body.Close()
		return !neg && res.StatusCode == http.StatusOK
	}) {
		ts.Fatalf("%s: no answer in time", args[0])
	}
}

// waitFile waits until a pattern matches a file.
func waitFile(ts *testscript.TestScript, _ bool, args []string) {
	if !poll(func() bool {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		return err == nil && len(found) > 0
	}) {
		ts.Fatalf("%s: not there in time", args[0])
	}
}

// waitStdout repeats a command until its output matches: wait-stdout REGEXP
// COMMAND ARG…
func waitStdout(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	if !poll(func() bool { return ts.Exec(args[1], args[2:]...) == nil && want.MatchString(ts.ReadFile("stdout")) }) {
		ts.Fatalf("no output matched %s in time", args[0])
	}
}

// firstID sets a variable to the first id in the JSON output of a command.
func firstID(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec(args[1], args[2:]...))
	id := regexp.MustCompile(`"id": "([0-9a-f-]{36})"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if id == nil {
		ts.Fatalf("no id")
	}
	ts.Setenv(args[0], id[1])
}

// terminate asks the command in the background to end, as an operator does.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

// poll asks until it is so: what another process does gives no signal.
func poll(ok func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
	return true
}

// expand replaces $NAME in a file by variables of the script. "{$" stays.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := ts.ReadFile(name)
		for _, v := range []string{"LISTEN", "ADMIN", "SINK", "WORK"} {
			text = strings.ReplaceAll(text, "@"+v+"@", ts.Getenv(v))
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}
