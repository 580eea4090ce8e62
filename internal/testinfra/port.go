package testinfra

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// taken are the ports that this process was given.
var taken struct {
	sync.Mutex
	ports map[int]bool
}

// freePort is a loopback port that nothing listens on, and that no other test
// gets while this process lives. It lies below the range that the system gives to
// outgoing connections: neither one of those nor a test in another process must
// take it while a server is down for a moment.
func freePort() (int, error) {
	const low = 15000
	high := 30000
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		var first, last int
		if _, err := fmt.Sscan(string(b), &first, &last); err == nil && first > low+1000 {
			high = min(high, first)
		}
	}
	for range 100 {
		port := low + rand.IntN(high-low)
		if mine, err := take(port); err != nil {
			return 0, err
		} else if !mine {
			continue
		}
		l, err := listen(port)
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("found no free port in 100 attempts")
}

// take reserves a port, and reports whether nobody else has.
func take(port int) (bool, error) {
	taken.Lock()
	defer taken.Unlock()
	if taken.ports[port] {
		return false, nil
	}
	mine, err := reserve(port)
	if mine {
		if taken.ports == nil {
			taken.ports = make(map[int]bool)
		}
		taken.ports[port] = true
	}
	return mine, err
}

func listen(port int) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(context.Background(), "tcp", loopback(port))
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Split is the host and the port of an address, for configurations that keep them apart.
func Split(addr string) (host string, port int) {
	h, p, err := net.SplitHostPort(addr)
	if err != nil {
		panic(err)
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		panic(err)
	}
	return h, n
}

// dial connects to a server on loopback.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

// FreePort is a loopback port for what a test starts by itself.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
