package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const codeReplicas = "kafka_not_enough_replicas"

// code is the slug of an error that has no better one.
func code(e sarama.KError) string { return "kafka_" + strconv.Itoa(int(e)) }

// verdict is what a refusal means.
type verdict struct {
	kind modules.FailureKind
	code string
	one  bool // it may be due to another message of the batch
}

// verdicts are those of the brokers' errors. What an operator may cure, rights
// among it, is tried again, as is what is not listed; a message that can never
// pass is not.
var verdicts = map[sarama.KError]verdict{
	sarama.ErrUnknownTopicOrPartition:         {kind: modules.Retryable, code: modules.CodeNotFound},
	sarama.ErrTopicAuthorizationFailed:        {kind: modules.Retryable, code: modules.CodeAuthFailed},
	sarama.ErrClusterAuthorizationFailed:      {kind: modules.Retryable, code: modules.CodeAuthFailed},
	sarama.ErrMessageSizeTooLarge:             {kind: modules.Rejected, code: modules.CodeTooLarge, one: true},
	sarama.ErrMessageSetSizeTooLarge:          {kind: modules.Rejected, code: modules.CodeTooLarge, one: true},
	sarama.ErrInvalidRecord:                   {kind: modules.Rejected, code: modules.CodeRefused, one: true},
	sarama.ErrInvalidTimestamp:                {kind: modules.Rejected, code: modules.CodeRefused, one: true},
	sarama.ErrPolicyViolation:                 {kind: modules.Rejected, code: modules.CodeRefused, one: true},
	sarama.ErrInvalidTopic:                    {kind: modules.Rejected, code: modules.CodeRefused},
	sarama.ErrNotEnoughReplicas:               {kind: modules.Retryable, code: codeReplicas},
	sarama.ErrNotEnoughReplicasAfterAppend:    {kind: modules.Retryable, code: codeReplicas},
	sarama.ErrLeaderNotAvailable:              {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrNotLeaderForPartition:           {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrReplicaNotAvailable:             {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrBrokerNotAvailable:              {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrNetworkException:                {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrKafkaStorageError:               {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrNotController:                   {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrOffsetsLoadInProgress:           {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrConsumerCoordinatorNotAvailable: {kind: modules.Retryable, code: modules.CodeUnavailable},
	sarama.ErrRequestTimedOut:                 {kind: modules.Retryable, code: modules.CodeTimeout},
	sarama.ErrUnknown:                         {kind: modules.Retryable, code: modules.CodeUnknown},
	sarama.ErrThrottlingQuotaExceeded:         {kind: modules.Throttled, code: modules.CodeThrottled},
	// The brokers and the producer have lost each other's count.
	sarama.ErrOutOfOrderSequenceNumber: {kind: modules.Lost},
	sarama.ErrInvalidProducerEpoch:     {kind: modules.Lost},
	sarama.ErrUnknownProducerID:        {kind: modules.Lost},
	sarama.ErrInvalidProducerIDMapping: {kind: modules.Lost},
	sarama.ErrProducerFenced:           {kind: modules.Lost},
	sarama.ErrSASLAuthenticationFailed: {kind: modules.Lost}, // opening anew says more
}

// failure says what an error means for deliveries.
func (d *destination) failure(err error) error {
	k := d.client
	var f *modules.Failure
	if errors.As(err, &f) {
		switch {
		case f.Kind == modules.Lost, f.Code == modules.CodeShutdown:
			return f
		case f.Code == modules.CodeEgressDenied, f.Code == modules.CodeTLS, f.Code == modules.CodeBadAnswer:
			// Of a broker that the cluster names: another connection does not
			// help.
			return modules.Retry(f.Code, fmt.Errorf("kafka: %s: %w", k.name, f.Err))
		}
	}
	var e sarama.KError
	if !errors.As(err, &e) {
		return k.lose(err)
	}
	if e == sarama.ErrUnknownTopicOrPartition {
		d.known.Store(false)
	}
	v, listed := verdicts[e]
	if !listed {
		v.code = code(e)
	}
	if v.kind == modules.Lost {
		return k.lose(err)
	}
	return &modules.Failure{Kind: v.kind, Code: v.code, Err: fmt.Errorf("kafka: %s: topic %q: %w", k.name, d.o.Topic, err)}
}

// aboutOne reports a refusal that may be due to another message of the batch.
func aboutOne(err error) bool {
	var e sarama.KError
	return errors.As(err, &e) && verdicts[e].one
}

// lose gives the connection up: the library did not get through with its own
// repeats. Whoever sends on it from now on learns that at once.
func (k *client) lose(err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.why == nil {
		k.why = err
	}
	return modules.Disconnect(fmt.Errorf("kafka: %s: %w", k.name, err))
}

// lost is the failure of a send on a connection that was given up; nil while it
// was not.
func (k *client) lost() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.why == nil {
		return nil
	}
	return modules.Disconnect(fmt.Errorf("kafka: %s: connection lost: %w", k.name, k.why))
}

// ended is the failure of a send whose context ended first. When its time was
// over the connection is given up: the library would go on, and store the message
// when nobody expects it any more.
func (k *client) ended(ctx context.Context, what string) error {
	err := fmt.Errorf("kafka: %s: %s", k.name, what)
	if errors.Is(ctx.Err(), context.Canceled) {
		return link.Ended(ctx, err)
	}
	return k.lose(errors.Join(errors.New(what), ctx.Err()))
}

// openFailure says why no broker let hookd in.
func (k *client) openFailure(ctx context.Context, err error) error {
	var f *modules.Failure
	var e sarama.KError
	is := func(code string) error { return modules.Retry(code, fmt.Errorf("kafka: %w", err)) }
	switch {
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("kafka: user %q: %w", k.config.User, err))
	case errors.Is(err, sarama.ErrUnsupportedSASLMechanism), errors.Is(err, sarama.ErrIllegalSASLState):
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("kafka: it does not let in by sasl_mechanism %q there: %w", k.config.Mechanism, err))
	case errors.Is(err, sarama.ErrClusterAuthorizationFailed):
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf(`kafka: no right to number messages (IdempotentWrite on the cluster, or Write on a topic); "idempotent": false does without: %w`, err))
	case errors.As(err, &f):
		return is(f.Code)
	case ctx.Err() != nil:
		return link.Ended(ctx, fmt.Errorf("kafka: %w", err))
	case errors.As(err, &e):
		return is(code(e))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return modules.Retry(modules.CodeUnavailable, fmt.Errorf("kafka: %w: the broker ended the connection: does it want TLS, or a login?", err))
	}
	return link.Failure(ctx, fmt.Errorf("kafka: %w", err))
}
