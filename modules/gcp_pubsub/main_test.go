package gcppubsub_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	gcppubsub "github.com/hookd/hookd/modules/gcp_pubsub"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	project = "hookd-test"
	topic   = "projects/hookd-test/topics/webhooks"
)

// broker is Google's in-process fake behind a network that can fail.
type broker struct {
	*pstest.Server
	proxy *testinfra.Proxy

	mu   sync.Mutex
	says func(*pubsubpb.PublishRequest) error // nil is yes
	ids  func(*pubsubpb.PublishRequest) *pubsubpb.PublishResponse
}

// React lets a test answer in the fake's place.
func (b *broker) React(req any) (handled bool, ret any, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, ok := req.(*pubsubpb.PublishRequest)
	switch {
	case !ok:
		return false, nil, nil
	case len(in.Messages) == 0: // as Pub/Sub does, after it has found the topic
		return false, nil, nil
	case b.says != nil:
		err := b.says(in)
		return err != nil, nil, err
	case b.ids != nil:
		return true, b.ids(in), nil
	}
	return false, nil, nil
}

func (b *broker) set(says func(*pubsubpb.PublishRequest) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.says = says
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{}
	b.Server = pstest.NewServerWithAddress("127.0.0.1:0", pstest.ServerReactorOption{FuncName: "Publish", Reactor: b})
	b.proxy = testinfra.NewProxy(t, b.Addr)
	t.Cleanup(func() { _ = b.Close() })
	b.create(t)
	return b
}

func (b *broker) create(t *testing.T) {
	t.Helper()
	if _, err := b.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topic}); err != nil {
		t.Fatal(err)
	}
}

func (b *broker) connection() string {
	return fmt.Sprintf(`{"project_id": %q, "emulator_host": %q}`, project, b.proxy.Addr())
}

func (b *broker) far(t *testing.T, options string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    options,
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, m := range b.Messages() {
				h := make(http.Header)
				for name, v := range m.Attributes {
					h.Add(name, v)
				}
				all = append(all, moduletest.Message{ID: m.Attributes["hookd-delivery-id"], Body: m.Data, Header: h})
			}
			return all
		},
		Poison: make([]byte, 10_000_000),
		Break: func() {
			if _, err := b.GServer.DeleteTopic(context.WithoutCancel(t.Context()), &pubsubpb.DeleteTopicRequest{Topic: topic}); err != nil {
				t.Error(err)
			}
		},
		Deny: func() (allow func()) {
			b.set(func(*pubsubpb.PublishRequest) error { return status.Error(codes.PermissionDenied, "no right") })
			return func() { b.set(nil) }
		},
		Refuse: func() {
			b.set(func(*pubsubpb.PublishRequest) error { return status.Error(3, "no") })
		},
	}
	far.Through(b.proxy)
	return far
}

func open(t *testing.T, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	return moduletest.Open(t, gcppubsub.Module(), connection)
}

func destination(t *testing.T, connection, options string) modules.BatchDestination {
	t.Helper()
	return moduletest.Destination(t, gcppubsub.Module(), connection, options).(modules.BatchDestination)
}

var ids event.IDs

func delivery(body string) *event.Delivery {
	ev := &event.Event{
		ID: ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Now(), Body: []byte(body),
		Header: http.Header{"X-Github-Event": {"push"}, "X-Two": {"a", "b"}, "X-Long": {strings.Repeat("x", 1025)}, "Hookd-Hook": {"forged"}},
	}
	const lane = "github/gcp_pubsub-1"
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, lane), Event: ev, Lane: lane, Attempt: 1, Body: ev.Body}
	d.Header = http.Header{"Hookd-Delivery-Id": {d.ID.String()}, "Hookd-Hook": {ev.Hook}}
	return d
}
