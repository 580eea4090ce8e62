package oauth1

import (
	"strings"

	"github.com/hookd/hookd/auth"
)

// BaseString is the signature base string of a request to a hook without url.
func BaseString(r *auth.Request) (string, error) {
	p, d := collect(r)
	if d != nil {
		return "", d
	}
	var b strings.Builder
	writeBase(&b, r.Method, base{}.uri(r), p.signed())
	return b.String(), nil
}

// Collect returns the parameters of the protocol, and how many others of the
// header are signed.
func Collect(r *auth.Request) (oauth map[string]string, others int, err error) {
	p, d := collect(r)
	if d != nil {
		return nil, 0, d
	}
	for _, h := range p.header {
		if !strings.HasPrefix(h.name, prefix) && !strings.EqualFold(h.name, "realm") {
			others++
		}
	}
	return p.oauth, others, nil
}

// WriteBase builds a base string of pairs of names and values.
func WriteBase(method, uri string, names, values []string) string {
	ps := make([]pair, len(names))
	for i := range names {
		ps[i] = pair{names[i], values[i]}
	}
	var b strings.Builder
	writeBase(&b, method, uri, ps)
	return b.String()
}

// Escape is the percent-encoding.
var Escape = escape
