package rows

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

var dialect = &Dialect{Module: "postgresql", Title: "PostgreSQL", MaxName: 63, Reserved: map[string]bool{"select": true}}

// options decodes as a module does.
type options struct{ Options }

func (o *options) Fields() spec.Fields    { return o.Options.Fields() }
func (o *options) Validate() []spec.Issue { return o.Options.Validate(dialect) }

// decode returns the problems as one text.
func decode(t *testing.T, text string) (*options, string) {
	t.Helper()
	n, problems := spec.ParseJSON("o.json", []byte(text))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	o := new(options)
	problems = spec.Decode(n, o, "options")
	var all strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&all, "%v %s: %s\n", p.Severity, p.Path, p.Message)
	}
	if problems.HasErrors() {
		return nil, all.String()
	}
	return o, all.String()
}

func table(t *testing.T, text string) *Table {
	t.Helper()
	o, problems := decode(t, text)
	if o == nil {
		t.Fatal(problems)
	}
	tab, err := o.Compile(dialect)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

var received = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

func delivery(body string) *event.Delivery {
	ev := &event.Event{ID: event.ID{1}, Hook: "github", Received: received, Header: http.Header{"X-Sender": {"a", "b"}, "Hookd-Hook": {"forged"}}, Body: []byte(body)}
	return &event.Delivery{ID: event.ID{2}, Event: ev, Header: http.Header{"Hookd-Hook": {"github"}}, Body: ev.Body}
}

// row is the values by the names of their columns.
func row(t *testing.T, tab *Table, d *event.Delivery) (map[string]any, error) {
	t.Helper()
	values, err := tab.Row(t.Context(), d)
	if err != nil {
		return nil, err
	}
	if len(values) != len(tab.Columns) {
		t.Fatalf("%d values for %d columns", len(values), len(tab.Columns))
	}
	all := make(map[string]any)
	for i, c := range tab.Columns {
		all[c.Name] = values[i]
	}
	return all, nil
}

func TestModes(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		`{}`: "id webhook_id timestamp payload headers created_at",
		`{"storage_mode": "JSON", "include_headers": false}`:                                 "id webhook_id timestamp payload created_at",
		`{"storage_mode": "relational", "schema": {"b": "text", "a": "int"}}`:                "id webhook_id created_at a b",
		`{"storage_mode": "hybrid", "schema": {"a": "int"}}`:                                 "id webhook_id payload headers created_at a",
		`{"storage_mode": "jsonb", "schema": {"fields": {"x.y": {"type": "int"}}}}`:          "id webhook_id payload headers created_at x_y",
		`{"storage_mode": "relational", "schema": {"id": "int", "created_at": "timestamp"}}`: "delivery_id webhook_id created_at id",
		`{"storage_mode": "relational", "schema": {"id": "int", "delivery_id": "text"}}`:     "hookd_delivery_id webhook_id created_at delivery_id id",
		`{"storage_mode": "hybrid"}`:                                                         "id webhook_id payload headers created_at",
		`{"table": "crm.t", "storage_mode": "hybrid", "upsert": true, "upsert_key": "id"}`:   "id webhook_id payload headers created_at",
	} {
		var names []string
		tab := table(t, options)
		for _, c := range tab.Columns {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", options, got, want)
		}
		if _, err := tab.Row(t.Context(), delivery(`{"a": 1, "x": {"y": 2}, "id": 3}`)); err != nil {
			t.Errorf("%s: %v", options, err)
		}
	}
}

func TestRefusedAtLoad(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		`{"table": "select"}`:                                                                                          "word of SQL",
		`{"table": "1x"}`:                                                                                              "no name",
		`{"table": "a-b"}`:                                                                                             "no name",
		`{"table": "x\"; DROP TABLE y"}`:                                                                               "no name",
		`{"table": "` + strings.Repeat("x", 64) + `"}`:                                                                 "takes 63",
		`{"storage_mode": "relational"}`:                                                                               "without schema keeps nothing",
		`{"storage_mode": "relational", "schema": {}}`:                                                                 "no fields",
		`{"storage_mode": "relational", "schema": {"a": 5}}`:                                                           "schema.a: is a number, want an object",
		`{"storage_mode": "relational", "schema": {"a": "text);--"}}`:                                                  "not the name of a type",
		`{"storage_mode": "relational", "schema": {"a": "varchar(0)"}}`:                                                "room for nothing",
		`{"storage_mode": "relational", "schema": {"a": "numeric(2,3)"}}`:                                              "more digits behind the point",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"colum": "b"}}}}`:                                  "schema.fields.a.colum: unknown key",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"jq": ".["}}}}`:                                    "schema.fields.a.jq: want a jq program",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"jq": 5}}}}`:                                       "schema.fields.a.jq: want a jq program: is a number",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"path": "x..y"}}}}`:                                "schema.fields.a.path",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"type": "int", "default": "x"}}}}`:                 "schema.fields.a: default: got a string of 1",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"type": "int", "default": "CURRENT_TIMESTAMP"}}}}`: "time of receipt is no int",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {}, "b": {"column": "A"}}}}`:                        "have one column",
		`{"storage_mode": "relational", "schema": {"fields": {"a": {"column": "webhook_id"}}}}`:                        "hookd's own",
		`{"storage_mode": "hybrid", "schema": {"payload": "text"}}`:                                                    "hookd's own",
		`{"storage_mode": "hybrid", "schema": {"fields": {"a": {}}, "indexes": {"i": {"columns": ["b"]}}}}`:            "no field or column",
		`{"storage_mode": "hybrid", "schema": {"fields": {"a": {}}, "indexes": {"i": {}}}}`:                            "needs columns",
		`{"storage_mode": "hybrid", "upsert": true, "upsert_key": "x"}`:                                                "no field of schema",
		`{"storage_mode": "hybrid", "upsert": true, "upsert_key": "payload"}`:                                          "hookd's own",
	} {
		if o, got := decode(t, options); o != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", options, got, want)
		}
	}
}

func TestWarnedAtLoad(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		`{"storage_mode": "jsonb"}`:                               "means hybrid",
		`{"schema": {"a": "int"}}`:                                "does nothing in the mode json",
		`{"upsert": true}`:                                        "every delivery is a row",
		`{"storage_mode": "hybrid", "upsert": true}`:              "nothing is ever updated",
		`{"storage_mode": "hybrid", "schema": {"a": "geometry"}}`: "means text",
		`{"storage_mode": "hybrid", "schema": {"fields": {"a": {"constraints": ["CHECK (a > 0)"]}}}}`: "is not kept",
	} {
		if o, got := decode(t, options); o == nil || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", options, got, want)
		}
	}
}

// Values of each type, and what is refused.
func TestValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 40)
	for _, c := range []struct{ typ, in, want string }{
		{"text", `"a"`, "a"},
		{"text", `12.50`, "12.50"},
		{"text", `true`, "true"},
		{"text", `{"b":1,"a":[null]}`, `{"a":[null],"b":1}`},
		{"text", `"'; DROP TABLE x; --"`, "'; DROP TABLE x; --"},
		{"text", `"a\u0000b"`, "!cannot store"},
		{"text", `"\ud83d\ude00"`, "\U0001F600"},
		{"text", `"\ud83d"`, "!surrogate"},
		{"varchar(3)", `"日本語"`, "日本語"},
		{"varchar(3)", `"abcd"`, "!4 characters, more than 3"},
		{"nonsense", `1`, "1"},
		{"integer", `42`, "42"},
		{"integer", `"42"`, "42"},
		{"integer", `1e3`, "1000"},
		{"integer", `1.0`, "1"},
		{"integer", `9223372036854775807`, "9223372036854775807"},
		{"integer", `9223372036854775808`, "!beyond 64 bits"},
		{"integer", `1.5`, "!fraction"},
		{"integer", `1e999999`, "!beyond the range"},
		{"integer", `1e99999`, "!beyond the range"},
		{"integer", `"abc"`, "!a string of 3 characters"},
		{"integer", `true`, "!a boolean"},
		{"integer", `[1]`, "!a list"},
		{"float", `1.5e300`, "1.5e300"},
		{"float", `1e400`, "!beyond the range"},
		{"float", `"NaN"`, "!a string"},
		{"numeric", long + ".123456789012345678901", long + ".123456789012345678901"},
		{"numeric", `"` + long + `"`, long},
		{"numeric(12,2)", `10.5`, "10.50"},
		{"numeric(12,2)", `10.500`, "10.50"},
		{"numeric(12,2)", `10.505`, "!would be rounded"},
		{"numeric(4,2)", `100`, "!more than 2 digits before"},
		{"boolean", `true`, "true"},
		{"boolean", `"FALSE"`, "false"},
		{"boolean", `1`, "true"},
		{"boolean", `2`, "!a number"},
		{"timestamp", `"2026-03-04T05:06:07.5+01:00"`, "2026-03-04 04:06:07.5 +0000 UTC"},
		{"timestamp", `"2026-03-04 05:06:07"`, "2026-03-04 05:06:07 +0000 UTC"},
		{"timestamp with time zone", `"2026-03-04"`, "2026-03-04 00:00:00 +0000 UTC"},
		{"timestamp", `"2026-03-04t05:06:07z"`, "2026-03-04 05:06:07 +0000 UTC"}, // RFC 3339 takes small letters
		{"timestamp", `"2026-03-04T05:06:07z"`, "2026-03-04 05:06:07 +0000 UTC"},
		{"timestamp", `"2026-03-04T05:06:07.5+01"`, "2026-03-04 04:06:07.5 +0000 UTC"},
		{"timestamp", `1772600767`, "2026-03-04 05:06:07 +0000 UTC"},
		{"timestamp", `1772600767890`, "2026-03-04 05:06:07.89 +0000 UTC"},
		{"timestamp", `1e300`, "!no Unix time"},
		{"timestamp", `"yesterday"`, "!a string of 9"},
		{"date", `"2026-03-04"`, "2026-03-04"},
		{"date", `"2026-02-30"`, "!a string"},
		{"time", `"05:06:07.25"`, "05:06:07.25"},
		{"time", `"25:00"`, "!a string"},
		{"json", `{"a":"<&>","n":` + long + `}`, `{"a":"<&>","n":` + long + `}`},
		{"jsonb", `"x"`, `"x"`},
		{"json", `"\u0000"`, "!cannot store"},
		{"json", `"\\u0000"`, `"\\u0000"`},
		{"uuid", `"0189ABCD-0000-7000-8000-000000000000"`, "0189abcd-0000-7000-8000-000000000000"},
		{"uuid", `"0189abcd"`, "!a string"},
	} {
		tab := table(t, fmt.Sprintf(`{"storage_mode": "relational", "schema": {"fields": {"v": {"type": %q}}}}`, c.typ))
		got, err := row(t, tab, delivery(`{"v": `+c.in+`}`))
		want, bad := strings.CutPrefix(c.want, "!")
		switch {
		case bad:
			f := modules.FailureOf(err)
			if err == nil || f.Kind != modules.Rejected || f.Code != "postgresql_value" || !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %s: %v, %v, want an error with %q", c.typ, c.in, got["v"], err, want)
			}
			if len(c.in) > 8 && strings.Contains(fmt.Sprint(err), strings.Trim(c.in, `"`)) {
				t.Errorf("%s of %s: the error shows it: %v", c.typ, c.in, err)
			}
		case err != nil || fmt.Sprint(got["v"]) != want:
			t.Errorf("%s of %s: %v, %v, want %s", c.typ, c.in, got["v"], err, want)
		}
	}
}

func TestWhereValuesAre(t *testing.T) {
	t.Parallel()
	const fields = `{"storage_mode": "relational", "schema": {"fields": {
		"plain": {}, "deep.er": {}, "list": {"path": "l.1.x"}, "expr": {"jq": ".a[] | select(. > 1)", "type": "int"}, "hook": {"jq": "$event.hook"},
		"fallback": {"type": "int", "default": 7}, "now": {"type": "timestamp", "default": "current_timestamp"}}}}`
	tab := table(t, fields)
	got, err := row(t, tab, delivery(`{"plain": "p", "deep": {"er": "d"}, "l": [0, {"x": "y"}], "a": [1, 2], "fallback": null}`))
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]any{
		"plain": "p", "deep_er": "d", "list": "y", "expr": "2", "hook": "github", "fallback": nil, "now": received, "webhook_id": "github",
	} {
		if got[column] != want {
			t.Errorf("%s: %v, want %v", column, got[column], want)
		}
	}
	got, err = row(t, tab, delivery(`{"deep.er": "whole", "a": []}`))
	if err != nil || got["deep_er"] != "whole" || got["fallback"] != "7" || got["expr"] != nil || got["plain"] != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, err = row(t, tab, delivery(`{"a": 5}`)); modules.FailureOf(err).Code != modules.CodeTransformError || !strings.Contains(err.Error(), "column expr: jq") {
		t.Error(err)
	}
}

func TestNullsAndNothing(t *testing.T) {
	t.Parallel()
	tab := table(t, `{"storage_mode": "relational", "schema": {"fields": {"a": {"constraints": ["NOT NULL"], "path": "x.a"}, "b": {}}}}`)
	for body, want := range map[string]string{
		`{"x": {"a": null}}`: "column a (text): is null in the body",
		`{"b": "1"}`:         `column a (text): the body has nothing at "x.a"`,
		`[1]`:                `column a (text): the body has nothing`,
	} {
		if _, err := row(t, tab, delivery(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	tab = table(t, `{"storage_mode": "relational", "schema": {"a": "text"}}`)
	for body, kind := range map[string]string{`{"z": 1}`: "an object", `"secret words"`: "a string of 12", `not json`: "a string of 8", "\xff": "an object"} {
		if _, err := row(t, tab, delivery(body)); err == nil || !strings.Contains(err.Error(), "has none of the fields") || !strings.Contains(err.Error(), kind) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	tab := table(t, `{}`)
	for body, want := range map[string]string{
		`{ "b":1, "a":1e999 }`: `{ "b":1, "a":1e999 }`,
		``:                     `""`,
		`it's "text"`:          `"it's \"text\""`,
		"\xff\xfe":             `{"base64":"//4="}`,
		"a\x00b":               `{"base64":"YQBi"}`,
		`"a\u0000b"`:           "!column payload (json): holds the character",
		`"\udc00\ud800"`:       "!half of a surrogate pair",
		`"\ud83d\u0041"`:       "!half of a surrogate pair",
		`"\\ud83d"`:            `"\\ud83d"`,
	} {
		got, err := row(t, tab, delivery(body))
		if reason, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%q: %v, %v", body, got, err)
			}
			continue
		}
		if err != nil || got["payload"] != want {
			t.Errorf("%q: %v, %v, want %s", body, got["payload"], err, want)
		}
	}
	d := delivery("a=1&b=x&b=y%3D")
	d.Event.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	d.Event.Header.Set("X-Odd", "\xff\x00")
	got, err := row(t, tab, d)
	if err != nil || got["payload"] != `{"a":"1","b":["x","y="]}` {
		t.Errorf("%v, %v", got, err)
	}
	var headers map[string]string
	if err := json.Unmarshal([]byte(got["headers"].(string)), &headers); err != nil || headers["hookd-hook"] != "github" || headers["x-sender"] != "a, b" || headers["x-odd"] != "\uFFFD\uFFFD" {
		t.Errorf("%v: %v", headers, err)
	}
}

func TestUpsertKey(t *testing.T) {
	t.Parallel()
	tab := table(t, `{"storage_mode": "hybrid", "upsert": true, "upsert_key": "event", "schema": {"fields": {"event": {"column": "event_id"}}, "indexes": {"by_event": {"columns": ["event", "webhook_id"]}}}}`)
	if c, ok := tab.Column("event_id"); tab.Key != "event_id" || !ok || !c.Unique || !c.NotNull {
		t.Errorf("%q, %+v", tab.Key, c)
	}
	if x := tab.Indexes[0]; x.Name != "by_event" || x.Columns[0] != "event_id" || x.Columns[1] != "webhook_id" {
		t.Errorf("%+v", x)
	}
	if _, err := row(t, tab, delivery(`{"event": null}`)); err == nil || !strings.Contains(err.Error(), "column event_id") {
		t.Error(err)
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	tab := table(t, `{"storage_mode": "relational", "schema": {"fields": {"a": {"jq": ".a"}}}}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tab.Row(ctx, delivery(`{"a": 1}`)); modules.FailureOf(err).Code != modules.CodeShutdown {
		t.Error(err)
	}
}

func FuzzRow(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":"2026-01-01"}`, `"\ud800"`, "\xff", `{"a":1e999}`, `{"b":{"c":[]}}`, `{"a":"1e-5","b":-62135596800}`} {
		f.Add([]byte(s))
	}
	o := &Options{TableName: "t", Storage: "hybrid", Headers: true, Schema: map[string]any{"a": "numeric(20,5)", "b": "timestamp", "c": "text"}}
	tab, err := o.Compile(dialect)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := delivery("")
		d.Body = body
		values, err := tab.Row(t.Context(), d)
		if err == nil && !json.Valid([]byte(values[2].(string))) {
			t.Errorf("payload %q", values[2])
		}
		if err != nil && modules.FailureOf(err).Kind != modules.Rejected {
			t.Error(err)
		}
	})
}
