package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/modules"
)

// ready sees to it that the topic is there, once for each connection and after
// it went missing: the library would wait for it again and again.
func (d *destination) ready(ctx context.Context) error {
	if d.known.Load() {
		return nil
	}
	partitions, err := d.partitions(ctx)
	if errors.Is(err, sarama.ErrUnknownTopicOrPartition) && d.o.Create {
		if err = d.create(ctx); err == nil {
			partitions, err = d.partitions(ctx)
		}
	}
	if err != nil {
		return d.failure(err)
	}
	if d.o.HasPartition && !slices.Contains(partitions, int32(d.o.Partition)) { // #nosec G115 -- in range, by its field
		return d.noPartition(len(partitions))
	}
	d.known.Store(true)
	return nil
}

func (d *destination) noPartition(n int) error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf("kafka: %s: the topic %q has %d partitions, and none with the number %d",
		d.client.name, d.o.Topic, n, d.o.Partition))
}

func (d *destination) partitions(ctx context.Context) (all []int32, err error) {
	var got []int32
	err = d.client.ask(ctx, "no word of the topic", func() (err error) {
		got, err = d.client.cluster.Partitions(d.o.Topic)
		return err
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// create makes the topic with the cluster's defaults.
func (d *destination) create(ctx context.Context) error {
	k := d.client
	err := k.ask(ctx, "the topic was not created", func() error {
		request := sarama.NewCreateTopicsRequest(k.settings.Version,
			map[string]*sarama.TopicDetail{d.o.Topic: {NumPartitions: -1, ReplicationFactor: -1}}, k.config.Timeout, false)
		b, err := k.cluster.Controller()
		if err != nil {
			return err
		}
		answer, err := b.CreateTopics(request)
		if err != nil {
			return err
		}
		if e := answer.TopicErrors[d.o.Topic]; e != nil && e.Err != sarama.ErrNoError && e.Err != sarama.ErrTopicAlreadyExists {
			return e
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("create the topic: %w", err)
	}
	return nil
}
