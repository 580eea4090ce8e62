package activemq

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/internal/event"
)

// Headers of a message that STOMP has no constants for.
const (
	headerPersistent = "persistent"
	headerExpires    = "expires"
	// headerDuplicate is Artemis's: it drops a message whose value it has seen.
	headerDuplicate = "_AMQ_DUPL_ID"
)

// ours are the headers that hookd sets and nobody else may.
var ours = []string{
	frame.Destination, frame.ContentLength, frame.ContentType, frame.Receipt, frame.Transaction,
	headerPersistent, headerExpires, strings.ToLower(headerDuplicate), "traceparent", "tracestate",
}

// meant are headers with a meaning to ActiveMQ, Artemis or RabbitMQ's STOMP: a
// stranger who sends a webhook must not schedule a message, let it expire, or
// choose where it is answered.
var meant = append([]string{
	frame.AcceptVersion, frame.Ack, frame.HeartBeat, frame.Host, frame.Id, frame.Login, frame.Message, frame.MessageId, frame.Passcode,
	frame.ReceiptId, frame.Server, frame.Session, frame.Subscription, frame.Version,
	"app-id", "browser", "client-id", "cluster-id", "correlation-id", "destination-type", "expiration", "priority", "redelivered",
	"reply-to", "selector", "timestamp", "transformation", "type", "user-id",
}, ours...)

// message makes what is sent of a delivery, but for the receipt. The first of
// two headers with one name counts, so hookd's own come first.
func (o *Options) message(d *event.Delivery, now time.Time) *frame.Frame {
	f := frame.New(frame.SEND,
		frame.Destination, o.path(),
		frame.ContentLength, strconv.Itoa(len(d.Body)),
		headerPersistent, strconv.FormatBool(o.Persistent),
		headerDuplicate, d.ID.String(),
	)
	f.Body = d.Body
	if o.Expiration > 0 {
		f.Header.Add(headerExpires, strconv.FormatInt(now.Add(o.Expiration).UnixMilli(), 10))
	}
	t := make(map[string]string, len(d.Header)+len(o.Headers)+len(d.Event.Header))
	if o.Forward {
		add(t, d.Event.Header, foreign)
	}
	for name := range o.Headers {
		delete(t, strings.ToLower(name))
	}
	for name, v := range o.Headers {
		t[name] = clean(v)
	}
	add(t, d.Header, func(name string) bool { return name != frame.ContentLength })
	for _, name := range sorted(t) {
		f.Header.Add(name, t[name])
	}
	return f
}

func add(t map[string]string, h http.Header, allowed func(name string) bool) {
	for name, vs := range h {
		if name = strings.ToLower(name); allowed(name) {
			t[name] = clean(strings.Join(vs, ", "))
		}
	}
}

func sorted(t map[string]string) []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// foreign reports whether a sender's header, in lower case, may go along.
func foreign(name string) bool {
	for _, prefix := range []string{"hookd-", "amq", "_amq", "jms"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return isToken(name) && !slices.Contains(meant, name)
}

// isToken reports a name that can have come by HTTP (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// clean makes what STOMP can carry: UTF-8 without the byte that ends a frame.
// Line breaks and colons are escaped when it is written.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
