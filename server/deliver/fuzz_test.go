package deliver

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// Whatever JSON comes in, what comes out is JSON with the same values but for
// those under secret names, and no secret is left when it is cleaned again.
func FuzzCleanup(f *testing.F) {
	for _, s := range []string{`{"password":"x","a":[1,{"token":["b"]}]}`, `[]`, `{"a":{}}`, ` { "a" : [ 1 , 2 ] } `, `"password"`, `{"\u0061uth":1e5}`, `{"a":1,"a":2}`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, in string, remove bool) {
		c := NewCleanup(remove, nil)
		out, err := c.json([]byte(in))
		if err != nil {
			if json.Valid([]byte(in)) && len(in) < 5000 { // deeper nesting is refused by the decoder
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		if !json.Valid([]byte(in)) {
			t.Skip("the token reader takes a little more than Valid")
		}
		if !json.Valid(out) {
			t.Fatalf("%q became %q", in, out)
		}
		again, err := c.json(out)
		if err != nil || !bytes.Equal(again, out) {
			t.Errorf("%q, cleaned again: %q, %v", out, again, err)
		}
		if bytes.Equal(out, []byte(in)) {
			return
		}
		var a, b any
		_ = json.Unmarshal([]byte(in), &a)
		_ = json.Unmarshal(out, &b)
		if reflect.DeepEqual(a, b) && !bytes.Contains([]byte(in), []byte(Mask)) && !remove {
			t.Errorf("%q was rewritten to %q for nothing", in, out)
		}
	})
}

// Nothing but a valid traceparent is continued.
func FuzzTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Fuzz(func(t *testing.T, s string) {
		id, flags, ok := parseTraceparent([]string{s})
		if ok && (len(id) != 32 || len(flags) != 2 || s != "00-"+id+"-"+s[36:52]+"-"+flags) {
			t.Errorf("%q gives %q, %q", s, id, flags)
		}
	})
}

// No name makes the cutting into words fail or lose a letter.
func FuzzWords(f *testing.F) {
	f.Add("X-APIKey2_ünïCode")
	f.Fuzz(func(t *testing.T, s string) {
		for _, w := range words(s) {
			if w == "" {
				t.Errorf("%q has an empty word", s)
			}
		}
	})
}
