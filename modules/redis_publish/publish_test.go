package redispublish_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redistest"
	"github.com/hookd/hookd/modules/moduletest"
	redispublish "github.com/hookd/hookd/modules/redis_publish"
)

func TestSuite(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: redispublish.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t)
			return b.far(fmt.Sprintf(`{"channel": %q}`, b.Name))
		},
		// JSON stands in JSON, without the space around it.
		Carries: func(body []byte) bool {
			return !json.Valid(body) || bytes.Equal(bytes.TrimSpace(body), body)
		},
		Bad: []moduletest.Bad{
			{Options: `{"channel": " "}`, Want: "empty", Path: "channel"},
			{Options: `{"format": "xml"}`, Want: "not one of", Path: "format"},
			{Options: `{"headers": {"traceparent": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Connection: `{"port": 0}`, Path: "port"},
		},
	})
}

// TestMessage: the exact text that subscribers get.
func TestMessage(t *testing.T) {
	b := newBroker(t)
	for _, c := range []struct{ options, body, want string }{
		{`"forward_headers": false`, "{ \"a\" :\t1.10 }", "{\"payload\":{ \"a\" :\t1.10 },\"headers\":%s}"},
		{`"forward_headers": false`, `<a & "b">`, `{"payload":"<a & \"b\">","headers":%s}`},
		{`"forward_headers": false`, "\xff", `{"payload_base64":"/w==","headers":%s}`},
		{`"format": "raw"`, "\xff\x00 {", "\xff\x00 {"},
	} {
		s := redistest.Open(t, redispublish.Module(), b.Connection(), fmt.Sprintf(`{"channel": %q, %s}`, b.Name, c.options))
		d := redistest.Delivery([]byte(c.body))
		r := s.Send(t, d)
		if r.Err != nil || r.Receipt.Status != "1 receiver on "+b.Name {
			t.Errorf("%q: %q %v", c.body, r.Receipt.Status, r.Err)
		}
		want := c.want
		if bytes.Contains([]byte(want), []byte("%s")) {
			h := map[string]string{}
			for name, v := range d.Header {
				h[string(bytes.ToLower([]byte(name)))] = v[0]
			}
			text, err := json.Marshal(h)
			if err != nil {
				t.Fatal(err)
			}
			want = fmt.Sprintf(want, text)
		}
		all := b.heard()
		if got := string(all[len(all)-1]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestNobodyListens: Redis calls it a success, hookd says how many there were.
func TestNobodyListens(t *testing.T) {
	b := newBroker(t)
	b.Do("deafen", b.Name)
	s := redistest.Open(t, redispublish.Module(), b.Connection(), fmt.Sprintf(`{"channel": %q}`, b.Name))
	if r := s.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil || r.Receipt.Status != "0 receivers on "+b.Name {
		t.Errorf("%+v", r)
	}
	s = redistest.Open(t, redispublish.Module(), b.Connection(), fmt.Sprintf(`{"channel": %q, "require_receivers": true}`, b.Name))
	r := s.Send(t, redistest.Delivery([]byte(`{}`)))
	if f := modules.FailureOf(r.Err); r.Err == nil || f.Kind != modules.Retryable || f.Code != "redis_no_receivers" {
		t.Errorf("%+v", f)
	}
	b.Do("subscribe", b.Name)
	if r := s.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil || len(b.received()) != 1 {
		t.Errorf("%v", r.Err)
	}
}

// TestRights: the check finds a missing right also for a user that has none to
// transactions, by which it asks otherwise.
func TestRights(t *testing.T) {
	b := newBroker(t)
	d := redistest.Open(t, redispublish.Module(), b.Connection(), fmt.Sprintf(`{"channel": %q}`, b.Name))
	for _, c := range []struct {
		name   string
		rights []any
		may    bool
	}{
		{"transactions", []any{"&" + b.Name, "+publish", "+multi", "+discard"}, true},
		{"transactions, not the command", []any{"&" + b.Name, "+multi", "+discard"}, false},
		{"transactions, not the channel", []any{"&other", "+publish", "+multi", "+discard"}, false},
		{"no more than is needed", []any{"&" + b.Name, "+publish"}, true},
		{"nothing", []any{"&" + b.Name}, false},
		{"may ask", []any{"&" + b.Name, "+publish", "+acl|dryrun"}, true},
		{"may ask, not the channel", []any{"&other", "+publish", "+acl|dryrun"}, false},
		{"scripts", []any{"&" + b.Name, "+publish", "+eval"}, true},
		{"scripts, not the channel", []any{"&other", "+publish", "+eval"}, false},
	} {
		b.Grant(append([]any{"reset", "on", ">" + b.Password}, c.rights...)...)
		err := d.Check(t)
		if f := modules.FailureOf(err); (err == nil) != c.may || err != nil && (f.Code != modules.CodeAuthFailed || !strings.Contains(f.Err.Error(), "publish")) {
			t.Errorf("%s: %v", c.name, err)
		}
		// The send has the last word.
		if r := d.Send(t, redistest.Delivery([]byte(`{}`))); (r.Err == nil) != c.may {
			t.Errorf("%s: %v", c.name, r.Err)
		}
	}
}
