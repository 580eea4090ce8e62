package redisrq_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redistest"
	"github.com/hookd/hookd/modules/moduletest"
	redisrq "github.com/hookd/hookd/modules/redis_rq"
)

// longNumber is JSON that Python refuses.
var longNumber = []byte(`{"n":1` + string(bytes.Repeat([]byte("0"), 5000)) + `}`)

// compact: the function gets a value, of which Python makes this form again.
func compact(body []byte) bool {
	var b bytes.Buffer
	return json.Compact(&b, body) == nil && bytes.Equal(b.Bytes(), body)
}

// TestSuite is the form that the original service had: a pickle with the value
// of a JSON body, and the bytes of any other.
func TestSuite(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: redisrq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, pickle)
			far := b.far(b.options(""))
			far.Poison = longNumber
			return far
		},
		Carries: func(body []byte) bool { return !json.Valid(body) || compact(body) },
		Bad: []moduletest.Bad{
			{Options: `{"function": "os.system"}`, Want: "stranger", Path: "function"},
			{Options: `{"function": "subprocess.run"}`, Want: "stranger", Path: "function"},
			{Options: `{"function": "eval"}`, Want: "stranger", Path: "function"},
			{Options: `{"function": "a.b.c.d"}`, Want: "three parts", Path: "function"},
			{Options: `{"function": "a-b"}`, Want: "no name", Path: "function"},
			{Options: `{"function": "a.__import__"}`, Want: "private", Path: "function"},
			{Options: `{"function": ""}`, Path: "function"},
			{Options: `{"function": "a.b", "queue_name": ""}`, Want: "empty", Path: "queue_name"},
			{Options: `{"function": "a.b", "timeout": "1500ms"}`, Want: "whole seconds", Path: "timeout"},
			{Options: `{"function": "a.b", "result_ttl": "1ms"}`, Want: "whole seconds", Path: "result_ttl"},
			{Options: `{"function": "a.b", "serializer": "json", "payload": "bytes"}`, Want: "JSON has no bytes", Path: "payload"},
			{Options: `{"function": "a.b", "headers": {"Hookd-Hook": "x"}}`, Want: "set by hookd", Path: "headers"},
			{Connection: `{"host": ""}`, Want: "empty", Path: "host"},
		},
	})
}

// TestSuiteBytes hands every body over byte for byte.
func TestSuiteBytes(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: redisrq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, pickle)
			return b.far(b.options(`, "payload": "bytes"`))
		},
	})
}

// TestSuiteJSON hands text over to workers that read JSON.
func TestSuiteJSON(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: redisrq.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, serialJSON)
			far := b.far(b.options(`, "payload": "auto", "serializer": "json"`))
			far.Poison = longNumber
			return far
		},
		Carries: func(body []byte) bool { return !json.Valid(body) || compact(body) },
	})
}

// TestRights: those that the documentation names are enough, and the check finds
// each that is missing.
func TestRights(t *testing.T) {
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	rights := []string{"eval", "evalsha", "sadd", "exists", "hset", "hmget", "lrange", "rpush"}
	for _, missing := range append([]string{""}, rights...) {
		b.Grant("reset", "on", ">"+b.Password, "~rq:*")
		for _, r := range rights {
			if r != missing {
				b.Grant("+" + r)
			}
		}
		err := d.Check(t)
		if f := modules.FailureOf(err); (err == nil) != (missing == "") || err != nil && (f.Code != modules.CodeAuthFailed || !strings.Contains(f.Err.Error(), missing)) {
			t.Errorf("without %q: %v", missing, err)
		}
	}
	for _, key := range []string{"rq:queue:" + b.Name, "rq:job:hookd-check"} {
		if n := b.Command("EXISTS", key); n != 0.0 {
			t.Errorf("the check has made %s", key)
		}
	}
	b.Grant("reset", "on", ">"+b.Password, "~rq:*")
	for _, r := range rights {
		b.Grant("+" + r)
	}
	if r := d.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil {
		t.Error(r.Err)
	}
}
