package httpwebhook_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookd/hookd/modules/moduletest"
)

// receiver is a real HTTP server that can be stopped and started again on the
// same port.
type receiver struct {
	t    *testing.T
	addr string

	mu       sync.Mutex
	srv      *http.Server
	served   sync.WaitGroup
	got      []moduletest.Message
	handler  http.HandlerFunc // answers after the request was recorded; nil is 204
	accepted atomic.Int64
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, addr: "127.0.0.1:0"}
	r.start()
	t.Cleanup(r.stop)
	return r
}

func (r *receiver) start() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatalf("listen on %s: %v", r.addr, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addr = l.Addr().String()
	r.srv = &http.Server{Handler: http.HandlerFunc(r.serve), ErrorLog: log.New(io.Discard, "", 0), ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			r.accepted.Add(1)
		}
	}}
	srv := r.srv
	r.served.Go(func() { _ = srv.Serve(l) })
}

func (r *receiver) stop() {
	r.mu.Lock()
	srv := r.srv
	r.mu.Unlock()
	_ = srv.Close()
	r.served.Wait()
}

func (r *receiver) url() string { return "http://" + r.addr + "/in" }

func (r *receiver) answer(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handler = h
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	h := req.Header.Clone()
	h.Set("X-Test-Method", req.Method)
	h.Set("X-Test-Host", req.Host)
	r.mu.Lock()
	r.got = append(r.got, moduletest.Message{ID: req.Header.Get("Hookd-Delivery-Id"), Body: body, Header: h})
	handler := r.handler
	r.mu.Unlock()
	if handler != nil {
		handler(w, req)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) received() []moduletest.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]moduletest.Message(nil), r.got...)
}

// last is the newest request.
func (r *receiver) last(t *testing.T) moduletest.Message {
	t.Helper()
	all := r.received()
	if len(all) == 0 {
		t.Fatal("nothing arrived")
	}
	return all[len(all)-1]
}

func (r *receiver) stall() (<-chan struct{}, func()) {
	entered, released := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.answer(func(_ http.ResponseWriter, req *http.Request) {
		once.Do(func() { close(entered) })
		select {
		case <-released:
		case <-req.Context().Done():
		}
	})
	return entered, sync.OnceFunc(func() { close(released) })
}

func (r *receiver) far(options string) *moduletest.Far {
	return &moduletest.Far{
		Options:  options,
		Received: r.received,
		Cut:      r.stop,
		Restore:  r.start,
		Refuse: func() {
			r.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) })
		},
		Stall:    r.stall,
		Accepted: func() int { return int(r.accepted.Load()) },
	}
}

// raw is a listener that answers each connection with bytes of the test's
// choice once it has read something, and hangs up.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				stop := context.AfterFunc(ctx, func() { c.Close() })
				defer stop()
				buf := make([]byte, 4096)
				if _, err := c.Read(buf); err != nil {
					return
				}
				_, _ = io.WriteString(c, answer)
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c) // no reset: the answer must be read
			})
		}
	})
	return "http://" + l.Addr().String() + "/"
}

// stale is a listener that answers the first request of a connection and
// hangs up on the second without a word, as a far end does whose idle time-out
// runs out. It returns the number of requests that it read.
func stale(t *testing.T) (target string, requests *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int64)
	var wg sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for range 2 {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					if requests.Add(1) != 2 {
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
						continue
					}
					return
				}
			})
		}
	})
	return "http://" + l.Addr().String() + "/", requests
}
