package activemq

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/internal/event"
)

// FuzzMessage: whatever a sender's headers and body are, what is written is one
// frame, says about itself what hookd says, and holds the body as it is.
func FuzzMessage(f *testing.F) {
	f.Add("X-A", "b", "application/json", []byte("{}"))
	f.Add("Receipt", "9", "text/plain; charset=\xff", []byte("a\x00b"))
	f.Add("HOOKD-HOOK", "\x00\r\n", "\x00", []byte("\x00SEND\n\n\x00"))
	f.Add("x\r\ncontent-length:0", "\r\n\r\n\x00", "", []byte{})
	f.Add("a:b", `\c\n\\`, "a:b", []byte("\n"))
	f.Add("", "x", "\\", []byte(nil))
	f.Fuzz(func(t *testing.T, name, value, contentType string, body []byte) {
		d := &event.Delivery{
			Event:  &event.Event{Header: http.Header{name: {value, value}}},
			Header: http.Header{"Hookd-Hook": {value}, "Hookd-Delivery-Id": {"1"}, "Traceparent": {"t"}, "Content-Type": {contentType}},
			Body:   body,
		}
		o := &Options{Destination: "a:b", Kind: Queue, Persistent: true, Forward: true, Headers: map[string]string{"X-Team": "pay"}}
		m := o.message(d, time.Now())
		m.Header.Add(frame.Receipt, "7")
		var wire bytes.Buffer
		if err := frame.NewWriter(&wire).Write(m); err != nil {
			t.Fatal(err)
		}
		r := frame.NewReader(&wire)
		got, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(); err != io.EOF { //nolint:errorlint // the reader's own
			t.Fatalf("more than one frame: %v", err)
		}
		if got.Command != frame.SEND || !bytes.Equal(got.Body, body) {
			t.Errorf("%s %q, want %q", got.Command, got.Body, body)
		}
		for name, want := range map[string]string{
			frame.Destination: "/queue/a:b", frame.Receipt: "7", headerPersistent: "true", headerDuplicate: d.ID.String(),
			"hookd-delivery-id": "1", "traceparent": "t", "X-Team": "pay",
		} {
			if all := got.Header.GetAll(name); len(all) != 1 || all[0] != want {
				t.Errorf("%s: %q, want %q", name, all, want)
			}
		}
		seen := make(map[string]bool)
		for i := range got.Header.Len() {
			k, _ := got.Header.GetAt(i)
			if k = strings.ToLower(k); seen[k] {
				t.Errorf("%s twice", k)
			}
			seen[k] = true
		}
		if seen[frame.Transaction] || seen["reply-to"] || seen[headerExpires] {
			t.Errorf("%v", seen)
		}
	})
}

// Names know upper and lower case to STOMP: two that differ in nothing else both
// go along, each time, and both take the place of the sender's.
func TestNamesKnowCase(t *testing.T) {
	t.Parallel()
	d := &event.Delivery{Event: &event.Event{Header: http.Header{"X-Env": {"sender"}}}}
	o := &Options{Destination: "a", Kind: Queue, Forward: true, Headers: map[string]string{"X-Env": "1", "x-env": "2", "X-ENV": "3"}}
	for range 100 {
		m := o.message(d, time.Now())
		for name, want := range o.Headers {
			if all := m.Header.GetAll(name); len(all) != 1 || all[0] != want {
				t.Fatalf("%s: %q, want %q", name, all, want)
			}
		}
	}
}

// FuzzFault: whatever a broker says in an ERROR, it is one short line that a log
// can hold.
func FuzzFault(f *testing.F) {
	f.Add("User x is not authorized", "java.lang.SecurityException: no\n\tat x")
	f.Add("", "a: \x1b[2J\n")
	f.Add("AMQ339011 Error CoreMessage[properties=secret]", "")
	f.Add(strings.Repeat("é", 400), "\xff")
	f.Fuzz(func(t *testing.T, message, body string) {
		x := newFault(&frame.Frame{Command: frame.ERROR, Header: frame.NewHeader(frame.Message, message), Body: []byte(body)})
		if text := x.Error(); text == "" || len(text) > 310 || strings.ContainsAny(text, "\n\r\x00\x1b") {
			t.Errorf("%q", text)
		}
	})
}
