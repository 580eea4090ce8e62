package redisrq

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

// codePayload: the body cannot be handed over in the form that is wanted.
const codePayload = "redis_payload"

// stamp is RQ's form of a time, in UTC.
const stamp = "2006-01-02T15:04:05.000000Z"

// The keys of RQ.
const (
	keyQueues = "rq:queues"
	keyQueue  = "rq:queue:"
	keyJob    = "rq:job:"
)

// job is the hash that RQ keeps of a job, as field, value, field, value. RQ
// leaves fields alone that it does not know.
func (o *Options) job(d *event.Delivery, now time.Time, attempt string) ([]any, error) {
	call, err := o.call(d)
	if err != nil {
		return nil, modules.Reject(codePayload, fmt.Errorf("redis: the body as an argument: %w", err))
	}
	description := o.Description
	if description == "" {
		description = fmt.Sprintf("%s (%s, event %s)", o.Function, d.Event.Hook, d.Event.ID)
	}
	fields := []any{
		"created_at", now.UTC().Format(stamp),
		"enqueued_at", now.UTC().Format(stamp),
		"origin", o.Queue,
		"status", "queued",
		"data", deflate(call),
		"description", strings.ToValidUTF8(description, "\uFFFD"), // or RQ cannot read the job
		"timeout", seconds(o.Timeout),
		// RQ writes all of these, and dashboards look for them.
		"success_callback_name", "", "failure_callback_name", "",
		"started_at", "", "ended_at", "", "last_heartbeat", "", "worker_name", "",
		"hookd_attempt", attempt,
	}
	if o.ResultSet {
		fields = append(fields, "result_ttl", seconds(o.ResultTTL))
	}
	if o.FailureSet {
		fields = append(fields, "failure_ttl", seconds(o.FailureTTL))
	}
	return fields, nil
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// call is what a worker calls: function, instance, arguments, named arguments.
func (o *Options) call(d *event.Delivery) ([]byte, error) {
	if o.Serializer == JSON {
		return o.callJSON(d)
	}
	p := newPickler()
	p.op(opMark)
	p.text(o.Function)
	p.op(opNone, opMark)
	if err := o.pickle(p, d.Body); err != nil {
		return nil, err
	}
	p.texts(o.Headers.Of(d))
	p.op(opTuple, opEmptyDict, opTuple)
	return p.done(), nil
}

var errText = errors.New(`it is not UTF-8; "payload": "base64" hands it over`)

func (o *Options) pickle(p *pickler, body []byte) error {
	switch {
	case o.Payload == Base64:
		p.text(base64.StdEncoding.EncodeToString(body))
	case o.Payload == Text && !utf8.Valid(body):
		return errText
	case o.Payload == Text:
		p.text(string(body))
	case o.Payload == Auto && isJSON(body):
		return p.json(body)
	default:
		p.bytes(body)
	}
	return nil
}

func (o *Options) callJSON(d *event.Delivery) ([]byte, error) {
	var payload []byte
	switch body := d.Body; {
	case o.Payload == Base64:
		payload = redisconn.JSON(body)
	case o.Payload == Text && !utf8.Valid(body):
		return nil, errText
	case o.Payload == Auto && isJSON(body):
		if err := readable(body); err != nil {
			return nil, err
		}
		payload = body
	default:
		payload = escaped(body)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "[%s,null,[%s,%s],{}]", redisconn.JSON(o.Function), payload, redisconn.JSON(o.Headers.Of(d)))
	return b.Bytes(), nil
}

// escaped is a JSON string in which bytes that are not UTF-8 stand as Python's
// "surrogateescape" has them (PEP 383), so that a function gets them back.
func escaped(body []byte) []byte {
	out := []byte{'"'}
	for len(body) > 0 {
		n := 0
		for n < len(body) {
			r, size := utf8.DecodeRune(body[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		text := redisconn.JSON(string(body[:n]))
		out = append(out, text[1:len(text)-1]...)
		if n < len(body) {
			out = fmt.Appendf(out, `\udc%02x`, body[n])
			n++
		}
		body = body[n:]
	}
	return append(out, '"')
}

// isJSON: what Python's json reads, too.
func isJSON(body []byte) bool { return utf8.Valid(body) && json.Valid(body) }

// deflaters are kept, for each is most of a MiB to make.
var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func deflate(b []byte) []byte {
	w, _ := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	_, err := w.Write(b)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes all
	}
	return out.Bytes()
}
