package rabbitmq

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// FuzzMessage: whatever a sender's headers are, what is published is valid
// AMQP, fits a frame, and says about hookd only what hookd says.
func FuzzMessage(f *testing.F) {
	f.Add("X-A", "b", "application/json")
	f.Add("Hookd-Delivery-Id", "forged", "text/plain; charset=\xff")
	f.Add("HOOKD-HOOK", "\x00\r\n", strings.Repeat("x", 300))
	f.Add("traceparent", strings.Repeat("v", 70<<10), "")
	f.Add("\xff\xfe", "\xc3\x28", "a")
	f.Add(strings.Repeat("n", 256), "é", "a")
	f.Add("", "x", "\x00")
	f.Fuzz(func(t *testing.T, name, value, contentType string) {
		d := &event.Delivery{
			Event:  &event.Event{Header: http.Header{name: {value, value}}},
			Header: http.Header{"Hookd-Hook": {"h"}, "Hookd-Delivery-Id": {"1"}, "Traceparent": {"t"}, "Content-Type": {contentType}},
			Body:   []byte(value),
		}
		o := &Options{Forward: true, Headers: map[string]string{"X-Team": "pay"}}
		p, err := o.message(d, frameSize)
		if err != nil {
			if modules.FailureOf(err).Kind != modules.Rejected || len(name)+2*len(value)+len(contentType) < frameSize/10 {
				t.Fatal(err)
			}
			return
		}
		if len(p.ContentType) > maxShort || !utf8.ValidString(p.ContentType) || p.Headers.Validate() != nil {
			t.Errorf("content type %q, headers %v", p.ContentType, p.Headers)
		}
		n := 0
		for k, v := range p.Headers {
			if len(k) == 0 || len(k) > maxShort || !utf8.ValidString(k) || !utf8.ValidString(v.(string)) {
				t.Errorf("header %q: %q", k, v)
			}
			if strings.HasPrefix(k, "hookd-") {
				n++
			}
		}
		if n != 2 || p.Headers["hookd-hook"] != "h" || p.Headers["hookd-delivery-id"] != "1" || p.Headers["traceparent"] != "t" {
			t.Errorf("%v", p.Headers)
		}
	})
}

// A short alarm passes unnoticed; a long one ends the waiting; the next one is
// another.
func TestBlockedPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBlocked()
		over := func() bool {
			select {
			case <-b.hopeless():
				return true
			default:
				return false
			}
		}
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		for range 2 {
			b.set(amqp.Blocking{Active: true, Reason: "low on memory"})
			waiting := b.hopeless()
			pass(blockedPatience - time.Second)
			if over() || !strings.Contains(b.reason(), "low on memory") {
				t.Errorf("%v %q", over(), b.reason())
			}
			b.set(amqp.Blocking{})
			pass(blockedPatience)
			if over() || b.reason() != "" {
				t.Errorf("a short alarm: %v %q", over(), b.reason())
			}
			b.set(amqp.Blocking{Active: true, Reason: "low on disk"})
			b.set(amqp.Blocking{Active: true, Reason: "low on memory"})
			pass(blockedPatience)
			<-waiting
			if !over() {
				t.Error("a long alarm goes unnoticed")
			}
			b.set(amqp.Blocking{})
			if over() || b.reason() != "" {
				t.Errorf("after the alarm: %v %q", over(), b.reason())
			}
		}
	})
}
