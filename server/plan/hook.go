package plan

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/ip"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/limit"
	"github.com/hookd/hookd/server/ingest/payload"
)

// hook makes the left half of a hook: what a request must be to get in.
func (c *compiler) hook(h *config.Hook, lanes, forward []string) *ingest.Hook {
	path := "hooks." + h.ID
	verifiers, problems := Proofs(h, c.deps.Auth, c.deps.AuthEnv)
	c.problems = append(c.problems, problems...)
	proxies, err := ip.ParseProxies(h.TrustedProxies)
	if err != nil {
		c.fail(h.Pos, path+".trusted_proxies", err)
	}
	check, err := c.body(h)
	if err != nil {
		c.fail(h.SchemaPos, path+".json_schema", err)
	}
	maxBody := h.MaxBody
	if maxBody == 0 {
		maxBody = c.deps.MaxBody
	}
	chain := auth.NewChain(verifiers...)
	sender, _ := presets.Lookup(h.Provider)
	out := &ingest.Hook{
		ID:    h.ID,
		Lanes: lanes,
		Auth:  chain, Handshake: chain.Handshake(),
		Client:  proxies.Client,
		Body:    ingest.Body{Type: string(h.DataType), Max: maxBody, Check: check},
		Dedupe:  c.dedupe(h),
		Forward: forward,
		Reply:   reply(h, sender),
	}
	if r := h.RateLimit; r != nil && r.Enabled {
		rule := limit.Rule{Max: r.Max, Window: r.Window, PerClient: r.PerClient}
		if c.deps.Limiters != nil {
			out.Limit = c.deps.Limiters.Limiter(h.ID, rule)
		} else {
			out.Limit = limit.New(rule)
		}
	}
	return out
}

// reply is what the hook says on acceptance; else what its sender, which may be
// nil, wants to be told.
func reply(h *config.Hook, sender *presets.Preset) ingest.Reply {
	out := ingest.Reply{
		Status: h.Response.Status, Body: h.Response.Body, Header: h.Response.Headers,
		Delivered: h.Response.Wait == config.WaitDelivered,
	}
	if sender == nil || sender.Reply == nil || out.Status != 0 || out.Body != "" || len(out.Header) > 0 {
		return out
	}
	out.Status, out.Body, out.Header = sender.Reply.Status, sender.Reply.Body, make(map[string]string)
	for _, hd := range sender.Reply.Headers {
		out.Header[hd.Name] = hd.Value
	}
	if sender.Reply.ContentType != "" {
		out.Header["Content-Type"] = sender.Reply.ContentType
	}
	return out
}

func (c *compiler) body(h *config.Hook) (payload.Check, error) {
	o := payload.Options{Type: string(h.DataType), Depth: c.deps.Depth, String: c.deps.String}
	if c.deps.OriginalStatus {
		o.SchemaStatus = http.StatusBadRequest
	}
	if h.Schema != nil {
		s, err := payload.NewSchema(h.Schema)
		if err != nil {
			return nil, err
		}
		o.Schema = s
	}
	return payload.New(o)
}

// dedupe compiles the hook's own key: header:NAME, query:NAME, or jq over the
// body.
func (c *compiler) dedupe(h *config.Hook) ingest.Dedupe {
	if h.Dedupe == nil {
		return ingest.Dedupe{}
	}
	d := ingest.Dedupe{Window: h.Dedupe.Window}
	kind, name, _ := strings.Cut(h.Dedupe.Key, ":")
	switch {
	case h.Dedupe.Key == "":
	case kind == "header":
		d.Key = func(_ context.Context, r *auth.Request, _ []byte) (string, error) {
			return strings.Join(r.Header.Values(name), "\x00"), nil
		}
	case kind == "query":
		d.Key = func(_ context.Context, r *auth.Request, _ []byte) (string, error) {
			return strings.Join(r.URL.Query()[name], "\x00"), nil
		}
	default:
		p := c.program(h.ID, "deduplicate.key", &config.Expr{Source: h.Dedupe.Key, Pos: h.Dedupe.KeyPos})
		if p == nil {
			return d
		}
		isJSON := h.DataType == config.JSON
		d.Key = func(ctx context.Context, _ *auth.Request, body []byte) (string, error) {
			return jqKey(ctx, p, isJSON, body)
		}
	}
	return d
}

func jqKey(ctx context.Context, p *jq.Program, isJSON bool, body []byte) (string, error) {
	var input any = string(body)
	if isJSON {
		doc, err := jq.Decode(body)
		if err != nil {
			return "", err
		}
		input = doc
	}
	v, err := p.Run(ctx, input, nil)
	if err != nil || v == nil {
		return "", err
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	return fmt.Sprint(v), nil
}

// program compiles a jq expression; nil when there is none or it is wrong,
// which is then a problem at its place.
func (c *compiler) program(hook, key string, e *config.Expr) *jq.Program {
	if e == nil {
		return nil
	}
	p, err := jq.Compile(e.Source)
	if err != nil {
		c.problems.Add(diag.Problem{Pos: e.Pos, Path: "hooks." + hook + "." + key, Code: "bad_jq", Message: err.Error()})
		return nil
	}
	return p
}

// accepted is a guard for durations from files: a negative one never reaches
// the parts.
func accepted(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}
