package kafka

import "github.com/IBM/sarama"

// partitioner chooses as Kafka's own client does where there is a key. Where
// there is none, the delivery's id takes its place, so that a repeat lands in the
// same partition and a consumer of that one can drop it.
type partitioner struct{ hash sarama.Partitioner }

func newPartitioner(topic string) sarama.Partitioner {
	return partitioner{sarama.NewMurmur2Partitioner(topic)}
}

// Partition is the index of the partition among n.
func (p partitioner) Partition(m *sarama.ProducerMessage, n int32) (int32, error) {
	it := m.Metadata.(*item)
	switch o := it.batch.d.o; {
	case o.HasPartition:
		return int32(o.Partition), nil // #nosec G115 -- in range, by its field
	case m.Key == nil:
		id := it.batch.ds[it.index].ID.String()
		return p.hash.Partition(&sarama.ProducerMessage{Key: sarama.StringEncoder(id)}, n)
	}
	return p.hash.Partition(m, n)
}

// RequiresConsistency is not asked of one that decides for each message.
func (partitioner) RequiresConsistency() bool { return true }

// MessageRequiresConsistency: a message without a key goes around a partition
// that has no leader.
func (partitioner) MessageRequiresConsistency(m *sarama.ProducerMessage) bool {
	return m.Key != nil || m.Metadata.(*item).batch.d.o.HasPartition
}
