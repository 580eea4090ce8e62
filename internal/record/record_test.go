package record_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(n byte) event.ID { return event.ID{0: n, 6: 0x70, 8: 0x80} }

func TestCounters(t *testing.T) {
	t.Parallel()
	r := record.New(0)
	r.Configure([]string{"github", "idle"}, []string{"github/log-1"})
	for _, f := range []record.Fact{
		{Kind: record.Accepted, Hook: "github", Bytes: 10, Duration: 3 * time.Millisecond},
		{Kind: record.Accepted, Hook: "github", Bytes: 5, Duration: time.Minute},
		{Kind: record.Duplicate, Hook: "github"},
		{Kind: record.Refused, Hook: "github", Code: "unauthorized"},
		{Kind: record.Refused, Hook: "github", Code: "unauthorized"},
		{Kind: record.Handshake, Hook: "github"},
		{Kind: record.Delivered, Hook: "github", Lane: "github/log-1", Bytes: 10, Duration: time.Millisecond},
		{Kind: record.Retried, Hook: "github", Lane: "github/log-1", Code: "timeout"},
		{Kind: record.Died, Hook: "github", Lane: "github/log-1", Code: "refused"},
		{Kind: record.Filtered, Hook: "github", Lane: "github/log-1"},
		{Kind: record.Breaker, Hook: "github", Lane: "github/log-1", Code: "open"},
	} {
		r.Tell(f)
	}
	s := r.Snapshot()
	h, l := s.Hooks["github"], s.Lanes["github/log-1"]
	if h.Accepted != 2 || h.Duplicates != 1 || h.Handshakes != 1 || h.Bytes != 15 || h.Refused["unauthorized"] != 2 || len(h.Refused) != 1 || h.Last.IsZero() {
		t.Errorf("%+v", h)
	}
	if h.Accept.Count != 2 || h.Accept.Counts[3] != 1 || h.Accept.Counts[len(record.Bounds)] != 1 || h.Accept.Sum != time.Minute+3*time.Millisecond {
		t.Errorf("%+v", h.Accept)
	}
	if l.Delivered != 1 || l.Filtered != 1 || l.Retried != 1 || l.Died != 1 || l.Bytes != 10 || l.Failed["timeout"] != 1 || l.Failed["refused"] != 1 || l.Delivery.Count != 1 {
		t.Errorf("%+v", l)
	}
	if _, ok := s.Hooks["idle"]; !ok || s.Hooks["idle"].Accepted != 0 {
		t.Error("a configured hook is missing")
	}
	if _, ok := s.Hooks[record.Other]; ok {
		t.Error("Other without cause")
	}
}

// What strangers ask for makes no counter, neither by hook nor by code.
func TestCardinalityIsBounded(t *testing.T) {
	t.Parallel()
	r := record.New(0)
	r.Configure([]string{"a"}, []string{"a/b"})
	for i := range 10_000 {
		r.Tell(record.Fact{Kind: record.Refused, Hook: "scan-" + strconv.Itoa(i), Code: "not_found"})
		r.Tell(record.Fact{Kind: record.Refused, Hook: "a", Code: "code-" + strconv.Itoa(i)})
		r.Tell(record.Fact{Kind: record.Delivered, Lane: "gone/" + strconv.Itoa(i)})
	}
	s := r.Snapshot()
	if len(s.Hooks) != 2 || len(s.Lanes) != 2 || s.Hooks[record.Other].Refused["not_found"] != 10_000 || s.Lanes[record.Other].Delivered != 10_000 {
		t.Errorf("%d hooks, %d lanes, %+v", len(s.Hooks), len(s.Lanes), s.Hooks[record.Other].Refused)
	}
	if n := len(s.Hooks["a"].Refused); n > 65 {
		t.Errorf("%d codes", n)
	}
	var sum int64
	for _, n := range s.Hooks["a"].Refused {
		sum += n
	}
	if sum != 10_000 {
		t.Errorf("%d refusals are counted", sum)
	}
}

func TestConfigureKeepsCounts(t *testing.T) {
	t.Parallel()
	r := record.New(0)
	r.Configure([]string{"a", "b"}, nil)
	r.Tell(record.Fact{Kind: record.Accepted, Hook: "a"})
	r.Tell(record.Fact{Kind: record.Accepted, Hook: "b"})
	r.Configure([]string{"a", "c"}, nil)
	r.Configure([]string{"a", "b"}, nil)
	if s := r.Snapshot(); s.Hooks["a"].Accepted != 1 || s.Hooks["b"].Accepted != 0 || len(s.Hooks) != 2 {
		t.Errorf("%+v", s.Hooks)
	}
}

// pass lets simulated time go by.
func pass(d time.Duration) { <-time.After(d) }

func TestWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record.New(0)
		r.Configure([]string{"h"}, nil)
		// synctest starts at midnight UTC, 2000-01-01. One event at the start of
		// each minute for 40 days is what the windows are compared with.
		tell := func() { r.Tell(record.Fact{Kind: record.Accepted, Hook: "h"}) }
		for range 40 * 24 * 60 {
			tell()
			pass(time.Minute)
		}
		tell()
		want := record.Windows{Total: 57601, Minute: 1, Minutes5: 5, Minutes15: 15, Minutes30: 30, Hour: 60, Day: 23*60 + 1, Week: 6*1440 + 1, Month: 29*1440 + 1}
		if got := r.Snapshot().Hooks["h"].Windows; got != want {
			t.Errorf("%+v\nwant %+v", got, want)
		}
		pass(59 * time.Second)
		tell()
		if got := r.Snapshot().Hooks["h"].Windows; got.Minute != 2 {
			t.Errorf("minute %d, want 2", got.Minute)
		}
		pass(time.Second)
		if got := r.Snapshot().Hooks["h"].Windows; got.Minute != 0 || got.Minutes5 != 5 {
			t.Errorf("%+v", got)
		}
		pass(31 * 24 * time.Hour)
		if got := r.Snapshot().Hooks["h"].Windows; got != (record.Windows{Total: 57602}) {
			t.Errorf("after a quiet month: %+v", got)
		}
	})
}

func TestRecent(t *testing.T) {
	t.Parallel()
	r := record.New(3)
	if got := r.Recent(10); len(got) != 0 {
		t.Errorf("%v", got)
	}
	for i := range 5 {
		r.Tell(record.Fact{Attempt: i})
	}
	got := r.Recent(10)
	if len(got) != 3 || got[0].Attempt != 4 || got[2].Attempt != 2 || got[0].Time.IsZero() {
		t.Errorf("%v", got)
	}
	if len(r.Recent(1)) != 1 || len(r.Recent(-1)) != 0 {
		t.Error("limit")
	}
}

// A tail of some kinds has room for them, whatever else happens.
func TestTailOfKinds(t *testing.T) {
	t.Parallel()
	r := record.New(0)
	tail, err := r.Subscribe(t.Context(), 1, record.Died, record.Accepted)
	if err != nil {
		t.Fatal(err)
	}
	for range 9 {
		r.Tell(record.Fact{Kind: record.Delivered})
	}
	r.Tell(record.Fact{Kind: record.Accepted, Attempt: 7})
	if f := <-tail.Facts(); f.Attempt != 7 || tail.Dropped() != 0 || r.Snapshot().Missed != 0 {
		t.Errorf("%+v, %d dropped", f, tail.Dropped())
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := record.New(0)
		ctx, cancel := context.WithCancel(t.Context())
		tail, err := r.Subscribe(ctx, 2)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			r.Tell(record.Fact{Attempt: i})
		}
		for i := range 2 {
			if f := <-tail.Facts(); f.Attempt != i {
				t.Errorf("fact %d, want %d", f.Attempt, i)
			}
		}
		if s := r.Snapshot(); tail.Dropped() != 3 || s.Missed != 3 || s.Tails != 1 {
			t.Errorf("dropped %d, %d tails missed %d", tail.Dropped(), s.Tails, s.Missed)
		}
		cancel()
		synctest.Wait()
		r.Tell(record.Fact{})
		if s := r.Snapshot(); s.Tails != 0 || len(tail.Facts()) != 0 {
			t.Errorf("%d tails after the end", s.Tails)
		}
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		for range record.MaxTails {
			if _, err := r.Subscribe(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Subscribe(ctx, 1); !errors.Is(err, record.ErrTooMany) {
			t.Errorf("one more: %v", err)
		}
	})
}

func done(w *record.Wait) bool {
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	settled := func(lane string, k record.Kind, next string) record.Fact {
		return record.Fact{Event: id(1), Lane: lane, Kind: k, Next: next}
	}
	for name, c := range map[string]struct {
		lanes []string
		steps []any // record.Fact or []record.Outcome
		want  bool
	}{
		"no lane":                          {nil, nil, true},
		"one":                              {[]string{"a"}, []any{settled("a", record.Delivered, "")}, true},
		"retry is not the end":             {[]string{"a"}, []any{settled("a", record.Retried, "")}, false},
		"one of two":                       {[]string{"a", "b"}, []any{settled("a", record.Died, "")}, false},
		"both":                             {[]string{"a", "b"}, []any{settled("a", record.Died, ""), settled("b", record.Filtered, "")}, true},
		"chain":                            {[]string{"a"}, []any{settled("a", record.Delivered, "b")}, false},
		"chain to its end":                 {[]string{"a"}, []any{settled("a", record.Delivered, "b"), settled("b", record.Delivered, "")}, true},
		"other event":                      {[]string{"a"}, []any{record.Fact{Event: id(2), Lane: "a", Kind: record.Delivered}}, false},
		"history":                          {[]string{"a"}, []any{[]record.Outcome{{Lane: "a", Settled: true}}}, true},
		"history of a chain":               {[]string{"a"}, []any{[]record.Outcome{{Lane: "a", Settled: true}, {Lane: "b"}}}, false},
		"history, then the rest":           {[]string{"a"}, []any{[]record.Outcome{{Lane: "a", Settled: true}, {Lane: "b"}}, settled("b", record.Delivered, "")}, true},
		"history is older than a fact":     {[]string{"a"}, []any{settled("a", record.Delivered, ""), []record.Outcome{{Lane: "a"}}}, true},
		"the first fact was missed":        {[]string{"a"}, []any{settled("b", record.Delivered, ""), []record.Outcome{{Lane: "a", Settled: true}, {Lane: "b"}}}, true},
		"a fact of the second comes first": {[]string{"a"}, []any{settled("b", record.Delivered, "")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := record.New(0)
			w, err := r.Await(id(1), c.lanes)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			for _, s := range c.steps {
				switch s := s.(type) {
				case record.Fact:
					r.Tell(s)
				case []record.Outcome:
					w.Merge(s)
				}
			}
			if done(w) != c.want {
				t.Errorf("done: %v, outcomes %+v", !c.want, w.Outcomes())
			}
		})
	}
}

func TestAwaitIsBounded(t *testing.T) {
	t.Parallel()
	r := record.New(0)
	var ws []*record.Wait
	for i := range record.MaxWaiters {
		w, err := r.Await(event.ID{0: byte(i), 1: byte(i >> 8)}, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		ws = append(ws, w)
	}
	if w, err := r.Await(id(1), nil); !errors.Is(err, record.ErrTooMany) || w != nil {
		t.Errorf("%v", err)
	}
	for _, w := range ws {
		w.Close()
		w.Close()
	}
	if _, err := r.Await(id(1), nil); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	r := record.New(16)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				switch g {
				case 0:
					r.Configure([]string{"a", fmt.Sprint(i)}, []string{"a/x"})
				case 1:
					ctx, cancel := context.WithCancel(t.Context())
					if _, err := r.Subscribe(ctx, 1); err != nil && !errors.Is(err, record.ErrTooMany) {
						t.Error(err)
					}
					cancel()
				case 2:
					w, _ := r.Await(id(byte(i)), []string{"a/x"})
					w.Close()
				case 3:
					r.Snapshot()
					r.Recent(5)
				default:
					r.Tell(record.Fact{Kind: record.Accepted, Hook: "a"})
					r.Tell(record.Fact{Kind: record.Delivered, Hook: "a", Lane: "a/x", Event: id(byte(i))})
				}
			}
		})
	}
	wg.Wait()
	if s := r.Snapshot(); s.Hooks["a"].Accepted+s.Hooks[record.Other].Accepted != 2000 {
		t.Errorf("%+v", s.Hooks)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var h record.Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("of nothing")
	}
	h.Counts[1], h.Counts[3], h.Counts[15], h.Count = 50, 49, 1, 100
	for q, want := range map[float64]time.Duration{0: time.Millisecond, 0.5: time.Millisecond, 0.9: 5 * time.Millisecond, 1: 30 * time.Second} {
		if got := h.Quantile(q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
}

func BenchmarkTell(b *testing.B) {
	r := record.New(0)
	r.Configure([]string{"github"}, []string{"github/log-1"})
	for name, f := range map[string]record.Fact{
		"accepted":  {Time: time.Now(), Kind: record.Accepted, Hook: "github", Bytes: 100, Duration: time.Millisecond},
		"refused":   {Time: time.Now(), Kind: record.Refused, Hook: "github", Code: "unauthorized"},
		"delivered": {Time: time.Now(), Kind: record.Delivered, Hook: "github", Lane: "github/log-1", Duration: time.Millisecond},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Tell(f)
				}
			})
		})
	}
}
