package scheme

import (
	"fmt"
	"net/textproto"
	"strings"
)

// Source is a place in a request: "header:NAME", "query:NAME", "form:NAME",
// "json:a.0.b", "item:a.b" (from the item of Alternative.ForEach), "sig:KEY"
// (parsed from the list that holds the signature), or "param:NAME", which is
// the operator's and not the sender's.
type Source struct {
	kind sourceKind
	name string // headers are canonical
	path jsonPath
	wild bool // a header prefix
}

type sourceKind uint8

const (
	fromHeader sourceKind = iota
	fromQuery
	fromForm
	fromJSON
	fromSig
	fromParam
	fromItem
)

var sourceNames = [...]string{"header", "query", "form", "json", "sig", "param", "item"}

// ParseSource reads the text form.
func ParseSource(text string) (Source, error) {
	kind, name, ok := strings.Cut(text, ":")
	if !ok || name == "" {
		return Source{}, fmt.Errorf("source %q: want kind:name", text)
	}
	for i, known := range sourceNames {
		if kind != known {
			continue
		}
		s := Source{kind: sourceKind(i), name: name}
		switch s.kind {
		case fromHeader:
			name, s.wild = strings.CutSuffix(name, "*")
			s.name = textproto.CanonicalMIMEHeaderKey(name)
		case fromJSON, fromItem:
			s.path = parsePath(name)
		case fromQuery, fromForm, fromSig, fromParam:
		}
		return s, nil
	}
	return Source{}, fmt.Errorf("source %q: unknown kind", text)
}

// ParseSources reads a list.
func ParseSources(texts []string) ([]Source, error) {
	var all []Source
	for _, t := range texts {
		s, err := ParseSource(t)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// String is the text form.
func (s Source) String() string {
	star := ""
	if s.wild {
		star = "*"
	}
	return sourceNames[s.kind] + ":" + s.name + star
}

// Header is the canonical header that s reads, or "".
func (s Source) Header() string {
	if s.kind == fromHeader {
		return s.name
	}
	return ""
}

// InBody reports whether s reads the body.
func (s Source) InBody() bool { return s.kind == fromForm || s.kind == fromJSON }
