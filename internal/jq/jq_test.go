package jq_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/jq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func compile(t testing.TB, src string) *jq.Program {
	t.Helper()
	p, err := jq.Compile(src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return p
}

func decode(t testing.TB, body string) any {
	t.Helper()
	v, err := jq.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The guards that are woven in change no meaning, and no digit is lost.
func TestTransform(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ src, in, want string }{
		{`.`, `{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{`.`, `[12345678901234567890123, 1.10, 1e400, 0.1]`, `[12345678901234567890123,1.10,1e400,0.1]`},
		{`.a + 1`, `{"a":9007199254740993}`, `9007199254740994`},
		{`.a * 10`, `{"a":12345678901234567890123}`, `123456789012345678901230`},
		{`.a + 1 * 2 - 3`, `{"a":5}`, `4`},
		{`(.a, .b) + (10, 20)`, `{"a":1,"b":2}`, `11`},
		{`[(1, 2) * (10, 20)]`, `null`, `[10,20,20,40]`},
		{`[(1, 2) + (10, 20)]`, `null`, `[11,12,21,22]`},
		{`.a += 1 | .b *= 3 | .c += "x"`, `{"a":1,"b":2,"c":"y"}`, `{"a":2,"b":6,"c":"yx"}`},
		{`.a[] += (10, 20)`, `{"a":[1,2]}`, `{"a":[11,12]}`},
		{`[.a += (1, 2)]`, `{"a":0}`, `[{"a":1},{"a":2}]`},
		{`def f(x): x + 1; f(.a) * 2`, `{"a":3}`, `8`},
		{`def two: 2; . * two + two`, `3`, `8`},
		{`"\(.a)-\(.b + 1)"`, `{"a":[1],"b":2}`, `"[1]-3"`},
		{`@base64 "x\(.a)"`, `{"a":"hi"}`, `"xaGk="`},
		{`@json`, `{"a":1}`, `"{\"a\":1}"`},
		{`.a | @base64d`, `{"a":"aGk="}`, `"hi"`},
		{`{(.k + "x"): .v, "a\(.v)": 1}`, `{"k":"n","v":2}`, `{"a2":1,"nx":2}`},
		{`.[0], .[-1]`, `[1,2,3]`, `1`},
		{`.[.n]`, `{"n":"n"}`, `"n"`},
		{`.a[.i] = 7`, `{"a":[1,2],"i":1}`, `{"a":[1,7],"i":1}`},
		{`.x[2] = 1`, `{}`, `{"x":[null,null,1]}`},
		{`setpath(["a",1]; 2)`, `{}`, `{"a":[null,2]}`},
		{`getpath(["a","b"]) |= 5`, `{}`, `{"a":{"b":5}}`},
		{`path(.a[0].b)`, `{}`, `["a",0,"b"]`},
		{`[paths]`, `{"a":[1]}`, `[["a"],["a",0]]`},
		{`gsub("a"; "b") | sub("c"; "d")`, `"aac"`, `"bbd"`},
		{`[scan("[0-9]+")]`, `"a1b22"`, `["1","22"]`},
		{`split(",") | join("-")`, `"a,b"`, `"a-b"`},
		{`[.[] | tostring] | add`, `[1,[2]]`, `"1[2]"`},
		{`add(.[].a)`, `[{"a":1},{"a":2}]`, `3`},
		{`transpose`, `[[1],[2,3]]`, `[[1,2],[null,3]]`},
		{`fromstream(tostream)`, `{"a":[1,{"b":2}]}`, `{"a":[1,{"b":2}]}`},
		{`. as {a: $x, b: [$y]} | $x * $y`, `{"a":3,"b":[4]}`, `12`},
		{`reduce .[] as $x (0; . + $x)`, `[1,2,3]`, `6`},
		{`[foreach .[] as $x (0; . + $x; . * 2)]`, `[1,2]`, `[2,6]`},
		{`try (1 + {}) catch "no"`, `null`, `"no"`},
		{`if .a * 2 > 3 then "y" elif .a + 1 == 2 then "z" else "n" end`, `{"a":1}`, `"z"`},
		{`label $f | 1 + 1, break $f`, `null`, `2`},
		{`"ab" * 3`, `null`, `"ababab"`},
		{`{a:{b:1}} * {a:{c:2}}`, `null`, `{"a":{"b":1,"c":2}}`},
		{`-(.a + 1)`, `{"a":1}`, `-2`},
		{`env, $ENV`, `null`, `{}`},
		{`$event.type + "/" + $event.headers["x-a"]`, `null`, `"push/1, 2"`},
		{`"<\u2028&>"`, `null`, "\"<\u2028&>\""},
	} {
		got, err := compile(t, c.src).Transform(t.Context(), decode(t, c.in), jq.Event(&event.Event{
			Type: "push", Header: http.Header{"X-A": {"1", "2"}},
		}))
		if err != nil || string(got) != c.want {
			t.Errorf("%s of %s: %s, %v, want %s", c.src, c.in, got, err, c.want)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{
		`.a == 1`: true, `.a > 1`: false, `null`: false, `0`: true, `""`: true, `empty`: false,
		`select(.a == 1)`: true, `.b`: false, `false, true`: false, `$event.hook == ""`: true,
	} {
		got, err := compile(t, src).Filter(t.Context(), decode(t, `{"a":1}`), jq.Event(&event.Event{}))
		if err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", src, got, err, want)
		}
	}
	if _, err := compile(t, `.a | error("no " + tostring)`).Filter(t.Context(), decode(t, `{"a":1}`), nil); err == nil || !strings.Contains(err.Error(), "no 1") {
		t.Errorf("error: %v", err)
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]int{
		`.a | `: 5, `.a ] .b`: 3, `{"a":}`: 5, `.a | foo(1)`: 5, `$x + 1`: 0, `"abc`: -2, ``: -2,
		`input`: -2, `inputs`: -2, `debug`: -2, `import "a" as a; .`: -2, `include "a"; .`: -2,
		`$__prog_args`: 0, `input_filename`: 0, `get_search_list`: 0, `stderr`: 0,
	} {
		_, err := jq.Compile(src)
		var e *jq.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", src, err)
			continue
		}
		if want != -2 && e.Offset != want {
			t.Errorf("%q: %v: offset %d, want %d", src, err, e.Offset, want)
		}
	}
}

// What data can do to a program ends with an error, in bounded memory.
func TestBombs(t *testing.T) {
	big := strings.Repeat("a", 1<<20)
	for _, c := range []struct {
		src  string
		in   any
		want error
	}{
		{`[range(1e9)] | length`, nil, jq.ErrTime},
		{`[limit(1e12; repeat(1))]`, nil, jq.ErrTime},
		{`def f: f; f`, nil, jq.ErrTime},
		{`def f: 1 + f; f`, nil, jq.ErrTime},
		{`def f: [f]; f`, nil, jq.ErrTime},
		{`[recurse(.)]`, nil, jq.ErrTime},
		{`try repeat(.) catch .| empty`, nil, jq.ErrTime},
		{`[.[] | . as $x | range(1e6)] | add`, []any{1, 2, 3, 4, 5, 6, 7, 8, 9}, jq.ErrTime},
		{`"a" * 1e9`, nil, jq.ErrSize},
		{`1e9 * "a"`, nil, jq.ErrSize},
		{`. * .`, "a", nil},
		{`"a" | . *= 1e9`, nil, jq.ErrSize},
		{`reduce range(64) as $i ("a"; . + .)`, nil, jq.ErrSize},
		{`reduce range(64) as $i ("a"; . += .)`, nil, jq.ErrSize},
		{`reduce range(64) as $i ("a"; "\(.)\(.)")`, nil, jq.ErrSize},
		{`reduce range(64) as $i ([1]; . + .)`, nil, jq.ErrSize},
		{`reduce range(64) as $i ([1]; [., .]) | tojson`, nil, jq.ErrSize},
		{`reduce range(64) as $i ([1]; [., .]) | flatten`, nil, jq.ErrSize},
		{`reduce range(64) as $i ([1]; [., .]) | @text`, nil, jq.ErrSize},
		{`reduce range(64) as $i ([1]; [., .])`, nil, jq.ErrSize},
		{`reduce range(5000) as $i (1; [.])`, nil, jq.ErrSize},
		{`[range(100)] | map("` + big + `") | add`, nil, jq.ErrSize},
		{`[range(100)] | map("` + big + `") | join(",")`, nil, jq.ErrSize},
		{`.[500000000] = 1`, nil, jq.ErrSize},
		{`.[.n] = 1`, map[string]any{"n": 5e8}, jq.ErrSize},
		{`.n as $n | .a[$n] = 1`, map[string]any{"n": 5e8}, jq.ErrSize},
		{`.n as $n | .a[$n] |= 1`, map[string]any{"n": 5e8}, jq.ErrSize},
		{`setpath([5e8]; 1)`, nil, jq.ErrSize},
		{`getpath([5e8]) |= 1`, nil, jq.ErrSize},
		{`fromstream([[5e8], 1])`, nil, jq.ErrSize},
		{`pick(.[500000000])`, nil, jq.ErrSize},
		{`[range(3000)] | [., map([.])[]] | transpose`, nil, jq.ErrSize},
		{`[match("";"g")] | length`, big, jq.ErrSize},
		{`gsub("a"; "b")`, big, jq.ErrSize},
		{`explode`, strings.Repeat(big, 4), jq.ErrSize},
		{`split("a")`, strings.Repeat(big, 4), jq.ErrSize},
		{`tonumber + 1`, strings.Repeat("9", 1<<20), jq.ErrSize},
		{`fromjson + 1`, strings.Repeat("9", 1<<20), jq.ErrSize},
		{`reduce range(1e6) as $i (1; . * 1000003)`, nil, jq.ErrSize},
	} {
		t.Run(c.src[:min(len(c.src), 40)], func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v, err := compile(t, c.src).Transform(t.Context(), c.in, nil)
			runtime.ReadMemStats(&after)
			if c.want == nil {
				if err == nil || errors.Is(err, jq.ErrSize) || errors.Is(err, jq.ErrTime) {
					t.Errorf("%v, want an error of the program", err)
				}
			} else if !errors.Is(err, c.want) && !errors.Is(err, jq.ErrTime) { // a slow machine runs out of time first
				t.Errorf("%.80s, %v, want %v", v, err, c.want)
			}
			grown := after.HeapSys - before.HeapSys
			t.Logf("allocated %d MiB, heap grew %d MiB", (after.TotalAlloc-before.TotalAlloc)>>20, int64(grown)>>20)
			if int64(grown) > 700<<20 {
				t.Errorf("heap grew by %d MiB", grown>>20)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := compile(t, `[range(1e9)]`).Run(ctx, nil, nil); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

func TestRunDoesNotChangeItsInput(t *testing.T) {
	t.Parallel()
	in := decode(t, `{"a":[1,{"b":2}],"c":3}`)
	before, _ := json.Marshal(in)
	for _, src := range []string{`.a[0] = 9`, `del(.c)`, `.a[1].b |= 7`, `.a += [1]`, `with_entries(.value = 0)`, `.a |= reverse`, `[.. | numbers] | sort`} {
		if _, err := compile(t, src).Run(t.Context(), in, nil); err != nil {
			t.Errorf("%s: %v", src, err)
		}
		if after, _ := json.Marshal(in); string(after) != string(before) {
			t.Fatalf("%s changed its input to %s", src, after)
		}
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	id, _ := event.ParseID("01936f00-0000-7000-8000-0000000000ff")
	got, err := compile(t, `$event`).Transform(t.Context(), nil, jq.Event(&event.Event{
		ID: id, Hook: "github", Type: "push", Received: time.Unix(1e9, 5).UTC(), Remote: netip.MustParseAddr("192.0.2.1"),
		Subject: "hmac:github", Query: "a=b", Header: http.Header{"X-One": {"1"}},
	}))
	want := `{"headers":{"x-one":"1"},"hook":"github","id":"01936f00-0000-7000-8000-0000000000ff","query":"a=b","received":"2001-09-09T01:46:40.000000005Z","remote":"192.0.2.1","subject":"hmac:github","type":"push"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{``, `{`, `1 2`, `{"a":1}x`, `nul`} {
		if _, err := jq.Decode([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if _, err := jq.Decode([]byte(`[` + strings.Repeat("1", 2000) + `]`)); !errors.Is(err, jq.ErrSize) {
		t.Errorf("long number: %v", err)
	}
	if _, err := jq.Decode([]byte(`["\"` + strings.Repeat("1", 2000) + `"]`)); err != nil {
		t.Errorf("digits in a string: %v", err)
	}
}

// No source makes the compiler or a bounded run panic.
func FuzzCompileAndRun(f *testing.F) {
	for _, s := range []string{`.a + .b * 2`, `"\(.)x" | @json`, `.a[.b] |= . + 1`, `def f(x): x; f(.)`, `. as [$a, {b: $c}] | $a`, `.. |= (.?)`, `[limit(3; repeat(.))]`, `.a *= 2 | .[1:2] = [1]`} {
		f.Add(s, `{"a":[1,"x",null],"b":1}`)
	}
	f.Fuzz(func(t *testing.T, src, in string) {
		p, err := jq.Compile(src)
		if err != nil {
			return
		}
		v, err := jq.Decode([]byte(in))
		if err != nil {
			v = in
		}
		out, err := p.Transform(t.Context(), v, nil)
		if err == nil && !json.Valid(out) {
			t.Errorf("%s: not JSON: %q", src, out)
		}
	})
}

func BenchmarkFilter(b *testing.B) {
	p := compile(b, `.action == "opened" and (.pull_request.draft | not) and $event.type == "pull_request"`)
	in := decode(b, `{"action":"opened","pull_request":{"draft":false,"number":7}}`)
	ev := jq.Event(&event.Event{Type: "pull_request"})
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := p.Filter(b.Context(), in, ev); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	p := compile(b, `{text: "\(.user.login) opened #\(.number)", n: (.number + 1), labels: [.labels[].name]}`)
	in := decode(b, `{"user":{"login":"ada"},"number":7,"labels":[{"name":"a"},{"name":"b"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Transform(b.Context(), in, nil); err != nil {
			b.Fatal(err)
		}
	}
}
