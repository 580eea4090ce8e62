package mqtt_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// broker is Mosquitto behind a network that can fail, and mosquitto_sub, which
// reads what is published below the topic of this test.
type broker struct {
	*testinfra.Server
	proxy  *testinfra.Proxy
	reader *testinfra.Subscriber
	topic  string
}

// newBroker has a reader with QoS 1 that reads the further topics as well.
func newBroker(t *testing.T, also ...string) *broker {
	t.Helper()
	s := testinfra.Mosquitto(t)
	topic := "hookd/" + testinfra.Unique(t)
	return &broker{Server: s, proxy: testinfra.NewProxy(t, s.Addr), topic: topic, reader: s.Subscriber(t, 1, topic, also...)}
}

// connection leads through the network that can fail. more are further members.
func (b *broker) connection(more ...string) string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "username": %q, "password": %q%s}`, host, port, b.User, b.Password,
		strings.Join(append([]string{""}, more...), ", "))
}

// far is the far end of the suite, which finds the id in the topic.
func (b *broker) far(options string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(`"max_message_size": "2MiB"`),
		Options:    options,
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, m := range b.reader.Messages() {
				all = append(all, moduletest.Message{ID: path.Base(m.Topic), Body: m.Payload})
			}
			return all
		},
		Poison:  make([]byte, 2<<20+1),
		Secrets: []string{b.Password},
	}
	far.Through(b.proxy)
	return far
}
