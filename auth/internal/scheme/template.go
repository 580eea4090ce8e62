package scheme

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// atoms are what a template may hold besides sources. {secret} is for digests,
// {time} is what the clock read, {url} is the configured public URL, and
// {url_query} that one with the query of the request.
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
