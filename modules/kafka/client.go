package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// farewell bounds how long a closing connection waits for the brokers, and
	// then again for the library to notice that it was cut.
	farewell    = 5 * time.Second
	dialTimeout = 5 * time.Second
)

// client is an open connection to a cluster. The library finds the brokers and
// their partitions; when that does not help any more, the host opens another.
type client struct {
	env      modules.Env
	config   *Connection
	name     string // of the cluster in messages for people
	settings *sarama.Config
	sockets  *sockets
	cluster  sarama.Client
	work     sync.WaitGroup // what runs beside the sends
	open     atomic.Int64   // messages and questions without an answer

	making    chan struct{} // held by who makes a producer
	mu        sync.Mutex
	producers map[manner]*producer
	closed    bool
	why       error // of the loss
}

// watched: see watch.
var watched sync.Once

// watch keeps a panic in a goroutine of the library's from ending hookd, which
// would come back with the same message and end again. The sends that wait for
// that goroutine run out of time, and the connection is opened anew.
func watch(log *slog.Logger) {
	watched.Do(func() {
		sarama.PanicHandler = func(p any) {
			// What it panicked with may hold the payload.
			log.Error("the Kafka library panicked", slog.String("panic", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
		}
	})
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	watch(env.Log)
	k := &client{env: env, config: c, name: strings.Join(c.addrs(), ","), making: make(chan struct{}, 1), producers: make(map[manner]*producer)}
	k.sockets = newSockets(env, c, min(dialTimeout, c.Timeout))
	k.settings = k.config.settings(k.sockets)
	if err := link.Bounded(ctx, k.sockets.cut, func() error { return k.connect(ctx) }); err != nil {
		_ = k.Close(ctx)
		return nil, k.openFailure(ctx, err)
	}
	return k, nil
}

// connect finds a broker that lets hookd in. It stays the only one that the
// library begins with: the others come from the cluster.
func (k *client) connect(ctx context.Context) error {
	var errs []error
	for _, addr := range k.config.addrs() {
		if ctx.Err() != nil {
			break
		}
		cluster, err := sarama.NewClient([]string{addr}, k.settings)
		if err == nil {
			if err = k.greet(ctx, cluster); err == nil {
				k.cluster = cluster
				return nil
			}
			_ = cluster.Close()
		}
		errs = append(errs, fmt.Errorf("%s: %w", addr, err))
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// greet connects, and asks for a producer's id to see that numbered messages are
// allowed.
func (k *client) greet(ctx context.Context, cluster sarama.Client) error {
	b := cluster.LeastLoadedBroker()
	if ok, err := b.Connected(); err != nil || !ok {
		return errors.Join(err, errNotConnected(ok))
	}
	for k.config.Idempotent {
		answer, err := b.InitProducerID(&sarama.InitProducerIDRequest{Version: 4, ProducerID: -1, ProducerEpoch: -1})
		switch {
		case err != nil:
			return err
		case answer.Err == sarama.ErrNoError:
			return nil
		case answer.Err != sarama.ErrOffsetsLoadInProgress:
			return answer.Err
		}
		// A broker that was started just now has no ids to give yet.
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return answer.Err
		}
	}
	return nil
}

func errNotConnected(ok bool) error {
	if ok {
		return nil
	}
	return sarama.ErrNotConnected
}

// settings are those of the library.
func (c *Connection) settings(s *sockets) *sarama.Config {
	l := sarama.NewConfig()
	l.ClientID = c.ClientID
	l.MetricRegistry = silence{}
	l.Net.MaxOpenRequests = 1 // keeps the order when one is repeated
	l.Net.DialTimeout, l.Net.WriteTimeout = s.timeout, c.Timeout
	l.Net.ReadTimeout = c.Timeout + 2*time.Second // the broker's own answer comes first
	l.Net.Proxy.Enable, l.Net.Proxy.Dialer = true, s
	l.Metadata.Full = false // only the topics that are written to
	l.Metadata.AllowAutoTopicCreation = false
	l.Metadata.Retry.Max, l.Metadata.Retry.Backoff = 2, 200*time.Millisecond
	l.Metadata.Timeout = c.Timeout
	l.Producer.RequiredAcks = sarama.WaitForAll
	l.Producer.Idempotent = c.Idempotent
	l.Producer.Timeout = c.Timeout
	// Repeats by the library carry the same number, so that the brokers drop
	// what they have: those by the host do not. They last a change of leaders.
	l.Producer.Retry.Max = 4
	l.Producer.Retry.BackoffFunc = func(n, _ int) time.Duration { return 50 * time.Millisecond << min(n, 4) }
	l.Producer.Return.Successes, l.Producer.Return.Errors = true, true
	l.Producer.Partitioner = newPartitioner
	l.Producer.Transaction.Retry.Max = 10 // also for the producer's id; 100 ms between
	if c.User != "" {
		sasl := &l.Net.SASL
		sasl.Enable, sasl.Mechanism = true, sarama.SASLMechanism(c.Mechanism)
		sasl.User, sasl.Password = c.User, c.Password.Reveal()
		hash := scram.SHA256
		if c.Mechanism == ScramSHA512 {
			hash = scram.SHA512
		}
		sasl.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &conversation{hash: hash} }
	}
	return l
}

// ask runs f, which knows no context. Who asks does not wait longer than it may;
// f then goes on by itself until it has its answer or the connection is closed.
func (k *client) ask(ctx context.Context, what string, f func() error) error {
	done := make(chan error, 1)
	k.open.Add(1)
	k.work.Go(func() {
		defer k.open.Add(-1)
		done <- f()
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return k.ended(ctx, what)
	}
}

// Close ends the connection. Nothing is left to flush: a send returns when its
// messages are stored. What was given up is not sent later.
func (k *client) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	defer context.AfterFunc(ctx, k.sockets.cut)()
	if k.open.Load() > 0 {
		k.sockets.cut()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.mu.Lock()
		k.closed = true
		for _, p := range k.producers {
			p.AsyncClose()
		}
		k.mu.Unlock()
		k.work.Wait()
		if k.cluster != nil {
			_ = k.cluster.Close()
		}
	}()
	defer k.sockets.cut()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done:
		return nil
	case <-time.After(farewell):
		return fmt.Errorf("kafka: %s: close: %w", k.name, ctx.Err())
	}
}
