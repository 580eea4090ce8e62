package activemq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

func delivery(body string) *event.Delivery { return moduletest.Delivery("github/activemq-1", body) }

// What a consumer that is not hookd's own library gets.
func TestMessage(t *testing.T) {
	b := newBroker(t, "queue")
	t.Logf("ActiveMQ %s, read back with stomp.py", b.Version)
	x := delivery("{\"é\":\"\U0001F44B\"}\x00\n\x00")
	sent := 0
	for options, headers := range map[string]map[string]string{
		fmt.Sprintf(`{"destination": %q, "headers": {"X-Team": "pay:\\ \n\\n", "x-two": "c"}}`, b.name): {
			"x-github-event": "push", "x-two": "c", "X-Team": "pay:\\ \n\\n", "persistent": "true",
		},
		fmt.Sprintf(`{"destination": "/queue/%s", "forward_headers": false, "headers": {"AMQ_X": "g"}, "persistent": false, "expiration": "1h"}`, b.name): {
			"AMQ_X": "g",
		},
	} {
		for name, v := range x.Header {
			headers[strings.ToLower(name)] = v[0]
		}
		headers["_AMQ_DUPL_ID"] = x.ID.String()
		if err := moduletest.Send(t, destination(t, b.connection(), options), x); err != nil {
			t.Fatal(err)
		}
		sent++
		all := b.arrived(t, sent)
		got := all[len(all)-1]
		expires := got.Headers["expires"]
		for _, name := range []string{"destination", "message-id", "subscription", "ack", "timestamp", "priority", "content-length", "expires"} {
			delete(got.Headers, name) // the broker's
		}
		if got.ID != x.ID.String() || !bytes.Equal(got.Body, x.Body) {
			t.Errorf("%s: %+v", options, got)
		}
		if !maps.Equal(got.Headers, headers) {
			t.Errorf("%s: headers %v, want %v", options, got.Headers, headers)
		}
		if in, _ := time.ParseDuration(expires + "ms"); strings.Contains(options, "expiration") &&
			(in < time.Duration(time.Now().UnixMilli())*time.Millisecond || in > time.Duration(time.Now().Add(time.Hour).UnixMilli())*time.Millisecond) {
			t.Errorf("it expires at %q", expires)
		}
	}
}

// A stranger's headers steer nothing.
func TestHeadersThatMeanSomething(t *testing.T) {
	b := newBroker(t, "queue")
	x := delivery(`{"a":1}`)
	for _, name := range []string{
		"Destination", "Receipt", "Content-Length", "Transaction", "Persistent", "Expires", "Priority", "Reply-To", "Correlation-Id", "Type",
		"Amq-Msg-Type", "AMQ_SCHEDULED_DELAY", "JMSXGroupID", "_AMQ_DUPL_ID", "Message-Id", "Selector", "Hookd-Other", "A:b", "X\r\nReceipt", "",
	} {
		x.Event.Header[name] = []string{"1"}
	}
	x.Event.Header.Set("X-Lines", "a\r\nreceipt:9\n\n\x00SEND")
	if err := moduletest.Send(t, destination(t, b.connection(), fmt.Sprintf(`{"destination": %q}`, b.name)), x); err != nil {
		t.Fatal(err)
	}
	all := b.arrived(t, 1)
	if len(all) != 1 || !bytes.Equal(all[0].Body, x.Body) {
		t.Fatalf("%+v", all)
	}
	h := all[0].Headers
	for _, name := range []string{
		"receipt", "transaction", "reply-to", "correlation-id", "type", "amq-msg-type", "amq_scheduled_delay", "AMQ_SCHEDULED_DELAY",
		"jmsxgroupid", "JMSXGroupID", "selector", "hookd-other", "a:b", "_amq_dupl_id",
	} {
		if v, ok := h[name]; ok {
			t.Errorf("%s: %q", name, v)
		}
	}
	if h["x-lines"] != "a\r\nreceipt:9\n\n\uFFFDSEND" || h["_AMQ_DUPL_ID"] != x.ID.String() || h["persistent"] != "true" || h["expires"] != "0" || h["hookd-hook"] != "github" {
		t.Errorf("%v", h)
	}
}

// What ActiveMQ does not take is a failure: by itself and in a batch.
func TestRefusals(t *testing.T) {
	b := newBroker(t, "queue")
	full := testinfra.ActiveMQFull + b.name
	fill(t, b, full)
	long := delivery(`{}`)
	long.Event.Header.Set("X-Long", strings.Repeat("x", 20<<10))
	many := delivery(`{}`)
	for i := range 1100 {
		many.Event.Header.Set(fmt.Sprintf("X-%d", i), "x")
	}
	plain := func() *event.Delivery { return delivery(`{}`) }
	own := fmt.Sprintf(`{"destination": %q}`, b.name)
	for what, c := range map[string]struct {
		user, options string
		x             *event.Delivery
		kind          modules.FailureKind
		code, text    string
		passes        bool // Check
	}{
		"no right":            {testinfra.ActiveMQGuest, own, plain(), modules.Retryable, modules.CodeAuthFailed, "not authorized to write", false},
		"no right to declare": {b.User, `{"destination": "other.x"}`, plain(), modules.Retryable, modules.CodeAuthFailed, "not authorized to", false},
		"no right to a topic": {b.User, `{"destination": "/topic/other.x"}`, plain(), modules.Retryable, modules.CodeAuthFailed, "not authorized to", false},
		"full":                {b.User, fmt.Sprintf(`{"destination": %q}`, full), plain(), modules.Throttled, modules.CodeThrottled, "Memory Limit", false},
		"too large": {
			b.User, own, delivery(strings.Repeat("x", testinfra.ActiveMQMaxMessage+1)), modules.Rejected, modules.CodeTooLarge, "maximum data length", true,
		},
		"long header":  {b.User, own, long, modules.Rejected, modules.CodeTooLarge, "header length", true},
		"many headers": {b.User, own, many, modules.Rejected, modules.CodeTooLarge, "number of headers", true},
	} {
		d := destination(t, b.as(c.user, b.Password), c.options)
		moduletest.Want(t, what, moduletest.Send(t, d, c.x), c.kind, c.code, c.text)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		good := delivery(`{"good":1}`)
		for i, r := range d.SendBatch(ctx, []*event.Delivery{c.x, good, c.x, good}) {
			if i%2 == 1 && c.code == modules.CodeTooLarge {
				if r.Err != nil {
					t.Errorf("%s, item %d: %v", what, i, r.Err)
				}
				continue
			}
			moduletest.Want(t, fmt.Sprintf("%s, item %d", what, i), r.Err, c.kind, c.code, c.text)
		}
		cancel()
		if err := moduletest.Check(t, d); (err == nil) != c.passes {
			t.Errorf("%s: Check: %v", what, err)
		}
	}
}

// fill sends to a queue until it is full.
func fill(t *testing.T, b *broker, name string) {
	t.Helper()
	d := destination(t, b.connection(), fmt.Sprintf(`{"destination": %q}`, name))
	for range 100 {
		if err := moduletest.Send(t, d, delivery(strings.Repeat("x", 8<<10))); err != nil {
			return
		}
	}
	t.Fatalf("%s is never full", name)
}

// An ERROR ends the connection that it came on, and no other: what else is sent
// at the same time is not disturbed.
func TestOthersAreNotDisturbed(t *testing.T) {
	b := newBroker(t, "queue")
	_, conn, err := open(t, b.connection())
	if err != nil {
		t.Fatal(err)
	}
	good, bad := on(t, conn, fmt.Sprintf(`{"destination": %q}`, b.name)), on(t, conn, `{"destination": "other.x"}`)
	done := make(chan error)
	go func() {
		defer close(done)
		for range 50 {
			_, err := good.Send(t.Context(), delivery(`{}`))
			done <- err
		}
	}()
	for err := range done {
		if err != nil {
			t.Error(err)
		}
		moduletest.Want(t, "forbidden", moduletest.Send(t, bad, delivery(`{}`)), modules.Retryable, modules.CodeAuthFailed, "not authorized")
	}
	if n := len(b.arrived(t, 50)); n != 50 {
		t.Errorf("%d messages", n)
	}
}

// Sends that find all connections in use wait, and not longer than they may.
func TestConnections(t *testing.T) {
	b := newBroker(t, "queue")
	d := destination(t, strings.Replace(b.connection(), "{", `{"connections": 1, `, 1), fmt.Sprintf(`{"destination": %q}`, b.name))
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
	moduletest.Want(t, "all in use", err, modules.Retryable, modules.CodeTimeout, "all 1 connections")
	cancel()
	err = <-done
	moduletest.Want(t, "cancelled", err, modules.Retryable, modules.CodeShutdown, "no receipt")
	if !errors.Is(err, context.Canceled) {
		t.Error("it does not wrap the context's error")
	}
	release()
	if err := moduletest.Send(t, d, delivery(`{"n":4}`)); err != nil {
		t.Error(err)
	}
}

// A connection that stays alone is kept alive, and one that the broker's silence
// has made useless is noticed.
func TestHeartbeat(t *testing.T) {
	b := newBroker(t, "queue")
	d := destination(t, strings.Replace(b.connection(), "{", `{"heartbeat": "1s", `, 1), fmt.Sprintf(`{"destination": %q}`, b.name))
	if err := moduletest.Send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	before := b.proxy.Accepted()
	<-time.After(4 * time.Second) // the broker's own patience is 1.5 s
	if err := moduletest.Send(t, d, delivery(`{"n":2}`)); err != nil {
		t.Error(err)
	}
	if n := b.proxy.Accepted(); n != before {
		t.Errorf("%d new connections", n-before)
	}
	_, release := b.proxy.Freeze()
	defer release()
	took := moduletest.Took(func() {
		moduletest.Want(t, "silence", moduletest.Send(t, d, delivery(`{"n":3}`)), modules.Lost, modules.CodeConnectionLost, "timeout")
	})
	if took > 4*time.Second {
		t.Errorf("noticed after %v", took)
	}
}
