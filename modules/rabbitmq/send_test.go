package rabbitmq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

func delivery(body string) *event.Delivery { return moduletest.Delivery("github/rabbitmq-1", body) }

// What a consumer that is not hookd's own library gets.
func TestMessage(t *testing.T) {
	b := newBroker(t)
	t.Logf("RabbitMQ %s, read back with pika", b.Version)
	x := delivery(`{"é":"` + "\U0001F44B" + `"}`)
	for options, headers := range map[string]map[string]string{
		fmt.Sprintf(`{"queue_name": %q, "headers": {"X-Team": "pay", "x-two": "c"}}`, b.queue): {
			"x-github-event": "push", "x-two": "c", "x-team": "pay",
		},
		fmt.Sprintf(`{"queue": %q, "forward_headers": false, "persistent": false, "expiration": "1h"}`, b.queue): {},
	} {
		for name, v := range x.Header {
			headers[strings.ToLower(name)] = v[0]
		}
		if err := moduletest.Send(t, destination(t, b.connection(), options), x); err != nil {
			t.Fatal(err)
		}
		all := b.received()
		got := all[len(all)-1]
		mode, expiration := 2, ""
		if strings.Contains(options, "expiration") {
			mode, expiration = 1, "3600000"
		}
		if got.ID != x.ID.String() || !bytes.Equal(got.Body, x.Body) || got.ContentType != "application/json" || got.DeliveryMode != mode ||
			got.AppID != "hookd" || got.Expiration != expiration || got.Key != b.queue || got.Exchange != "" {
			t.Errorf("%s: %+v", options, got)
		}
		if fmt.Sprint(got.Headers) != fmt.Sprint(headers) {
			t.Errorf("%s: headers %v, want %v", options, got.Headers, headers)
		}
	}
}

// What RabbitMQ confirms although no queue took it, or does not confirm, is a
// failure: by itself and in a batch.
func TestSilentSuccess(t *testing.T) {
	b := newBroker(t)
	full, exchange := b.queue+".full", b.queue+".x"
	b.do("declare", full, map[string]any{"x-max-length": 1, "x-overflow": "reject-publish"})
	b.do("exchange", exchange, "topic")
	t.Cleanup(func() { b.do("delete", full) })
	b.do("fill", full, 1)
	large := delivery(strings.Repeat("x", testinfra.RabbitMaxMessage+1))
	plain := func() *event.Delivery { return delivery(`{}`) }
	for what, c := range map[string]struct {
		user, options string
		x             *event.Delivery
		kind          modules.FailureKind
		code, text    string
	}{
		"no queue":    {b.User, `{"queue_name": "hookd.missing", "declare": false}`, plain(), modules.Retryable, modules.CodeNotFound, "312 NO_ROUTE"},
		"no binding":  {b.User, fmt.Sprintf(`{"exchange": %q, "routing_key": "a.b"}`, exchange), plain(), modules.Retryable, modules.CodeNotFound, "312 NO_ROUTE"},
		"no exchange": {b.User, `{"exchange": "hookd.missing"}`, plain(), modules.Retryable, modules.CodeNotFound, "no exchange 'hookd.missing'"},
		"full":        {b.User, fmt.Sprintf(`{"queue_name": %q}`, full), plain(), modules.Retryable, "rabbitmq_nack", "full"},
		"no right to write": {
			testinfra.RabbitGuest, fmt.Sprintf(`{"queue_name": %q}`, full), plain(), modules.Retryable, modules.CodeAuthFailed, "ACCESS_REFUSED",
		},
		"no right to declare": {
			testinfra.RabbitGuest, `{"queue_name": "hookd.missing"}`, plain(), modules.Retryable, modules.CodeAuthFailed, `"declare": false`,
		},
		"too large": {b.User, fmt.Sprintf(`{"queue_name": %q}`, b.queue), large, modules.Rejected, modules.CodeTooLarge, "message size"},
	} {
		d := destination(t, b.as(c.user, b.Password), c.options)
		moduletest.Want(t, what, moduletest.Send(t, d, c.x), c.kind, c.code, c.text)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		for i, r := range d.SendBatch(ctx, []*event.Delivery{c.x, c.x, c.x}) {
			moduletest.Want(t, fmt.Sprintf("%s, item %d", what, i), r.Err, c.kind, c.code, c.text)
		}
		cancel()
		if err := moduletest.Check(t, d); err == nil && what != "full" && what != "no binding" && what != "too large" {
			t.Errorf("%s: Check passes", what)
		}
	}
}

// With mandatory off RabbitMQ's confirm is all there is.
func TestMandatoryOff(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"queue_name": "hookd.missing", "declare": false, "mandatory": false}`)
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// A queue that goes missing is declared again; one that is there is used as it
// is, without the right to declare.
func TestDeclare(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q, "queue_type": "quorum"}`, b.queue))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check before the queue is declared: %v", err)
	}
	if err := moduletest.Send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	classic := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	if err := moduletest.Send(t, classic, delivery(`{"n":2}`)); err != nil {
		t.Errorf("a queue of another type: %v", err)
	}
	if n := len(b.received()); n != 2 {
		t.Errorf("%d messages", n)
	}
	b.do("delete", b.queue)
	moduletest.Want(t, "the queue was deleted", moduletest.Send(t, d, delivery(`{"n":3}`)), modules.Retryable, modules.CodeNotFound, "NO_ROUTE")
	if err := moduletest.Send(t, d, delivery(`{"n":4}`)); err != nil {
		t.Errorf("it was not declared again: %v", err)
	}
}

// A broker out of memory stops publishers: what is under way ends soon, what
// comes is not sent, and all goes on when the alarm ends.
func TestBlocked(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	if err := moduletest.Send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	b.RabbitCtl(t, "set_vm_memory_high_watermark", "0")
	end := sync.OnceFunc(func() { b.RabbitCtl(t, "set_vm_memory_high_watermark", "0.4") })
	t.Cleanup(end)
	first := delivery(`{"n":2}`)
	took := moduletest.Took(func() {
		moduletest.Want(t, "under way", moduletest.Send(t, d, first), modules.Throttled, modules.CodeThrottled, "low on memory")
	})
	if took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	took = moduletest.Took(func() {
		moduletest.Want(t, "the next", moduletest.Send(t, d, delivery(`{"n":3}`)), modules.Throttled, modules.CodeThrottled, "low on memory")
	})
	if took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	end()
	var err error
	for range 20 {
		if err = moduletest.Send(t, d, first); err == nil {
			break
		}
		<-time.After(500 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("after the alarm: %v", err)
	}
	n := 0
	for _, m := range b.received() {
		if m.ID == first.ID.String() {
			n++
		}
	}
	if n == 0 {
		t.Error("it did not arrive")
	}
}

// Sends that find all channels in use wait, and not longer than they may.
func TestChannels(t *testing.T) {
	b := newBroker(t)
	d := destination(t, strings.Replace(b.connection(), "{", `{"channels": 1, `, 1), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	if err := moduletest.Send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	entered, release := b.proxy.Mute()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := d.Send(ctx, delivery(`{"n":2}`))
		done <- err
	}()
	<-entered
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	_, err := d.Send(short, delivery(`{"n":3}`))
	moduletest.Want(t, "all in use", err, modules.Retryable, modules.CodeTimeout, "all 1 channels")
	cancel()
	err = <-done
	moduletest.Want(t, "cancelled", err, modules.Retryable, modules.CodeShutdown, "no confirm")
	if !errors.Is(err, context.Canceled) {
		t.Error("it does not wrap the context's error")
	}
	release()
	// The channel is free when its last confirm came.
	if err := moduletest.Send(t, d, delivery(`{"n":4}`)); err != nil {
		t.Error(err)
	}
}

// Headers that no frame holds are refused before the broker closes the
// connection over them.
func TestHeadersTooLarge(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	x := delivery(`{}`)
	x.Event.Header.Set("X-Large", strings.Repeat("x", 128<<10))
	good := delivery(`{}`)
	rs := d.SendBatch(t.Context(), []*event.Delivery{good, x, good})
	moduletest.Want(t, "large", rs[1].Err, modules.Rejected, modules.CodeTooLarge, "forward_headers")
	if rs[0].Err != nil || rs[2].Err != nil {
		t.Errorf("%v, %v", rs[0].Err, rs[2].Err)
	}
	x.Event.Header.Set("X-Large", strings.Repeat("x", 126<<10))
	if err := moduletest.Send(t, d, x); err != nil {
		t.Errorf("126 KiB: %v", err)
	}
}
