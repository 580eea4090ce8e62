package presets_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/hookd/hookd/auth/authtest"
)

// maxAllocs is what a verification may allocate.
const maxAllocs = 3

// body5K is a JSON body of 5 KB with the id at its end, the worst place.
func body5K() []byte {
	b := []byte(`{"type":"thing.made","data":{"list":[`)
	for b = append(b, `{"n":0}`...); len(b) < 5000; {
		b = append(b, `,{"name":"caf\u00e9 \"quoted\"","n":1234.5,"ok":true,"list":[1,2,3]}`...)
	}
	return append(b, `]},"id":"evt_1"}`...)
}

func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"github", "stripe"} {
		b.Run(name, func(b *testing.B) {
			v := build(b, name, "whsec_first", "whsec_second")
			r := authtest.Request()
			r.Body = body5K()
			if err := v.Sign(context.Background(), r); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(r.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMark(b *testing.B) {
	v := build(b, "stripe", "whsec_first")
	r := authtest.Request()
	r.Body = body5K()
	b.ReportAllocs()
	for b.Loop() {
		if v.Mark(r).DeliveryID != "evt_1" {
			b.Fatal("no id")
		}
	}
}

// TestAllocations holds what the benchmarks show.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("pools are emptied at random under the race detector")
	}
	for _, name := range []string{"github", "stripe"} {
		v := build(t, name, "whsec_first", "whsec_second")
		r := authtest.Request()
		r.Body = bytes.Clone(body5K())
		if err := v.Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(200, func() {
			if _, err := v.Verify(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		})
		if n > maxAllocs {
			t.Errorf("%s: %v allocations, at most %d wanted", name, n, maxAllocs)
		}
	}
}
