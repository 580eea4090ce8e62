package moduletest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// fault is what the module of this test does wrong; "" is nothing.
var fault = os.Getenv("MODULETEST_FAULT")

func faulty(name string) bool { return fault == name }

// message is one line of the test's own protocol; the far end answers each
// with "ok" or "no".
type message struct {
	Key, ID string
	Header  http.Header
	Body    []byte
}

type connection struct {
	Addr string
	Key  secret.String
}

func (c *connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Addr, "addr").Required().Doc("Where the far end listens."),
		spec.Secret(&c.Key, "key").Required().Doc("Key for the far end."),
	}
}

type options struct{ Tag string }

func (o *options) Fields() spec.Fields {
	return spec.Fields{spec.String(&o.Tag, "tag").Doc("Nothing.")}
}

// client is one TCP connection; it never heals, so that the suite's reopening
// is used.
type client struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
	key  secret.String
	dial func(context.Context) (net.Conn, error)
	stop chan struct{}
}

func (c *client) Close(context.Context) error {
	if !faulty("leaks a goroutine") {
		close(c.stop)
	}
	_ = c.conn.Close()
	return nil
}

func memory() modules.Module {
	return modules.Define(modules.Definition[connection, options, *client]{
		Name: "memory", Title: "Memory", Summary: "Sends lines to a test.", Guarantee: modules.Keyed, ConnectionTypes: []string{"memory"},
		Open: func(ctx context.Context, env modules.Env, c *connection) (*client, error) {
			dial := func(ctx context.Context) (net.Conn, error) {
				if faulty("dials around") {
					var d net.Dialer
					return d.DialContext(ctx, "tcp", c.Addr)
				}
				return env.Dial(ctx, "tcp", c.Addr)
			}
			conn, err := dial(ctx)
			if err != nil {
				return nil, err
			}
			k := &client{conn: conn, in: bufio.NewReader(conn), key: c.Key, dial: dial, stop: make(chan struct{})}
			go func() { <-k.stop }()
			return k, nil
		},
		New: func(_ modules.Env, k *client, _ *options) (modules.Destination, error) {
			return &destination{client: k}, nil
		},
	})
}

type destination struct{ *client }

func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

func (d *destination) BatchLimit() (items, bytes int) { return 8, 0 }

func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]modules.Result, len(ds))
	for i, x := range ds {
		all[i].Err = d.one(ctx, x)
		if all[i].Err != nil && faulty("gives up on a batch") {
			return all[:i+1]
		}
		if faulty("batch sinks") && i > 0 {
			all[i].Err = errors.Join(all[i].Err, all[i-1].Err)
		}
	}
	return all
}

func (d *destination) one(ctx context.Context, x *event.Delivery) error {
	if err := ctx.Err(); err != nil {
		if faulty("late for nothing") {
			dawdle()
		}
		return modules.Retry(modules.CodeTimeout, err)
	}
	if faulty("late") {
		defer dawdle()
	}
	m := message{Key: d.key.Reveal(), ID: x.ID.String(), Header: x.Header, Body: x.Body}
	switch fault {
	case "drops bytes":
		m.Body = bytes.ReplaceAll(m.Body, []byte{0}, nil)
	case "own id":
		m.ID = fmt.Sprint(x.Attempt)
	case "an id for each send":
		m.ID += fmt.Sprint(sends.Add(1) == 2)
	case "loses headers":
		m.Header = http.Header{"Hookd-Hook": x.Header["Hookd-Hook"]}
	case "mutates":
		x.Header.Set("Hookd-Attempt", "9")
	}
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c := d.conn
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	_, err = c.Write(append(line, '\n'))
	if err == nil && faulty("acks early") {
		return nil
	}
	var answer string
	if err == nil {
		answer, err = d.in.ReadString('\n')
	}
	switch {
	case err != nil && faulty("takes silence for yes"):
		return nil
	case err != nil && faulty("shows the secret"):
		return modules.Disconnect(fmt.Errorf("with key %s: %w", d.key.Reveal(), err))
	case err != nil && faulty("rejects on cut"):
		return modules.Reject(modules.CodeRefused, err)
	case err != nil && faulty("strange code"):
		return modules.Retry("e17", err)
	case err != nil:
		return modules.Disconnect(err)
	case answer == "no\n" && faulty("retries a refusal"):
		return modules.Retry(modules.CodeRefused, errors.New("it said no"))
	case answer == "no right\n" && faulty("gives up without rights"):
		return modules.Reject(modules.CodeAuthFailed, errors.New("no right"))
	case answer == "no right\n":
		return modules.Retry(modules.CodeAuthFailed, errors.New("no right"))
	case answer == "no\n":
		return modules.Reject(modules.CodeRefused, errors.New("it said no"))
	}
	return nil
}

func (d *destination) Check(ctx context.Context) error {
	switch fault {
	case "checks nothing":
		return nil
	case "check sends":
		return d.one(ctx, &event.Delivery{})
	}
	c, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if faulty("checks the network only") {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := json.NewEncoder(c).Encode(message{Key: question}); err != nil {
		return err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = errors.New("it says no")
	}
	return err
}

// dawdle takes longer than a module may, however slow the machine is.
func dawdle() {
	t := time.NewTicker(10 * time.Millisecond)
	defer t.Stop()
	for range 150 {
		<-t.C
	}
}

// question is the key of a message that only asks.
const question = "?"

var sends atomic.Int64

// server is the far end.
type server struct {
	addr     string
	mu       sync.Mutex
	l        net.Listener
	conns    []net.Conn
	wg       sync.WaitGroup
	got      []moduletest.Message
	refuse   bool
	deny     bool
	entered  chan struct{} // not nil: stalls
	release  chan struct{}
	accepted atomic.Int64
}

func (s *server) start() {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.l, s.addr = l, l.Addr().String()
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
}

func (s *server) stop() {
	s.mu.Lock()
	s.l.Close()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	dec := json.NewDecoder(c)
	for {
		var m message
		if dec.Decode(&m) != nil {
			return
		}
		s.mu.Lock()
		entered, release, refuse, deny := s.entered, s.release, s.refuse || string(m.Body) == "poison", s.deny
		s.entered = nil
		if entered == nil && !refuse && !deny && m.Key != question {
			s.got = append(s.got, moduletest.Message{ID: m.ID, Body: m.Body, Header: m.Header})
		}
		s.mu.Unlock()
		if entered != nil {
			close(entered)
			<-release
		}
		answer := "ok\n"
		switch {
		case refuse:
			answer = "no\n"
		case deny:
			answer = "no right\n"
		}
		if _, err := c.Write([]byte(answer)); err != nil {
			return
		}
	}
}

func far(t *testing.T) *moduletest.Far {
	s := &server{addr: "127.0.0.1:0"}
	s.start()
	t.Cleanup(s.stop)
	may := func(yes bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deny = !yes
	}
	refuse := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refuse = true
	}
	p := testinfra.NewProxy(t, s.addr)
	return &moduletest.Far{
		Connection: fmt.Sprintf(`{"addr": %q, "key": "canary-key-19"}`, p.Addr()),
		Received: func() []moduletest.Message {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.Clone(s.got)
		},
		Cut: p.Cut, Restore: p.Restore, Mute: p.Mute,
		Restart: func() {
			s.stop()
			s.start()
		},
		Refuse: refuse, Break: refuse,
		Deny: func() (allow func()) {
			may(false)
			return func() { may(true) }
		},
		Stall: func() (<-chan struct{}, func()) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.entered, s.release = make(chan struct{}), make(chan struct{})
			return s.entered, sync.OnceFunc(func() { close(s.release) })
		},
		Accepted: func() int { return int(s.accepted.Load()) },
		Poison:   []byte("poison"),
		Secrets:  []string{"canary-key-19"},
	}
}
