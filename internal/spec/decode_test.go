package spec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/spec"
)

func TestDecodeValues(t *testing.T) {
	t.Parallel()
	e, _, problems := load(t, `{
		"_comment": {"$x": 1}, "$schema": "s",
		"txt": 5, "level": "SHA1", "count": "{$PORT0:07}", "ratio": "0.5", "on": "yes",
		"wait": "1m30s", "max": "1.5 KiB", "home": "https://h/p", "key": "{$PW}", "keys": "one",
		"headers": {"A": "b", "_c": "d", "n": null}, "labels": {"a": 1, "b": true},
		"free": {"a": [1, "x", null, true]}, "tls": {"name": "n"}, "rules": ["plain", {"name": "r", "port": "81"}],
		"zones": {"z": "inline"}
	}`)
	if len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	if e.Text != "5" || e.Level != "sha1" || e.Count != 7 || e.Ratio != 0.5 || !e.On || !e.WasSet || e.Wait != 90*time.Second ||
		e.Max != 1536 || e.Home.Host != "h" || e.Key.Reveal() != "s3cr3t-value" || len(e.Keys) != 1 || e.Keys[0].Reveal() != "one" {
		t.Errorf("%+v", e)
	}
	if len(e.Headers) != 1 || e.Headers["A"].Reveal() != "b" || e.Labels["a"] != "1" || e.Labels["b"] != "true" {
		t.Errorf("maps: %v %v", e.Headers, e.Labels)
	}
	if !e.HasTLS || e.TLS != (inner{"n", 80}) || len(e.Rules) != 2 || e.Rules[0] != (inner{"plain", 80}) || e.Rules[1] != (inner{"r", 81}) ||
		e.Zones["z"] != (inner{"inline", 80}) {
		t.Errorf("groups: %+v %+v %+v", e.TLS, e.Rules, e.Zones)
	}
}

func TestDecodeDefaults(t *testing.T) {
	t.Parallel()
	e, _, problems := load(t, `{"on": null, "tls": null}`)
	if len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	if e.Text != "d" || e.Level != "sha256" || e.Count != 3 || e.Wait != 5*time.Minute || e.Max != 10<<20 || e.TLS.Port != 80 || e.WasSet || e.HasTLS {
		t.Errorf("%+v", e)
	}
	if problems := spec.Decode(nil, &inner{}, "p"); len(problems) != 1 || problems[0].Message != "is required" {
		t.Errorf("a nil node: %s", lines(problems))
	}
}

func TestDecodeProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{"level": "md5"}`, `1:11 level: "md5" is not one of sha256, sha1, sha512`},
		{`{"level": "sha265"}`, `1:11 level: "sha265" is not one of sha256, sha1, sha512 [did you mean "sha256"?]`},
		{`{"lvel": "sha1"}`, `1:2 lvel: unknown key [did you mean "level"?]`},
		{`{"count": 11}`, `1:11 count: 11 is out of range: 0 to 10`},
		{`{"count": 1.5}`, `1:11 count: must be a whole number; 1.5 is not`},
		{`{"count": "x"}`, `1:11 count: must be a whole number; "x" is not`},
		{`{"count": 99999999999999999999}`, `1:11 count: must be a whole number; 99999999999999999999 is not`},
		{`{"count": true}`, `1:11 count: must be a whole number, not a boolean`},
		{`{"ratio": "NaN"}`, `1:11 ratio: must be a number; "NaN" is not`},
		{`{"ratio": 1e999}`, `1:11 ratio: must be a number; 1e999 is not`},
		{`{"on": "maybe"}`, `1:8 on: must be true or false; "maybe" is not`},
		{`{"on": 2}`, `1:8 on: must be true or false; 2 is not`},
		{`{"wait": "5 minutes"}`, `1:10 wait: must be a duration such as "90s", "5m" or "1h30m", or a number of seconds; "5 minutes" is not`},
		{`{"wait": -1}`, `1:10 wait: -1 is negative`},
		{`{"wait": "2h"}`, `1:10 wait: "2h" is out of range: 1s to 1h`},
		{`{"max": "10 parsecs"}`, `1:9 max: must be a size such as "10MiB" or "512KiB", or a number of bytes; "10 parsecs" is not`},
		{`{"max": -1}`, `1:9 max: must be a size such as "10MiB" or "512KiB", or a number of bytes; -1 is not`},
		{`{"home": "nope"}`, `1:10 home: "nope" is not an absolute URL such as https://host/path`},
		{`{"home": "u:p@x"}`, `1:10 home: must be an absolute URL such as https://host/path`},
		{`{"key": ""}`, `1:9 key: is empty`},
		{`{"key": "{$EMPTY}"}`, `1:9 key: is empty: its reference has an empty value`},
		{`{"key": 5}`, `1:9 key: must be a string, not a number [put it in quotes]`},
		{`{"keys": ["a", " "]}`, `1:16 keys[1]: is empty`},
		{`{"keys": []}`, `1:10 keys: is empty`},
		{`{"headers": {"A": 5}}`, `1:19 headers.A: must be a string, not a number [put it in quotes]`},
		{`{"headers": {"A": "1", "b": null, "B": "2", "a": "3", "_a": 4}}`, `1:45 headers.a: the key "a" is here twice [it is first on line 1; keep one: upper and lower case are the same here]`},
		{`{"labels": {"a b": []}}`, `1:20 labels["a b"]: must be a string, not a list`},
		{`{"text": "a!"}`, `1:10 text: must not shout`},
		{`{"text": true}`, `1:10 text: must be a string, not a boolean`},
		{`{"text": "a", "txt": "b"}`, `1:15 txt: "txt" and "text" are the same setting, with different values [keep one of them]`},
		{`{"text": "a", "txt": "a"}`, `1:15 warning txt: "txt" and "text" are the same setting [keep one of them]`},
		{`{"legacy": [1]}`, `1:12 warning legacy: does nothing: it never did. [remove it]`},
		{`{"names": ["a"]}`, `1:2 warning names: is deprecated [use labels]`},
		{`{"tls": {}}`, `1:9 tls.name: is required`},
		{`{"tls": {"name": "root", "port": 22}}`, `1:34 tls.port: root may not use 22 [another port]`},
		{`{"tls": []}`, `1:9 tls: must be a string, not a list`},
		{`{"rules": {}}`, `1:11 rules: must be a list, not an object`},
		{`{"rules": [{"name": "a"}, {"port": 0}]}`, "1:27 rules[1].name: is required\n1:36 rules[1].port: 0 is out of range: 1 to 65535"},
		{`{"zones": {"a": {"x": 1}}}`, "1:17 zones.a.name: is required\n1:18 zones.a.x: unknown key [known keys: name, port]"},
		{`[]`, `1:1 root: must be an object, not a list`},
		{`{"a": "{$PW}", "level": "{$PW}"}`, "1:2 a: unknown key\n1:25 level: {$PW} is not one of sha256, sha1, sha512"},
		{`{"count": "{$PW}"}`, `1:11 count: must be a whole number; {$PW} is not`},
	} {
		_, _, problems := load(t, c.in)
		if got := strings.TrimSpace(lines(problems)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
		if strings.Contains(lines(problems), "s3cr3t") {
			t.Errorf("%s shows a resolved value", c.in)
		}
	}
}

func TestReferencesMakeNumbersAndBooleans(t *testing.T) {
	t.Parallel()
	e, n, problems := load(t, `{"count": "{$N:5}", "on": "{$YES}", "tls": {"name": "a{$PORT}b{$X:}c", "port": "{$PORT}"}}`)
	if len(problems) > 0 || e.Count != 5 || !e.On || e.TLS != (inner{"a8080bc", 8080}) {
		t.Errorf("%+v %s", e, lines(problems))
	}
	if v := n.Get("tls").Get("name"); !v.FromReference || v.WholeReference || v.Written != "a{$PORT}b{$X:}c" {
		t.Errorf("%+v", v)
	}
	if v := n.Get("count"); !v.FromReference || !v.WholeReference {
		t.Errorf("%+v", v)
	}
}
