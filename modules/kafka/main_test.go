package kafka_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// maxMessage is what the tests' destinations send at most: the suite has bodies
// of 1 MiB.
const maxMessage = 3 << 19

// broker is Kafka behind a network that can fail, and a client in Python that
// knows nothing of hookd.
type broker struct {
	*testinfra.Server
	t     *testing.T
	proxy *testinfra.Proxy
	peer  *testinfra.Peer
	topic string // of this test

	mu  sync.Mutex
	got []message
}

// message is what librdkafka got.
type message struct {
	Key       []byte      `json:"key"` // nil for none
	Body      []byte      `json:"body"`
	Null      bool        `json:"null"`
	Partition int         `json:"partition"`
	Offset    int         `json:"offset"`
	Headers   [][2]string `json:"-"`
	Encoded   [][]any     `json:"headers"`
}

func newBroker(t *testing.T, partitions int) *broker {
	t.Helper()
	s := testinfra.Kafka(t)
	b := &broker{
		Server: s, t: t, proxy: s.FixedProxy(t), topic: testinfra.Unique(t),
		peer: testinfra.NewPeer(t, "confluent_kafka", "testdata/peer.py", s.Addr),
	}
	b.do("create", b.topic, partitions)
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
	return fmt.Sprintf(`{"bootstrap_servers": %q}`, b.proxy.Addr())
}

// login is the connection of an account, over TLS.
func (b *broker) login(account, mechanism string) string {
	return fmt.Sprintf(`{"bootstrap_servers": %q, "sasl_mechanism": %q, "sasl_username": %q, "sasl_password": %q, "tls": {"ca_file": %q}}`,
		b.TLSAddr, mechanism, account, b.Password, b.Certs.CA)
}

func (b *broker) options(more string) string {
	return fmt.Sprintf(`{"topic": %q, "max_message_bytes": %d%s}`, b.topic, maxMessage, more)
}

// received are all messages so far.
func (b *broker) received() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.do("drain", b.topic) {
		b.got = append(b.got, parse(line))
	}
	return append([]message(nil), b.got...)
}

func parse(line string) message {
	var m message
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		panic(fmt.Sprintf("%v: %s", err, line))
	}
	for _, h := range m.Encoded {
		var v []byte
		if err := json.Unmarshal(fmt.Appendf(nil, "%q", h[1]), &v); err != nil {
			panic(err)
		}
		m.Headers = append(m.Headers, [2]string{h[0].(string), string(v)})
	}
	return m
}

func (m message) header() http.Header {
	h := make(http.Header)
	for _, pair := range m.Headers {
		h.Add(pair[0], pair[1])
	}
	return h
}

func (b *broker) far(more string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    b.options(more),
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, m := range b.received() {
				h := m.header()
				all = append(all, moduletest.Message{ID: h.Get("Hookd-Delivery-Id"), Body: m.Body, Header: h})
			}
			return all
		},
		Poison: []byte(strings.Repeat("x", testinfra.KafkaMaxMessage+1)),
		Refuse: func() { b.do("refuse", b.topic) },
		Break:  func() { b.do("delete", b.topic) },
		Restart: func() {
			b.Kill(b.t)
			b.Start(b.t)
		},
	}
	far.Through(b.proxy)
	return far
}
