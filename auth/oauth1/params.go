package oauth1

import (
	"errors"
	"net/url"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/authparam"
)

// maxParams is how many parameters a query or a form may have.
const maxParams = 10_000

const prefix = "oauth_"

// params are all parameters of a request.
type params struct {
	header, query, form []pair
	isForm              bool
	oauth               map[string]string // the protocol's own, wherever they stood
	place               string            // where that was
}

// signed are those of the base string (RFC 5849 section 3.4.1.3.1).
func (p *params) signed() []pair {
	all := make([]pair, 0, len(p.header)+len(p.query)+len(p.form))
	for _, h := range p.header {
		if !strings.EqualFold(h.name, "realm") {
			all = appendSigned(all, h)
		}
	}
	for _, q := range p.query {
		all = appendSigned(all, q)
	}
	for _, f := range p.form {
		all = appendSigned(all, f)
	}
	return all
}

// pathOnly are those that the original service signed: of the header, and of a
// form the first of each name.
func (p *params) pathOnly() []pair {
	var all []pair
	for _, h := range p.header {
		all = appendSigned(all, h)
	}
	seen := make(map[string]bool)
	for _, f := range p.form {
		if !seen[f.name] {
			all = appendSigned(all, f)
		}
		seen[f.name] = true
	}
	return all
}

func appendSigned(all []pair, p pair) []pair {
	if p.name == "oauth_signature" {
		return all
	}
	return append(all, p)
}

// collect reads the parameters. Those of the protocol stand in one place only
// and each once (RFC 5849 sections 3.1 and 3.5).
func collect(r *auth.Request) (*params, *auth.Denial) {
	p := &params{oauth: make(map[string]string)}
	other, d := p.readHeader(r)
	if d != nil {
		return nil, d
	}
	var err error
	if r.URL != nil {
		if p.query, err = decodePairs(r.URL.RawQuery); err != nil {
			return nil, deny(auth.CodeMalformed, "the query "+err.Error())
		}
	}
	if p.isForm, err = isForm(r.Header["Content-Type"]); err != nil {
		return nil, deny(auth.CodeMalformed, err.Error())
	}
	if p.isForm {
		if p.form, err = decodePairs(string(r.Body)); err != nil {
			return nil, deny(auth.CodeMalformed, "the form "+err.Error())
		}
	}
	for _, place := range []struct {
		name string
		ps   []pair
	}{{"header", p.header}, {"query", p.query}, {"form", p.form}} {
		if d := p.take(place.name, place.ps); d != nil {
			return nil, d
		}
	}
	switch {
	case p.place == "" && other:
		return nil, deny(auth.CodeMalformed, "Authorization is of another scheme")
	case p.place == "":
		return nil, auth.Deny(name, auth.CodeMissing)
	}
	return p, nil
}

// take keeps the parameters of the protocol that stand in one place.
func (p *params) take(place string, ps []pair) *auth.Denial {
	for _, q := range ps {
		if !strings.HasPrefix(q.name, prefix) {
			continue
		}
		if p.place != "" && p.place != place {
			return deny(auth.CodeDoubled, "parameters of OAuth stand in more than one place")
		}
		p.place = place
		if _, twice := p.oauth[q.name]; twice {
			return deny(auth.CodeDoubled, "a parameter of OAuth stands there twice")
		}
		if len(q.value) > auth.MaxCredential {
			return deny(auth.CodeTooLong, "a parameter of OAuth is too long")
		}
		p.oauth[q.name] = q.value
	}
	return nil
}

// readHeader reads Authorization where it is of this scheme. other reports that
// it is of another, which is another proof's matter.
func (p *params) readHeader(r *auth.Request) (other bool, d *auth.Denial) {
	value, code := auth.OneHeader(r.Header, header)
	switch code {
	case "":
	case auth.CodeMissing:
		return false, nil
	default:
		return false, auth.Deny(name, code)
	}
	if !hasScheme(value) {
		return true, nil
	}
	_, ps, err := authparam.Parse(value)
	if err != nil {
		return false, &auth.Denial{Method: name, Code: auth.CodeMalformed, Err: err}
	}
	for _, q := range ps {
		n, errName := url.PathUnescape(q.Name)
		v, errValue := url.PathUnescape(q.Value)
		if errName != nil || errValue != nil {
			return false, deny(auth.CodeMalformed, "a parameter of Authorization is not percent-encoded")
		}
		p.header = append(p.header, pair{n, v})
	}
	return len(p.header) == 0, nil
}

func hasScheme(value string) bool {
	return len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) && (len(value) == len(scheme) || value[len(scheme)] == ' ')
}

// isForm reports whether the body's parameters are signed.
func isForm(types []string) (bool, error) {
	switch len(types) {
	case 0:
		return false, nil
	case 1:
		t, _, _ := strings.Cut(types[0], ";")
		return strings.EqualFold(strings.Trim(t, " \t"), "application/x-www-form-urlencoded"), nil
	}
	return false, errors.New("Content-Type stands there twice")
}

// decodePairs reads application/x-www-form-urlencoded, which queries are too.
func decodePairs(s string) ([]pair, error) {
	var all []pair
	for part := range strings.SplitSeq(s, "&") {
		if part == "" {
			continue
		}
		if len(all) == maxParams {
			return nil, errors.New("has too many parameters")
		}
		n, v, _ := strings.Cut(part, "=")
		n, errName := url.QueryUnescape(n)
		v, errValue := url.QueryUnescape(v)
		if errName != nil || errValue != nil {
			return nil, errors.New("is not percent-encoded")
		}
		all = append(all, pair{n, v})
	}
	return all, nil
}
