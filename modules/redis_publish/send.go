package redispublish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

const codeNoReceivers = "redis_no_receivers"

// destination publishes on one channel.
type destination struct {
	client *redisconn.Client
	o      *Options
}

// BatchLimit is how much goes out before the first answer is read.
func (d *destination) BatchLimit() (items, bytes int) {
	return redisconn.BatchItems, redisconn.BatchBytes
}

// Send publishes one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch publishes all, then reads all answers.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	cmds, err := d.client.Run(ctx, func(p redis.Pipeliner) {
		for _, x := range ds {
			p.Publish(ctx, d.o.Channel, d.message(x))
		}
	})
	for i := range results {
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i] = d.result(ctx, cmds[i])
	}
	return results
}

func (d *destination) result(ctx context.Context, cmd redis.Cmder) (r modules.Result) {
	n, ok := cmd.(*redis.IntCmd)
	switch err := cmd.Err(); {
	case err != nil:
		r.Err = d.client.Failure(ctx, err)
	case !ok:
		r.Err = modules.Retry(modules.CodeBadAnswer, fmt.Errorf("redis: PUBLISH answered with a %T", cmd))
	case n.Val() == 0 && d.o.Require:
		r.Err = modules.Retry(codeNoReceivers, fmt.Errorf("redis: nobody is subscribed to %q", d.o.Channel))
	case n.Val() == 1:
		r.Receipt.Status = "1 receiver on " + d.o.Channel
	default:
		r.Receipt.Status = fmt.Sprintf("%d receivers on %s", n.Val(), d.o.Channel)
	}
	return r
}

// message is what is published of a delivery.
func (d *destination) message(x *event.Delivery) []byte {
	if d.o.Format == Raw {
		return x.Body
	}
	var b bytes.Buffer
	switch {
	case utf8.Valid(x.Body) && json.Valid(x.Body):
		b.WriteString(`{"payload":`)
		b.Write(x.Body)
	case utf8.Valid(x.Body):
		b.WriteString(`{"payload":`)
		b.Write(redisconn.JSON(string(x.Body)))
	default:
		b.WriteString(`{"payload_base64":`)
		b.Write(redisconn.JSON(x.Body))
	}
	b.WriteString(`,"headers":`)
	b.Write(redisconn.JSON(d.o.Headers.Of(x)))
	b.WriteByte('}')
	return b.Bytes()
}

// checkChannel is nobody's: an empty message on it shows the right to publish,
// where there is no other way to ask.
const checkChannel = "hookd-check"

// Check asks whether a message would be published.
func (d *destination) Check(ctx context.Context) error {
	return d.client.MayRun(ctx, nil, redisconn.Command{
		Words:    []any{"publish", d.o.Channel, ""},
		Harmless: []any{"publish", checkChannel, ""},
	})
}
