package awssqs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	batchItems = 10 // of SendMessageBatch
	batchBytes = maxBytes * 3 / 4
)

// destination sends to one queue.
type destination struct {
	client *client
	sqs    *sqs.Client
	o      *Options

	mu  sync.Mutex
	url string // of the queue; "" when it must be asked for
}

func newDestination(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
	d := &destination{client: k, o: o, url: o.URL.String()}
	d.sqs = sqs.NewFromConfig(k.AWS, func(so *sqs.Options) {
		if r := o.region(); r != "" {
			so.Region = r
		}
	})
	return d, nil
}

// BatchLimit is what one request takes, with room for attributes.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send sends one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch sends as many in one request as fit.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	fail := func(err error) []modules.Result {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	if ctx.Err() != nil {
		return fail(link.Ended(ctx, errors.New("aws_sqs: not sent")))
	}
	url, err := d.queue(ctx)
	if err != nil {
		return fail(err)
	}
	var (
		ms   []message
		size int
	)
	flush := func() {
		if len(ms) > 0 {
			d.request(ctx, url, ms, results)
		}
		ms, size = nil, 0
	}
	for i, x := range ds {
		m, err := d.o.message(i, x)
		if err != nil {
			results[i].Err = err
			continue
		}
		if size+m.size > maxBytes || len(ms) == batchItems {
			flush()
		}
		ms, size = append(ms, m), size+m.size
	}
	flush()
	return results
}

// request sends messages and writes what became of each. The number of a
// message among the results is its id.
func (d *destination) request(ctx context.Context, url string, ms []message, results []modules.Result) {
	in := &sqs.SendMessageBatchInput{QueueUrl: &url}
	for _, m := range ms {
		in.Entries = append(in.Entries, m.entry)
	}
	out, err := d.sqs.SendMessageBatch(ctx, in)
	if err != nil && len(ms) > 1 && aboutBatch(err) {
		// The request as a whole was refused: it may be for one of them.
		for i := range ms {
			d.request(ctx, url, ms[i:i+1], results)
		}
		return
	}
	answers := make(map[string]modules.Result, len(ms))
	if err == nil {
		for _, s := range out.Successful {
			answers[aws.ToString(s.Id)] = d.success(s)
		}
		for _, f := range out.Failed {
			answers[aws.ToString(f.Id)] = modules.Result{Err: d.client.refusal(aws.ToString(f.Code), aws.ToString(f.Message), f.SenderFault, 0)}
		}
	} else {
		err = d.client.failure(ctx, err)
	}
	for i := range ms {
		r, found := answers[*ms[i].entry.Id]
		switch {
		case err != nil:
			r.Err = err
		case !found:
			r.Err = modules.Retry(modules.CodeBadAnswer, fmt.Errorf("aws_sqs: %s: the answer says nothing of the message", d.client.Where))
		}
		if modules.FailureOf(r.Err).Code == modules.CodeNotFound {
			d.forget()
		}
		results[number(ms[i])] = r
	}
}

// success: SQS stored the message, and says under which id and with which body.
// The SDK compares the sum of the body where there is one.
func (d *destination) success(s types.SendMessageBatchResultEntry) modules.Result {
	if aws.ToString(s.MessageId) == "" || aws.ToString(s.MD5OfMessageBody) == "" {
		return modules.Result{Err: modules.Retry(modules.CodeBadAnswer, fmt.Errorf("aws_sqs: %s: the answer has no id or no sum of the message", d.client.Where))}
	}
	return modules.Result{Receipt: event.Receipt{Status: "message " + *s.MessageId}}
}
