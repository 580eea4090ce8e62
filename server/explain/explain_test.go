package explain_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/server/explain"
)

const (
	canary = "canary-Secret-of-these-tests"
	body   = `{"id":"evt_1","n":1}`
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// method makes a verifier from its JSON configuration.
func method(t *testing.T, name, config string) auth.Verifier {
	t.Helper()
	reg, err := all.Registry()
	if err != nil {
		t.Fatal(err)
	}
	m, ok := reg.Lookup(name)
	if !ok {
		t.Fatalf("no method %s", name)
	}
	n, problems := spec.ParseJSON("test", []byte(config))
	o := m.Options()
	if problems = append(problems, spec.Decode(n, o, "")...); len(problems) > 0 {
		t.Fatal(problems)
	}
	v, err := m.New(auth.Env{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func provider(t *testing.T, name, text string) auth.Verifier {
	t.Helper()
	p, ok := presets.Lookup(name)
	if !ok {
		t.Fatalf("no preset %s", name)
	}
	v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

func request(headers ...string) *auth.Request {
	r := &auth.Request{Method: "POST", URL: &url.URL{Path: "/webhook/in"}, Header: http.Header{}, Body: []byte(body), Now: now}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// run explains, and wants no secret and no right signature told.
func run(t *testing.T, in explain.Input) (explain.Report, string) {
	t.Helper()
	in.Hook = "in"
	r := explain.Run(context.Background(), in)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{canary, sign(canary, body), sign(canary, string(in.Request.Body)), "stranger"} {
		if strings.Contains(string(text), hidden) {
			t.Errorf("%q is told in %s", hidden, text)
		}
	}
	return r, string(text)
}

func TestHolds(t *testing.T) {
	t.Parallel()
	chain := auth.NewChain(method(t, "hmac", `{"secret":"`+canary+`"}`))
	r, _ := run(t, explain.Input{ID: "the-id", Chain: chain, Request: request("X-HMAC-Signature", sign(canary, body)), Refused: "hmac:signature_mismatch"})
	if !r.Holds || r.Proofs[0].Verdict != explain.Holds || r.Proofs[0].Subject != "hmac:0" || len(r.Advised) != 1 || !strings.Contains(r.Advised[0], "retry the-id") {
		t.Errorf("%+v", r)
	}
}

// TestEveryProofIsAsked: also those behind one that refuses.
func TestEveryProofIsAsked(t *testing.T) {
	t.Parallel()
	chain := auth.NewChain(
		method(t, "hmac", `{"secret":"`+canary+`"}`),
		method(t, "basic_auth", `{"username":"ci","password":"`+canary+`"}`),
		method(t, "header_auth", `{"api_key":"`+canary+`"}`),
	)
	in := request("X-HMAC-Signature", sign(canary, body+"\n"), "X-Api-Key", "stranger-key")
	in.Header.Set("Authorization", "Basic Y2k6c3RyYW5nZXI=") // ci:stranger
	r, text := run(t, explain.Input{Chain: chain, Request: in})
	if r.Holds || len(r.Proofs) != 3 {
		t.Fatalf("%s", text)
	}
	for _, p := range r.Proofs {
		if p.Verdict != explain.Refused || p.Meaning == "" || p.Code == "" {
			t.Errorf("proof %+v", p)
		}
	}
	h := r.Proofs[2]
	if h.Method != "hmac" || len(h.Matches) != 1 || h.Matches[0].When != "a newline is added to the end of the body" || h.Signed[0].Length != len(body) {
		t.Errorf("hmac: %+v", h)
	}
	if len(r.Advised) == 0 {
		t.Error("no advice")
	}
}

// TestGroup: one alternative is enough, and each is told.
func TestGroup(t *testing.T) {
	t.Parallel()
	g := auth.AnyOf(
		auth.NewChain(method(t, "hmac", `{"secret":"`+canary+`"}`)),
		auth.NewChain(method(t, "header_auth", `{"api_key":"`+canary+`"}`)),
	)
	r, text := run(t, explain.Input{Chain: auth.NewChain(g), Request: request("X-HMAC-Signature", sign("stranger", body))})
	if r.Holds || len(r.Proofs) != 2 || r.Proofs[0].Alternative+r.Proofs[1].Alternative != 3 {
		t.Errorf("neither: %s", text)
	}
	r, text = run(t, explain.Input{Chain: auth.NewChain(g), Request: request("X-HMAC-Signature", sign(canary, body))})
	if !r.Holds {
		t.Errorf("one: %s", text)
	}
}

// TestOthers: a request of another hook, and one of a known sender.
func TestOthers(t *testing.T) {
	t.Parallel()
	in := request("X-Hub-Signature-256", "sha256="+sign(canary, body))
	others := []explain.Hook{
		{ID: "in", Chain: auth.NewChain(provider(t, "github", canary))}, // itself: not another one
		{ID: "open", Chain: auth.NewChain()},
		{ID: "twin", Chain: auth.NewChain(provider(t, "github", canary))},
		{ID: "foreign", Chain: auth.NewChain(provider(t, "github", "x"))},
	}
	r, text := run(t, explain.Input{Chain: auth.NewChain(provider(t, "github", "another")), Request: in, Others: others})
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], `hook "twin" (github:0)`) {
		t.Errorf("notes: %s", text)
	}
	r, text = run(t, explain.Input{Chain: auth.NewChain(method(t, "hmac", `{"secret":"`+canary+`"}`)), Request: in})
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], `"provider": "`) || !strings.Contains(r.Notes[0], "github") {
		t.Errorf("sender: %s", text)
	}
	if m := r.Proofs[0].Matches; len(m) != 1 || !strings.Contains(m[0].When, "X-Hub-Signature-256") {
		t.Errorf("matches: %s", text)
	}
}

// stub is a proof that must not be asked.
type stub struct{ cost auth.Cost }

func (s stub) Cost() auth.Cost { return s.cost }
func (s stub) Verify(context.Context, *auth.Request) (auth.Identity, error) {
	if s.cost == auth.CostRemote {
		panic("asked")
	}
	return auth.Identity{}, &auth.Denial{Method: "stub", Code: auth.CodeAddress, Err: errors.New("because")}
}

func TestNotAsked(t *testing.T) {
	t.Parallel()
	r, text := run(t, explain.Input{Chain: auth.NewChain(stub{auth.CostRemote}), Request: request()})
	if !r.Holds || r.Proofs[0].Verdict != explain.NotAsked {
		t.Errorf("remote: %s", text)
	}
	r, text = run(t, explain.Input{Chain: auth.NewChain(stub{auth.CostAddress}), Request: request(), Nowhere: true})
	if r.Holds || r.Proofs[0].Verdict != explain.NotAsked || !strings.Contains(r.Proofs[0].Meaning, "address") {
		t.Errorf("nowhere: %s", text)
	}
	r, text = run(t, explain.Input{Chain: auth.NewChain(stub{auth.CostAddress}), Request: request()})
	if r.Proofs[0].Verdict != explain.Refused || r.Proofs[0].Detail != "because" {
		t.Errorf("address: %s", text)
	}
	h := auth.NewChain(method(t, "hmac", `{"secret":"`+canary+`"}`))
	r, text = run(t, explain.Input{Chain: h, Request: request("X-HMAC-Signature", "00"), Unread: true})
	if r.Holds || r.Proofs[0].Verdict != explain.NotAsked || len(r.Proofs[0].Signed) != 0 {
		t.Errorf("unread: %s", text)
	}
	r, text = run(t, explain.Input{Chain: h, Request: request(), Hidden: []string{"X-Hmac-Signature"}})
	if r.Holds || r.Proofs[0].Verdict != explain.NotAsked || r.Proofs[0].Tried != 0 || r.Proofs[0].Signed[0].Received != "not in this file" {
		t.Errorf("hidden: %s", text)
	}
	r, text = run(t, explain.Input{Chain: auth.NewChain(), Request: request()})
	if !r.Holds || len(r.Notes) != 1 {
		t.Errorf("no proof: %s", text)
	}
}

// TestEveryCodeHasWords: a code without a meaning helps nobody.
func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	for _, code := range auth.Codes() {
		if explain.Meaning(code) == "" {
			t.Errorf("%s has no meaning", code)
		}
	}
}
