package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// message makes what is written of a delivery.
func (d *destination) message(ctx context.Context, x *event.Delivery) (*sarama.ProducerMessage, error) {
	key, err := d.key(ctx, x)
	if err != nil {
		return nil, err
	}
	m := &sarama.ProducerMessage{Topic: d.o.Topic, Value: sarama.ByteEncoder(x.Body), Headers: d.o.headers(x), Offset: -1}
	if key != nil {
		m.Key = sarama.ByteEncoder(key)
	}
	if n := m.ByteSize(2); n > d.o.MaxBytes {
		return nil, modules.Reject(modules.CodeTooLarge, fmt.Errorf("kafka: the message has %d bytes, more than the %d of max_message_bytes", n, d.o.MaxBytes))
	}
	return m, nil
}

// key is the message's key; nil for none.
func (d *destination) key(ctx context.Context, x *event.Delivery) ([]byte, error) {
	if d.expr == nil {
		if d.o.Key == "" {
			return nil, nil
		}
		return []byte(d.o.Key), nil
	}
	input, err := jq.Decode(x.Body)
	if err != nil {
		input = string(x.Body)
	}
	out, err := d.expr.Transform(ctx, input, jq.Event(x.Event))
	switch {
	case errors.Is(err, jq.ErrNoResult):
		return nil, nil
	case err != nil && ctx.Err() != nil:
		return nil, link.Ended(ctx, errors.New("kafka: the key was not computed"))
	case err != nil:
		return nil, modules.Reject(modules.CodeTransformError, fmt.Errorf("key_expr: %w", err))
	case string(out) == "null":
		return nil, nil
	case out[0] == '"':
		var text string
		err := json.Unmarshal(out, &text)
		return []byte(text), err
	}
	return out, nil
}

// headers are the sender's, then those of the configuration, then hookd's own:
// a later one takes the place of an earlier one. A name with several values is
// there several times, as Kafka allows.
func (o *Options) headers(x *event.Delivery) []sarama.RecordHeader {
	values := make(map[string][]string)
	if o.Forward {
		add(values, x.Event.Header)
	}
	for name, v := range o.Headers {
		values[strings.ToLower(name)] = []string{v}
	}
	for name := range values {
		if strings.HasPrefix(name, "hookd-") {
			delete(values, name) // only hookd speaks for itself
		}
	}
	add(values, x.Header)
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	all := make([]sarama.RecordHeader, 0, len(names))
	for _, name := range names {
		for _, v := range values[name] {
			all = append(all, sarama.RecordHeader{Key: []byte(name), Value: []byte(v)})
		}
	}
	return all
}

func add(values map[string][]string, h http.Header) {
	for name, vs := range h {
		// Clients read names as UTF-8. Values are bytes.
		if name = strings.ToValidUTF8(strings.ToLower(name), "\uFFFD"); name != "" {
			values[name] = vs
		}
	}
}
