// Package openapi describes the configured hooks as OpenAPI 3.1
// (spec.openapis.org/oas/v3.1.1): what to send where, and how to prove it. It
// tells senders what they need and nothing else: no destination, no address of
// an allow-list, no introspection service, no secret.
package openapi

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/config"
)

// Options set what the configuration of the hooks does not say.
type Options struct {
	BaseURL string // servers[0].url; "" is "/"
	Version string // of hookd; "" is "0"
	Title   string // "" is "hookd"
	// Auth finds out where the credentials of a proof travel.
	Auth *auth.Registry
	// MaxBody is the daemon's limit of a body in bytes; 0 leaves it out.
	MaxBody int64
}

// Generate describes every enabled hook, in the order of the files.
func Generate(cfg *config.Config, o Options) Document {
	schemes := newSchemes(o.Auth)
	paths, schemas := object{}, object{}
	for i := range cfg.Hooks {
		h := &cfg.Hooks[i]
		if !h.Enabled {
			continue
		}
		g := generator{hook: h, options: o, proofs: schemes.of(h)}
		path, schema := g.path()
		paths = append(paths, member{"/webhook/" + h.ID, path})
		schemas = schemas.set(schemaName(h.ID), schema)
	}
	schemas = append(schemas, commonSchemas()...)
	return Document{object{
		{"openapi", "3.1.0"},
		{"info", object{
			{"title", cmp.Or(o.Title, "hookd")},
			{"version", cmp.Or(o.Version, "0")},
			{"description", "Webhooks that this server receives. An event that was answered with 200 is stored durably and will be delivered at least once."},
		}},
		{"servers", []any{object{{"url", cmp.Or(o.BaseURL, "/")}}}},
		{"tags", []any{object{{"name", "webhooks"}, {"description", "One path per hook."}}}},
		{"paths", paths},
		{"components", object{
			{"schemas", schemas},
			{"responses", commonResponses()},
		}.set("securitySchemes", schemes.components())},
	}}
}

// generator describes one hook.
type generator struct {
	hook    *config.Hook
	options Options
	proofs  proofs
}

func (g *generator) path() (path object, schema any) {
	h := g.hook
	body, schema := g.requestBody()
	op := object{
		{"operationId", "post_webhook_" + h.ID},
		{"tags", []any{"webhooks"}},
		{"summary", cmp.Or(firstLine(h.Description), "Send an event to "+h.ID)},
		{"description", g.description()},
	}
	op = op.set("parameters", g.proofs.parameters)
	op = append(op, member{"requestBody", body}, member{"responses", g.responses()})
	// One object for each alternative, with the schemes that must hold together.
	// An empty list says that there is none.
	security := []any{}
	for _, alternative := range g.proofs.security {
		if len(alternative) > 0 {
			security = append(security, alternative)
		}
	}
	return object{{"post", append(op, member{"security", security})}}, schema
}

func (g *generator) description() string {
	h := g.hook
	var parts []string
	add := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	if h.Description != "" {
		add("%s", h.Description)
	}
	for _, note := range g.proofs.notes {
		add("%s", note)
	}
	switch {
	case h.Open():
		add("This hook asks for no proof.")
	case len(g.proofs.security) > 1:
		add("All of the security schemes of one alternative must hold.")
	case len(g.proofs.security[0]) > 1:
		add("All of the security schemes must hold.")
	}
	if r := h.RateLimit; r != nil && r.Enabled {
		who := ""
		if r.PerClient {
			who = " from one address"
		}
		add("At most %d requests%s in %s; more are answered with 429.", r.Max, who, seconds(r.Window))
	}
	if limit := cmp.Or(h.MaxBody, g.options.MaxBody); limit > 0 {
		add("The body may have up to %s.", size(limit))
	}
	if d := h.Dedupe; d != nil && d.Window > 0 {
		add("A repetition within %s is answered with the first event's id and not delivered again.", seconds(d.Window))
	}
	if h.Response.Wait == config.WaitDelivered {
		add("The answer is sent when the event is delivered, and tells the outcome.")
	}
	return strings.Join(parts, "\n\n")
}

func (g *generator) requestBody() (body object, schema any) {
	schema = any(object{})
	if m, ok := g.hook.Schema.(map[string]any); ok && len(m) > 0 {
		ref := "#/components/schemas/" + schemaName(g.hook.ID)
		schema = object{{"$ref", ref}}
		return g.content(schema), adapt(m, ref)
	}
	if b, ok := g.hook.Schema.(bool); ok {
		schema = b
	}
	return g.content(schema), nil
}

func (g *generator) content(schema any) object {
	var content object
	switch g.hook.DataType {
	case config.Form:
		if o, ok := schema.(object); ok && len(o) == 0 {
			schema = object{{"type", "object"}}
		}
		content = object{
			{"application/x-www-form-urlencoded", object{{"schema", schema}}},
			{"multipart/form-data", object{{"schema", schema}}},
		}
	case config.Blob:
		// Bytes of any type: nothing to describe.
		content = object{{"*/*", object{}}}
	default:
		content = object{{"application/json", object{{"schema", schema}}}}
	}
	return object{{"required", g.hook.DataType != config.Blob}, {"content", content}}
}

func (g *generator) responses() object {
	h := g.hook
	status := strconv.Itoa(cmp.Or(h.Response.Status, 200))
	accepted := object{{"$ref", "#/components/responses/Accepted"}}
	if h.Response.Body != "" || h.Response.Wait == config.WaitDelivered || len(h.Response.Headers) > 0 {
		accepted = object{{"description", "The event is stored."}, {"headers", object{{"Hookd-Event-Id", eventIDHeader()}}}}
	}
	proven := !h.Open()
	all := object{{status, accepted}}
	for _, r := range refusals {
		switch r.status {
		case 401, 403:
			if !proven {
				continue
			}
		case 422:
			if h.Schema == nil {
				continue
			}
		}
		all = append(all, member{strconv.Itoa(r.status), object{{"$ref", "#/components/responses/" + r.name}}})
	}
	return all
}

// schemaName is a name that components allow; hook ids are of their letters.
func schemaName(hook string) string { return "hook." + hook }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func seconds(d time.Duration) string {
	switch {
	case d >= 2*time.Hour && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + " hours"
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + " seconds"
	}
	return d.String()
}

func size(n int64) string {
	for _, u := range []struct {
		n    int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.n && n%u.n == 0 {
			return strconv.FormatInt(n/u.n, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
