package payload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/payload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The files of testdata/json are one body each: y_ must be accepted, n_ refused.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/json/*.json")
	if err != nil || len(files) < 150 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(f)
		err = payload.CheckJSON(b)
		switch {
		case strings.HasPrefix(name, "y_") && err != nil:
			t.Errorf("%s: refused: %v", name, err)
		case strings.HasPrefix(name, "n_") && err == nil:
			t.Errorf("%s: accepted", name)
		case !strings.HasPrefix(name, "y_") && !strings.HasPrefix(name, "n_"):
			t.Errorf("%s: is neither y_ nor n_", name)
		}
		if err != nil {
			wantRefusal(t, name, err, 400, "")
		}
	}
}

func wantRefusal(t *testing.T, name string, err error, status int, code string) {
	t.Helper()
	var r *ingest.Refusal
	switch {
	case !errors.As(err, &r):
		t.Errorf("%s: %v is not a Refusal", name, err)
	case r.Status != status, code != "" && r.Code != code:
		t.Errorf("%s: %d %s, want %d %s", name, r.Status, r.Code, status, code)
	case r.Public == "":
		t.Errorf("%s: nothing is said to the caller", name)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, c := range []struct {
		name, body, code string
	}{
		{"string at the limit", `"` + long(payload.MaxString) + `"`, ""},
		{"string over it", `"` + long(payload.MaxString+1) + `"`, "string_too_long"},
		{"key at the limit", `{"` + long(payload.MaxString) + `":1}`, ""},
		{"key over it", `{"` + long(payload.MaxString+1) + `":1}`, "string_too_long"},
		{"characters count, not bytes", `"` + strings.Repeat("é", payload.MaxString) + `"`, ""},
		{"one character more", `"` + strings.Repeat("é", payload.MaxString+1) + `"`, "string_too_long"},
		{"an escape is one character", `"` + strings.Repeat(`\u00e9`, payload.MaxString) + `"`, ""},
		{"a pair is one character", `"` + strings.Repeat(`\ud83d\ude00`, payload.MaxString/2+10) + `"`, ""},
		{"escaped quotes do not end it", `"` + strings.Repeat(`\"`, payload.MaxString+1) + `"`, "string_too_long"},
		{"many short ones", `["` + strings.Repeat(`a","`, payload.MaxString/2) + `"]`, ""},
		{"unclosed and long", `"` + long(payload.MaxString+1), "malformed_json"},
		{"deep", strings.Repeat("[", 51) + strings.Repeat("]", 51), "too_deep"},
		{"very deep and unclosed", strings.Repeat(`{"a":`, 1_000_000), "too_deep"},
		{"deep after a long string", `["` + long(100) + `",` + strings.Repeat("[", 50) + strings.Repeat("]", 51), "too_deep"},
	} {
		err := payload.CheckJSON([]byte(c.body))
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		wantRefusal(t, c.name, err, 400, c.code)
	}
}

// Every prefix of a document takes the vector code through other lengths and
// alignments.
func TestPrefixesAgreeWithEncodingJSON(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/json/y_*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for n := range b {
			part := bytes.Clone(b[:n])
			if got, want := payload.CheckJSON(part) == nil, reference(part); got != want {
				t.Errorf("%s, first %d bytes: accepted %v, want %v", filepath.Base(f), n, got, want)
			}
		}
	}
}

// reference is what CheckJSON promises, the slow way.
func reference(b []byte) bool {
	return json.Valid(b) && utf8.Valid(b) && depthOf(b) <= payload.MaxDepth
}

// depthOf is the depth of a valid document.
func depthOf(b []byte) int {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	depth, deepest := 0, 0
	for {
		tok, err := d.Token()
		if err != nil {
			return deepest
		}
		switch tok {
		case json.Delim('['), json.Delim('{'):
			depth++
			deepest = max(deepest, depth)
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
}

func FuzzCheckJSON(f *testing.F) {
	files, err := filepath.Glob("testdata/json/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > payload.MaxString {
			return
		}
		err := payload.CheckJSON(b)
		if got, want := err == nil, reference(b); got != want {
			t.Errorf("%q: accepted %v, want %v (%v)", b, got, want, err)
		}
	})
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	check, err := payload.New(payload.Options{})
	if err != nil {
		t.Fatal(err)
	}
	utf16le := "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00"
	for _, c := range []struct {
		contentType, body string
		status            int
	}{
		{"", `{"a":1}`, 0},
		{"application/json", `{"a":1}`, 0},
		{"text/plain", `{"a":1}`, 0},
		{"application/x-www-form-urlencoded", `{"a":1}`, 0}, // curl -d
		{"application/xml", `{"a":1}`, 0},
		{"application/x-www-form-urlencoded", `a=1&b=2`, 400},
		{"application/json", `a=1`, 400},
		{"text/plain", `a`, 400},
		{"application/xml", `<a/>`, 415},
		{"multipart/form-data; boundary=x", "--x--", 415},
		{"application/vnd.api+json", `{`, 400},
		{"application/xml", `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`, 400},
		{"application/json", "\"\xe9\"", 400},
		{"application/json; charset=iso-8859-1", "\"\xe9\"", 0},
		{"application/json; Charset=\"ISO-8859-1\"", "\"\xe9\"", 0},
		{"application/json; charset=windows-1252", "\"\x80\x93\"", 0},
		{"application/json; charset=iso-8859-1", "{", 400},
		{"application/json; charset=utf-16le", utf16le, 0},
		{"application/json; charset=utf-16", "\xff\xfe" + utf16le, 0},
		{"application/json; charset=utf-16be", "\x00[\x00]", 0},
		{"application/json; charset=utf-16", "\xfe\xff\x00[\x00]", 0},
		{"application/json; charset=utf-16le", "\"\x00\x3d\xd8\x00\xde\"\x00", 0},
		{"application/json; charset=utf-16le", "\"\x00\x3d\xd8\"\x00", 400},
		{"application/json; charset=utf-16le", "\"\x00\x3d\xd8", 400},
		{"application/json; charset=utf-16le", "{\x00}", 400},
		{"application/json; charset=utf-16", `{"a":1}`, 0}, // wrong label
		{"application/json; charset=nonsense", `{"a":1}`, 0},
		{"application/json; charset=nonsense", "\"\xe9\"", 400},
		{"application/json; charset", `{"a":1}`, 0},
		{"application/json", utf16le, 400},
	} {
		body := []byte(c.body)
		err := check(context.Background(), c.contentType, body)
		name := fmt.Sprintf("%s %q", c.contentType, c.body)
		if string(body) != c.body {
			t.Errorf("%s: the body was changed", name)
		}
		if c.status == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantRefusal(t, name, err, c.status, "")
	}
}

func FuzzCharset(f *testing.F) {
	f.Add("application/json; charset=utf-16le", []byte("{\x00}\x00"))
	f.Add("application/json; charset=latin1", []byte("\"\xe9\""))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"))
	f.Add("application/x-www-form-urlencoded", []byte("a=1&b=%20"))
	asJSON, err := payload.New(payload.Options{Type: "json"})
	if err != nil {
		f.Fatal(err)
	}
	asForm, err := payload.New(payload.Options{Type: "form"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, contentType string, b []byte) {
		for _, check := range []payload.Check{asJSON, asForm} {
			before := bytes.Clone(b)
			err := check(context.Background(), contentType, b)
			var r *ingest.Refusal
			if err != nil && (!errors.As(err, &r) || r.Status < 400 || r.Status > 499) {
				t.Errorf("%q, %q: %v", contentType, b, err)
			}
			if !bytes.Equal(before, b) {
				t.Errorf("%q, %q: the body was changed", contentType, before)
			}
		}
	})
}

// body is about 5 KB of the shape that senders send.
func body() []byte {
	var b bytes.Buffer
	b.WriteString(`{"action":"opened","items":[`)
	for i := range 30 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"url":"https://api.example.com/repos/a/b/items/%d","title":"item \"%d\"","open":true,"labels":["bug","help wanted"],"score":%d.5}`, i, i, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func BenchmarkCheckJSON(b *testing.B) {
	doc := body()
	for name, check := range map[string]func([]byte) bool{
		"hookd":         func(b []byte) bool { return payload.CheckJSON(b) == nil },
		"encoding_json": json.Valid,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if !check(doc) {
					b.Fatal("refused")
				}
			}
		})
	}
}
