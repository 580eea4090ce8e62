package redisstream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redistest"
	redisstream "github.com/hookd/hookd/modules/redis_stream"
)

// modes appends to the stream of b, without and with deduplication.
func modes(t *testing.T, more string, f func(t *testing.T, b *broker, d *redistest.Destination)) {
	t.Helper()
	for name, dedupe := range map[string]string{"plain": "", "deduplicated": `, "deduplicate": "1h"`} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t)
			d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q%s%s}`, b.Name, dedupe, more))
			f(t, b, d)
		})
	}
}

func wantFailure(t *testing.T, r modules.Result, kind modules.FailureKind, code string) {
	t.Helper()
	f := modules.FailureOf(r.Err)
	if r.Err == nil || f.Kind != kind || f.Code != code || r.Receipt.Status != "" {
		t.Errorf("%v, receipt %q: want %s (%s)", r.Err, r.Receipt.Status, kind, code)
	}
}

// TestMissingStream: XADD NOMKSTREAM answers with nothing, and stores nothing.
func TestMissingStream(t *testing.T) {
	modes(t, `, "create": false`, func(t *testing.T, b *broker, d *redistest.Destination) {
		x := redistest.Delivery([]byte(`{}`))
		wantFailure(t, d.Send(t, x), modules.Retryable, modules.CodeNotFound)
		if err := d.Check(t); modules.FailureOf(err).Code != modules.CodeNotFound {
			t.Errorf("Check: %v", err)
		}
		b.Command("XADD", b.Name, "*", "hookd-delivery-id", "none")
		if err := d.Check(t); err != nil {
			t.Errorf("Check: %v", err)
		}
		if r := d.Send(t, x); r.Err != nil || !strings.HasPrefix(r.Receipt.Status, "entry ") {
			t.Errorf("%+v", r)
		}
		if n := len(b.entries()); n != 2 {
			t.Errorf("%d entries", n)
		}
	})
}

// TestSomethingElse under the name of the stream.
func TestSomethingElse(t *testing.T) {
	modes(t, "", func(t *testing.T, b *broker, d *redistest.Destination) {
		b.Command("SET", b.Name, "x")
		wantFailure(t, d.Send(t, redistest.Delivery([]byte(`{}`))), modules.Retryable, "redis_wrongtype")
		if err := d.Check(t); modules.FailureOf(err).Code != "redis_wrongtype" {
			t.Errorf("Check: %v", err)
		}
	})
}

// TestNoMemory: a full server is left alone for a while, and then takes what it
// refused.
func TestNoMemory(t *testing.T) {
	modes(t, "", func(t *testing.T, b *broker, d *redistest.Destination) {
		x := redistest.Delivery([]byte(`{}`))
		b.Set("maxmemory", "1")
		r := d.Send(t, x)
		wantFailure(t, r, modules.Throttled, "redis_oom")
		if after := modules.FailureOf(r.Err).After; after != 5*time.Second {
			t.Errorf("after %v", after)
		}
		if err := d.Check(t); modules.FailureOf(err).Code != "redis_oom" {
			t.Errorf("Check: %v", err)
		}
		b.Command("CONFIG", "SET", "maxmemory", "0")
		if r := d.Send(t, x); r.Err != nil || len(b.entries()) != 1 {
			t.Errorf("%v, %d entries", r.Err, len(b.entries()))
		}
	})
}

// TestReplica: a name may lead to another server after a failover, so the
// connection is given up.
func TestReplica(t *testing.T) {
	modes(t, "", func(t *testing.T, b *broker, d *redistest.Destination) {
		b.Command("REPLICAOF", "127.0.0.1", "1")
		t.Cleanup(func() { b.Command("REPLICAOF", "NO", "ONE") })
		wantFailure(t, d.Send(t, redistest.Delivery([]byte(`{}`))), modules.Lost, "redis_readonly")
		if err := d.Check(t); modules.FailureOf(err).Code != "redis_readonly" {
			t.Errorf("Check: %v", err)
		}
	})
}

// TestRights: one that is missing is found by the check, and means a dead
// letter.
func TestRights(t *testing.T) {
	for _, right := range []string{"xadd", "get", "eval", "evalsha"} {
		b := newBroker(t)
		d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q, "deduplicate": "1h"}`, b.Name))
		if err := d.Check(t); err != nil {
			t.Fatal(err)
		}
		b.Command("SCRIPT", "FLUSH")
		b.Grant("-" + right)
		if f := modules.FailureOf(d.Check(t)); f.Code != modules.CodeAuthFailed || !strings.Contains(f.Err.Error(), right) {
			t.Errorf("%s: Check: %v", right, f.Err)
		}
		wantFailure(t, d.Send(t, redistest.Delivery([]byte(`{}`))), modules.Retryable, modules.CodeAuthFailed)
	}
	for _, right := range []string{"set", "xrevrange"} { // to remember: what is delivered stays delivered
		b := newBroker(t)
		d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q, "deduplicate": "1h"}`, b.Name))
		b.Grant("-" + right)
		if f := modules.FailureOf(d.Check(t)); f.Code != modules.CodeAuthFailed {
			t.Errorf("%s: Check: %v", right, f.Err)
		}
		if r := d.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil || len(b.entries()) != 1 {
			t.Errorf("%s: %v, %d entries", right, r.Err, len(b.entries()))
		}
	}
	// Of the key, not of the command.
	b := newBroker(t)
	d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q}`, b.Name))
	b.Grant("resetkeys", "~other")
	if f := modules.FailureOf(d.Check(t)); f.Code != modules.CodeAuthFailed {
		t.Errorf("Check: %v", f.Err)
	}
	wantFailure(t, d.Send(t, redistest.Delivery([]byte(`{}`))), modules.Retryable, modules.CodeAuthFailed)
}

// TestWithoutRightsToAsk: a user that may do nothing but append does so, and the
// check does not fail over what it cannot ask.
func TestWithoutRightsToAsk(t *testing.T) {
	b := newBroker(t)
	b.Grant("reset", "on", ">"+b.Password, "~"+b.Name, "+xadd")
	d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q}`, b.Name))
	if err := d.Check(t); err != nil {
		t.Error(err)
	}
	if r := d.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil || len(b.entries()) != 1 {
		t.Errorf("%v, %d entries", r.Err, len(b.entries()))
	}
	b.Grant("-xadd")
	if f := modules.FailureOf(d.Check(t)); f.Code != modules.CodeAuthFailed || !strings.Contains(f.Err.Error(), "xadd") {
		t.Errorf("without the right: Check: %v", f.Err)
	}
	if n := len(b.entries()); n != 1 {
		t.Errorf("the check has added %d entries", n-1)
	}
}

// TestRightsWithoutTransactions: each right that is missing is found all the same.
func TestRightsWithoutTransactions(t *testing.T) {
	b := newBroker(t)
	d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q, "deduplicate": "1h"}`, b.Name))
	rights := []string{"xadd", "get", "eval", "evalsha", "set", "xrevrange"}
	for _, missing := range append([]string{""}, rights...) {
		b.Grant("reset", "on", ">"+b.Password, "~"+b.Name, "~{"+b.Name+"}:hookd:*")
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
	b.Grant("resetkeys", "~{"+b.Name+"}:hookd:*")
	if f := modules.FailureOf(d.Check(t)); f.Code != modules.CodeAuthFailed {
		t.Errorf("of the key: %v", f.Err)
	}
	b.Set("maxmemory", "1")
	b.Grant("reset", "on", ">"+b.Password, "~"+b.Name, "+xadd")
	d = redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q}`, b.Name))
	if f := modules.FailureOf(d.Check(t)); f.Code != "redis_oom" {
		t.Errorf("without memory: %v", f.Err)
	}
	if n := b.Command("EXISTS", b.Name); n != 0.0 {
		t.Errorf("the check has made the stream: %v", n)
	}
}

// TestRepeat: with the option a repeat adds nothing, as long as the mark lives,
// also after the scripts are forgotten, and through a restart.
func TestRepeat(t *testing.T) {
	b := newBroker(t)
	d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q, "deduplicate": "1h"}`, b.Name))
	xs := make([]*event.Delivery, 20)
	for i := range xs {
		xs[i] = redistest.Delivery([]byte(`{}`))
	}
	first := d.SendAll(t, xs...)
	b.Command("SCRIPT", "FLUSH")
	second := d.SendAll(t, xs...)
	b.Crash()
	d = redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q, "deduplicate": "1h"}`, b.Name))
	third := d.SendAll(t, xs...)
	for i := range xs {
		again := first[i].Receipt.Status + ", added by an earlier attempt"
		if first[i].Err != nil || second[i].Receipt.Status != again || third[i].Receipt.Status != again {
			t.Errorf("%+v, then %+v, then %+v", first[i], second[i], third[i])
		}
	}
	if n := len(b.entries()); n != len(xs) {
		t.Errorf("%d entries", n)
	}
	mark := "{" + b.Name + "}:hookd:" + xs[0].ID.String()
	if ms, _ := b.Command("PTTL", mark).(float64); ms < 3500e3 || ms > 3600e3 {
		t.Errorf("the mark lives for %v ms", ms)
	}
	b.Command("DEL", mark)
	if r := d.Send(t, xs[0]); r.Err != nil || len(b.entries()) != len(xs)+1 {
		t.Errorf("%v, %d entries", r.Err, len(b.entries()))
	}
}

// TestLength: entries beyond maxlen are removed.
func TestLength(t *testing.T) {
	modes(t, `, "maxlen": 3, "maxlen_exact": true, "payload_field": "data", "forward_headers": false, "headers": {"X-Env": "test"}`,
		func(t *testing.T, b *broker, d *redistest.Destination) {
			for range 5 {
				if r := d.Send(t, redistest.Delivery([]byte("\xff\x00"))); r.Err != nil {
					t.Error(r.Err)
				}
			}
			all := b.entries()
			if len(all) != 3 {
				t.Fatalf("%d entries", len(all))
			}
			if e := all[0]; e.field("data") != "\xff\x00" || !strings.Contains(e.field("headers"), `"x-env":"test"`) || strings.Contains(e.field("headers"), "x-sender") {
				t.Errorf("%+v", e)
			}
		})
}

// TestIdle: a connection that the server closed while nothing was sent is no
// failure.
func TestIdle(t *testing.T) {
	b := newBroker(t)
	d := redistest.Open(t, redisstream.Module(),
		b.at(b.Addr, fmt.Sprintf(`, "username": %q, "password": %q`, b.User, b.Password)), fmt.Sprintf(`{"stream": %q}`, b.Name))
	for range 3 {
		b.Command("CLIENT", "KILL", "USER", b.User)
		if r := d.Send(t, redistest.Delivery([]byte(`{}`))); r.Err != nil {
			t.Error(r.Err)
		}
	}
}

// TestTooLarge: over a message that is too large the server closes the
// connection, with all that is under way on it. It stands alone in its batch,
// and the others arrive.
func TestTooLarge(t *testing.T) {
	b := newBroker(t)
	b.Set("proto-max-bulk-len", "1mb")
	d := redistest.Open(t, redisstream.Module(), b.Connection(), fmt.Sprintf(`{"stream": %q}`, b.Name))
	if _, size := d.BatchLimit(); size*2 > 1<<20 {
		t.Errorf("%d bytes in a batch", size)
	}
	f := modules.FailureOf(d.Send(t, redistest.Delivery(make([]byte, 1<<20+1))).Err)
	if f.Kind != modules.Lost && f.Code != modules.CodeTooLarge {
		t.Errorf("%s (%s): %v", f.Kind, f.Code, f.Err)
	}
	t.Logf("%s (%s): %v", f.Kind, f.Code, f.Err)
}
