package gcppubsub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
	"github.com/hookd/hookd/modules/internal/pattern"
)

// Limits of Pub/Sub: documentation, "Quotas and limits".
const (
	maxRequest    = 10_000_000 // bytes, of a message too
	maxAttributes = 100
	maxName       = 256
	maxValue      = 1024
	maxKey        = 1024

	batchItems = 100
	batchBytes = 4 << 20
	// perMessage is what a message adds to a request besides itself, at most.
	perMessage = 16
)

// destination publishes to one topic.
type destination struct {
	client *client
	o      *Options
	topic  string
}

// BatchLimit is how much goes into one request.
func (d *destination) BatchLimit() (items, bytes int) { return batchItems, batchBytes }

// Send publishes one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// part is a request with messages and their places among the results.
type part struct {
	in     *pubsubpb.PublishRequest
	places []int
	size   int
}

// SendBatch publishes messages in as few requests as Pub/Sub allows: one has
// messages of one ordering key.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	var parts []*part
	open := make(map[string]*part)
	for i, x := range ds {
		m := d.o.message(x)
		size := proto.Size(m) + perMessage
		if room := maxRequest - len(d.topic) - perMessage; size > room {
			results[i].Err = modules.Reject(modules.CodeTooLarge, fmt.Errorf("gcp_pubsub: the message has %d bytes with its attributes, more than the %d that Pub/Sub takes", size, room))
			continue
		}
		p := open[m.OrderingKey]
		if p == nil || p.size+size > maxRequest-len(d.topic)-perMessage {
			p = &part{in: &pubsubpb.PublishRequest{Topic: d.topic}}
			open[m.OrderingKey] = p
			parts = append(parts, p)
		}
		p.in.Messages, p.places, p.size = append(p.in.Messages, m), append(p.places, i), p.size+size
	}
	for _, p := range parts {
		d.publish(ctx, p, results)
	}
	return results
}

// publish sends one request and writes what became of its messages.
func (d *destination) publish(ctx context.Context, p *part, results []modules.Result) {
	ids, err := d.request(ctx, p.in)
	if (status.Code(err) == codes.InvalidArgument || tooLarge(err)) && len(p.places) > 1 {
		// It is refused as a whole, for one of them or for all together.
		for i, m := range p.in.Messages {
			d.publish(ctx, &part{in: &pubsubpb.PublishRequest{Topic: d.topic, Messages: []*pubsubpb.PubsubMessage{m}}, places: p.places[i : i+1]}, results)
		}
		return
	}
	if err == nil && len(ids) != len(p.places) {
		err = modules.Retry(modules.CodeBadAnswer, fmt.Errorf("gcp_pubsub: %s: %d ids for %d messages", d.client.addr, len(ids), len(p.places)))
	}
	if err != nil {
		err = d.client.failure(ctx, err)
	}
	for i, place := range p.places {
		if results[place].Err = err; err == nil {
			results[place].Receipt.Status = "message " + ids[i]
		}
	}
}

// request publishes, and once more where the topic is made on the way.
func (d *destination) request(ctx context.Context, in *pubsubpb.PublishRequest) ([]string, error) {
	if ctx.Err() != nil {
		return nil, link.Ended(ctx, errors.New("gcp_pubsub: not sent"))
	}
	auth, err := d.client.authorized(ctx)
	if err != nil {
		return nil, err
	}
	out, err := d.client.publisher.Publish(auth, in)
	if status.Code(err) == codes.NotFound && d.o.Create {
		_, made := d.client.publisher.CreateTopic(auth, &pubsubpb.Topic{Name: d.topic})
		if made != nil && status.Code(made) != codes.AlreadyExists {
			return nil, made
		}
		out, err = d.client.publisher.Publish(auth, in)
	}
	return out.GetMessageIds(), err
}

// Check connects anew and looks whether the topic is there and whether messages
// may be published. A topic that is missing is in order when the first delivery
// would create it.
func (d *destination) Check(ctx context.Context) (err error) {
	k, err := open(ctx, d.client.env, d.client.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close(ctx)) }()
	auth, err := k.authorized(ctx)
	if err != nil {
		return err
	}
	// A request without a message is refused, and stores nothing.
	_, err = k.publisher.Publish(auth, &pubsubpb.PublishRequest{Topic: d.topic})
	switch {
	case err == nil, status.Code(err) == codes.InvalidArgument, status.Code(err) == codes.NotFound && d.o.Create:
		return nil
	}
	return k.failure(ctx, err)
}

// message makes what is published of a delivery.
func (o *Options) message(d *event.Delivery) *pubsubpb.PubsubMessage {
	m := &pubsubpb.PubsubMessage{Data: d.Body, Attributes: o.attributes(d)}
	if o.Key != "" {
		key := strings.ToValidUTF8(pattern.Expand(o.Key, d), "\uFFFD")
		m.OrderingKey = strings.ToValidUTF8(key[:min(len(key), maxKey)], "")
	}
	return m
}

// attributes are hookd's own, then those of the configuration, then the sender's
// headers, as many as Pub/Sub takes.
func (o *Options) attributes(d *event.Delivery) map[string]string {
	all := make(map[string]string)
	add := func(name, v string) {
		if _, taken := all[name]; !taken && len(all) < maxAttributes && fits(name, v) {
			all[name] = v
		}
	}
	each(d.Header, func(name, v string) { add(name, v[:min(len(v), maxValue)]) })
	for name, v := range o.Attributes {
		add(name, v)
	}
	if o.Forward {
		each(d.Event.Header, func(name, v string) {
			if !own(name) { // only hookd speaks for itself
				add(name, v)
			}
		})
	}
	return all
}

// own reports a name that only hookd speaks under.
func own(name string) bool { return strings.HasPrefix(name, "hookd-") || name == "traceparent" }

func each(h http.Header, f func(name, v string)) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		f(clean(strings.ToLower(name)), clean(strings.Join(h[name], ", ")))
	}
}

// clean makes UTF-8 of what is none: texts of gRPC are UTF-8.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
