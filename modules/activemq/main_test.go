package activemq_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// broker is ActiveMQ behind a network that can fail, and a client in Python that
// knows nothing of hookd.
type broker struct {
	*testinfra.Server
	proxy *testinfra.Proxy
	peer  *testinfra.Peer
	name  string // of this test's queue or topic

	mu  sync.Mutex
	got []message
}

// message is what stomp.py got.
type message struct {
	ID      string            `json:"id"`
	Body    []byte            `json:"body"`
	Headers map[string]string `json:"headers"`
}

// newBroker listens to a queue or a topic from now on.
func newBroker(t *testing.T, kind string) *broker {
	t.Helper()
	s := testinfra.ActiveMQ(t)
	_, port := testinfra.Split(s.Addr)
	b := &broker{Server: s, proxy: testinfra.NewProxy(t, s.Addr), name: testinfra.Unique(t)}
	b.peer = testinfra.NewPeer(t, "stomp", "testdata/peer.py", strconv.Itoa(port), s.User, s.Password, "/"+kind+"/"+b.name)
	return b
}

// connection leads through the network that can fail.
func (b *broker) connection() string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "user": %q, "password": %q}`, host, port, b.User, b.Password)
}

// received are all messages so far.
func (b *broker) received() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.peer.Ask(`["drain"]`) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
		b.got = append(b.got, m)
	}
	return append([]message(nil), b.got...)
}

// arrived waits for n messages: the broker confirms one before it hands it on.
func (b *broker) arrived(t *testing.T, n int) []message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		all := b.received()
		if len(all) >= n {
			return all
		}
		if ctx.Err() != nil {
			t.Fatalf("%d messages, want %d", len(all), n)
		}
	}
}

func (b *broker) far(options string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    options,
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, m := range b.received() {
				h := make(http.Header)
				for name, v := range m.Headers {
					h.Add(name, v)
				}
				all = append(all, moduletest.Message{ID: m.ID, Body: m.Body, Header: h})
			}
			return all
		},
		Poison:  make([]byte, testinfra.ActiveMQMaxMessage+1),
		Secrets: []string{b.Password},
	}
	far.Through(b.proxy)
	return far
}
