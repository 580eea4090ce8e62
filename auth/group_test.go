package auth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
)

func refusing(name string, cost auth.Cost, d auth.Denial) *proof {
	d.Method = name
	return &proof{name: name, cost: cost, err: &d, challenge: name}
}

// TestAnyOf: one alternative is enough, and all proofs of it must hold.
func TestAnyOf(t *testing.T) {
	t.Parallel()
	var log []string
	add := func(name string, cost auth.Cost, code string) *proof {
		p := &proof{name: name, cost: cost, log: &log, mark: func() auth.Marks { return auth.Marks{Type: name} }}
		if code != "" {
			p.err = auth.Deny(name, code)
		}
		return p
	}
	for _, c := range []struct {
		name      string
		alts      []*auth.Chain
		who, typ  string
		asked     string
		code      string
		forbidden bool
	}{
		{name: "cheap first", alts: []*auth.Chain{auth.NewChain(add("body", auth.CostBody, "")), auth.NewChain(add("head", auth.CostHeader, ""))}, who: "head:0", typ: "head", asked: "head"},
		{name: "second", alts: []*auth.Chain{auth.NewChain(add("a", auth.CostHeader, auth.CodeMissing)), auth.NewChain(add("b", auth.CostBody, ""))}, who: "b:0", typ: "b", asked: "a b"},
		{name: "half is not enough", alts: []*auth.Chain{auth.NewChain(add("a", auth.CostHeader, ""), add("b", auth.CostBody, auth.CodeMismatch)), auth.NewChain(add("c", auth.CostRemote, auth.CodeMissing))}, asked: "a b c", code: auth.CodeMismatch},
		{name: "address in an alternative", alts: []*auth.Chain{auth.NewChain(add("ip", auth.CostAddress, auth.CodeAddress), add("a", auth.CostHeader, ""))}, asked: "ip", code: auth.CodeAddress},
		{name: "address alone", alts: []*auth.Chain{auth.NewChain(add("ip", auth.CostAddress, "")), auth.NewChain(add("a", auth.CostHeader, ""))}, who: "", asked: "ip"},
	} {
		log = nil
		g := auth.AnyOf(c.alts...)
		chain := auth.NewChain(g)
		r := authtest.Request()
		id, err := chain.Verify(t.Context(), r)
		if got := strings.Join(log, " "); got != c.asked {
			t.Errorf("%s: asked %q, want %q", c.name, got, c.asked)
		}
		if c.code != "" {
			if d := auth.DenialOf(err); err == nil || d.Code != c.code || d.Method != "any_of" {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || id.Subject != c.who {
			t.Errorf("%s: %+v %v", c.name, id, err)
		}
		if m := chain.Mark(r, id); m.Type != c.typ {
			t.Errorf("%s: marks %+v of another alternative", c.name, m)
		}
	}
}

func TestAnyOfRefusals(t *testing.T) {
	t.Parallel()
	one := func(d auth.Denial) *auth.Chain { return auth.NewChain(refusing("x", auth.CostHeader, d)) }
	for _, c := range []struct {
		name                   string
		a, b                   auth.Denial
		forbidden, unavailable bool
		code, challenge        string
	}{
		{"a challenge is to come", auth.Denial{Code: auth.CodeMissing, Asked: true}, auth.Denial{Code: auth.CodeMissing}, false, false, auth.CodeMissing, "x"},
		{"both missing", auth.Denial{Code: auth.CodeMissing}, auth.Denial{Code: auth.CodeMissing}, false, false, auth.CodeMissing, "x"},
		{"what says more", auth.Denial{Code: auth.CodeMissing, Asked: true}, auth.Denial{Code: auth.CodeExpired}, false, false, auth.CodeExpired, "x"},
		{"one forbids", auth.Denial{Code: auth.CodeScope, Forbidden: true}, auth.Denial{Code: auth.CodeMissing}, false, false, auth.CodeScope, "x"},
		{"both forbid", auth.Denial{Code: auth.CodeScope, Forbidden: true}, auth.Denial{Code: auth.CodeAddress, Forbidden: true}, true, false, auth.CodeScope, ""},
		{"one is down", auth.Denial{Code: auth.CodeMissing}, auth.Denial{Code: auth.CodeUnavailable, Unavailable: true}, false, true, auth.CodeUnavailable, ""},
	} {
		_, err := auth.NewChain(auth.AnyOf(one(c.a), one(c.b))).Verify(t.Context(), authtest.Request())
		d := auth.DenialOf(err)
		if d.Forbidden != c.forbidden || d.Unavailable != c.unavailable || d.Code != c.code || d.Challenge != c.challenge {
			t.Errorf("%s: %+v", c.name, d)
		}
		if asked := c.a.Asked && c.code == auth.CodeMissing; d.Asked != asked {
			t.Errorf("%s: asked %v, want %v", c.name, d.Asked, asked)
		}
		var inner *auth.Denial
		if !errors.As(d.Err, &inner) {
			t.Errorf("%s: the causes are lost: %v", c.name, d.Err)
		}
	}
}

// TestAnyOfIsAProof: it is in its place among others, and tells what its
// alternatives tell.
func TestAnyOfIsAProof(t *testing.T) {
	t.Parallel()
	g := auth.AnyOf(
		auth.NewChain(&proof{name: "b", cost: auth.CostRemote, headers: []string{"X-B"}, challenge: "B"}),
		auth.NewChain(&proof{name: "a", cost: auth.CostHeader, headers: []string{"X-A"}, challenge: "A"}),
	)
	if g.Cost() != auth.CostRemote {
		t.Errorf("cost %d", g.Cost())
	}
	c := auth.NewChain(g, refusing("last", auth.CostRemote, auth.Denial{Code: auth.CodeMismatch}))
	if got := c.CredentialHeaders(); !slices.Equal(got, []string{"X-A", "X-B"}) {
		t.Errorf("headers %q", got)
	}
	if got := c.CredentialParams(); !slices.Equal(got, []string{"a", "b", "last"}) {
		t.Errorf("params %q", got)
	}
	_, err := c.Verify(t.Context(), authtest.Request())
	if d := auth.DenialOf(err); d.Method != "last" || d.Challenge != "A, B, last" {
		t.Errorf("%+v", d)
	}
	if err := g.Sign(t.Context(), authtest.Request()); err == nil {
		t.Error("signed with proofs that cannot be made")
	}
	if m := c.Mark(authtest.Request(), auth.Identity{}); m != (auth.Marks{}) {
		t.Errorf("marks %+v of nobody", m)
	}
}

// onceProof holds and has a mark.
type onceProof struct {
	proof
	key string
}

func (p *onceProof) Verify(context.Context, *auth.Request) (auth.Identity, error) {
	return auth.Identity{Method: p.name, Subject: p.name, Once: []auth.Once{{Key: p.key}}}, nil
}

// TestOnce: the marks of all proofs that held come together, and none of an
// alternative that did not.
func TestOnce(t *testing.T) {
	t.Parallel()
	mark := func(key string) *onceProof { return &onceProof{proof{name: key, cost: auth.CostHeader}, key} }
	c := auth.NewChain(mark("1"), auth.AnyOf(
		auth.NewChain(mark("2"), refusing("no", auth.CostBody, auth.Denial{Code: auth.CodeMismatch})),
		auth.NewChain(mark("3"), mark("4")),
	), mark("5"))
	id, err := c.Verify(t.Context(), authtest.Request())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range id.Once {
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"1", "3", "4", "5"}) {
		t.Errorf("marks %q", keys)
	}
	if d := c.Replayed(authtest.Request(), id); d.Code != auth.CodeReplayed || d.Forbidden || d.Unavailable {
		t.Errorf("%+v", d)
	}
}

type shaking struct {
	proof
	answer string
}

func (s *shaking) Handshake() auth.Handshake {
	if s.answer == "" {
		return nil
	}
	return s
}

func (s *shaking) Answer(_ context.Context, _ *auth.Request, verified bool) *auth.Answer {
	if !verified {
		return nil
	}
	return &auth.Answer{Body: []byte(s.answer)}
}

// TestHandshakes: the handshake of an alternative that did not hold is not
// answered on the strength of another.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	held := &shaking{proof: proof{name: "held", cost: auth.CostHeader}, answer: "held"}
	not := &shaking{proof: proof{name: "not", cost: auth.CostHeader, err: auth.Deny("not", auth.CodeMissing)}, answer: "not"}
	none := &shaking{proof: proof{name: "none", cost: auth.CostHeader}}
	for _, c := range []struct {
		name  string
		chain *auth.Chain
		want  string
	}{
		{"one", auth.NewChain(held), "held"},
		{"first", auth.NewChain(none, held, not), "held"},
		{"in a group", auth.NewChain(auth.AnyOf(auth.NewChain(held), auth.NewChain(none))), "held"},
		{"of another alternative", auth.NewChain(auth.AnyOf(auth.NewChain(not), auth.NewChain(none))), ""},
	} {
		a := c.chain.Handshake().Answer(t.Context(), authtest.Request(), true)
		if got := string(answerBody(a)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if auth.NewChain(none, auth.AnyOf(auth.NewChain(none))).Handshake() != nil {
		t.Error("a handshake where nobody has one")
	}
}

func answerBody(a *auth.Answer) []byte {
	if a == nil {
		return nil
	}
	return a.Body
}
