package websocket_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
)

// BenchmarkConfirm shows what the ways to confirm cost, for events one by one and
// in batches of 100.
func BenchmarkConfirm(b *testing.B) {
	for _, c := range []struct{ name, reply, options string }{
		{"none", "", `, "confirm": false`},
		{"ping", "", ``},
		{"reply", "ok", `, "wait_for_response": true`},
		{"id", "id", `, "wait_for_response": true, "match_id": true`},
	} {
		s := newServer(b, "/dev/null")
		if c.reply != "" {
			s.do("set", "reply", c.reply)
		}
		d := s.to(b, c.options)
		x := delivery(`{"pad": "` + strings.Repeat("x", 1500) + `"}`)
		b.Run(c.name+"/one", func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Send(b.Context(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
		if c.name == "reply" {
			continue // takes one at a time
		}
		b.Run(c.name+"/batch", func(b *testing.B) {
			for b.Loop() {
				ds := make([]*event.Delivery, 100)
				for i := range ds {
					ds[i] = delivery(string(x.Body))
				}
				for _, r := range d.SendBatch(b.Context(), ds) {
					if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
		})
	}
}
