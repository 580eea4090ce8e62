package auth_test

import (
	"context"
	"testing"

	"github.com/hookd/hookd/auth"
)

// teller is an Explainer that says what it is told to.
type teller struct {
	cost   auth.Cost
	local  bool
	holds  bool
	source []string
	panics bool
	asked  *int
}

func (s teller) Cost() auth.Cost             { return s.cost }
func (s teller) Local() bool                 { return s.local }
func (s teller) CredentialHeaders() []string { return s.source }
func (s teller) CredentialParams() []string  { return nil }

func (s teller) Verify(context.Context, *auth.Request) (auth.Identity, error) {
	if s.asked != nil {
		*s.asked++
	}
	if s.holds {
		return auth.Identity{Method: "teller", Subject: "teller:0"}, nil
	}
	return auth.Identity{}, auth.Deny("teller", auth.CodeMismatch)
}

func (s teller) Explain(context.Context, *auth.Request) auth.Explanation {
	if s.panics {
		panic("no")
	}
	return auth.Explanation{Notes: []string{"note"}}
}

func TestChainExplain(t *testing.T) {
	t.Parallel()
	asked := 0
	r := &auth.Request{}
	all, holds := auth.NewChain(
		teller{cost: auth.CostBody, local: true, panics: true},
		teller{cost: auth.CostHeader, local: true, holds: true},
		teller{cost: auth.CostAddress, local: true},
		teller{cost: auth.CostBody, local: false, asked: &asked},
		teller{cost: auth.CostRemote, local: true, asked: &asked},
	).Explain(context.Background(), r)
	if holds || len(all) != 5 || asked != 0 {
		t.Fatalf("%+v, holds %v, asked %d", all, holds, asked)
	}
	if o := all[0]; o.Cost != auth.CostAddress || o.Holds || o.Denial.Code != auth.CodeMismatch || o.Explanation.Notes[0] != "note" {
		t.Errorf("address: %+v", o)
	}
	if o := all[1]; !o.Holds || o.Subject != "teller:0" || o.Explanation != nil {
		t.Errorf("holds: %+v", o)
	}
	if o := all[2]; o.Denial == nil || o.Explanation != nil {
		t.Errorf("panic: %+v", o)
	}
	if !all[3].Remote || !all[4].Remote || all[3].Denial != nil {
		t.Errorf("remote: %+v", all[3:])
	}

	some := auth.AnyOf(auth.NewChain(teller{local: true, cost: auth.CostBody}), auth.NewChain(teller{local: true, cost: auth.CostBody, holds: true}))
	all, holds = auth.NewChain(some).Explain(context.Background(), r)
	if !holds || len(all) != 2 || all[0].Alternative != 1 || all[1].Alternative != 2 {
		t.Errorf("group: %+v, holds %v", all, holds)
	}
	none := auth.AnyOf(auth.NewChain(teller{local: true, cost: auth.CostBody}))
	if _, holds = auth.NewChain(none, teller{local: true, holds: true}).Explain(context.Background(), r); holds {
		t.Error("a group without one that holds, holds")
	}
}

// TestKnows: a proof that wants nothing holds for everything, and one that asks
// somebody is not asked about requests of others.
func TestKnows(t *testing.T) {
	t.Parallel()
	asked := 0
	key := []string{"X-Key"}
	for name, c := range map[string]struct {
		v    auth.Verifier
		want bool
	}{
		"holds":         {teller{local: true, holds: true, source: key, cost: auth.CostBody}, true},
		"refuses":       {teller{local: true, source: key, cost: auth.CostBody}, false},
		"wants nothing": {teller{local: true, holds: true, cost: auth.CostBody}, false},
		"asks":          {teller{holds: true, source: key, cost: auth.CostBody, asked: &asked}, false},
		"in a group":    {auth.AnyOf(auth.NewChain(teller{local: true, cost: auth.CostBody}), auth.NewChain(teller{local: true, holds: true, source: key, cost: auth.CostBody})), true},
	} {
		if _, ok := auth.NewChain(c.v).Knows(context.Background(), &auth.Request{}); ok != c.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	if asked != 0 {
		t.Error("asked")
	}
}
