package activemq_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/activemq"
	"github.com/hookd/hookd/modules/moduletest"
)

func newArtemis(t *testing.T) *broker {
	t.Helper()
	s := testinfra.Artemis(t)
	_, port := testinfra.Split(s.Addr)
	b := &broker{Server: s, proxy: testinfra.NewProxy(t, s.Addr), name: testinfra.Unique(t)}
	b.peer = testinfra.NewPeer(t, "stomp", "testdata/peer.py", strconv.Itoa(port), "nobody", "none", "/queue/"+b.name)
	return b
}

func (b *broker) anonymous() string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": %d}`, host, port)
}

func TestArtemis(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: activemq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newArtemis(t)
			far := b.far(fmt.Sprintf(`{"destination": "/queue/%s"}`, b.name))
			far.Connection, far.Secrets, far.Poison = b.anonymous(), nil, nil
			far.Restart = func() {
				b.Kill(t)
				b.Start(t)
			}
			return far
		},
	})
}

// Artemis drops a repeat and confirms it; by itself, and in a batch, where it
// undoes the whole transaction.
func TestArtemisDropsRepeats(t *testing.T) {
	b := newArtemis(t)
	t.Logf("Artemis %s, read back with stomp.py", b.Version)
	d := destination(t, b.anonymous(), fmt.Sprintf(`{"destination": "/queue/%s"}`, b.name))
	first, second, third := delivery(`{"n":1}`), delivery(`{"n":2}`), delivery(`{"n":3}`)
	for _, x := range []*event.Delivery{first, first, second} {
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i, r := range d.SendBatch(ctx, []*event.Delivery{first, third, second, third}) {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	times := make(map[string]int)
	for _, m := range b.received() {
		times[m.ID]++
	}
	if len(times) != 3 || times[first.ID.String()] != 1 || times[second.ID.String()] != 1 || times[third.ID.String()] != 1 {
		t.Errorf("%v", times)
	}
}

func TestArtemisIsFull(t *testing.T) {
	b := newArtemis(t)
	full := testinfra.ArtemisFull + b.name
	d := destination(t, b.anonymous(), fmt.Sprintf(`{"destination": "/queue/%s"}`, full))
	var err error
	for range 100 {
		x := delivery(`{}`)
		x.Body = make([]byte, 8<<10)
		if err = moduletest.Send(t, d, x); err != nil {
			break
		}
	}
	moduletest.Want(t, "full", err, modules.Retryable, "activemq_error", "AMQ339011") // it does not say why
	if err != nil && strings.Contains(err.Error(), "x-github-event") {
		t.Errorf("it shows the headers: %v", err)
	}
	rs := d.SendBatch(t.Context(), []*event.Delivery{delivery(`{}`), delivery(`{}`), delivery(`{}`)})
	for i, r := range rs {
		moduletest.Want(t, "item "+strconv.Itoa(i), r.Err, modules.Retryable, "activemq_error", "AMQ339011")
	}
}
