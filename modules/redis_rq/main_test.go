package redisrq_test

import (
	"fmt"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/internal/redistest"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// The serializers, as RQ calls them.
const (
	pickle     = "pickle"
	serialJSON = "rq.serializers.JSONSerializer"
)

// broker is Redis and a worker of RQ.
type broker struct {
	*redistest.Broker
	serializer string
}

func newBroker(t testing.TB, serializer string) *broker {
	t.Helper()
	b := &broker{redistest.New(t, "rq"), serializer}
	t.Cleanup(func() { b.Command("DEL", "ran:"+b.Name, "rq:queue:"+b.Name) })
	return b
}

// call is what the function of a job was called with.
type call struct {
	ID      string
	Kind    string // of the payload, as Python calls it
	Body    []byte
	Repr    string
	Headers map[string]string
}

// calls has the worker run what is queued, and lists all calls so far.
func (b *broker) calls() []call {
	b.work()
	return redistest.Ask[call](b.Broker, "ran", b.Name)
}

func (b *broker) work() {
	serializer := any(nil)
	if b.serializer == serialJSON {
		serializer = serialJSON
	}
	b.Do("work", b.Name, serializer)
}

func (b *broker) received() []moduletest.Message {
	var all []moduletest.Message
	for _, c := range b.calls() {
		h := make(http.Header)
		for name, v := range c.Headers {
			h.Set(name, v)
		}
		all = append(all, moduletest.Message{ID: c.ID, Body: c.Body, Header: h})
	}
	return all
}

// options calls the function that notes its arguments.
func (b *broker) options(more string) string {
	return fmt.Sprintf(`{"function": "hookd_jobs.record", "queue_name": %q%s}`, b.Name, more)
}

func (b *broker) far(options string) *moduletest.Far {
	deny := func() (allow func()) {
		b.Grant("-rpush")
		return func() { b.Grant("+rpush") }
	}
	far := &moduletest.Far{
		Connection: b.Connection(), Options: options, Received: b.received, Secrets: []string{b.Password},
		Deny: deny, Break: func() { deny() }, Restart: b.Crash,
	}
	far.Through(b.Proxy)
	return far
}
