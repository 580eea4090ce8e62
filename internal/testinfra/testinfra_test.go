package testinfra_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
)

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// redis speaks its inline protocol: one line for each line.
func redis(t *testing.T, s *testinfra.Server, lines ...string) []string {
	t.Helper()
	c := dial(t, s.Addr)
	in := bufio.NewReader(c)
	var out []string
	for _, l := range append([]string{"AUTH " + s.User + " " + s.Password}, lines...) {
		if _, err := io.WriteString(c, l+"\r\n"); err != nil {
			t.Fatal(err)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out[1:]
}

// What was written before a crash is there after it, at the same address.
func TestServerKeepsItsDataAndAddress(t *testing.T) {
	s := testinfra.Redis(t)
	t.Logf("Redis %s on %s", s.Version, s.Addr)
	if got := redis(t, s, "SET a b"); got[0] != "+OK" {
		t.Fatal(got)
	}
	addr := s.Addr
	for _, end := range []func(testing.TB){s.Kill, s.Stop} {
		end(t)
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			t.Error("it still takes connections")
		}
		s.Start(t)
		if got := redis(t, s, "STRLEN a"); got[0] != ":1" {
			t.Errorf("STRLEN %v", got)
		}
	}
	if testinfra.Redis(t) != s {
		t.Error("a second server")
	}
}

// A port that a test was given is no other test's, in this process and in others,
// although nothing listens there: a server that is down for a moment comes back.
func TestPortsAreReserved(t *testing.T) {
	const many = 200
	if os.Getenv("HOOKD_TEST_PORTS") != "" {
		for range many {
			fmt.Println("port", testinfra.FreePort(t))
		}
		_, _ = io.Copy(io.Discard, os.Stdin) // they are this process's until the other has chosen
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestPortsAreReserved$")
	child.Env = append(os.Environ(), "HOOKD_TEST_PORTS=1")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := child.Wait(); err != nil {
			t.Error(err)
		}
	}()
	seen := make(map[int]bool)
	lines := bufio.NewScanner(out)
	for n := 0; n < many; n++ {
		var port int
		if !lines.Scan() {
			t.Fatalf("%d ports of the other process: %v", n, lines.Err())
		} else if _, err := fmt.Sscanf(lines.Text(), "port %d", &port); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if seen[port] {
			t.Errorf("port %d twice in one process", port)
		}
		seen[port] = true
	}
	// Of 15000, 2000 picks would meet one of 200 some 27 times.
	for range 2000 {
		port := testinfra.FreePort(t)
		if seen[port] {
			t.Fatalf("port %d is another's already", port)
		}
		seen[port] = true
	}
}

func TestServerSpeaksTLS(t *testing.T) {
	s := testinfra.Redis(t)
	cfg, err := s.Certs.Client()
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(dial(t, s.TLSAddr), cfg)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	cfg.RootCAs = nil
	if err := tls.Client(dial(t, s.TLSAddr), cfg).Handshake(); err == nil {
		t.Error("trusted by all the world")
	}
}

// Each server starts, survives a crash, and comes back where it was.
func TestServers(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *testinfra.Server{
		"rabbitmq": testinfra.RabbitMQ, "mosquitto": testinfra.Mosquitto, "activemq": testinfra.ActiveMQ,
		"sqs": testinfra.SQS, "s3": testinfra.S3, "postgres": testinfra.Postgres, "mariadb": testinfra.MariaDB, "clickhouse": testinfra.ClickHouse,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			t.Logf("%s %s on %s and %s", s.Name, s.Version, s.Addr, s.TLSAddr)
			s.Kill(t)
			s.Start(t)
		})
	}
}

// What Kafka acknowledged is there after a crash, read by another client.
func TestKafka(t *testing.T) {
	s := testinfra.Kafka(t)
	t.Logf("Kafka %s on %s and %s", s.Version, s.Addr, s.TLSAddr)
	kcat := testinfra.Program(t, "kcat", "kcat")
	s.KafkaTopic(t, "hookd", 1)
	p := s.FixedProxy(t)
	put := exec.Command(kcat, "-P", "-b", p.Addr(), "-t", "hookd", "-X", "acks=all")
	put.Stdin = strings.NewReader("one\ntwo\n")
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.Kill(t)
	s.Start(t)
	get := exec.Command(kcat, "-C", "-e", "-q", "-b", s.TLSAddr, "-t", "hookd", "-o", "beginning", "-X", "security.protocol=SASL_SSL",
		"-X", "ssl.ca.location="+s.Certs.CA, "-X", "sasl.mechanisms=PLAIN", "-X", "sasl.username="+s.User, "-X", "sasl.password="+s.Password)
	if out, err := get.CombinedOutput(); err != nil || string(out) != "one\ntwo\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if p.Accepted() == 0 {
		t.Error("nothing went through the proxy")
	}
}

// A test binary that is killed leaves no server behind.
func TestServersDieWithTheTests(t *testing.T) {
	if os.Getenv("TESTINFRA_HANG") != "" {
		s := testinfra.Redis(t)
		_ = os.WriteFile(os.Getenv("TESTINFRA_HANG"), []byte(s.Addr), 0o600)
		select {}
	}
	testinfra.Redis(t) // or skip
	file := filepath.Join(t.TempDir(), "addr")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestServersDieWithTheTests$")
	cmd.Env = append(os.Environ(), "TESTINFRA_HANG="+file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr []byte
	if !poll(func() bool { addr, _ = os.ReadFile(file); return len(addr) > 0 }) {
		t.Error("it did not start")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	gone := poll(func() bool {
		c, err := net.Dial("tcp", string(addr))
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if !gone {
		t.Errorf("something still listens on %s", addr)
	}
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "hookd-test-"+strconv.Itoa(cmd.Process.Pid)+"-*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
}

func poll(ok func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
	return true
}
