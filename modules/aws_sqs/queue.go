package awssqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/hookd/hookd/modules"
)

// queue is the URL of the queue: known, asked for by name, or made. Those who
// come at once all ask, which does no harm.
func (d *destination) queue(ctx context.Context) (string, error) {
	d.mu.Lock()
	url := d.url
	d.mu.Unlock()
	if url != "" {
		return url, nil
	}
	url, err := d.lookUp(ctx)
	var missing *types.QueueDoesNotExist
	if errors.As(err, &missing) && d.o.Create {
		url, err = d.create(ctx)
	}
	if err != nil {
		f := modules.FailureOf(d.client.failure(ctx, err))
		f.Err = fmt.Errorf("queue %q: %w", d.o.queue(), f.Err)
		if f.Kind == modules.Rejected {
			f.Kind = modules.Retryable // nothing here is the message's fault
		}
		return "", &f
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.url = url
	return url, nil
}

func (d *destination) lookUp(ctx context.Context) (string, error) {
	in := &sqs.GetQueueUrlInput{QueueName: &d.o.Name}
	if d.o.Account != "" {
		in.QueueOwnerAWSAccountId = &d.o.Account
	}
	out, err := d.sqs.GetQueueUrl(ctx, in)
	if err != nil {
		return "", err
	}
	return present(out.QueueUrl)
}

func (d *destination) create(ctx context.Context) (string, error) {
	in := &sqs.CreateQueueInput{QueueName: &d.o.Name}
	if d.o.fifo() {
		in.Attributes = map[string]string{string(types.QueueAttributeNameFifoQueue): "true"}
	}
	out, err := d.sqs.CreateQueue(ctx, in)
	if err != nil {
		return "", err
	}
	return present(out.QueueUrl)
}

func present(url *string) (string, error) {
	if aws.ToString(url) == "" {
		return "", modules.Retry(modules.CodeBadAnswer, errors.New("the answer has no URL of the queue"))
	}
	return *url, nil
}

// forget has the next send look the queue up again: it may have been made anew.
func (d *destination) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.url = d.o.URL.String()
}

// Check looks whether the queue is there and whether messages may be sent. A
// queue that is missing is in order when the first delivery would create it.
// Nothing is sent: a request without a message is refused, for want of rights
// where they are looked at first.
func (d *destination) Check(ctx context.Context) error {
	url := d.o.URL.String()
	if d.o.Name != "" {
		var (
			err     error
			missing *types.QueueDoesNotExist
		)
		if url, err = d.lookUp(ctx); err != nil {
			if errors.As(err, &missing) && d.o.Create {
				return nil
			}
			return d.client.failure(ctx, err)
		}
	}
	_, err := d.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	// Who may only send has no right to look at the queue.
	if err != nil && modules.FailureOf(d.client.failure(ctx, err)).Code != modules.CodeAuthFailed {
		return d.client.failure(ctx, err)
	}
	_, err = d.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{}})
	var api smithy.APIError
	if err == nil || errors.As(err, &api) && modules.FailureOf(d.client.failure(ctx, err)).Code == modules.CodeRefused {
		return nil
	}
	return d.client.failure(ctx, err)
}

// number is the place of a message among the results.
func number(m message) int {
	i, _ := strconv.Atoi(*m.entry.Id)
	return i
}
