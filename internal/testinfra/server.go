package testinfra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running server. Addresses, user and data stay the same through
// all its stops and starts. It is safe for concurrent use.
type Server struct {
	Name           string // as in HOOKD_TEST_REQUIRE: "rabbitmq"
	Version        string // as the server says
	Addr           string // host:port, without TLS
	TLSAddr        string // host:port with TLS; "" when there is none
	MutualTLSAddr  string // host:port with TLS for clients with a certificate; "" when there is none
	User, Password string // of an account that may do all; "" when there are none
	Dir            string // data, configuration and log
	Certs          *Certs

	r        recipe
	settings map[string]string // what the recipe remembers

	// A server that tells its clients where it is: what a proxy leads to, and
	// where it must stand.
	proxied   string
	proxyPort int

	mu    sync.Mutex
	procs []*process // the server, then what it needs beside it
}

// recipe is how a server is found, set up, started and asked.
type recipe struct {
	name     string
	needs    []string // programs and files, see have
	packages []string // of Debian, that bring them
	user     string   // it runs as, where the tests run as root
	patience time.Duration
	quit     syscall.Signal // ends it properly; 0 is SIGTERM
	crash    syscall.Signal // ends it at once; 0 is SIGKILL

	// fetch gets what no package of Debian has; nil is nothing.
	fetch func(s *Server) error
	// setup chooses ports and writes the configuration into s.Dir, once.
	setup func(s *Server) error
	// beside are processes that must run before it; nil is none.
	beside func(s *Server) []*exec.Cmd
	// command starts the server in the foreground.
	command func(s *Server) *exec.Cmd
	// ready is nil when the server takes work.
	ready func(ctx context.Context, s *Server) error
	// version asks the installed program.
	version func(ctx context.Context) (string, error)
}

// running are the servers of this process, by name, in the order of their start.
var running struct {
	sync.Mutex
	order []*Server
	named map[string]*entry
}

// entry is one server or the reason why there is none; each is tried once.
type entry struct {
	once sync.Once
	s    *Server
	err  error
}

// get returns the server of the recipe, started where it is not.
func get(t testing.TB, r recipe) *Server {
	t.Helper()
	if !armed.Load() {
		t.Fatal("nobody stops servers: TestMain must be goleak.VerifyTestMain(m, testinfra.Cleanup()), or call testinfra.Run(m)")
	}
	s, err := shared(r)
	if err == nil {
		err = s.start()
	}
	if err != nil {
		absent(t, r.name, err)
	}
	return s
}

func shared(r recipe) (*Server, error) {
	running.Lock()
	if running.named == nil {
		running.named = make(map[string]*entry)
	}
	e := running.named[r.name]
	if e == nil {
		e = &entry{}
		running.named[r.name] = e
	}
	running.Unlock()
	e.once.Do(func() {
		if e.s, e.err = r.make(); e.err == nil {
			running.Lock()
			running.order = append(running.order, e.s)
			running.Unlock()
		}
	})
	return e.s, e.err
}

// make installs and sets up a server and starts it. Another process may take a
// port between the look and the start: then it is set up anew.
func (r recipe) make() (s *Server, err error) {
	if err := have(r.needs, r.packages); err != nil {
		return nil, err
	}
	for range 3 {
		if s, err = r.try(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (r recipe) try() (*Server, error) {
	root, err := base()
	if err != nil {
		return nil, err
	}
	s := &Server{Name: r.name, r: r, settings: make(map[string]string)}
	if r.fetch != nil {
		if err := r.fetch(s); err != nil {
			return nil, err
		}
	}
	if s.Dir, err = os.MkdirTemp(root, r.name+"-"); err != nil {
		return nil, err
	}
	if err := own(s.Dir, r.user); err != nil {
		return nil, err
	}
	if s.Certs, err = certs(); err != nil {
		return nil, err
	}
	if r.version != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if s.Version, err = r.version(ctx); err != nil {
			return nil, fmt.Errorf("version: %w", err)
		}
	}
	if err := r.setup(s); err != nil {
		return nil, err
	}
	return s, s.start()
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.procs) > 0 {
		return nil
	}
	cmds := []*exec.Cmd{s.r.command(s)}
	if s.r.beside != nil {
		cmds = append(s.r.beside(s), cmds...)
	}
	for _, cmd := range cmds {
		p, err := launch(s.Name, cmd, s.r.user, s.file("out.log"))
		if err != nil {
			return errors.Join(err, s.stop(syscall.SIGKILL))
		}
		s.procs = append([]*process{p}, s.procs...)
	}
	err := s.procs[0].until(s.r.patience, func(ctx context.Context) error { return s.r.ready(ctx, s) })
	if err != nil {
		return errors.Join(err, s.stop(syscall.SIGKILL))
	}
	return nil
}

// stop ends all processes; s.mu is held.
func (s *Server) stop(sig syscall.Signal) error {
	var errs []error
	for i, p := range s.procs {
		if i > 0 {
			sig = syscall.SIGKILL // what stands beside keeps nothing
		}
		errs = append(errs, p.end(sig))
	}
	s.procs = nil
	return errors.Join(errs...)
}

func (s *Server) halt(t testing.TB, sig syscall.Signal) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stop(sig); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server as an operator does.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.halt(t, s.quit())
}

func (s *Server) quit() syscall.Signal { return cmp.Or(s.r.quit, syscall.SIGTERM) }

// Kill ends the server as a crash does.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.halt(t, cmp.Or(s.r.crash, syscall.SIGKILL))
}

// Start starts a server that was stopped or killed, and waits until it takes
// work.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Restart stops and starts it.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

// Log is the end of what the server printed, for a failed test.
func (s *Server) Log() string { return (&process{log: s.file("out.log")}).tail() }

// StopAll stops all servers of this process, the last one first, and removes
// their data.
func StopAll() error {
	running.Lock()
	defer running.Unlock()
	var errs []error
	for i := len(running.order) - 1; i >= 0; i-- {
		s := running.order[i]
		s.mu.Lock()
		errs = append(errs, s.stop(s.quit()))
		s.mu.Unlock()
	}
	running.order, running.named = nil, nil
	dir, err := base()
	return errors.Join(append(errs, err, os.RemoveAll(dir))...)
}

func (s *Server) file(name string) string { return filepath.Join(s.Dir, name) }

// write writes a file that the server's user owns.
func (s *Server) write(name, text string) error {
	if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
		return err
	}
	return own(s.file(name), s.r.user)
}

// folder makes a folder that the server's user owns.
func (s *Server) folder(name string) error {
	if err := os.Mkdir(s.file(name), 0o700); err != nil {
		return err
	}
	return own(s.file(name), s.r.user)
}

// ports chooses the addresses: the first without TLS, the second with it.
func ports(n int) ([]int, error) {
	all := make([]int, n)
	for i := range all {
		var err error
		if all[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
