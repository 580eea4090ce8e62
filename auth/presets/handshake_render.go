package presets

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
)

// maxReflected is the length in bytes of the longest value that a handshake
// gives back. Real challenges are far shorter.
const maxReflected = 1024

// render makes the answer; nil where the request lacks a value, or has one that
// is not safe to give back.
func (t *reply) render(r *auth.Request, params map[string]string) *auth.Answer {
	a := &auth.Answer{Status: t.status}
	body, ok := join(t.body, r, params, escapeFor(t.kind))
	if !ok {
		return nil
	}
	a.Body = []byte(body)
	for _, h := range t.headers {
		v, ok := join(h.value, r, params, asHeader)
		if !ok {
			return nil
		}
		set(a, h.name, v)
	}
	if t.kind != "" {
		set(a, "Content-Type", t.kind)
	}
	return a
}

func join(parts []part, r *auth.Request, params map[string]string, escape func(string) (string, bool)) (string, bool) {
	var b strings.Builder
	for _, p := range parts {
		if p.from == nil {
			b.WriteString(p.text)
			continue
		}
		v, code := p.from.Value(r, params)
		if code != "" || !reflectable(v) {
			return "", false
		}
		if p.mac != nil {
			v = p.mac(v)
		}
		v, ok := escape(v)
		if !ok {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), true
}

// reflectable refuses what no challenge has, and what a decoder has put in for
// bytes that are no UTF-8.
func reflectable(v string) bool {
	return len(v) <= maxReflected && !auth.HasControl(v) && strings.IndexByte(v, '\t') < 0 && !strings.ContainsRune(v, utf8.RuneError)
}

func escapeFor(kind string) func(string) (string, bool) {
	if kind == jsonType {
		return asJSON
	}
	return func(v string) (string, bool) { return v, true }
}

// asJSON is the inside of a JSON string; angle brackets are escaped too.
func asJSON(v string) (string, bool) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", false
	}
	return string(b[1 : len(b)-1]), true
}

// asHeader takes visible ASCII only.
func asHeader(v string) (string, bool) {
	for i := range len(v) {
		if v[i] < '!' || v[i] > '~' {
			return "", false
		}
	}
	return v, true
}

func set(a *auth.Answer, name, value string) {
	if a.Header == nil {
		a.Header = make(map[string]string)
	}
	a.Header[name] = value
}
