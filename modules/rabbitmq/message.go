package rabbitmq

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// message makes what is published of a delivery. frame is the size of a frame
// that the broker agreed to.
func (o *Options) message(d *event.Delivery, frame int) (amqp.Publishing, error) {
	p := amqp.Publishing{
		Headers:      o.headers(d),
		ContentType:  clean(d.Header.Get("Content-Type")),
		DeliveryMode: amqp.Transient,
		MessageId:    d.ID.String(),
		AppId:        "hookd",
		Body:         d.Body,
	}
	if o.Persistent {
		p.DeliveryMode = amqp.Persistent
	}
	if o.Expiration > 0 {
		p.Expiration = strconv.FormatInt(o.Expiration.Milliseconds(), 10)
	}
	if len(p.ContentType) > maxShort {
		p.ContentType = "" // the whole of it is among the headers
	}
	// Headers travel in one frame. A broker that gets a larger one than it
	// agreed to closes the connection, with all that is under way on it.
	const properties = 1 << 10 // content type and id, and what frames them
	if n, most := size(p.Headers), frame-properties; n > most {
		return p, modules.Reject(modules.CodeTooLarge,
			fmt.Errorf("rabbitmq: the headers have %d bytes, more than the %d that fit; \"forward_headers\": false leaves the sender's out", n, most))
	}
	return p, nil
}

// headers are the sender's, then those of the configuration, then hookd's own:
// a later one wins.
func (o *Options) headers(d *event.Delivery) amqp.Table {
	t := make(amqp.Table, len(d.Header)+len(o.Headers)+len(d.Event.Header))
	if o.Forward {
		add(t, d.Event.Header)
	}
	for name, v := range o.Headers {
		t[strings.ToLower(name)] = v
	}
	for name := range t {
		if strings.HasPrefix(name, "hookd-") {
			delete(t, name) // only hookd speaks for itself
		}
	}
	add(t, d.Header)
	return t
}

func add(t amqp.Table, h http.Header) {
	for name, vs := range h {
		if name = clean(strings.ToLower(name)); validName(name) {
			t[name] = clean(strings.Join(vs, ", "))
		}
	}
}

// clean makes UTF-8 of what is none: AMQP's strings are UTF-8, and clients
// stumble over others.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// size is what the headers take in a frame, at most.
func size(t amqp.Table) int {
	n := 0
	for name, v := range t {
		n += len(name) + len(v.(string)) + 6
	}
	return n
}
