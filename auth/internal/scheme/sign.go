package scheme

import (
	"fmt"
	"net/http"

	"github.com/hookd/hookd/auth"
)

// Sign makes a request pass, with the first alternative and the first secret.
// Headers that the signature covers must be there already; the clock is set.
func (s *Scheme) Sign(r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	a := &s.alts[0]
	at := a.at[0].Header()
	if at == "" {
		return fmt.Errorf("%s: cannot sign: the signature belongs to %s", s.name, a.at[0])
	}
	if a.at[0].wild {
		at += "1"
	}
	if a.kind == Token {
		r.Header.Set(at, a.sig.Prefix+a.token.Reveal())
		return nil
	}
	in := input{r: r, url: s.url, params: s.params}
	if a.when != nil && a.when.Header() != "" {
		r.Header.Set(a.when.Header(), a.literal)
	}
	list := ""
	if a.clock != nil {
		in.time = a.clock.format.text(r.Now)
		switch from := a.clock.at; {
		case from.kind == fromSig:
			list = from.name + a.sig.KV + in.time + a.sig.Split
		case from.Header() != "":
			r.Header.Set(from.Header(), in.time)
		default:
			return fmt.Errorf("%s: cannot sign: the time belongs to %s", s.name, from)
		}
	}
	var sum digest
	if code := a.keys[0].sum(&sum, a.signed, &in); code != "" {
		return fmt.Errorf("%s: cannot sign: something that the signature covers is not in the request (%s)", s.name, code)
	}
	prefix := a.sig.Prefix
	if a.sig.KV != "" {
		prefix = a.sig.Pick + a.sig.KV + prefix
	}
	r.Header.Set(at, list+prefix+a.sig.Enc.encode(sum[:a.hash.Size()]))
	return nil
}
