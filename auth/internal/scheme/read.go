package scheme

import (
	"errors"
	"net/http"
	neturl "net/url"
	"strings"

	"github.com/hookd/hookd/auth"
)

// input is a request while it is being verified or signed.
type input struct {
	r      *auth.Request
	url    string // the public URL, as configured
	params map[string]string
	sig    string // the header with the signature
	list   *Sig   // how sig is split
	time   string
	form   neturl.Values
	item   []byte // the JSON of the item
	index  int    // of the item
	own    string // the field of the form that holds the signature
}

// read returns the value of s. The code is as of auth.OneHeader.
func (s Source) read(in *input) (value, code string) {
	switch s.kind {
	case fromHeader:
		return auth.OneHeader(in.r.Header, s.name)
	case fromQuery:
		query := ""
		if in.r.URL != nil {
			query = in.r.URL.RawQuery
		}
		return auth.OneParam(query, s.name)
	case fromForm:
		return s.readForm(in)
	case fromJSON:
		return s.readJSON(in.r.Body)
	case fromItem:
		return s.readJSON(in.item)
	case fromSig:
		return in.list.value(in.sig, s.name)
	case fromParam:
		return present(in.params[s.name])
	}
	return "", auth.CodeMissing
}

func present(v string) (string, string) {
	if v == "" {
		return "", auth.CodeMissing
	}
	return v, ""
}

func (s Source) readJSON(doc []byte) (string, string) {
	out := [1]string{}
	switch err := findJSON(doc, []jsonPath{s.path}, out[:]); {
	case errors.Is(err, ErrDuplicate):
		return "", auth.CodeDoubled
	case err != nil:
		return "", auth.CodeMalformed
	}
	return present(out[0])
}

// misshapen reports whether there is something at s where read found nothing:
// an object or an array.
func (s Source) misshapen(in *input) bool {
	doc := in.r.Body
	switch s.kind {
	case fromItem:
		doc = in.item
	case fromJSON:
	case fromHeader, fromQuery, fromForm, fromSig, fromParam:
		return false
	}
	at, err := locateJSON(doc, s.path)
	return err != nil || at != span{} && (doc[at.from] == '{' || doc[at.from] == '[')
}

func (s Source) readForm(in *input) (string, string) {
	if in.form == nil {
		form, err := neturl.ParseQuery(string(in.r.Body))
		if err != nil {
			return "", auth.CodeMalformed
		}
		in.form = form
	}
	switch vs := in.form[s.name]; len(vs) {
	case 0:
		return "", auth.CodeMissing
	case 1:
		return present(vs[0])
	}
	return "", auth.CodeDoubled
}

// has reports whether the request has anything at s, well-formed or not. A body
// of another type has nothing: one that is no JSON may be a form.
func (s Source) has(in *input) bool {
	if s.kind == fromHeader {
		if s.wild {
			return hasPrefix(in.r.Header, s.name)
		}
		return len(in.r.Header[s.name]) > 0
	}
	_, code := s.read(in)
	if s.kind == fromJSON || s.kind == fromForm {
		return code == "" || code == auth.CodeDoubled
	}
	return code != auth.CodeMissing
}

func hasPrefix(h http.Header, prefix string) bool {
	for k := range h {
		if strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}
