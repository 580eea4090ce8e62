package scheme

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
)

// template is what a signature covers: literals and atoms in order.
type template []segment

type segment struct {
	atom     atom
	text     string // of a literal
	from     Source // of a source
	optional bool   // a source that is missing is empty
}

type atom uint8

const (
	literal atom = iota
	atBody
	atTime
	atMethod
	atURL        // the public URL, as configured
	atURLQuery   // the public URL with the query as received
	atURLDecoded // the same, with some escapes undone
	atPath       // as received, without the query
	atSecret
	atForm     // sorted name+value pairs of the form
	atFormUniq // the same, equal pairs once
	atFormPHP  // the form but the signature, as PHP serializes a sorted array
	atCRC      // CRC-32 of the body as an unsigned decimal
	atBodyHash // hex of the SHA-256 of the body
	atSource
)

var atoms = map[string]atom{
	"body": atBody, "time": atTime, "method": atMethod, "path": atPath, "secret": atSecret,
	"url": atURL, "url_query": atURLQuery, "url_query_decoded": atURLDecoded,
	"sorted_form": atForm, "sorted_form_uniq": atFormUniq, "php_form": atFormPHP, "crc32:body": atCRC, "hex:sha256:body": atBodyHash,
}

// parseTemplate reads "v0:{time}:{body}". A source with a question mark behind
// its kind, "{item?:a.b}", may be missing: it is empty then.
func parseTemplate(text string) (template, error) {
	var t template
	for text != "" {
		lit, rest, found := strings.Cut(text, "{")
		if lit != "" {
			t = append(t, segment{text: lit})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New("a brace is not closed")
		}
		text = after
		if a, ok := atoms[name]; ok {
			t = append(t, segment{atom: a})
			continue
		}
		kind, of, _ := strings.Cut(name, ":")
		kind, optional := strings.CutSuffix(kind, "?")
		src, err := ParseSource(kind + ":" + of)
		if err != nil {
			return nil, fmt.Errorf("{%s} is neither an atom nor a source", name)
		}
		t = append(t, segment{atom: atSource, from: src, optional: optional})
	}
	return t, nil
}

func (t template) has(a atom) bool {
	return slices.ContainsFunc(t, func(s segment) bool { return s.atom == a })
}

// fromSender: the sender of each request can make it differ.
func (s segment) fromSender() bool {
	switch s.atom {
	case literal, atSecret, atURL:
		return false
	case atSource:
		return s.from.kind != fromParam
	case atBody, atTime, atMethod, atURLQuery, atURLDecoded, atPath, atForm, atFormUniq, atFormPHP, atCRC, atBodyHash:
	}
	return true
}

// wholeBody: it is computed over the whole body.
func (s segment) wholeBody() bool {
	switch s.atom {
	case atBody, atForm, atFormUniq, atFormPHP, atCRC, atBodyHash:
		return true
	default:
		return false
	}
}

func (s segment) needsURL() bool {
	return s.atom == atURL || s.atom == atURLQuery || s.atom == atURLDecoded
}

// single is the source that is all of the template.
func (t template) single() (Source, bool) {
	if len(t) != 1 || t[0].atom != atSource {
		return Source{}, false
	}
	return t[0].from, true
}

// write puts the covered bytes into the hash. A source that the request lacks
// refuses it.
func (t template) write(st *state, in *input) (code string) {
	for i := range t {
		switch seg := &t[i]; seg.atom {
		case literal:
			st.string(seg.text)
		case atBody:
			_, _ = st.w.Write(in.r.Body)
		case atTime:
			st.string(in.time)
		case atMethod:
			st.string(in.r.Method)
		case atURL:
			st.string(in.url)
		case atURLQuery:
			st.string(in.urlQuery())
		case atURLDecoded:
			st.string(someDecoded.Replace(in.urlQuery()))
		case atPath:
			st.string(in.r.URL.EscapedPath())
		case atSecret:
			_, _ = st.w.Write(st.key)
		case atForm, atFormUniq:
			text, err := SortedForm(in.r.Body, seg.atom == atFormUniq)
			if err != nil {
				return auth.CodeMalformed
			}
			st.string(text)
		case atFormPHP:
			text, code := phpForm(in.r.Body, in.own)
			if code != "" {
				return code
			}
			st.string(text)
		case atCRC:
			st.string(strconv.FormatUint(uint64(crc32.ChecksumIEEE(in.r.Body)), 10))
		case atBodyHash:
			sum := sha256.Sum256(in.r.Body)
			st.string(hex.EncodeToString(sum[:]))
		case atSource:
			v, code := seg.from.read(in)
			if code == auth.CodeMissing && seg.optional && !seg.from.misshapen(in) {
				continue
			}
			if code != "" {
				return code
			}
			st.string(v)
		}
	}
	return ""
}

// render is the covered bytes themselves.
func (t template) render(in *input) (b []byte, code string) {
	var buf bytes.Buffer
	code = t.write(&state{w: &buf}, in)
	return buf.Bytes(), code
}

// someDecoded undoes the escapes that HubSpot signs undone: those of
// ":/?@!$'()*,;".
var someDecoded = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
)

// urlQuery is the public URL with the query as it was received.
func (in *input) urlQuery() string {
	base, _, _ := strings.Cut(in.url, "?")
	if in.r.URL == nil || in.r.URL.RawQuery == "" {
		return base
	}
	return base + "?" + in.r.URL.RawQuery
}
