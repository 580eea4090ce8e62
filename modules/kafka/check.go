package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/modules"
)

// Check connects anew and asks whether the topic is there, has leaders, and may
// be written to. A topic that is missing is in order when the first delivery
// would create it.
func (d *destination) Check(ctx context.Context) (err error) {
	k, err := open(ctx, d.client.env, d.client.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close(ctx)) }()
	asked := &destination{client: k, o: d.o}
	var answer *sarama.MetadataResponse
	err = k.ask(ctx, "no word of the topic", func() (err error) {
		request := sarama.NewMetadataRequest(k.settings.Version, []string{d.o.Topic})
		request.IncludeTopicAuthorizedOperations = true
		answer, err = k.cluster.LeastLoadedBroker().GetMetadata(request)
		return err
	})
	if err != nil {
		return asked.failure(err)
	}
	for _, t := range answer.Topics {
		if t.Name == d.o.Topic {
			return asked.judge(answer.Version, t)
		}
	}
	return asked.failure(sarama.ErrUnknownTopicOrPartition)
}

func (d *destination) judge(version int16, t *sarama.TopicMetadata) error {
	switch {
	case t.Err == sarama.ErrUnknownTopicOrPartition && d.o.Create:
		return nil
	case t.Err != sarama.ErrNoError:
		return d.failure(t.Err)
	case d.o.HasPartition && d.o.Partition >= len(t.Partitions):
		return d.noPartition(len(t.Partitions))
	}
	for _, p := range t.Partitions {
		if p.Err == sarama.ErrLeaderNotAvailable && (!d.o.HasPartition || int(p.ID) == d.o.Partition) {
			return d.failure(fmt.Errorf("partition %d: %w", p.ID, p.Err))
		}
	}
	// A set of bits, by the number of the operation; the least number where the
	// broker does not say.
	if version >= 8 && t.TopicAuthorizedOperations != math.MinInt32 && t.TopicAuthorizedOperations&(1<<sarama.AclOperationWrite) == 0 {
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("kafka: %s: no right to write to the topic %q", d.client.name, d.o.Topic))
	}
	return nil
}
