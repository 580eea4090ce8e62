package awssqs_test

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

const (
	region = "elasticmq"
	key    = "hookd-secret-access-key"
	token  = "hookd-session-token"
)

// broker is ElasticMQ behind a network that can fail, and a client in Python
// that knows nothing of hookd.
type broker struct {
	*testinfra.Server
	proxy *testinfra.Proxy
	peer  *testinfra.Peer
	queue string // of this test

	mu  sync.Mutex
	got []message
}

// message is what boto3 got.
type message struct {
	ID            string            `json:"id"`
	Body          []byte            `json:"body"`
	Attributes    map[string]string `json:"attributes"`
	Group         string            `json:"group"`
	Deduplication string            `json:"deduplication"`
}

// newBroker has a queue for the test, with a suffix to its name.
func newBroker(t *testing.T, suffix string) *broker {
	t.Helper()
	s := testinfra.SQS(t)
	b := &broker{
		Server: s, proxy: testinfra.NewProxy(t, s.Addr),
		queue: strings.ReplaceAll(testinfra.Unique(t), ".", "-") + suffix,
		peer:  testinfra.NewPeer(t, "boto3", "testdata/peer.py", "http://"+s.Addr, region),
	}
	b.create()
	t.Cleanup(func() { b.do("delete", b.queue) })
	return b
}

func (b *broker) create() {
	attributes := map[string]string{}
	if strings.HasSuffix(b.queue, ".fifo") {
		attributes["FifoQueue"] = "true"
	}
	b.do("create", b.queue, attributes)
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
func (b *broker) connection() string { return connection("http://" + b.proxy.Addr()) }

func connection(endpoint string) string {
	return fmt.Sprintf(`{"aws_access_key_id": "any", "aws_secret_access_key": %q, "aws_session_token": %q, "region_name": %q, "endpoint_url": %q}`,
		key, token, region, endpoint)
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

// header are the attributes and what did not fit among them.
func (m message) header() http.Header {
	h := make(http.Header)
	rest := make(map[string]string)
	for name, v := range m.Attributes {
		h.Add(name, v)
	}
	if text := m.Attributes["hookd-headers"]; text != "" {
		if err := json.Unmarshal([]byte(text), &rest); err != nil {
			panic(err)
		}
	}
	for name, v := range rest {
		h.Add(name, v)
	}
	return h
}

func (b *broker) far(options string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    options,
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, m := range b.received() {
				all = append(all, moduletest.Message{ID: m.ID, Body: m.Body, Header: m.header()})
			}
			return all
		},
		Poison:  make([]byte, 1<<20),
		Secrets: []string{key, token},
		Break:   func() { b.do("delete", b.queue) },
	}
	far.Through(b.proxy)
	return far
}
