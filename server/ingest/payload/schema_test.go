package payload_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/payload"
)

func schema(t *testing.T, text string) (*payload.Schema, error) {
	t.Helper()
	var doc any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return payload.NewSchema(doc)
}

func TestSchemaViolations(t *testing.T) {
	t.Parallel()
	const order = `{"type":"object","required":["id"],"properties":{
		"id":{"type":"integer","minimum":1},
		"mail":{"type":"string","format":"email"},
		"a/b":{"type":"string"},
		"tags":{"type":"array","items":{"$ref":"#/$defs/tag"}}},
		"$defs":{"tag":{"type":"string","maxLength":3}}}`
	for _, c := range []struct {
		schema, body string
		pointers     []string
	}{
		{order, `{"id":1}`, nil},
		{order, `{"id":1,"mail":"no mail at all"}`, nil}, // format is an annotation
		{order, `{}`, []string{""}},
		{order, `{"id":0}`, []string{"/id"}},
		{order, `{"id":1.5}`, []string{"/id"}},
		{order, `{"id":1e3}`, nil},
		{order, `{"id":"x","a/b":1}`, []string{"/a~1b", "/id"}},
		{order, `{"id":1,"tags":["abc","abcd",1]}`, []string{"/tags/1", "/tags/2"}},
		{order, `[]`, []string{""}},
		{`{"type":"array","items":{"type":"string"}}`, `[1,2,3,4,5,6,7,8,9,10,11,12]`, []string{"/0", "/1", "/10", "/11", "/2", "/3", "/4", "/5", "/6", "/7"}},
		{`true`, `1`, nil},
		{`{}`, `1`, nil},
		{`false`, `1`, []string{""}},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","type":"string"}`, `1`, []string{""}},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","format":"email"}`, `"no mail"`, nil},
		{`{"const":9007199254740993}`, `9007199254740992`, []string{""}}, // exact beyond float64
	} {
		s, err := schema(t, c.schema)
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		check, err := payload.New(payload.Options{Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		err = check(context.Background(), "application/json", []byte(c.body))
		if c.pointers == nil {
			if err != nil {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		wantRefusal(t, c.body, err, 422, "schema_violated")
		var r *ingest.Refusal
		var got []string
		if errors.As(err, &r) {
			for _, v := range r.Violations {
				got = append(got, v.Pointer)
				if v.Detail == "" {
					t.Errorf("%s: %q has no detail", c.body, v.Pointer)
				}
			}
		}
		if !reflect.DeepEqual(got, c.pointers) {
			t.Errorf("%s: violations at %q, want %q", c.body, got, c.pointers)
		}
	}
}

func TestSchemaErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, says string }{
		{`{"$ref":"https://example.com/schema.json"}`, "not fetched"},
		{`{"$ref":"other.json"}`, "not fetched"},
		{`{"$ref":"file:///etc/passwd"}`, "not fetched"},
		{`{"$schema":"https://example.com/meta"}`, "not fetched"},
		{`{"$ref":"#/$defs/missing"}`, "missing"},
		{`{"type":"sting"}`, "/type"},
		{`{"pattern":"("}`, "pattern"},
		{`{"minimum":"1"}`, "/minimum"},
		{`3`, "json schema"},
	} {
		_, err := schema(t, c.schema)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", c.schema, err, c.says)
		}
	}
	s, err := schema(t, `{}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := payload.New(payload.Options{Type: "blob", Schema: s}); err == nil {
		t.Error("a schema for a blob was taken")
	}
	if _, err := payload.New(payload.Options{Type: "xml"}); err == nil {
		t.Error("data_type xml was taken")
	}
}

func TestSchemaStatus(t *testing.T) {
	t.Parallel()
	s, err := schema(t, `{"type":"object"}`)
	if err != nil {
		t.Fatal(err)
	}
	check, err := payload.New(payload.Options{Schema: s, SchemaStatus: 400})
	if err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "original status", check(context.Background(), "", []byte("1")), 400, "schema_violated")
}

// Numbers that would take gigabytes or minutes as exact ones.
func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	s, err := schema(t, `{"type":"object","properties":{"n":{"maximum":10,"multipleOf":0.1}}}`)
	if err != nil {
		t.Fatal(err)
	}
	check, err := payload.New(payload.Options{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ number, code string }{
		{"1e999999999", "number_out_of_range"},
		{"1e308", "schema_violated"},
		{strings.Repeat("9", 1<<20), "number_out_of_range"},
		{strings.Repeat("9", 1000), "schema_violated"},
		{"1e-999999999", ""},
	} {
		for _, form := range []string{`{"n":%s}`, `{"n":1,"deep":[{"n":%s}]}`} {
			name := c.number[:min(len(c.number), 20)]
			err := check(context.Background(), "", []byte(fmt.Sprintf(form, c.number)))
			if c.code == "number_out_of_range" {
				wantRefusal(t, name, err, 400, c.code)
			}
		}
		err := check(context.Background(), "", []byte(`{"n":`+c.number+`}`))
		var r *ingest.Refusal
		if code := ""; errors.As(err, &r) && r.Code != c.code || err == nil && c.code != code {
			t.Errorf("%.20s: %v, want %q", c.number, err, c.code)
		}
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	s, err := schema(t, `{"required":["a"],"properties":{"b":{"type":"array"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	check, err := payload.New(payload.Options{Type: "form", Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	const urlencoded = "application/x-www-form-urlencoded"
	const multi = "multipart/form-data; boundary=x"
	part := func(head, value string) string {
		return "--x\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + value + "\r\n"
	}
	for _, c := range []struct {
		contentType, body string
		status            int
		code              string
	}{
		{urlencoded, "a=1&b=2&b=3", 0, ""},
		{urlencoded + "; charset=utf-8", "a=%41+c", 0, ""},
		{"", "a=1", 0, ""},
		{urlencoded, "&&a=1&", 0, ""},
		{urlencoded, "a", 0, ""},
		{urlencoded, "a=1&b=2", 422, "schema_violated"},
		{urlencoded, "", 422, "schema_violated"},
		{urlencoded, "a=%zz", 400, "malformed_form"},
		{urlencoded, "a=%4", 400, "malformed_form"},
		{urlencoded, "%=1", 400, "malformed_form"},
		{urlencoded, "a=1" + strings.Repeat("&b=", payload.MaxFields), 400, "too_many_fields"},
		{urlencoded, "a=" + strings.Repeat("x", payload.MaxString+1), 400, "string_too_long"},
		{multi, part(`name="a"`, "1") + "--x--\r\n", 0, ""},
		{multi, part(`name="a"`, "1") + part(`name="f"; filename="../../etc/passwd"`, strings.Repeat("y", 2<<20)) + "--x--", 0, ""},
		{multi, part(`name="f"; filename="a"`, "1") + "--x--", 422, "schema_violated"},
		{multi, part(`filename="a"`, "1") + "--x--", 400, "malformed_form"},
		{multi, part(`name="a"`, "1"), 400, "malformed_form"},
		{multi, "", 400, "malformed_form"},
		{multi, "a=1", 400, "malformed_form"},
		{multi, strings.Repeat(part(`name="a"`, "1"), payload.MaxParts+1) + "--x--", 400, "too_many_fields"},
		{multi, part(`name="a"`, strings.Repeat("z", payload.MaxString+1)) + "--x--", 400, "string_too_long"},
		{"multipart/form-data", "", 415, "unsupported_media_type"},
		{"multipart/mixed; boundary=x", "", 415, "unsupported_media_type"},
		{"application/json", `{"a":1}`, 415, "unsupported_media_type"},
		{"nonsense;;", "a=1", 415, "unsupported_media_type"},
	} {
		err := check(context.Background(), c.contentType, []byte(c.body))
		name := fmt.Sprintf("%s %.60q", c.contentType, c.body)
		if c.status == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantRefusal(t, name, err, c.status, c.code)
	}
}
