package mqtt

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
)

// FuzzTopic: whatever the sender's type is, the topic has the levels of the
// pattern, and each is one that a broker takes.
func FuzzTopic(f *testing.F) {
	f.Add("github", "push")
	f.Add("../#", "+/$SYS/\x00")
	f.Add("{uuid}", strings.Repeat("\xff", 100))
	f.Add("", "//--")
	f.Fuzz(func(t *testing.T, hook, kind string) {
		d := &destination{pattern: (&Options{Topic: "{hook}/{type}/{uuid}"}).pattern()}
		topic := d.topic(&event.Delivery{Event: &event.Event{Hook: hook, Type: kind}})
		levels := strings.Split(topic, "/")
		if len(levels) != 3 || checkText(topic) != nil || strings.ContainsAny(topic, "+#$") || len(topic) > 2*maxPart+38 {
			t.Errorf("%q", topic)
		}
		for _, l := range levels {
			if l == "" {
				t.Errorf("an empty level: %q", topic)
			}
		}
	})
}

// FuzzObject: a device gets a JSON object that holds the body, or nothing.
func FuzzObject(f *testing.F) {
	for _, s := range []string{"", "{}", " [1]", "on", "\xff", `{"a":1}x`, "\ufeff{}", "null", "\"\u2028\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		b, err := object(body)
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if utf8.Valid(body) {
				t.Errorf("%q is text: %v", body, err)
			}
			return
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if bytes.Equal(b, body) {
			return
		}
		var text string
		if len(got) != 1 || !bytes.Equal(bytes.TrimSpace(got["data"]), bytes.TrimSpace(body)) &&
			(json.Unmarshal(got["data"], &text) != nil || text != string(body)) {
			t.Errorf("%q became %q", body, b)
		}
	})
}

// FuzzGreeting: only a CONNACK passes, in whatever pieces it comes.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte("\x20\x02\x00\x00"), 1)
	f.Add([]byte("\x20\x02\x01\x05\x40\x02\x00\x01"), 3)
	f.Add([]byte("HTTP/1.1 400 Bad Request"), 9)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		w := &wire{}
		var err error
		for rest := b; len(rest) > 0 && err == nil; {
			n := min(max(piece, 1), len(rest))
			err = w.greet(rest[:n])
			rest = rest[n:]
		}
		most := []byte{0x20, 2, 1, 5}
		good := true
		for i := range min(len(b), 4) {
			good = good && b[i] <= most[i] && (i > 1 || b[i] == most[i])
		}
		if (err == nil) != good {
			t.Errorf("% x: %v", b, err)
		}
	})
}
