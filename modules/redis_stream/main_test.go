package redisstream_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/internal/redistest"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// broker is Redis and what redis-py reads from it.
type broker struct{ *redistest.Broker }

func newBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{redistest.New(t, "redis")}
	t.Cleanup(func() { b.Command("DEL", b.Name) })
	return b
}

// entry is what a reader of the stream gets.
type entry struct {
	Entry  string
	Fields map[string]string // in base64
}

func (e entry) field(name string) string {
	v, err := base64.StdEncoding.DecodeString(e.Fields[name])
	if err != nil {
		panic(err)
	}
	return string(v)
}

// headers are the sender's, and hookd's own from their fields.
func (e entry) headers() http.Header {
	var sent map[string]string
	if err := json.Unmarshal([]byte(e.field("headers")), &sent); err != nil {
		panic(err)
	}
	h := make(http.Header)
	for name, v := range sent {
		h.Set(name, v)
	}
	for name := range e.Fields {
		if name != "payload" && name != "headers" {
			h.Set(name, e.field(name))
		}
	}
	return h
}

func (b *broker) entries() []entry { return redistest.Ask[entry](b.Broker, "stream", b.Name) }

func (b *broker) received() []moduletest.Message {
	var all []moduletest.Message
	for _, e := range b.entries() {
		all = append(all, moduletest.Message{ID: e.field("hookd-delivery-id"), Body: []byte(e.field("payload")), Header: e.headers()})
	}
	return all
}

func (b *broker) far(options string) *moduletest.Far {
	deny := func() (allow func()) {
		b.Grant("-xadd")
		return func() { b.Grant("+xadd") }
	}
	far := &moduletest.Far{
		Connection: b.Connection(), Options: options, Received: b.received, Secrets: []string{b.Password},
		Deny: deny, Break: func() { deny() }, Restart: b.Crash,
	}
	far.Through(b.Proxy)
	return far
}
