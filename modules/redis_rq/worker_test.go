package redisrq_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/internal/redistest"
	redisrq "github.com/hookd/hookd/modules/redis_rq"
)

// values are JSON texts whose values Python must see as its own json does.
var values = []string{
	`null`, `true`, `false`, `0`, `-0`, `-1`, `255`, `256`, `65536`, `2147483647`, `2147483648`, `-2147483648`, `-2147483649`,
	`9223372036854775807`, `-9223372036854775809`, `-128`, `-32768`, `170141183460469231731687303715884105728`, `-170141183460469231731687303715884105728`,
	`1` + strings.Repeat("0", 4299), `-1` + strings.Repeat("0", 700), `0.1`, `-0.0`, `1e400`, `-1E400`, `5e-324`, `1e2`, `123456789.123456789`,
	`""`, `"é"`, `"日本語 👋 \ud83d\udc4b \u0000 \" \\ \/ \n"`, `"` + strings.Repeat("x", 70000) + `"`,
	`[]`, `{}`, `[[],{},[[1]],{"a":{}}]`, `{"b":1,"a":[true,null,{"c":"d"}],"":-7}`, `{"a":1,"a":2}`, " [ 1 ,\t2 ]\r\n",
	`{"id":12345678901234567890,"amount":1999.99,"currency":"eur","live":true,"nested":{"list":[1,2.5,"x"]}}`,
	strings.Repeat("[", 50) + strings.Repeat("]", 50),
}

// TestRealWorker: RQ's own program runs the jobs, by both serializers, and the
// function gets what Python's json makes of the body.
func TestRealWorker(t *testing.T) {
	for serializer, options := range map[string]string{pickle: "", serialJSON: `, "serializer": "json"`} {
		t.Run(serializer, func(t *testing.T) {
			b := newBroker(t, serializer)
			d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(options))
			xs := make([]*event.Delivery, len(values))
			for i, v := range values {
				xs[i] = redistest.Delivery([]byte(v))
			}
			for i, r := range d.SendAll(t, xs...) {
				if r.Err != nil {
					t.Fatalf("%.80s: %v", values[i], r.Err)
				}
			}
			b.worker(t)
			ran := make(map[string]call)
			for _, c := range redistest.Ask[call](b.Broker, "ran", b.Name) {
				ran[c.ID] = c
			}
			for i, x := range xs {
				c, ok := ran[x.ID.String()]
				if !ok {
					t.Errorf("%.80s: it was not run", values[i])
					continue
				}
				type verdict struct {
					Equal bool
					Want  string
				}
				if v := redistest.Ask[verdict](b.Broker, "equal", base64.StdEncoding.EncodeToString([]byte(values[i])), c.Repr)[0]; !v.Equal {
					t.Errorf("%.80s: got %.80s, want %.80s", values[i], c.Repr, v.Want)
				}
				if c.Headers["hookd-delivery-id"] != x.ID.String() || c.Headers["x-sender"] != "one, two" {
					t.Errorf("headers %v", c.Headers)
				}
			}
			if left := b.Command("LLEN", "rq:queue:"+b.Name); left != float64(0) {
				t.Errorf("%v jobs are left", left)
			}
		})
	}
}

// worker runs the program of RQ until the queue is empty.
func (b *broker) worker(t *testing.T) {
	t.Helper()
	args := []string{"worker", "-b", "--url", "redis://" + b.Server.User + ":" + b.Password + "@" + b.Addr, "-P", redistest.Folder()}
	if b.serializer != pickle {
		args = append(args, "-S", b.serializer)
	}
	cmd := exec.CommandContext(t.Context(), testinfra.Program(t, "rq", "python3-rq"), append(args, b.Name)...) // #nosec G204
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rq worker: %v\n%s", err, out)
	}
}

// TestForms: what the function gets of a body in each form.
func TestForms(t *testing.T) {
	for _, c := range []struct{ serializer, options, body, kind, want string }{
		{pickle, "", `{"a":1}`, "dict", "{'a': 1}"},
		{pickle, "", "a=1", "bytes", "b'a=1'"},
		{pickle, "", "\xff{", "bytes", `b'\xff{'`},
		{pickle, "", "{\"a\":\"\xff\"}", "bytes", `b'{"a":"\xff"}'`},
		{pickle, `, "payload": "text"`, `{"a":1}`, "str", `'{"a":1}'`},
		{pickle, `, "payload": "bytes"`, `{"a":1}`, "bytes", `b'{"a":1}'`},
		{pickle, `, "payload": "base64"`, "\xff", "str", "'/w=='"},
		{serialJSON, `, "serializer": "json"`, `{"a":1}`, "dict", "{'a': 1}"},
		{serialJSON, `, "serializer": "json"`, "a=\"1\"<", "str", `'a="1"<'`},
		{serialJSON, `, "serializer": "json"`, "é\xff\xfe", "str", `'é\udcff\udcfe'`},
		{serialJSON, `, "serializer": "json", "payload": "text"`, `{"a":1}`, "str", `'{"a":1}'`},
		{serialJSON, `, "serializer": "json", "payload": "base64"`, "\xff", "str", "'/w=='"},
	} {
		b := newBroker(t, c.serializer)
		d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(c.options))
		if r := d.Send(t, redistest.Delivery([]byte(c.body))); r.Err != nil {
			t.Errorf("%q: %v", c.body, r.Err)
			continue
		}
		calls := b.calls()
		if len(calls) != 1 || calls[0].Kind != c.kind || calls[0].Repr != c.want {
			t.Errorf("%q%s: %+v, want %s %s", c.body, c.options, calls, c.kind, c.want)
		}
	}
}

// TestJob: the hash is what RQ reads, and says of itself.
func TestJob(t *testing.T) {
	type job struct {
		Status, Func, Description, Origin string
		Timeout                           int
		ResultTTL                         *int `json:"result_ttl"`
		FailureTTL                        *int `json:"failure_ttl"`
		Enqueued                          bool
		Kwargs                            map[string]any
		Args                              []string
	}
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	x := redistest.Delivery([]byte(`{"a":1}`))
	d.Send(t, x)
	j := redistest.Ask[job](b.Broker, "job", x.ID.String(), nil)[0]
	if j.Status != "queued" || j.Func != "hookd_jobs.record" || j.Origin != b.Name || j.Timeout != 180 || j.ResultTTL != nil || j.FailureTTL != nil ||
		!j.Enqueued || len(j.Kwargs) != 0 || len(j.Args) != 2 || j.Args[0] != "{'a': 1}" || j.Description != "hookd_jobs.record (github, event "+x.Event.ID.String()+")" {
		t.Errorf("%+v", j)
	}
	if in := b.Command("SISMEMBER", "rq:queues", "rq:queue:"+b.Name); in != true {
		t.Errorf("the queue is not announced: %v", in)
	}
	d = redistest.Open(t, redisrq.Module(), b.Connection(), b.options(`, "timeout": 30, "result_ttl": "2d", "failure_ttl": 60, "description": "a job"`))
	x = redistest.Delivery([]byte(`{}`))
	d.Send(t, x)
	j = redistest.Ask[job](b.Broker, "job", x.ID.String(), nil)[0]
	if j.Timeout != 30 || j.ResultTTL == nil || *j.ResultTTL != 172800 || j.FailureTTL == nil || *j.FailureTTL != 60 || j.Description != "a job" {
		t.Errorf("%+v", j)
	}
}
