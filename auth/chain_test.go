package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// proof is a verifier that does what a test tells it.
type proof struct {
	cost      auth.Cost
	name      string
	err       error
	do        func()
	mark      func() auth.Marks
	challenge string
	headers   []string
	log       *[]string
}

func (p *proof) Verify(context.Context, *auth.Request) (auth.Identity, error) {
	if p.log != nil {
		*p.log = append(*p.log, p.name)
	}
	if p.do != nil {
		p.do()
	}
	return auth.Identity{Method: p.name, Subject: p.name + ":0"}, p.err
}

func (p *proof) Cost() auth.Cost { return p.cost }

func (p *proof) Mark(*auth.Request) auth.Marks {
	if p.mark == nil {
		return auth.Marks{}
	}
	return p.mark()
}

func (p *proof) Challenge(*auth.Request) string { return p.challenge }

func (p *proof) CredentialHeaders() []string { return p.headers }

func (p *proof) CredentialParams() []string { return []string{p.name} }

func TestChainOrder(t *testing.T) {
	t.Parallel()
	var log []string
	add := func(name string, c auth.Cost) *proof { return &proof{name: name, cost: c, log: &log} }
	c := auth.NewChain(add("remote", auth.CostRemote), add("body", auth.CostBody), add("ip", auth.CostAddress),
		add("header 1", auth.CostHeader), add("body 2", auth.CostBody), add("header 2", auth.CostHeader))
	if err := c.Early(t.Context(), authtest.Request()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ip"}; !slices.Equal(log, want) {
		t.Errorf("early: %q, want %q", log, want)
	}
	log = nil
	id, err := c.Verify(t.Context(), authtest.Request())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"header 1", "header 2", "body", "body 2", "remote"}; !slices.Equal(log, want) {
		t.Errorf("rest: %q, want %q", log, want)
	}
	if id.Method != "remote" || id.Subject != "header 1:0,header 2:0,body:0,body 2:0,remote:0" {
		t.Errorf("identity %+v", id)
	}
	if c.Empty() || !auth.NewChain().Empty() || auth.NewChain(add("ip", auth.CostAddress)).Empty() {
		t.Error("empty")
	}
}

// TestAllMustHold: any one that refuses refuses the request, and what costs
// more is not asked.
func TestAllMustHold(t *testing.T) {
	t.Parallel()
	for bad := range 3 {
		var log []string
		var vs []auth.Verifier
		for i := range 3 {
			p := &proof{name: fmt.Sprint(i), cost: auth.CostHeader + auth.Cost(i), log: &log}
			if i == bad {
				p.err = auth.Deny(p.name, auth.CodeMismatch)
			}
			vs = append(vs, p)
		}
		id, err := auth.NewChain(vs...).Verify(t.Context(), authtest.Request())
		if d := auth.DenialOf(err); err == nil || d.Method != fmt.Sprint(bad) || id.Method+id.Subject != "" {
			t.Errorf("%d: %+v %v", bad, id, err)
		}
		if len(log) != bad+1 {
			t.Errorf("%d: asked %q", bad, log)
		}
	}
	early := auth.NewChain(&proof{cost: auth.CostAddress, err: &auth.Denial{Code: auth.CodeAddress, Forbidden: true}})
	if err := early.Early(t.Context(), authtest.Request()); err == nil || !auth.DenialOf(err).Forbidden {
		t.Errorf("early: %v", err)
	}
}

// TestChallengesTellNothing: the challenge is the same whichever proof refused.
func TestChallengesTellNothing(t *testing.T) {
	t.Parallel()
	const want = `Basic realm="x", Bearer realm="y"`
	for bad := range 4 {
		var vs []auth.Verifier
		for i, challenge := range []string{`Basic realm="x"`, `Bearer realm="y"`, "", `Basic realm="x"`} {
			p := &proof{name: fmt.Sprint(i), cost: auth.CostHeader, challenge: challenge}
			if i == bad {
				p.err = auth.Deny(p.name, auth.CodeMismatch)
			}
			vs = append(vs, p)
		}
		_, err := auth.NewChain(vs...).Verify(t.Context(), authtest.Request())
		if got := auth.DenialOf(err).Challenge; got != want {
			t.Errorf("%d: %q, want %q", bad, got, want)
		}
	}
	own := &proof{cost: auth.CostHeader, challenge: "Digest old", err: &auth.Denial{Code: auth.CodeReplayed, Challenge: "Digest stale=true"}}
	_, err := auth.NewChain(own, &proof{cost: auth.CostBody, challenge: "Bearer"}).Verify(t.Context(), authtest.Request())
	if got := auth.DenialOf(err).Challenge; got != "Digest stale=true, Bearer" {
		t.Errorf("own challenge: %q", got)
	}
	for _, d := range []*auth.Denial{{Forbidden: true}, {Unavailable: true}} {
		_, err := auth.NewChain(&proof{cost: auth.CostHeader, challenge: "Bearer", err: d}).Verify(t.Context(), authtest.Request())
		if got := auth.DenialOf(err); got.Challenge != "" || got.Forbidden != d.Forbidden || got.Unavailable != d.Unavailable {
			t.Errorf("%+v", got)
		}
	}
}

// TestPanics: a proof that panics refuses, and its panic tells no secret.
func TestPanics(t *testing.T) {
	t.Parallel()
	var index []int
	for name, do := range map[string]func(){
		"runtime": func() { index[3]++ },
		"nil":     func() { var p *proof; p.name = "x" },
		"string":  func() { panic("s3cret") },
		"error":   func() { panic(errors.New("s3cret")) },
		"value":   func() { panic(struct{ s string }{"s3cret"}) },
	} {
		for _, cost := range []auth.Cost{auth.CostAddress, auth.CostBody} {
			c := auth.NewChain(&proof{cost: cost, do: do, mark: func() auth.Marks { do(); return auth.Marks{Type: "x"} }})
			var err error
			if cost == auth.CostAddress {
				err = c.Early(t.Context(), authtest.Request())
			} else {
				_, err = c.Verify(t.Context(), authtest.Request())
			}
			if err == nil {
				t.Fatalf("%s: passed", name)
			}
			d := auth.DenialOf(err)
			if d.Code != auth.CodeInternal || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "chain_test.go:") {
				t.Errorf("%s: %v", name, err)
			}
			if name == "runtime" && !strings.Contains(err.Error(), "index out of range") {
				t.Errorf("%s: %v", name, err)
			}
			if m := c.Mark(authtest.Request(), auth.Identity{}); m != (auth.Marks{}) {
				t.Errorf("%s: marks %+v", name, m)
			}
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	marks := func(m auth.Marks) *proof {
		return &proof{cost: auth.CostBody, mark: func() auth.Marks { return m }}
	}
	c := auth.NewChain(marks(auth.Marks{}), marks(auth.Marks{Type: "push"}),
		marks(auth.Marks{DeliveryID: "1", Covered: true, Type: "other", Window: time.Hour}), marks(auth.Marks{DeliveryID: "2"}))
	if got, want := c.Mark(authtest.Request(), auth.Identity{}), (auth.Marks{DeliveryID: "1", Covered: true, Type: "push", Window: time.Hour}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	c := auth.NewChain(
		&proof{name: "b", cost: auth.CostBody, headers: []string{"X-B", "Authorization"}},
		&proof{name: "a", cost: auth.CostHeader, headers: []string{"Authorization"}},
		&proof{name: "a", cost: auth.CostAddress, headers: []string{"X-A"}},
	)
	if got, want := c.CredentialHeaders(), []string{"Authorization", "X-A", "X-B"}; !slices.Equal(got, want) {
		t.Errorf("headers %q, want %q", got, want)
	}
	if got, want := c.CredentialParams(), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("params %q, want %q", got, want)
	}
}

func TestPlainErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	_, err := auth.NewChain(&proof{cost: auth.CostHeader, err: fmt.Errorf("wrapped: %w", cause)}).Verify(t.Context(), authtest.Request())
	if d := auth.DenialOf(err); d.Code != auth.CodeInternal || !errors.Is(err, cause) {
		t.Errorf("%+v", d)
	}
}

// TestWholeHook puts every method and a preset on one hook: signed by all it
// passes, and without any one of them it does not.
func TestWholeHook(t *testing.T) {
	t.Parallel()
	configs := map[string]string{
		"basic_auth":   `{"username":"ci","password":"pass"}`,
		"hmac":         `{"secret":"key","timestamp_header":"X-Time"}`,
		"ip_whitelist": `["192.0.2.0/24"]`,
		"query_auth":   `{"api_key":"key"}`,
		"header_auth":  `{"api_key":"key"}`,
	}
	var vs []auth.Verifier
	for _, m := range all.Methods() {
		config, ok := configs[m.Name()]
		if !ok {
			continue
		}
		v, err := authtest.Decode(m, config)
		if err != nil {
			t.Fatal(err)
		}
		vs = append(vs, v)
	}
	p, _ := presets.Lookup("github")
	v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New("s")}})
	if err != nil {
		t.Fatal(err)
	}
	vs = append(vs, v)
	c := auth.NewChain(vs...)
	if got := c.CredentialHeaders(); !slices.Equal(got, []string{"Authorization", "X-Api-Key", "X-Hmac-Signature", "X-Hub-Signature-256"}) {
		t.Errorf("credential headers %q", got)
	}
	signed := func(without int) *auth.Request {
		r := authtest.Request()
		v.Prepare(r, "push", "delivery-1")
		for i, v := range vs {
			if s, ok := v.(auth.Signer); ok && i != without {
				if err := s.Sign(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
		}
		return r
	}
	r := signed(-1)
	if err := c.Early(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	id, err := c.Verify(t.Context(), r)
	if err != nil || id.Subject != "basic:ci,query_auth:0,header_auth:0,hmac:0,github:0" {
		t.Fatalf("%+v %v", id, err)
	}
	if m := c.Mark(r, id); m.DeliveryID != "delivery-1" || m.Type != "push" || m.Covered {
		t.Errorf("marks %+v", m)
	}
	for i, v := range vs {
		if _, ok := v.(auth.Signer); !ok {
			continue
		}
		_, err := c.Verify(t.Context(), signed(i))
		if err == nil {
			t.Errorf("passed without proof %d", i)
		} else if d := auth.DenialOf(err); d.Challenge != `Basic realm="Webhook API", charset="UTF-8"` {
			t.Errorf("proof %d: challenge %q", i, d.Challenge)
		}
	}
}
