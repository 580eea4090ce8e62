package redisrq_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redistest"
	redisrq "github.com/hookd/hookd/modules/redis_rq"
)

// TestRepeat: a repeat changes nothing while RQ has the job, in whatever state,
// and runs again when RQ has forgotten it.
func TestRepeat(t *testing.T) {
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	fails := redistest.Open(t, redisrq.Module(), b.Connection(), strings.Replace(b.options(""), "record", "fail", 1))
	x, bad := redistest.Delivery([]byte(`{}`)), redistest.Delivery([]byte(`{}`))
	status := func(d *redistest.Destination, x *event.Delivery, want string) {
		t.Helper()
		if r := d.Send(t, x); r.Err != nil || !strings.HasSuffix(r.Receipt.Status, want) {
			t.Errorf("%+v, want %s", r, want)
		}
	}
	status(d, x, "in the queue "+b.Name)
	status(d, x, "is queued")
	if n := b.Command("LLEN", "rq:queue:"+b.Name); n != float64(1) {
		t.Errorf("it is %v times in the queue", n)
	}
	status(fails, bad, "in the queue "+b.Name)
	if n := len(b.calls()); n != 1 {
		t.Errorf("it ran %d times", n)
	}
	status(d, x, "is finished")
	status(fails, bad, "is failed")
	if n := len(b.calls()); n != 1 {
		t.Errorf("it ran %d times after a repeat", n)
	}
	b.Command("DEL", "rq:job:"+x.ID.String())
	status(d, x, "in the queue "+b.Name)
	if n := len(b.calls()); n != 2 {
		t.Errorf("it ran %d times after RQ forgot it", n)
	}
}

// TestRepeatAtOnce: the same delivery in one batch, and by another connection,
// is one job.
func TestRepeatAtOnce(t *testing.T) {
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	other := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	x := redistest.Delivery([]byte(`{}`))
	for _, r := range append(d.SendAll(t, x, x, x), other.SendAll(t, x, x)...) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	if n := len(b.calls()); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

// TestHalfQueued: a job that was written and not put into the queue is put there
// by the repeat. It must not be taken for delivered.
func TestHalfQueued(t *testing.T) {
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	x := redistest.Delivery([]byte(`{}`))
	b.Grant("-rpush")
	wantFailure(t, d.Send(t, x), modules.Retryable, modules.CodeAuthFailed)
	if there := b.Command("EXISTS", "rq:job:"+x.ID.String()); there != float64(1) {
		t.Fatal("the job was not written: the test proves nothing")
	}
	b.Grant("+rpush")
	for range 2 {
		if r := d.Send(t, x); r.Err != nil {
			t.Error(r.Err)
		}
	}
	if n := len(b.calls()); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

// TestJobIsGone: a worker drops the id of a job without a word when the job is not
// what RQ wrote. Such an id is not put into the queue, and not taken for delivered.
func TestJobIsGone(t *testing.T) {
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	x := redistest.Delivery([]byte(`{}`))
	job := "rq:job:" + x.ID.String()
	b.Command("HSET", job, "left", "over")
	wantFailure(t, d.Send(t, x), modules.Retryable, modules.CodeNotFound)
	if n := b.Command("LLEN", "rq:queue:"+b.Name); n != 0.0 {
		t.Errorf("%v ids are in the queue", n)
	}
	b.Command("DEL", job)
	if r := d.Send(t, x); r.Err != nil || len(b.calls()) != 1 {
		t.Errorf("%v, ran %d times", r.Err, len(b.calls()))
	}
}

// TestOldServer: before version 6.0.6 Redis had no LPOS.
func TestOldServer(t *testing.T) {
	b := newBroker(t, pickle)
	b.Grant("-lpos") // looks the same to the script
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	x := redistest.Delivery([]byte(`{}`))
	for range 2 {
		if r := d.Send(t, x); r.Err != nil {
			t.Error(r.Err)
		}
	}
	if n := len(b.calls()); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

// TestCrash: what was queued is queued after a crash of the server whose user
// "default" is off, which loses transactions.
func TestCrash(t *testing.T) {
	b := newBroker(t, pickle)
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	xs := make([]*event.Delivery, 100)
	for i := range xs {
		xs[i] = redistest.Delivery([]byte(`{}`))
	}
	for _, r := range d.SendAll(t, xs...) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	b.Crash()
	if n := len(b.calls()); n != len(xs) {
		t.Errorf("%d of %d ran", n, len(xs))
	}
}

func wantFailure(t *testing.T, r modules.Result, kind modules.FailureKind, code string) {
	t.Helper()
	f := modules.FailureOf(r.Err)
	if r.Err == nil || f.Kind != kind || f.Code != code || r.Receipt.Status != "" {
		t.Errorf("%v, receipt %q: want %s (%s)", r.Err, r.Receipt.Status, kind, code)
	}
}

// TestTraps: what Redis refuses is no success, and nothing is in the queue that
// a worker would drop.
func TestTraps(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(b *broker)
		kind  modules.FailureKind
		code  string
	}{
		"something else is the queue": {func(b *broker) { b.Command("SET", "rq:queue:"+b.Name, "x") }, modules.Retryable, "redis_wrongtype"},
		"no memory":                   {func(b *broker) { b.Set("maxmemory", "1") }, modules.Throttled, "redis_oom"},
		"no right to the job":         {func(b *broker) { b.Grant("resetkeys", "~rq:queue*") }, modules.Retryable, modules.CodeAuthFailed},
		"no right to HSET":            {func(b *broker) { b.Grant("-hset") }, modules.Retryable, modules.CodeAuthFailed},
		"no right to scripts":         {func(b *broker) { b.Grant("-evalsha") }, modules.Retryable, modules.CodeAuthFailed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t, pickle)
			d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
			if err := d.Check(t); err != nil {
				t.Fatal(err)
			}
			c.spoil(b)
			if err := d.Check(t); modules.FailureOf(err).Code != c.code {
				t.Errorf("Check: %v", err)
			}
			for _, r := range d.SendAll(t, redistest.Delivery([]byte(`{}`)), redistest.Delivery([]byte(`{}`))) {
				wantFailure(t, r, c.kind, c.code)
			}
			if b.Command("TYPE", "rq:queue:"+b.Name) == "list" {
				t.Error("something was put into the queue")
			}
		})
	}
}

// TestWarns: what may make the server lose jobs is in the log.
func TestWarns(t *testing.T) {
	b := newBroker(t, pickle)
	if d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options("")); d.Log.Len() > 0 {
		t.Errorf("%s", d.Log)
	}
	b.Set("maxmemory", "1gb")
	b.Set("maxmemory-policy", "allkeys-lru")
	d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options(""))
	if !strings.Contains(d.Log.String(), "allkeys-lru") {
		t.Errorf("no warning: %q", d.Log)
	}
	b.Grant("-info")
	if d := redistest.Open(t, redisrq.Module(), b.Connection(), b.options("")); d.Log.Len() > 0 {
		t.Errorf("%s", d.Log)
	}
}
