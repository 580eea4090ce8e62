package awssqs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

func delivery(body string) *event.Delivery { return moduletest.Delivery("github/aws_sqs-1", body) }

// What a consumer that is not hookd's own library gets.
func TestMessage(t *testing.T) {
	b := newBroker(t, "")
	t.Logf("ElasticMQ %s, read back with boto3", b.Version)
	x := delivery(`{"é":"` + "\U0001F44B" + `"}`)
	x.Event.Header["X-Empty"], x.Event.Header["X-A"], x.Event.Header["X-B"] = []string{""}, []string{"1"}, []string{"\uffff\x01"}
	for options, names := range map[string]string{
		`"forward_headers": false`:                                      "content-type hookd-attempt hookd-delivery-id hookd-event-id hookd-hook traceparent",
		`"attributes": {"X-Team": "pay"}, "message_group_id": "{type}"`: "X-Team content-type hookd-attempt hookd-delivery-id hookd-event-id hookd-headers hookd-hook traceparent x-a x-github-event",
	} {
		d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q, %s}`, b.queue, options))
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
		all := b.received()
		got := all[len(all)-1]
		if keys := strings.Join(sorted(got.Attributes), " "); keys != names {
			t.Errorf("attributes %s, want %s", keys, names)
		}
		if got.ID != x.ID.String() || !bytes.Equal(got.Body, x.Body) || got.Attributes["hookd-hook"] != "github" || got.Attributes["content-type"] != "application/json" {
			t.Errorf("%s: %+v", options, got)
		}
		if text := got.Attributes["hookd-headers"]; text != "" && text != `{"x-b":"\uffff\u0001","x-empty":"","x-two":"a, b"}` {
			t.Errorf("what did not fit: %s", text)
		}
	}
}

// A FIFO queue keeps the order within a group and drops what it has had.
func TestOrder(t *testing.T) {
	b := newBroker(t, ".fifo")
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q, "message_group_id": "{body.account}"}`, b.queue))
	var ds []*event.Delivery
	for i := range 10 {
		ds = append(ds, delivery(fmt.Sprintf(`{"account": "a %d", "n": %d}`, i%2, i)))
	}
	for range 2 {
		for i, r := range d.SendBatch(t.Context(), ds) {
			if r.Err != nil {
				t.Fatalf("item %d: %v", i, r.Err)
			}
		}
	}
	last, groups := make(map[string]int), make(map[string]bool)
	all := b.received()
	for _, m := range all {
		var body struct{ N int }
		if err := json.Unmarshal(m.Body, &body); err != nil {
			t.Fatal(err)
		}
		if n, seen := last[m.Group]; seen && body.N <= n {
			t.Errorf("%d after %d in %s", body.N, n, m.Group)
		}
		if last[m.Group] = body.N; m.Deduplication != m.ID || !strings.HasPrefix(m.Group, "sha256-") {
			t.Errorf("%+v", m)
		}
		groups[m.Group] = true
	}
	if len(all) != len(ds) || len(groups) != 2 {
		t.Errorf("%d messages in %d groups", len(all), len(groups))
	}
}

// Bodies that XML cannot hold are recoverable, others are sent as they are.
func TestLineEnds(t *testing.T) {
	b := newBroker(t, "")
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	x := delivery("a\r\nb\nc\r")
	if err := moduletest.Send(t, d, x); err != nil {
		t.Fatal(err)
	}
	var got message
	if lines := b.do("raw", b.queue); len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &got) != nil || !bytes.Equal(got.Body, x.Body) {
		t.Errorf("%q of %q", got.Body, x.Body)
	}
}

// A missing queue is a failure, and with create it is made, and made again.
func TestCreate(t *testing.T) {
	b := newBroker(t, ".fifo")
	b.do("delete", b.queue)
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	want(t, "missing", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeNotFound, b.queue)
	want(t, "missing, Check", moduletest.Check(t, d), modules.Retryable, modules.CodeNotFound, "")
	d = destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q, "create": true}`, b.queue))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check before it is created: %v", err)
	}
	for range 2 {
		if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
			t.Fatal(err)
		}
		if n := len(b.do("drain", b.queue)); n != 1 {
			t.Errorf("%d messages", n)
		}
		b.do("delete", b.queue)
		want(t, "deleted", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeNotFound, "does not exist")
	}
}

// Requests are cut where SQS would refuse them as a whole.
func TestLargeBatch(t *testing.T) {
	b := newBroker(t, "")
	d := destination(t, b.connection(), fmt.Sprintf(`{"queue_name": %q}`, b.queue))
	var ds []*event.Delivery
	for i := range 25 {
		ds = append(ds, delivery(strings.Repeat("x", 100<<10+i)))
	}
	ds = append(ds, delivery(strings.Repeat("\x00", 800<<10))) // 1.07 MiB in base64
	ds[3].Event.Header.Set("X-Large", strings.Repeat("x", 1<<20))
	rs := d.SendBatch(t.Context(), ds)
	for i, r := range rs {
		if large := i == 3 || i == 25; large {
			want(t, fmt.Sprint(i), r.Err, modules.Rejected, modules.CodeTooLarge, "more than the 1048576")
		} else if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	want(t, "a large header", rs[3].Err, modules.Rejected, modules.CodeTooLarge, "forward_headers")
	if n := len(b.received()); n != 24 {
		t.Errorf("%d messages", n)
	}
}

// A send that waits for credentials ends with its context.
func TestCancelledBefore(t *testing.T) {
	d := destination(t, connection("http://127.0.0.1:1"), `{"queue_name": "a"}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range d.SendBatch(ctx, []*event.Delivery{delivery(`{}`), delivery(`{}`)}) {
		want(t, "cancelled", r.Err, modules.Retryable, modules.CodeShutdown, "not sent")
	}
}
