package server

import (
	"log/slog"
	"testing"
)

// What the settings call no limit is one nowhere: the edge has defaults of its
// own for 0.
func TestNoLimitIsNone(t *testing.T) {
	d := &daemon{o: Options{}, log: slog.New(slog.DiscardHandler)}
	if err := d.listeners(); err != nil {
		t.Fatal(err)
	}
	if d.edge.MaxConns >= 0 || d.edge.MinRate >= 0 {
		t.Errorf("connections of an address %d, rate of a body %d", d.edge.MaxConns, d.edge.MinRate)
	}
	d.o.Limits.ConnsPerIP, d.o.Limits.MinBodyRate = 7, 8
	if err := d.listeners(); err != nil {
		t.Fatal(err)
	}
	if d.edge.MaxConns != 7 || d.edge.MinRate != 8 {
		t.Errorf("connections of an address %d, rate of a body %d", d.edge.MaxConns, d.edge.MinRate)
	}
}
