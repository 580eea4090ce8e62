package kafka_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// What a consumer that is not hookd's own library gets.
func TestMessage(t *testing.T) {
	b := newBroker(t, 1)
	t.Logf("Kafka %s, read back with librdkafka", b.Version)
	body := "{\"é\":\"\U0001F44B\",\"customer\":{\"id\":12345678901234567890},\"n\":null}"
	own := func(x *event.Delivery) [][2]string {
		var all [][2]string
		for name, v := range x.Header {
			all = append(all, [2]string{strings.ToLower(name), v[0]})
		}
		return all
	}
	for _, c := range []struct {
		options string
		key     string // "-" for none
		headers [][2]string
	}{
		{``, "-", nil},
		{`, "key": "customer.id"`, "customer.id", nil},
		{`, "key_expr": ".customer.id", "compression": "gzip"`, "12345678901234567890", nil},
		{`, "key_expr": ".customer", "compression": "snappy"`, `{"id":12345678901234567890}`, nil},
		{`, "key_expr": ".n", "compression": "lz4"`, "-", nil},
		{`, "key_expr": "empty", "compression": "zstd"`, "-", nil},
		{`, "key_expr": "$event.type + \"<é>\""`, "push<é>", nil},
		{`, "forward_headers": true, "headers": {"X-Team": "pay", "x-github-event": "c"}`, "-", [][2]string{
			{"x-two", "a"}, {"x-two", "b"}, {"x-team", "pay"}, {"x-github-event", "c"},
		}},
	} {
		x := delivery(body)
		d := destination(t, b.connection(), b.options(c.options))
		receipt, err := d.Send(t.Context(), x)
		if err != nil {
			t.Errorf("%s: %v", c.options, err)
			continue
		}
		all := b.received()
		got := all[len(all)-1]
		if !bytes.Equal(got.Body, x.Body) || (got.Key == nil) != (c.key == "-") || got.Key != nil && string(got.Key) != c.key {
			t.Errorf("%s: %+v", c.options, got)
		}
		if want := fmt.Sprintf("topic %s, partition 0, offset %d", b.topic, got.Offset); receipt.Status != want {
			t.Errorf("receipt %q, want %q", receipt.Status, want)
		}
		headers := append(own(x), c.headers...)
		compare := func(a, b [2]string) int { return strings.Compare(a[0]+"="+a[1], b[0]+"="+b[1]) }
		slices.SortFunc(headers, compare)
		slices.SortFunc(got.Headers, compare)
		if !slices.Equal(got.Headers, headers) {
			t.Errorf("%s: headers %v, want %v", c.options, got.Headers, headers)
		}
	}
	// An empty body is an empty value: null would be a tombstone.
	if err := moduletest.Send(t, destination(t, b.connection(), b.options("")), delivery("")); err != nil {
		t.Error(err)
	}
	all := b.received()
	if last := all[len(all)-1]; last.Null || len(last.Body) != 0 {
		t.Errorf("%+v", last)
	}
}

// Kafka's own consumer reads the same.
func TestJavaConsumer(t *testing.T) {
	b := newBroker(t, 1)
	x := delivery(`{"é":"` + "\U0001F44B" + `"}`)
	if err := moduletest.Send(t, destination(t, b.connection(), b.options(`, "key": "k", "compression": "zstd"`)), x); err != nil {
		t.Fatal(err)
	}
	out := b.KafkaTool(t, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", b.topic, "--from-beginning", "--max-messages", "1",
		"--property", "print.key=true", "--property", "print.headers=true", "--property", "headers.separator=|")
	parts := strings.Split(strings.TrimSpace(out), "\t")
	if len(parts) != 3 || parts[1] != "k" || parts[2] != string(x.Body) {
		t.Fatalf("%q", out)
	}
	headers := strings.Split(parts[0], "|")
	for name, v := range x.Header {
		if !slices.Contains(headers, strings.ToLower(name)+":"+v[0]) {
			t.Errorf("no %s in %v", name, headers)
		}
	}
}

// A key has the partition that other clients give it; without one repeats of a
// delivery share one; and a partition can be named.
func TestPartitions(t *testing.T) {
	b := newBroker(t, 7)
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprintf("customer-%d", i*i))
	}
	b.do("produce", b.topic, keys)
	theirs := make(map[string]int)
	for _, m := range b.received() {
		theirs[string(m.Key)] = m.Partition
	}
	d := destination(t, b.connection(), b.options(`, "key_expr": ".k"`))
	var ds []*event.Delivery
	for _, k := range keys {
		ds = append(ds, delivery(fmt.Sprintf(`{"k":%q}`, k)))
	}
	keyless := destination(t, b.connection(), b.options(""))
	twice := slices.Concat(ds, ds)
	for _, rs := range [][]modules.Result{d.SendBatch(t.Context(), ds), keyless.SendBatch(t.Context(), twice)} {
		for i, r := range rs {
			if r.Err != nil {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
	}
	spread := make(map[string]map[int]int)
	used := make(map[int]bool)
	for _, m := range b.received()[len(keys):] {
		if m.Key != nil {
			if m.Partition != theirs[string(m.Key)] {
				t.Errorf("%s: partition %d, librdkafka's is %d", m.Key, m.Partition, theirs[string(m.Key)])
			}
			continue
		}
		id := m.header().Get("Hookd-Delivery-Id")
		if spread[id] == nil {
			spread[id] = make(map[int]int)
		}
		spread[id][m.Partition]++
		used[m.Partition] = true
	}
	for id, partitions := range spread {
		if len(partitions) != 1 {
			t.Errorf("%s is in %d partitions", id, len(partitions))
		}
	}
	if len(spread) != len(keys) || len(used) < 5 {
		t.Errorf("%d deliveries in %d partitions", len(spread), len(used))
	}
	five := destination(t, b.connection(), b.options(`, "partition": 5, "key": "x"`))
	if err := moduletest.Send(t, five, delivery(`{}`)); err != nil {
		t.Error(err)
	}
	if all := b.received(); all[len(all)-1].Partition != 5 {
		t.Errorf("partition %d", all[len(all)-1].Partition)
	}
	seven := destination(t, b.connection(), b.options(`, "partition": 7`))
	moduletest.Want(t, "no such partition", moduletest.Send(t, seven, delivery(`{}`)), modules.Retryable, modules.CodeNotFound, "7 partitions")
	moduletest.Want(t, "no such partition", moduletest.Check(t, seven), modules.Retryable, modules.CodeNotFound, "7 partitions")
}

// What would look stored although it is not, or is refused, is a failure: by
// itself and in a batch.
func TestSilentSuccess(t *testing.T) {
	b := newBroker(t, 1)
	compacted, small := b.topic+".compacted", b.topic+".small"
	b.do("create", compacted, 1, map[string]string{"cleanup.policy": "compact"})
	b.do("create", small, 1, map[string]string{"max.message.bytes": "2000"})
	to := func(topic, more string) string {
		return fmt.Sprintf(`{"topic": %q, "max_message_bytes": %d%s}`, topic, maxMessage, more)
	}
	guest := b.login(testinfra.KafkaGuest, "SCRAM-SHA-512")
	guest = strings.Replace(guest, "{", `{"idempotent": false, `, 1)
	plain := func() *event.Delivery { return delivery(`{}`) }
	for what, c := range map[string]struct {
		connection, options string
		x                   *event.Delivery
		kind                modules.FailureKind
		code, text          string
	}{
		"no topic":           {b.connection(), to("hookd.missing", ""), plain(), modules.Retryable, modules.CodeNotFound, "hookd.missing"},
		"no right to see":    {guest, to(b.topic, ""), plain(), modules.Retryable, modules.CodeAuthFailed, "not authorized"},
		"too large for us":   {b.connection(), to(b.topic, ""), delivery(strings.Repeat("x", maxMessage)), modules.Rejected, modules.CodeTooLarge, "max_message_bytes"},
		"too large for it":   {b.connection(), to(small, ""), delivery(strings.Repeat("x", 2000)), modules.Rejected, modules.CodeTooLarge, "too large"},
		"no key where asked": {b.connection(), to(compacted, ""), plain(), modules.Rejected, modules.CodeRefused, ""},
		"wrong key_expr":     {b.connection(), to(b.topic, `, "key_expr": "error(\"x\")"`), plain(), modules.Rejected, modules.CodeTransformError, "key_expr"},
	} {
		d := destination(t, c.connection, c.options)
		moduletest.Want(t, what, moduletest.Send(t, d, c.x), c.kind, c.code, c.text)
		for i, r := range d.SendBatch(t.Context(), []*event.Delivery{c.x, c.x, c.x}) {
			moduletest.Want(t, fmt.Sprintf("%s, item %d", what, i), r.Err, c.kind, c.code, c.text)
		}
		err := moduletest.Check(t, d)
		if seen := what == "no topic" || what == "no right to see"; seen != (err != nil) {
			t.Errorf("%s: Check: %v", what, err)
		}
	}
	// The bad one of a batch does not sink the others.
	d := destination(t, b.connection(), to(small, ""))
	ds := []*event.Delivery{plain(), delivery(strings.Repeat("x", 2000)), plain(), plain()}
	for i, r := range d.SendBatch(t.Context(), ds) {
		if (i == 1) != (r.Err != nil) {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	if n := len(b.do("drain", small)); n != 3 {
		t.Errorf("%d messages", n)
	}
}

// Many small messages make a batch that is larger than the topic takes: each is
// sent by itself.
func TestLargeBatch(t *testing.T) {
	b := newBroker(t, 1)
	b.topic = testinfra.Unique(t)
	b.do("create", b.topic, 1, map[string]string{"max.message.bytes": "10000"})
	d := destination(t, b.connection(), b.options(""))
	var ds []*event.Delivery
	for range 50 {
		ds = append(ds, delivery(strings.Repeat("x", 1000)))
	}
	for i, r := range d.SendBatch(t.Context(), ds) {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	if n := len(b.received()); n != len(ds) {
		t.Errorf("%d messages", n)
	}
}

// A right that is taken away is seen by the check and by the next message.
func TestRights(t *testing.T) {
	b := newBroker(t, 1)
	acl := func(args ...string) {
		b.KafkaTool(t, "org.apache.kafka.tools.AclCommand", append(args, "--force", "--allow-principal", "User:"+testinfra.KafkaGuest, "--topic", b.topic)...)
	}
	acl("--add", "--operation", "Write") // Describe comes with it
	d := destination(t, b.login(testinfra.KafkaGuest, "PLAIN"), b.options(""))
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := moduletest.Check(t, d); err != nil {
		t.Error(err)
	}
	acl("--add", "--operation", "Describe")
	acl("--remove", "--operation", "Write")
	plain := destination(t, strings.Replace(b.login(testinfra.KafkaGuest, "PLAIN"), "{", `{"idempotent": false, `, 1), b.options(""))
	for range 500 { // Kafka confirms it before it holds
		if moduletest.Check(t, plain) != nil {
			break
		}
		<-time.After(20 * time.Millisecond)
	}
	moduletest.Want(t, "no right", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeAuthFailed, "not authorized")
	moduletest.Want(t, "no right left to number", moduletest.Check(t, d), modules.Retryable, modules.CodeAuthFailed, "idempotent")
	moduletest.Want(t, "no right", moduletest.Check(t, plain), modules.Retryable, modules.CodeAuthFailed, "no right to write")
	if n := len(b.received()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// A topic that is missing is created where that is asked for, also when it went
// missing.
func TestCreate(t *testing.T) {
	b := newBroker(t, 1)
	b.do("delete", b.topic)
	d := destination(t, b.connection(), b.options(`, "create": true`))
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check before the topic is created: %v", err)
	}
	if err := moduletest.Send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	b.do("delete", b.topic)
	moduletest.Want(t, "the topic was deleted", moduletest.Send(t, d, delivery(`{"n":2}`)), modules.Retryable, modules.CodeNotFound, b.topic)
	if err := moduletest.Send(t, d, delivery(`{"n":3}`)); err != nil {
		t.Errorf("it was not created again: %v", err)
	}
	if n := len(b.received()); n != 1 {
		t.Errorf("%d messages", n)
	}
}
