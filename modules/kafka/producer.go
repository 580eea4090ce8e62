package kafka

import (
	"context"

	"github.com/IBM/sarama"
)

// manner is how a producer sends. Destinations of one manner share a producer.
type manner struct {
	codec  Compression
	bytes  int  // of what goes to one partition together
	single bool // one message at a time
}

// producer is the library's, with somebody who reads its answers.
type producer struct{ sarama.AsyncProducer }

// tuned is the cluster with other settings for a producer.
type tuned struct {
	sarama.Client
	settings *sarama.Config
}

// Config are the settings.
func (t tuned) Config() *sarama.Config { return t.settings }

// producer returns the producer of the manner, made with its first use.
func (k *client) producer(ctx context.Context, m manner) (*producer, error) {
	if p := k.made(m); p != nil {
		return p, nil
	}
	select {
	case k.making <- struct{}{}:
	case <-ctx.Done():
		return nil, k.ended(ctx, "no producer")
	}
	var made *producer
	err := k.ask(ctx, "no producer", func() (err error) {
		defer func() { <-k.making }()
		if made = k.made(m); made == nil {
			made, err = k.makeProducer(m)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (k *client) made(m manner) *producer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.producers[m]
}

func (k *client) makeProducer(m manner) (*producer, error) {
	settings := *k.settings
	settings.Producer.Compression = codecs[m.codec]
	settings.Producer.MaxMessageBytes = m.bytes
	if m.single {
		settings.Producer.Flush.MaxMessages = 1
	}
	async, err := sarama.NewAsyncProducerFromClient(tuned{k.cluster, &settings})
	if err != nil {
		return nil, err
	}
	p := &producer{async}
	k.work.Go(func() {
		for x := range p.Successes() {
			k.answered(x, nil)
		}
	})
	k.work.Go(func() {
		for x := range p.Errors() {
			k.answered(x.Msg, x.Err)
		}
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	k.producers[m] = p
	if k.closed {
		p.AsyncClose()
	}
	return p, nil
}

var codecs = map[Compression]sarama.CompressionCodec{
	None: sarama.CompressionNone, Gzip: sarama.CompressionGZIP, Snappy: sarama.CompressionSnappy,
	LZ4: sarama.CompressionLZ4, Zstd: sarama.CompressionZSTD,
}
