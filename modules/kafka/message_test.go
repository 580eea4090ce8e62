package kafka

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/IBM/sarama"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// FuzzMessage: whatever a sender's headers and bytes are, a message says about
// hookd only what hookd says, and its names are UTF-8.
func FuzzMessage(f *testing.F) {
	f.Add("X-A", "b", []byte(`{"id":1}`))
	f.Add("Hookd-Delivery-Id", "forged", []byte(`{"id":"\ud800"}`))
	f.Add("HOOKD-HOOK", "\x00\r\n", []byte(`{"id":{"a":[1e400]}}`))
	f.Add("traceparent", strings.Repeat("v", 70<<10), []byte(`[`))
	f.Add("\xff\xfe", "\xc3\x28", []byte("\xff"))
	f.Add("", "x", []byte(`{"id":null}`))
	f.Fuzz(func(t *testing.T, name, value string, body []byte) {
		x := &event.Delivery{
			Event:  &event.Event{Header: http.Header{name: {value, value}}},
			Header: http.Header{"Hookd-Hook": {"h"}, "Hookd-Delivery-Id": {"1"}, "Traceparent": {"t"}},
			Body:   body,
		}
		dest, err := newDestination(modules.Env{}, &client{}, &Options{
			Topic: "t", Forward: true, KeyExpr: ".id", Headers: map[string]string{"X-Team": "pay"}, MaxBytes: 1 << 20,
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := dest.(*destination).message(t.Context(), x)
		if err != nil {
			if modules.FailureOf(err).Kind != modules.Rejected {
				t.Fatal(err)
			}
			return
		}
		if got, err := m.Value.Encode(); err != nil || !slices.Equal(got, body) {
			t.Errorf("body %q, %v", got, err)
		}
		own := make(map[string][]string)
		for _, h := range m.Headers {
			if len(h.Key) == 0 || !utf8.Valid(h.Key) {
				t.Errorf("header %q", h.Key)
			}
			own[string(h.Key)] = append(own[string(h.Key)], string(h.Value))
		}
		n := 0
		for name := range own {
			if strings.HasPrefix(name, "hookd-") {
				n++
			}
		}
		if n != 2 || !slices.Equal(own["hookd-hook"], []string{"h"}) || !slices.Equal(own["hookd-delivery-id"], []string{"1"}) ||
			!slices.Equal(own["traceparent"], []string{"t"}) {
			t.Errorf("%q", own)
		}
	})
}

// The library's defaults that would lose messages, or leak, are not used.
func TestSettings(t *testing.T) {
	t.Parallel()
	c := &Connection{}
	node, list := spec.ParseJSON("f", []byte(`{}`))
	if list = append(list, spec.Decode(node, c, "")...); len(list) > 0 {
		t.Fatal(list)
	}
	l := c.settings(newSockets(modules.Env{}, c, dialTimeout))
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if l.Producer.RequiredAcks != sarama.WaitForAll || !l.Producer.Idempotent || l.Net.MaxOpenRequests != 1 || l.Metadata.AllowAutoTopicCreation ||
		!l.Net.Proxy.Enable || l.MetricRegistry != (silence{}) || l.ClientID != "hookd" || l.Net.SASL.Enable {
		t.Errorf("%+v", l)
	}
}

// A password that everybody on the way can read is warned about.
func TestWarnings(t *testing.T) {
	t.Parallel()
	const login = `"sasl_mechanism": "PLAIN", "sasl_username": "u", "sasl_password": "p"`
	for text, warns := range map[string]bool{
		`{` + login + `}`:                                                          true,
		`{` + login + `, "tls": false}`:                                            true,
		`{` + login + `, "security_protocol": "SASL_PLAINTEXT"}`:                   true,
		`{` + login + `, "tls": true}`:                                             false,
		`{` + login + `, "ssl": {}}`:                                               false,
		`{` + login + `, "security_protocol": "SASL_SSL"}`:                         false,
		`{` + strings.Replace(login, "PLAIN", "SCRAM-SHA-512", 1) + `}`:            false,
		`{"username": "u", "password": "p", "sasl_mechanism": "PLAIN", "ssl": {}}`: false,
	} {
		node, list := spec.ParseJSON("f", []byte(text))
		list = append(list, spec.Decode(node, &Connection{}, "")...)
		if list.HasErrors() || (len(list) > 0) != warns {
			t.Errorf("%s: %v", text, list)
		}
	}
}

// Servers are a list, or a text with commas, each with a port or without.
func TestServers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                                     "localhost:9092",
		`{"bootstrap_servers": "a"}`:             "a:9092",
		`{"brokers": " a:1 ,b,, a:1"}`:           "a:1|b:9092",
		`{"bootstrap_servers": ["a:1", "b,c"]}`:  "a:1|b:9092|c:9092",
		`{"bootstrap_servers": "[::1]:1,[::2]"}`: "[::1]:1|[::2]:9092",
	} {
		c := &Connection{}
		node, list := spec.ParseJSON("f", []byte(text))
		if list = append(list, spec.Decode(node, c, "")...); len(list) > 0 {
			t.Errorf("%s: %v", text, list)
		}
		if got := strings.Join(c.addrs(), "|"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{`""`, `","`, `"kafka://a:9092"`, `"a:x"`, `"a:0"`, `"a:65536"`, `":9092"`, `"a b"`, `[]`} {
		node, list := spec.ParseJSON("f", []byte(`{"bootstrap_servers": `+text+`}`))
		if list = append(list, spec.Decode(node, &Connection{}, "")...); !list.HasErrors() {
			t.Errorf("%s passed", text)
		}
	}
}
