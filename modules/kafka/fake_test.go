package kafka_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/kafka"
	"github.com/hookd/hookd/modules/moduletest"
)

const fakeTopic = "hookd.fake"

// fake is a cluster in this process, behind a network that can fail: fast, and
// able to fail as asked.
type fake struct {
	*kfake.Cluster
	t     *testing.T
	proxy *testinfra.Proxy
	addr  string // without the network
}

// masked is a listener that gives another address as its own, which a broker
// then tells its clients.
type masked struct {
	net.Listener
	addr net.Addr
}

func (m *masked) Addr() net.Addr { return m.addr }

func newFake(t *testing.T, opts ...kfake.Opt) *fake {
	t.Helper()
	f := &fake{t: t}
	var m *masked
	listen := func(network, addr string) (net.Listener, error) {
		l, err := net.Listen(network, addr)
		if err != nil {
			return nil, err
		}
		f.addr = l.Addr().String()
		f.proxy = testinfra.NewProxy(t, f.addr)
		at, err := net.ResolveTCPAddr("tcp", f.proxy.Addr())
		m = &masked{l, at}
		return m, err
	}
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.ListenFn(listen), kfake.SeedTopics(3, fakeTopic),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": fmt.Sprint(testinfra.KafkaMaxMessage)}))...)
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster = c
	t.Cleanup(c.Close)
	return f
}

// received reads all that is there with franz-go.
func (f *fake) received(opts ...kgo.Opt) []*kgo.Record {
	left, from := int64(0), make(map[int32]kgo.Offset)
	for _, p := range f.PartitionInfos(fakeTopic) {
		left += p.HighWatermark
		from[p.Partition] = kgo.NewOffset().AtStart()
	}
	opts = append(opts, kgo.SeedBrokers(f.ListenAddrs()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{fakeTopic: from}))
	if f.proxy != nil {
		opts = append(opts, kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, f.addr)
		}))
	}
	c, err := kgo.NewClient(opts...)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var all []*kgo.Record
	for int64(len(all)) < left {
		fetches := c.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			panic(fmt.Sprintf("%d of %d records: %v", len(all), left, fetches.Errors()))
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

func (f *fake) connection(more string) string {
	return fmt.Sprintf(`{"bootstrap_servers": [%q]%s}`, f.proxy.Addr(), more)
}

func fakeOptions(more string) string {
	return fmt.Sprintf(`{"topic": %q, "max_message_bytes": %d%s}`, fakeTopic, maxMessage, more)
}

// TestFake is the suite without any server to start, with a login.
func TestFake(t *testing.T) {
	const secret = "kafka-password-of-the-test"
	moduletest.Run(t, moduletest.Harness{
		Module: kafka.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			f := newFake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "hookd", secret))
			auth := kgo.SASL(plainAuth("hookd", secret))
			far := &moduletest.Far{
				Connection: f.connection(fmt.Sprintf(`, "sasl_mechanism": "PLAIN", "sasl_username": "hookd", "sasl_password": %q`, secret)),
				Options:    fakeOptions(`, "compression": "zstd", "key_expr": ".n? // $event.type"`),
				Received: func() []moduletest.Message {
					var all []moduletest.Message
					for _, r := range f.received(auth) {
						h := headerOf(r)
						all = append(all, moduletest.Message{ID: h.Get("Hookd-Delivery-Id"), Body: r.Value, Header: h})
					}
					return all
				},
				Poison:  []byte(strings.Repeat("x", maxMessage)),
				Refuse:  func() { f.fail(kerr.PolicyViolation, -1) },
				Break:   func() { _ = f.DeleteTopic(fakeTopic) },
				Secrets: []string{secret},
			}
			far.Through(f.proxy)
			return far
		},
	})
}

// fail has the cluster answer n produce requests with the error.
func (f *fake) fail(err *kerr.Error, n int, partitions ...int32) *kfake.FaultHandle {
	return f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: fakeTopic, Partitions: partitions, Err: err, Count: n})
}

// What each refusal of a produce request means. What the library repeats by
// itself is refused for good here.
func TestRefusals(t *testing.T) {
	for e, c := range map[*kerr.Error]struct {
		kind modules.FailureKind
		code string
	}{
		kerr.UnknownTopicOrPartition:      {modules.Retryable, modules.CodeNotFound},
		kerr.LeaderNotAvailable:           {modules.Retryable, modules.CodeUnavailable},
		kerr.NotLeaderForPartition:        {modules.Retryable, modules.CodeUnavailable},
		kerr.NotEnoughReplicas:            {modules.Retryable, "kafka_not_enough_replicas"},
		kerr.NotEnoughReplicasAfterAppend: {modules.Retryable, "kafka_not_enough_replicas"},
		kerr.RequestTimedOut:              {modules.Retryable, modules.CodeTimeout},
		kerr.KafkaStorageError:            {modules.Retryable, modules.CodeUnavailable},
		kerr.TopicAuthorizationFailed:     {modules.Retryable, modules.CodeAuthFailed},
		kerr.ClusterAuthorizationFailed:   {modules.Retryable, modules.CodeAuthFailed},
		kerr.MessageTooLarge:              {modules.Rejected, modules.CodeTooLarge},
		kerr.RecordListTooLarge:           {modules.Rejected, modules.CodeTooLarge},
		kerr.InvalidRecord:                {modules.Rejected, modules.CodeRefused},
		kerr.InvalidTimestamp:             {modules.Rejected, modules.CodeRefused},
		kerr.PolicyViolation:              {modules.Rejected, modules.CodeRefused},
		kerr.ThrottlingQuotaExceeded:      {modules.Throttled, modules.CodeThrottled},
		kerr.OutOfOrderSequenceNumber:     {modules.Lost, modules.CodeConnectionLost},
		kerr.InvalidProducerEpoch:         {modules.Lost, modules.CodeConnectionLost},
		kerr.UnknownProducerID:            {modules.Lost, modules.CodeConnectionLost},
		kerr.GroupSubscribedToTopic:       {modules.Retryable, "kafka_86"},
		kerr.UnknownServerError:           {modules.Retryable, modules.CodeUnknown},
	} {
		t.Run(e.Message, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			d := destination(t, f.connection(""), fakeOptions(""))
			fault := f.fail(e, -1)
			moduletest.Want(t, e.Message, moduletest.Send(t, d, delivery(`{}`)), c.kind, c.code, "kafka")
			fault.Remove()
			if c.kind == modules.Lost {
				moduletest.Want(t, "the next", moduletest.Send(t, d, delivery(`{}`)), modules.Lost, modules.CodeConnectionLost, "lost")
				return
			}
			// The producer goes on counting where the brokers expect it to.
			for range 3 {
				if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
					t.Errorf("the next: %v", err)
				}
			}
		})
	}
}

// Every request waits for all in-sync replicas and is numbered: the library's own
// default is neither.
func TestAcks(t *testing.T) {
	f := newFake(t)
	var acks []int16
	var producers []int64
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1, When: func(r kmsg.Request) bool {
		p := r.(*kmsg.ProduceRequest)
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(p.Topics[0].Partitions[0].Records); err == nil {
			acks, producers = append(acks, p.Acks), append(producers, batch.ProducerID)
		}
		return true
	}})
	for options, numbered := range map[string]bool{"": true, `, "idempotent": false`: false} {
		d := destination(t, f.connection(options), fakeOptions(`, "acks": 1`))
		if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
			t.Error(err)
		}
		if n := len(acks) - 1; n < 0 || acks[n] != -1 || (producers[n] >= 0) != numbered {
			t.Errorf("%q: acks %v, producers %v", options, acks, producers)
		}
	}
}

// What passes while the library repeats is no failure, and stored once.
func TestRepeats(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.RequestTimedOut} {
		t.Run(e.Message, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			d := destination(t, f.connection(""), fakeOptions(""))
			fault := f.fail(e, 2)
			if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
				t.Error(err)
			}
			if n := len(f.received()); n != 1 || fault.Hits() != 2 {
				t.Errorf("%d records after %d refusals", n, fault.Hits())
			}
		})
	}
}

// One partition refuses: the messages for the others are delivered, whatever
// batch they were in.
func TestOnePartitionRefuses(t *testing.T) {
	f := newFake(t)
	d := destination(t, f.connection(""), fakeOptions(""))
	f.fail(kerr.TopicAuthorizationFailed, -1, 1)
	var ds []*event.Delivery
	for range 60 {
		ds = append(ds, delivery(`{}`))
	}
	failed := make(map[string]bool)
	for i, r := range d.SendBatch(t.Context(), ds) {
		if r.Err != nil {
			moduletest.Want(t, "refused", r.Err, modules.Retryable, modules.CodeAuthFailed, "")
			failed[ds[i].ID.String()] = true
		}
	}
	if len(failed) == 0 || len(failed) == len(ds) {
		t.Fatalf("%d of %d failed", len(failed), len(ds))
	}
	records := f.received()
	if len(records) != len(ds)-len(failed) {
		t.Errorf("%d records, %d failures of %d", len(records), len(failed), len(ds))
	}
	for _, r := range records {
		if failed[headerOf(r).Get("Hookd-Delivery-Id")] || r.Partition == 1 {
			t.Error("what failed is there")
		}
	}
}

// A batch is refused for one message in it: the others are sent by themselves.
func TestOneMessageIsRefused(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.MessageTooLarge, kerr.InvalidRecord} {
		f := newFake(t)
		d := destination(t, f.connection(""), fakeOptions(`, "partition": 0`))
		poisoned := false
		f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: -1, When: func(r kmsg.Request) bool {
			for _, topic := range r.(*kmsg.ProduceRequest).Topics {
				for _, p := range topic.Partitions {
					poisoned = poisoned || strings.Contains(string(p.Records), "poison")
					return strings.Contains(string(p.Records), "poison")
				}
			}
			return false
		}})
		ds := []*event.Delivery{delivery(`{"n":1}`), delivery(`{"n":"poison"}`), delivery(`{"n":2}`), delivery(`{"n":3}`)}
		for i, r := range d.SendBatch(t.Context(), ds) {
			if i == 1 {
				moduletest.Want(t, e.Message, r.Err, modules.Rejected, modules.FailureOf(r.Err).Code, "kafka")
			} else if r.Err != nil {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
		if n := len(f.received()); n != 3 || !poisoned {
			t.Errorf("%d records", n)
		}
	}
}

// Partitions change their leaders under load: nothing fails, nothing is there
// twice, and each key keeps its order.
func TestLeadersMove(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, fakeTopic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f := &fake{Cluster: c, t: t}
	d := destination(t, fmt.Sprintf(`{"bootstrap_servers": %q}`, strings.Join(c.ListenAddrs(), ",")), fakeOptions(`, "key_expr": ".k"`))
	const workers, each = 6, 50
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				if err := moduletest.Send(t, d, delivery(fmt.Sprintf(`{"k":"%d","n":%d}`, w, n))); err != nil {
					t.Error(err)
				}
				if w == 0 && n%10 == 5 {
					c.ShufflePartitionLeaders()
				}
			}
		})
	}
	wg.Wait()
	next := make(map[string]int)
	for _, r := range f.received() {
		if want := fmt.Sprintf(`{"k":%q,"n":%d}`, r.Key, next[string(r.Key)]); string(r.Value) != want {
			t.Errorf("%s, want %s", r.Value, want)
		}
		next[string(r.Key)]++
	}
	for w := range workers {
		if n := next[fmt.Sprint(w)]; n != each {
			t.Errorf("key %d: %d of %d", w, n, each)
		}
	}
}

// What the cluster does not answer in time is given up with its connection: what
// the library still holds is not stored when nobody expects it any more.
func TestTimeout(t *testing.T) {
	f := newFake(t)
	d := destination(t, f.connection(""), fakeOptions(""))
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	entered, release := f.proxy.Freeze()
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := d.Send(first, delivery(`{"on the way":1}`))
		done <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	second := delivery(`{"behind it":1}`)
	took := moduletest.Took(func() {
		_, err := d.Send(ctx, second)
		moduletest.Want(t, "frozen", err, modules.Lost, modules.CodeConnectionLost, "no answer")
	})
	if took > time.Second {
		t.Errorf("it took %v", took)
	}
	moduletest.Want(t, "the next", moduletest.Send(t, d, delivery(`{}`)), modules.Lost, modules.CodeConnectionLost, "no answer")
	cancelFirst()
	moduletest.Want(t, "the first", <-done, modules.Retryable, modules.CodeShutdown, "no answer")
	closeAll(t)
	release()
	for _, r := range f.received() {
		if headerOf(r).Get("Hookd-Delivery-Id") == second.ID.String() {
			t.Error("it was stored later")
		}
	}
}

// Producers are made where they are missing, and shared.
func TestCodecs(t *testing.T) {
	f := newFake(t)
	env, conn, err := open(t, f.connection(`, "idempotent": false`))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		m := kafka.Module()
		o := m.Options()
		moduletest.Decode(t, fakeOptions(fmt.Sprintf(`, "compression": %q`, codec)), o)
		d, err := m.New(env, conn, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
				t.Errorf("%s: %v", codec, err)
			}
			n++
		}
	}
	if got := len(f.received()); got != n {
		t.Errorf("%d records of %d", got, n)
	}
	if n := f.proxy.Accepted(); n > 2 {
		t.Errorf("%d connections", n)
	}
}
