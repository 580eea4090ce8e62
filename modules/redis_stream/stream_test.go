package redisstream_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/internal/redistest"
	"github.com/hookd/hookd/modules/moduletest"
	redisstream "github.com/hookd/hookd/modules/redis_stream"
)

// TestSuite appends without more ado.
func TestSuite(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: redisstream.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t)
			return b.far(fmt.Sprintf(`{"stream": %q}`, b.Name))
		},
		Bad: []moduletest.Bad{
			{Options: `{"stream": ""}`, Want: "empty", Path: "stream"},
			{Options: `{"stream": "a", "maxlen": -1}`, Want: "out of range", Path: "maxlen"},
			{Options: `{"stream": "a", "deduplicate": "10ms"}`, Want: "1 second", Path: "deduplicate"},
			{Options: `{"stream": "a", "payload_field": "Headers"}`, Want: "another field", Path: "payload_field"},
			{Options: `{"stream": "a", "headers": {"Hookd-Hook": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Options: `{"stream": "a", "headers": {"": "x"}}`, Want: "no name", Path: "headers"},
			{Connection: `{"host": " "}`, Want: "empty", Path: "host"},
			{Connection: `{"port": 70000}`, Path: "port"},
			{Connection: `{"db": -1}`, Path: "db"},
			{Connection: `{"tls": {"cert_file": "x"}}`, Want: "go together", Path: "tls"},
		},
	})
}

// TestSuiteDeduplicated appends by the script.
func TestSuiteDeduplicated(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: redisstream.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t)
			return b.far(fmt.Sprintf(`{"stream": %q, "deduplicate": "1h", "maxlen": 100000}`, b.Name))
		},
	})
}

// TestCLI: redis-cli reads the very bytes, too.
func TestCLI(t *testing.T) {
	b := newBroker(t)
	d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q}`, b.Name))
	body := []byte("{ \"a\" : 1.0 }\r\n\x00\xff")
	x := redistest.Delivery(body)
	if r := d.Send(t, x); r.Err != nil {
		t.Fatal(r.Err)
	}
	out, err := exec.CommandContext(t.Context(), testinfra.Program(t, "redis-cli", "redis-tools"), "--raw", "--no-auth-warning",
		"-u", "redis://"+b.Server.User+":"+b.Password+"@"+b.Addr, "XRANGE", b.Name, "-", "+").Output() // #nosec G204
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"payload\n" + string(body) + "\n", "hookd-delivery-id\n" + x.ID.String() + "\n", "hookd-attempt\n1\n", `"x-sender":"one, two"`} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %q in %q", want, out)
		}
	}
}
