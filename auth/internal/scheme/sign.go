package scheme

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/hookd/hookd/auth"
)

// Sign makes a request pass, with the first alternative that the settings allow
// and the first secret. Headers and members that the signature covers must be
// there already; the clock, a condition, and what must be equal to something
// else are set. A signature that belongs into the body changes Body.
func (s *Scheme) Sign(r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if err := s.sign(s.signing(), r); err != nil {
		return fmt.Errorf("%s: cannot sign: %w", s.name, err)
	}
	return nil
}

// signing is the first alternative that the operator's settings do not rule
// out.
func (s *Scheme) signing() *alternative {
	for i := range s.alts {
		if w := s.alts[i].when; w == nil || w.kind != fromParam || s.params[w.name] == s.alts[i].literal {
			return &s.alts[i]
		}
	}
	return &s.alts[0]
}

func (s *Scheme) sign(a *alternative, r *auth.Request) error {
	in := input{r: r, url: s.url, params: s.params, list: &a.sig, own: a.ownField()}
	if a.when != nil && a.when.kind != fromParam {
		if err := a.when.place(&in, a.literal); err != nil {
			return err
		}
	}
	if a.items != nil {
		return a.signItems(&in)
	}
	if err := a.placeEqual(&in); err != nil {
		return err
	}
	return a.signOne(&in)
}

// placeEqual sets what must be equal to something else where it is one source.
func (a *alternative) placeEqual(in *input) error {
	for _, p := range a.require {
		to, from := p[0], p[1]
		if src, ok := to.single(); !ok || src.kind == fromParam {
			to, from = from, to
		}
		src, ok := to.single()
		if !ok || src.kind == fromParam {
			continue
		}
		text, code := from.render(in)
		if code != "" {
			return lacks(code)
		}
		if err := src.place(in, string(text)); err != nil {
			return err
		}
	}
	return nil
}

func lacks(code string) error {
	return fmt.Errorf("something that the signature covers is not in the request (%s)", code)
}

// signItems signs each item, from the first to the last.
func (a *alternative) signItems(in *input) error {
	items, code := a.splitItems(in.r.Body)
	if code != "" {
		return fmt.Errorf("the body has no array of objects at %s (%s)", a.items, code)
	}
	for i := range items {
		if err := a.enter(in, i); err != nil {
			return err
		}
		if err := a.signOne(in); err != nil {
			return err
		}
	}
	return nil
}

// enter makes the item with the index the one that is read and signed.
func (a *alternative) enter(in *input, index int) error {
	items, code := a.splitItems(in.r.Body)
	if code != "" || index >= len(items) {
		return lacks(code)
	}
	in.item, in.index = in.r.Body[items[index].from:items[index].to], index
	return nil
}

// put is place for sources of items, too.
func (a *alternative) put(in *input, src Source, text string) error {
	if src.kind != fromItem {
		return src.place(in, text)
	}
	path := append(slices.Clone(a.items.path), jsonStep{strconv.Itoa(in.index), in.index})
	body, err := setJSON(in.r.Body, append(path, src.path...), text)
	if err != nil {
		return err
	}
	in.r.Body = body
	return a.enter(in, in.index) // the bytes have moved
}

// signOne signs the request, or in.item.
func (a *alternative) signOne(in *input) error {
	at := a.at[0]
	if at.wild {
		at.name += "1"
	}
	switch a.kind {
	case Token:
		return a.put(in, at, a.sig.Prefix+a.token.Reveal())
	case Basic:
		return a.put(in, at, FormatBasic(a.token.Reveal()))
	case HMAC, Digest, Ed25519, ECDSA, RSA:
	}
	list := ""
	if a.clock != nil {
		in.time = a.clock.format.text(in.r.Now)
		if from := a.clock.at; from.kind == fromSig {
			list = from.name + a.sig.KV + in.time + a.sig.Split
			in.sig = list + a.sig.Pick + a.sig.KV
		} else if err := a.put(in, from, in.time); err != nil {
			return err
		}
	}
	text, code, err := a.signature(in)
	switch {
	case err != nil:
		return err
	case code != "":
		return lacks(code)
	}
	prefix := a.sig.Prefix
	if a.sig.KV != "" {
		prefix = a.sig.Pick + a.sig.KV + prefix
	}
	return a.put(in, at, list+prefix+text)
}
