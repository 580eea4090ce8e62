// Package testinfra brings up the real servers that tests talk to: brokers,
// stores, and clients in other languages that read back what hookd wrote. It is
// for tests only.
//
// A server is started with the first test that asks for it, on loopback, on a
// free port, with its data in a folder of its own, as its own user where hookd's
// tests run as root. It is shared by all tests of the test binary, which ends it
// through its TestMain:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }
//
//	func TestX(t *testing.T) {
//		s := testinfra.RabbitMQ(t)      // skips where RabbitMQ is not installed
//		p := testinfra.NewProxy(t, s.Addr)
//		...
//		p.Cut()                         // the network is gone
//		s.Kill(t); s.Start(t)           // or the server is, and comes back
//	}
//
// A test binary that crashes leaves no server behind: the kernel ends them with
// it. What it leaves in the temporary folder is removed by the next run.
//
// HOOKD_TEST_INSTALL=1 installs what is missing (Debian packages, as root).
// HOOKD_TEST_REQUIRE=all makes a missing server a failure; a list of names
// ("rabbitmq,redis") does so for those.
package testinfra

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// Timeouts and names that the servers share.
const (
	account  = "hookd"
	password = "hookd-pw"
	prefix   = "hookd-test-"
)

// armed tells that someone will stop what is started.
var armed atomic.Bool

// Cleanup is the option of goleak.VerifyTestMain that stops all servers when
// the tests are over.
func Cleanup() goleak.Option {
	armed.Store(true)
	return goleak.Cleanup(func(code int) {
		if err := StopAll(); err != nil {
			fmt.Fprintln(os.Stderr, "testinfra:", err)
		}
		os.Exit(code) //nolint:forbidigo // goleak leaves the end of the test binary to its Cleanup
	})
}

// Run runs the tests and then stops all servers, in a TestMain that is not
// goleak's own.
func Run(m interface{ Run() int }) int {
	armed.Store(true)
	code := m.Run()
	if err := StopAll(); err != nil {
		fmt.Fprintln(os.Stderr, "testinfra:", err)
	}
	return code
}

// base is the folder of this process; the folders of processes that are no more
// are removed on the way.
var base = sync.OnceValues(makeBase)

func makeBase() (string, error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && !alive(n) {
			_ = os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp("", prefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", err
	}
	// Servers that run as another user pass through it.
	return dir, os.Chmod(dir, 0o711)
}

// errMissing is wrapped by the errors of what is not installed.
var errMissing = errors.New("not installed")

// absent ends a test that cannot have its server: it is skipped, unless the
// server is required.
func absent(t testing.TB, name string, err error) {
	t.Helper()
	if !errors.Is(err, errMissing) || required(name) {
		t.Fatalf("%s: %v", name, err)
	}
	t.Skipf("%s: %v (HOOKD_TEST_INSTALL=1 installs it)", name, err)
}

func required(name string) bool {
	v := os.Getenv("HOOKD_TEST_REQUIRE")
	return v == "all" || slices.Contains(strings.Split(v, ","), name)
}

// Unique is a name for a queue, topic or key that no other test uses.
func Unique(t testing.TB) string {
	t.Helper()
	return "hookd." + strconv.Itoa(os.Getpid()) + "." + strconv.FormatInt(unique.Add(1), 10)
}

var unique atomic.Int64
