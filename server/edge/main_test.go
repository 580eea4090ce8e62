package edge_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/server/ingest"
)

func TestMain(m *testing.M) {
	if os.Getenv(loadEnv) != "" {
		loadMain(os.Stdin, os.Stdout)
		return
	}
	goleak.VerifyTestMain(m)
}

// hooks is a fixed configuration.
type hooks map[string]*ingest.Hook

func (h hooks) Hook(id string) (*ingest.Hook, func(), bool) {
	k, ok := h[id]
	return k, func() {}, ok
}

// memory is a queue that keeps what it was given.
type memory struct {
	mu    sync.Mutex
	items []queue.Item
	err   error
	ids   event.IDs
}

func (m *memory) Put(_ context.Context, it queue.Item) (queue.Put, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return queue.Put{}, m.err
	}
	for _, old := range m.items {
		if it.DedupeKey != "" && old.DedupeKey == it.DedupeKey {
			return queue.Put{ID: old.Event.ID}, nil
		}
	}
	it.Event.ID = m.ids.Next(it.Event.Received)
	m.items = append(m.items, it)
	return queue.Put{ID: it.Event.ID, Fresh: true}, nil
}

func (m *memory) stored() []*event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*event.Event
	for _, it := range m.items {
		all = append(all, it.Event)
	}
	return all
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve serves until the test ends.
func serve(t testing.TB, s *http.Server, l net.Listener) (addr string) {
	t.Helper()
	addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close()
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return addr
}
