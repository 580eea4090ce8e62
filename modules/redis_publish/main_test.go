package redispublish_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/internal/redistest"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// broker is Redis and a subscriber, redis-py.
type broker struct {
	*redistest.Broker
	mu  sync.Mutex
	got [][]byte
}

func newBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{Broker: redistest.New(t, "redis")}
	b.Do("subscribe", b.Name)
	return b
}

// heard are all messages so far, as they were published.
func (b *broker) heard() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range redistest.Ask[struct{ Data []byte }](b.Broker, "heard", b.Name) {
		b.got = append(b.got, m.Data)
	}
	return append([][]byte(nil), b.got...)
}

// received reads them as the original service's JSON.
func (b *broker) received() []moduletest.Message {
	var all []moduletest.Message
	for _, data := range b.heard() {
		var m struct {
			Payload json.RawMessage   `json:"payload"`
			Base64  []byte            `json:"payload_base64"`
			Headers map[string]string `json:"headers"`
		}
		if err := json.Unmarshal(data, &m); err != nil {
			panic(fmt.Sprintf("%v: %q", err, data))
		}
		h := make(http.Header)
		for name, v := range m.Headers {
			h.Set(name, v)
		}
		body, text := m.Base64, ""
		if m.Payload != nil {
			body = m.Payload
			if json.Unmarshal(m.Payload, &text) == nil {
				body = []byte(text)
			}
		}
		all = append(all, moduletest.Message{ID: h.Get("hookd-delivery-id"), Body: body, Header: h})
	}
	return all
}

func (b *broker) far(options string) *moduletest.Far {
	deny := func() (allow func()) {
		b.Grant("-publish")
		return func() { b.Grant("+publish") }
	}
	far := &moduletest.Far{
		Connection: b.Connection(), Options: options, Received: b.received, Secrets: []string{b.Password},
		Deny: deny, Break: func() { deny() },
	}
	far.Restart = func() {
		b.heard() // Redis keeps nothing: what was heard before counts
		b.Crash()
		b.Do("subscribe", b.Name)
	}
	far.Through(b.Proxy)
	return far
}
