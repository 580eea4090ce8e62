//go:build linux

// Command services starts the servers that hookd's tests use, for a person to
// try hookd with. `up` starts them and prints entries for connections.json,
// `down` ends them. Their data is gone then.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run() error {
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: services up|down [server ...]\n\nservers: %s\n", strings.Join(testinfra.Names(), " "))
	}
	flag.Parse()
	names := testinfra.Names()
	if flag.NArg() > 1 {
		names = flag.Args()[1:]
	}
	dir, err := stateDir()
	if err != nil {
		return err
	}
	switch flag.Arg(0) {
	case "up":
		return up(dir, names)
	case "down":
		return down(dir)
	case "stay": // what up leaves behind
		return stay(dir, names)
	}
	flag.Usage()
	return errors.New("say up or down")
}

// state is what the process that keeps the servers tells.
type state struct {
	PID         int
	Connections map[string]any
	Certs       string
	Errors      string
}

func stateDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "hookd-test", "services")
	return dir, os.MkdirAll(dir, 0o700)
}

func read(dir string) (s state, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

// keeper finds the process that keeps the servers.
func keeper(dir string) (*os.Process, state, error) {
	s, err := read(dir)
	if err != nil {
		return nil, s, err
	}
	// The number may be another process's by now.
	line, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID) + "/cmdline")
	if err != nil || !bytes.Contains(line, []byte("\x00stay\x00")) {
		return nil, s, fs.ErrNotExist
	}
	p, err := os.FindProcess(s.PID)
	return p, s, err
}

// up starts a process that keeps the servers, and shows what it tells.
func up(dir string, names []string) error {
	if _, s, err := keeper(dir); err == nil {
		return show(s)
	}
	_ = os.Remove(filepath.Join(dir, "state.json"))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// `go run` removes its program when it ends.
	kept := filepath.Join(dir, "services")
	if b, err := os.ReadFile(self); err != nil {
		return err
	} else if err := os.WriteFile(kept, b, 0o700); err != nil {
		return err
	}
	cmd := exec.Command(kept, append([]string{"stay"}, names...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	fmt.Fprintln(os.Stderr, "starting", strings.Join(names, ", "))
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return errors.Join(fmt.Errorf("ended, see %s", log.Name()), err)
		case <-tick.C:
			if s, err := read(dir); err == nil {
				return show(s)
			}
		}
	}
}

func show(s state) error {
	if s.Errors != "" {
		fmt.Fprintln(os.Stderr, s.Errors)
	}
	fmt.Fprintf(os.Stderr, "running (pid %d); certificates in %s; entries for connections.json:\n", s.PID, s.Certs)
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(s.Connections)
}

// stay starts the servers and keeps them until it is told to end.
func stay(dir string, names []string) error {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	servers, err := testinfra.Up(names)
	s := state{PID: os.Getpid(), Connections: make(map[string]any)}
	if err != nil {
		s.Errors = err.Error()
	}
	for _, v := range servers {
		s.Connections[v.Name] = v.Connection()
		s.Certs = filepath.Dir(v.Certs.CA)
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "state.json")
	if err := errors.Join(os.WriteFile(file+".new", b, 0o600), os.Rename(file+".new", file)); err != nil {
		return errors.Join(err, testinfra.StopAll())
	}
	<-end
	return errors.Join(testinfra.StopAll(), os.Remove(file))
}

// down ends the process that keeps the servers, and waits for it.
func down(dir string) error {
	p, _, err := keeper(dir)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "nothing runs")
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, _, err := keeper(dir); err != nil {
			return nil
		}
	}
	return nil
}
