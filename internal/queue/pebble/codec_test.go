package pebble

import (
	"bytes"
	"net/http"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

func sampleMeta() []byte {
	return appendMeta(nil, &event.Event{
		Hook: "h", Type: "t", Received: time.Unix(1, 2), Remote: netip.MustParseAddr("fe80::1%eth0"), Subject: "s", Query: "q",
		Header: http.Header{"A": {"b", ""}, "": nil}, Body: []byte("xyz"),
	}, []uint32{1, 70000})
}

func sampleState() []byte {
	return encodeState(state{status: queue.StatusDead, purged: true, attempts: 12, updated: time.Unix(5, 6), due: 7, code: "c", note: "n"})
}

// FuzzRecord feeds all decoders with the same bytes: none may panic, and what
// one accepts must survive being written and read again.
func FuzzRecord(f *testing.F) {
	f.Add(sampleMeta(), 3)
	f.Add(appendMeta(nil, &event.Event{}, nil), 0)
	f.Add(sampleState(), 0)
	f.Add(appendDupe(nil, dupe{event.ID{1}, 2}), 0)
	f.Add(encodeAttempts(300), 0)
	f.Add(appendBody(nil, []byte("short")), 5)
	f.Add(appendBody(nil, bytes.Repeat([]byte("long "), 100)), 500)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if m, err := decodeMeta(b, true); err == nil && m.size < 1<<20 {
			m.event.Body = make([]byte, m.size)
			again, err := decodeMeta(appendMeta(nil, &m.event, m.lanes), true)
			again.event.Body = m.event.Body
			if err != nil || !reflect.DeepEqual(again, m) {
				t.Fatalf("meta: %v: %+v became %+v", err, m, again)
			}
		}
		_, _ = decodeMeta(b, false)
		if s, err := decodeState(b); err == nil {
			if again, err := decodeState(encodeState(s)); err != nil || again != s {
				t.Fatalf("state: %v: %+v became %+v", err, s, again)
			}
		}
		if d, err := decodeDupe(b); err == nil {
			if again, err := decodeDupe(appendDupe(nil, d)); err != nil || again != d {
				t.Fatalf("dedupe: %v: %+v became %+v", err, d, again)
			}
		}
		if n, err := decodeAttempts(b); err == nil {
			if again, err := decodeAttempts(encodeAttempts(n)); err != nil || again != n {
				t.Fatalf("attempts: %v: %d became %d", err, n, again)
			}
		}
		if size >= 0 && size < 1<<20 {
			_, _ = unpackBody(b, size)
		}
		back, err := unpackBody(appendBody(nil, b), len(b))
		if err != nil || !bytes.Equal(back, b) {
			t.Fatalf("body: %v: %q became %q", err, b, back)
		}
	})
}

// No prefix of a record passes for one.
func TestTruncatedRecords(t *testing.T) {
	t.Parallel()
	meta, st := sampleMeta(), sampleState()
	for n := range meta {
		if m, err := decodeMeta(meta[:n], true); err == nil {
			t.Errorf("meta of %d bytes: %+v", n, m)
		}
	}
	for n := range st {
		if s, err := decodeState(st[:n]); err == nil {
			t.Errorf("state of %d bytes: %+v", n, s)
		}
	}
}

func TestKeysSortAsTheirParts(t *testing.T) {
	t.Parallel()
	id := func(b byte) event.ID { return event.ID{15: b} }
	ordered := [][]byte{
		delayKey(1, moment{1, id(9)}), delayKey(1, moment{2, id(1)}), delayKey(1, moment{2, id(2)}),
		delayKey(1, moment{1 << 40, id(0)}), delayKey(2, moment{0, id(0)}), delayKey(256, moment{0, id(0)}),
	}
	for i := 1; i < len(ordered); i++ {
		if bytes.Compare(ordered[i-1], ordered[i]) >= 0 {
			t.Errorf("key %d is not before key %d", i-1, i)
		}
	}
	last := moment{5, event.ID(bytes.Repeat([]byte{0xff}, 16))}
	if got := last.next(); got != (moment{due: 6}) {
		t.Errorf("behind the last id: %+v", got)
	}
	for at, want := range map[time.Time]uint64{{}: 0, time.Unix(0, 7): 7, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC): 1<<63 - 1} {
		if got := dueOf(at); got != want {
			t.Errorf("dueOf(%v) = %d; want %d", at, got, want)
		}
	}
}
