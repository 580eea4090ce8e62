package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/explain"
)

// operation describes a route. A test compares the list with the router.
type operation struct {
	method, path, id, summary string

	query    []string // names in parameterDocs
	request  any      // zero value of the body; nil is none
	response any      // zero value of the JSON answer; nil where media says the type
	media    string
	refusals []int // besides 401, 403 and 503
}

var listParameters = []string{"hook", "lane", "status", "type", "since", "until", "cursor", "limit"}

var operations = []operation{
	{method: "GET", path: "/healthz", id: "health", summary: "Whether events can be accepted now; 503 when not. Needs no token.", response: Health{}},
	{method: "GET", path: "/metrics", id: "metrics", summary: "Metrics for Prometheus, as text or OpenMetrics by the Accept header.", media: "text/plain"},
	{method: "GET", path: "/api/v1/version", id: "version", summary: "Which build runs.", response: Version{}},
	{method: "GET", path: "/api/v1/stats", id: "stats", summary: "Counters since the start.", response: Stats{}},
	{method: "GET", path: "/api/v1/hooks", id: "hooks", summary: "The configured hooks.", response: Hooks{}},
	{method: "GET", path: "/api/v1/config", id: "config", summary: "The configuration in force, without secrets.", response: map[string]any{}, refusals: []int{404}},
	{method: "POST", path: "/api/v1/reload", id: "reload", summary: "Read the files again; 422 with the problems, and no change, when they have errors.", request: ReloadRequest{}, response: ReloadResult{}, refusals: []int{400, 404, 413, 415}},
	{method: "GET", path: "/api/v1/openapi.json", id: "openapi", summary: "This document.", response: map[string]any{}},
	{method: "GET", path: "/api/v1/lanes", id: "lanes", summary: "The lanes that are configured or hold anything.", response: Lanes{}},
	{method: "POST", path: "/api/v1/lanes/{hook}/{destination}/pause", id: "pauseLane", summary: "Stop new attempts of a lane.", response: Lane{}, refusals: []int{404, 415}},
	{method: "POST", path: "/api/v1/lanes/{hook}/{destination}/resume", id: "resumeLane", summary: "End a pause.", response: Lane{}, refusals: []int{404, 415}},
	{method: "GET", path: "/api/v1/events", id: "events", summary: "Events, newest first.", query: listParameters, response: EventPage{}, refusals: []int{400}},
	{method: "GET", path: "/api/v1/events/{id}", id: "event", summary: "One event with headers, body and deliveries.", response: EventDetail{}, refusals: []int{400, 404}},
	{method: "GET", path: "/api/v1/events/{id}/body", id: "eventBody", summary: "The body, byte for byte.", media: "application/octet-stream", refusals: []int{400, 404}},
	{method: "POST", path: "/api/v1/events/{id}/replay", id: "replayEvent", summary: "Make the deliveries of an event due again.", request: LaneRequest{}, response: Replayed{}, refusals: []int{400, 404, 413, 415}},
	{method: "POST", path: "/api/v1/replay", id: "replay", summary: "Make the deliveries that match due again, or count them.", request: ReplayRequest{}, response: Replayed{}, refusals: []int{400, 404, 413, 415}},
	{method: "GET", path: "/api/v1/dead", id: "dead", summary: "Events with dead letters, newest first.", query: listParameters, response: EventPage{}, refusals: []int{400}},
	{method: "POST", path: "/api/v1/dead/replay", id: "replayDead", summary: "Revive the dead letters that match, or count them.", request: ReplayRequest{}, response: Replayed{}, refusals: []int{400, 404, 413, 415}},
	{method: "POST", path: "/api/v1/dead/purge", id: "purgeDead", summary: "Remove the dead letters that match, or count them.", request: PurgeRequest{}, response: Purged{}, refusals: []int{400, 413, 415}},
	{method: "POST", path: "/api/v1/dead/{id}/replay", id: "replayDeadEvent", summary: "Revive the dead letters of one event.", request: LaneRequest{}, response: Replayed{}, refusals: []int{400, 404, 413, 415}},
	{method: "GET", path: "/api/v1/quarantine", id: "quarantine", summary: "Requests that a proof refused, newest first.", query: []string{"hook", "code", "since", "until", "cursor", "limit"}, response: QuarantinePage{}, refusals: []int{400, 404}},
	{method: "GET", path: "/api/v1/quarantine/{id}", id: "quarantined", summary: "One refused request: its facts and headers; credentials are not shown.", response: QuarantineDetail{}, refusals: []int{400, 404}},
	{method: "GET", path: "/api/v1/quarantine/{id}/body", id: "quarantinedBody", summary: "The body of a refused request, byte for byte.", media: "application/octet-stream", refusals: []int{400, 404}},
	{method: "POST", path: "/api/v1/quarantine/{id}/explain", id: "explain", summary: "Why it was refused: what each proof says, what is signed, which usual mistake explains it.", response: explain.Report{}, refusals: []int{400, 404, 415}},
	{method: "POST", path: "/api/v1/quarantine/retry", id: "retryQuarantine", summary: "Check refused requests again with the configuration in force, oldest first, and accept those that hold.", request: QuarantineRetry{}, response: QuarantineRetried{}, refusals: []int{400, 404, 413, 415}},
	{method: "POST", path: "/api/v1/quarantine/purge", id: "purgeQuarantine", summary: "Remove refused requests.", request: QuarantinePurge{}, response: QuarantinePurged{}, refusals: []int{400, 404, 413, 415}},
	{method: "GET", path: "/api/v1/tail", id: "tail", summary: "What happens, as server-sent events; the data of each is a Fact. Last-Event-ID is honoured.", query: []string{"hook", "lane", "type", "kind", "after"}, media: "text/event-stream", refusals: []int{400}},
}

// parameterDocs describe the query parameters; a format follows a bar.
var parameterDocs = map[string]string{
	"hook":   "Of this hook.",
	"lane":   "With a delivery to this lane.",
	"status": "With a delivery that stands so: pending, delayed, delivered, filtered, dead.",
	"type":   "Of this type.",
	"since":  "Accepted, or refused, at this time or after.|date-time",
	"until":  "Accepted, or refused, before this time.|date-time",
	"code":   "Refused for this reason: `hmac:signature_mismatch`, or what is behind the colon.",
	"cursor": "The next of the page before.",
	"limit":  "How many, 1 to 1000; 50 unless set.",
	"kind":   "Of this kind: accepted, duplicate, refused, delivered, filtered, retried, died, breaker, handshake.",
	"after":  "The cursor of a fact: what came after it is sent first.",
}

// OpenAPI describes the admin API as OpenAPI 3.1, in JSON. The bytes depend on
// the version alone.
func OpenAPI(version string) ([]byte, error) {
	g := schemas{}
	problemRef := g.of(reflect.TypeFor[problem]())
	g.of(reflect.TypeFor[Fact]())
	paths := map[string]map[string]any{}
	for _, o := range operations {
		if paths[o.path] == nil {
			paths[o.path] = map[string]any{}
		}
		paths[o.path][strings.ToLower(o.method)] = o.describe(g, problemRef)
	}
	if version == "" {
		version = "0"
	}
	b, err := json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "hookd admin", "version": version,
			"description": "What hookd did and holds. On loopback no token is needed. Requests that change something need Content-Type: application/json or the header Hookd-Admin: 1.",
		},
		"servers": []any{map[string]any{"url": "/"}},
		"paths":   paths,
		"components": map[string]any{
			"schemas":         g,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
		},
		"security": []any{map[string]any{}, map[string]any{"token": []any{}}},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return append(b, '\n'), nil
}

func (o operation) describe(g schemas, problemRef any) map[string]any {
	op := map[string]any{"operationId": o.id, "summary": o.summary}
	var parameters []any
	for part := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			schema := map[string]any{"type": "string"}
			if name = strings.TrimSuffix(name, "}"); name == "id" {
				schema["format"] = "uuid"
			}
			parameters = append(parameters, map[string]any{"name": name, "in": "path", "required": true, "schema": schema})
		}
	}
	for _, name := range o.query {
		text, format, _ := strings.Cut(parameterDocs[name], "|")
		schema := map[string]any{"type": "string"}
		if format != "" {
			schema["format"] = format
		}
		if name == "limit" {
			schema = map[string]any{"type": "integer", "minimum": 1, "maximum": maxPage}
		}
		parameters = append(parameters, map[string]any{"name": name, "in": "query", "description": text, "schema": schema})
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	content := func(media string, schema any) map[string]any {
		return map[string]any{media: map[string]any{"schema": schema}}
	}
	if o.request != nil {
		op["requestBody"] = map[string]any{"content": content(jsonType, g.of(reflect.TypeOf(o.request)))}
	}
	good := content(o.media, map[string]any{"type": "string"})
	if o.response != nil {
		good = content(jsonType, g.of(reflect.TypeOf(o.response)))
	}
	responses := map[string]any{"200": map[string]any{"description": http.StatusText(http.StatusOK), "content": good}}
	for _, status := range append([]int{401, 403, 503}, o.refusals...) {
		responses[fmt.Sprint(status)] = map[string]any{"description": http.StatusText(status), "content": content(problemType, problemRef)}
	}
	switch o.id {
	case "reload":
		responses["422"] = map[string]any{"description": "The files have errors; nothing changed.", "content": good}
	case "health":
		responses["503"] = map[string]any{"description": "Not ready.", "content": good}
	}
	op["responses"] = responses
	return op
}

// schemas holds the JSON Schema of each named wire type.
type schemas map[string]any

// of returns the schema of a type as encoding/json writes it; that of a named
// struct is a reference.
func (g schemas) of(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[event.ID]():
		return map[string]any{"type": "string", "format": "uuid"}
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.Struct:
		name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		if g[name] == nil {
			s := map[string]any{"type": "object"}
			g[name] = s // before its fields, which may name it again
			properties, required := map[string]any{}, []string{}
			g.fields(t, properties, &required)
			s["properties"], s["required"] = properties, required
		}
		return map[string]any{"$ref": "#/components/schemas/" + name}
	default:
		return map[string]any{} // anything
	}
}

func (g schemas) fields(t reflect.Type, properties map[string]any, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, how, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			g.fields(f.Type, properties, required)
			continue
		}
		properties[name] = g.of(f.Type)
		if how == "" {
			*required = append(*required, name)
		}
	}
}
