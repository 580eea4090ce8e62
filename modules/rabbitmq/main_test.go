package rabbitmq_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// broker is RabbitMQ behind a network that can fail, and a client in Python that
// knows nothing of hookd.
type broker struct {
	*testinfra.Server
	proxy *testinfra.Proxy
	peer  *testinfra.Peer
	queue string // of this test

	mu  sync.Mutex
	got []message
}

// message is what pika got.
type message struct {
	ID           string            `json:"id"`
	Body         []byte            `json:"body"`
	Headers      map[string]string `json:"headers"`
	ContentType  string            `json:"content_type"`
	DeliveryMode int               `json:"delivery_mode"`
	AppID        string            `json:"app_id"`
	Expiration   string            `json:"expiration"`
	Key          string            `json:"key"`
	Exchange     string            `json:"exchange"`
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	s := testinfra.RabbitMQ(t)
	_, port := testinfra.Split(s.Addr)
	b := &broker{
		Server: s, proxy: testinfra.NewProxy(t, s.Addr), queue: testinfra.Unique(t),
		peer: testinfra.NewPeer(t, "pika", "testdata/peer.py", strconv.Itoa(port), testinfra.RabbitVhost, s.User, s.Password),
	}
	t.Cleanup(func() { b.do("delete", b.queue) })
	return b
}

// do has the peer do something.
func (b *broker) do(op string, arguments ...any) []string {
	line, err := json.Marshal(append([]any{op}, arguments...))
	if err != nil {
		panic(err)
	}
	return b.peer.Ask(string(line))
}

// connection leads through the network that can fail.
func (b *broker) connection() string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "user": %q, "pass": %q, "vhost": %q}`, host, port, b.User, b.Password, testinfra.RabbitVhost)
}

// received are all messages so far.
func (b *broker) received() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.do("drain", b.queue) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
		b.got = append(b.got, m)
	}
	return append([]message(nil), b.got...)
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
		Poison:  make([]byte, testinfra.RabbitMaxMessage+1),
		Secrets: []string{b.Password},
	}
	far.Through(b.proxy)
	return far
}
