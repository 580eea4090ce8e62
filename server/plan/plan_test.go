package plan_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	authall "github.com/hookd/hookd/auth/all"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/netguard"
	modulesall "github.com/hookd/hookd/modules/all"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
	"github.com/hookd/hookd/server/ingest/limit"
	"github.com/hookd/hookd/server/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func deps(t *testing.T) plan.Deps {
	t.Helper()
	mods, err := modulesall.Registry(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	methods, err := authall.Registry()
	if err != nil {
		t.Fatal(err)
	}
	guard, err := netguard.New(netguard.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	pool := conn.NewPool(conn.Options{})
	t.Cleanup(func() {
		if err := pool.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return plan.Deps{
		Modules: mods, Auth: methods, Egress: guard, Operator: guard, Pool: pool, Limiters: &limit.Registry{},
		MaxBody: 1000, Timeout: 7 * time.Second, Concurrency: 3, Key: []byte("key"),
	}
}

// load reads webhooks.json, which must be right as far as a loader can see.
func load(t *testing.T, d plan.Deps, webhooks string) *config.Config {
	t.Helper()
	var c config.Catalog
	for m := range d.Modules.All() {
		c.Modules = append(c.Modules, config.ModuleSpec{Name: m.Name(), Aliases: m.Aliases(), ConnectionTypes: m.ConnectionTypes(), Options: m.Options, Connection: m.Connection})
	}
	for m := range d.Auth.All() {
		c.Auth = append(c.Auth, config.AuthSpec{Name: m.Name(), Options: m.Options})
	}
	for _, p := range presets.All() {
		c.Providers = append(c.Providers, p.Name)
		if p.Unsigned {
			c.Unsigned = append(c.Unsigned, p.Name)
		}
	}
	cfg, problems, _ := config.Load(t.Context(), config.Options{
		Webhooks: "webhooks.json", Catalog: c, Overlay: map[string][]byte{"webhooks.json": []byte(webhooks)},
	})
	if cfg == nil {
		t.Fatalf("%v", problems)
	}
	return cfg
}

func compile(t *testing.T, webhooks string) (*plan.Plan, diag.List) {
	t.Helper()
	d := deps(t)
	p, problems := plan.Compile(t.Context(), load(t, d, webhooks), d)
	if p != nil {
		t.Cleanup(p.Release)
	}
	return p, problems
}

func lane(t *testing.T, p *plan.Plan, name string) *deliver.Lane {
	t.Helper()
	for _, l := range p.Lanes {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no lane %s among %v", name, p.LaneNames())
	return nil
}

func TestSequentialChainStartsWithItsFirstStep(t *testing.T) {
	t.Parallel()
	p, problems := compile(t, `{"a": {"chain": ["log", "log", {"module": "log", "name": "last"}]}}`)
	if p == nil {
		t.Fatal(problems)
	}
	if got := p.Hooks["a"].Lanes; len(got) != 1 || got[0] != "a/log-1" {
		t.Errorf("lanes at once: %v", got)
	}
	if one, two, last := lane(t, p, "a/log-1"), lane(t, p, "a/log-2"), lane(t, p, "a/last"); one.Next != two.Name || two.Next != last.Name || last.Next != "" {
		t.Errorf("%q → %q → %q", one.Next, two.Next, last.Next)
	}
	if !lane(t, p, "a/log-1").ContinueOnError {
		t.Error("a chain goes on after an error by default")
	}
}

func TestParallelChainStartsWithAll(t *testing.T) {
	t.Parallel()
	p, problems := compile(t, `{"a": {"chain": ["log", "log"], "chain-config": {"execution": "parallel", "timeout": 2}}}`)
	if p == nil {
		t.Fatal(problems)
	}
	if got := p.Hooks["a"].Lanes; len(got) != 2 {
		t.Errorf("lanes at once: %v", got)
	}
	if l := lane(t, p, "a/log-2"); l.Next != "" || l.Timeout != 2*time.Second {
		t.Errorf("%+v", l)
	}
}

func TestDefaultsAndOwnValues(t *testing.T) {
	t.Parallel()
	p, problems := compile(t, `{
		"plain": {"module": "log"},
		"own": {"max_body_size": 5, "retry": {"enabled": true, "max_attempts": 4},
			"chain": [{"module": "log", "concurrency": 9, "timeout": 1}, {"module": "log", "retry": {"enabled": false}}]}
	}`)
	if p == nil {
		t.Fatal(problems)
	}
	if h, l := p.Hooks["plain"], lane(t, p, "plain/log-1"); h.Body.Max != 1000 || l.Timeout != 7*time.Second || l.Concurrency != 3 || l.Policy != deliver.DefaultPolicy() {
		t.Errorf("plain: %+v %+v", h.Body, l)
	}
	if h, l := p.Hooks["own"], lane(t, p, "own/log-1"); h.Body.Max != 5 || l.Timeout != time.Second || l.Concurrency != 9 || l.Policy.Attempts != 4 {
		t.Errorf("own: %+v %+v", h.Body, l)
	}
	if l := lane(t, p, "own/log-2"); l.Policy != deliver.NoRetry() {
		t.Errorf("no retry: %+v", l.Policy)
	}
}

// A header that one destination names is kept with the event for it, and
// stripped from what the others see.
func TestNamedCredentialsReachOnlyWhoNamesThem(t *testing.T) {
	t.Parallel()
	p, problems := compile(t, `{"a": {"chain": [
		{"module": "http_webhook", "module-config": {"url": "https://a.example", "forward_headers": true, "allowed_headers": ["x-api-key"]}},
		{"module": "http_webhook", "module-config": {"url": "https://b.example"}}
	], "chain-config": {"execution": "parallel"}}}`)
	if p == nil {
		t.Fatal(problems)
	}
	if got := p.Hooks["a"].Forward; len(got) != 1 || got[0] != "X-Api-Key" {
		t.Errorf("forward: %v", got)
	}
	one, two := lane(t, p, "a/http_webhook-1"), lane(t, p, "a/http_webhook-2")
	if len(one.Strip) != 0 || len(two.Strip) != 1 || two.Strip[0] != "X-Api-Key" {
		t.Errorf("strip: %v, %v", one.Strip, two.Strip)
	}
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	d := deps(t)
	fingerprint := func(webhooks string) string {
		t.Helper()
		p, problems := plan.Compile(t.Context(), load(t, d, webhooks), d)
		if p == nil {
			t.Fatal(problems)
		}
		t.Cleanup(p.Release)
		return p.Lanes[0].Fingerprint
	}
	base := fingerprint(`{"a": {"module": "log", "module-config": {"pretty_print": true}}}`)
	if again := fingerprint(`{"a": {"module-config": {"pretty_print": true}, "module": "log", "description": "x"}}`); again != base {
		t.Error("a description or an order of keys makes a new lane")
	}
	for _, other := range []string{
		`{"a": {"module": "log", "module-config": {"pretty_print": false}}}`,
		`{"a": {"module": "log", "module-config": {"pretty_print": true}, "filter": ".x"}}`,
		`{"a": {"module": "log", "module-config": {"pretty_print": true}, "retry": {"enabled": false}}}`,
		`{"a": {"module": "log", "module-config": {"pretty_print": true}, "credential_cleanup": {"fields": ["x"]}}}`,
	} {
		if fingerprint(other) == base {
			t.Errorf("%s is the same lane", other)
		}
	}
}

func TestProblemsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, place, message string }{
		"filter":        {"{\"a\": {\"module\": \"log\",\n \"filter\": \".[\"}}", "webhooks.json:2:", ""},
		"transform":     {"{\"a\": {\"chain\": [{\"module\": \"log\",\n \"transform\": \"nosuch(1)\"}]}}", "webhooks.json:2:", "nosuch"},
		"key":           {"{\"a\": {\"module\": \"log\",\n \"deduplicate\": {\"key\": \")\", \"window\": 60}}}", "webhooks.json:2:", ""},
		"schema":        {"{\"a\": {\"module\": \"log\",\n \"json_schema\": {\"type\": 5}}}", "webhooks.json:2:", ""},
		"remote schema": {"{\"a\": {\"module\": \"log\",\n \"json_schema\": {\"$ref\": \"https://example.com/s.json\"}}}", "webhooks.json:2:", "example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems := compile(t, tc.in)
			if p != nil || len(problems) != 1 {
				t.Fatalf("plan %v, problems %v", p != nil, problems)
			}
			if got := problems[0]; !strings.HasPrefix(got.Pos.String(), tc.place) || !strings.Contains(got.Message, tc.message) || got.Message == "" {
				t.Errorf("%s: %s", got.Pos, got.Message)
			}
		})
	}
}

func TestSwap(t *testing.T) {
	t.Parallel()
	d := deps(t)
	cur := plan.NewCurrent(d)
	t.Cleanup(cur.Close)
	if _, _, ok := cur.Hook("a"); ok {
		t.Error("a hook before the first plan")
	}
	taken := 0
	take := func(p *plan.Plan) {
		taken++
		if cur.Plan() == p {
			t.Error("requests could see a lane that nobody works yet")
		}
	}
	if p := cur.Swap(t.Context(), load(t, d, `{"a": {"module": "log"}, "off": {"module": "log", "enabled": false}}`), take); p.HasErrors() {
		t.Fatal(p)
	}
	if h, _, ok := cur.Hook("a"); !ok || h.ID != "a" {
		t.Error("a is not there")
	}
	if _, _, ok := cur.Hook("off"); ok {
		t.Error("a disabled hook is served")
	}
	if p := cur.Swap(t.Context(), load(t, d, `{"b": {"module": "log", "filter": ")"}}`), take); !p.HasErrors() {
		t.Error("a wrong plan was taken")
	}
	if _, _, ok := cur.Hook("a"); !ok || taken != 1 {
		t.Errorf("a refused plan changed what is in force (taken %d times)", taken)
	}
	if p := cur.Swap(t.Context(), load(t, d, `{"default": {"module": "log"}}`), take); p.HasErrors() {
		t.Fatal(p)
	}
	if h, _, ok := cur.Hook("whatever"); !ok || h.ID != "default" {
		t.Error("the hook named default does not answer for others")
	}
}

// A check makes no lane and opens nothing, and finds the same mistakes.
func TestCheck(t *testing.T) {
	t.Parallel()
	d := deps(t)
	check := plan.Deps{Modules: d.Modules, Auth: d.Auth}
	if p, problems := plan.Compile(t.Context(), load(t, d, `{"a": {"module": "log"}}`), check); p == nil || len(p.Lanes) != 0 {
		t.Errorf("%v", problems)
	}
	if p, _ := plan.Compile(t.Context(), load(t, d, `{"a": {"module": "log", "filter": ")"}}`), check); p != nil {
		t.Error("a wrong filter passes the check")
	}
}
