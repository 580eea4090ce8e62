package plan

import (
	"net"
	"testing"

	"github.com/hookd/hookd/internal/netguard"
)

// What is open to an operator's connection is not open to a destination of a
// hook, whichever was asked for first; equal rights share their connections.
func TestTransportsKeepRightsApart(t *testing.T) {
	t.Parallel()
	guard := func(p netguard.Policy) *netguard.Guard {
		g, err := netguard.New(p)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hook, operator := guard(netguard.Policy{}), guard(netguard.Policy{Operator: true})
	for _, order := range [][]*netguard.Guard{{hook, operator}, {operator, hook}} {
		all := &transports{}
		for _, g := range order {
			if all.get(g, nil) == all.get(g, []string{"a", "b"}) || all.get(g, []string{"a", "b"}) != all.get(g, []string{"b", "a"}) {
				t.Error("equal rights have two transports, or others share one")
			}
		}
		for g, want := range map[*netguard.Guard]bool{hook: false, operator: true} {
			c, err := all.get(g, nil).DialContext(t.Context(), "tcp", l.Addr().String())
			if open := err == nil; open != want {
				t.Errorf("operator %v: dialled %v: %v", g == operator, open, err)
			}
			if c != nil {
				_ = c.Close()
			}
		}
		all.close()
	}
}
