package zeromq

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/spec"
)

// What loads and is worth a word.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"endpoint": "tcp://*:5555"}`:                                         "all addresses",
		`{"endpoint": "tcp://0.0.0.0:5555", "bind": true}`:                     "all addresses",
		`{"endpoint": "tcp://[::]:5555"}`:                                      "all addresses",
		`{"endpoint": "tcp://127.0.0.1:5555"}`:                                 "",
		`{"endpoint": "tcp://worker:5555", "bind": false}`:                     "",
		`{"endpoint": "ipc:///run/x"}`:                                         "",
		`{"endpoint": "inproc://x"}`:                                           "own process",
		`{"endpoint": "tcp://a:1", "socket_type": "push", "topic": "x"}`:       "only PUB has topics",
		`{"endpoint": "tcp://a:1", "socket_type": "PUB", "expect_reply": "x"}`: "only REQ has replies",
		`{"endpoint": "tcp://a:1", "confirm": false}`:                          "count as delivered",
		`{}`: "",
		`{"topic": "x", "include_headers": "true", "require_receivers": "yes"}`:         "",
		`{"endpoint": "tcp://[fe80::1]:5555", "bind": "false", "allowed_hosts": "::1"}`: "",
	} {
		var o Options
		node, list := spec.ParseJSON("f", []byte(text))
		if list = append(list, spec.Decode(node, &o, "")...); list.HasErrors() {
			t.Errorf("%s: %v", text, list)
			continue
		}
		got := ""
		for _, p := range list {
			got += p.Message
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
