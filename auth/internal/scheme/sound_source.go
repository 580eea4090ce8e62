package scheme

import (
	"errors"
	"fmt"
	"slices"
)

// soundClock refuses a clock that anybody could set.
func (a *alternative) soundClock() error {
	c := a.clock
	switch {
	case c == nil:
		return nil
	case c.past < 0 || c.future < 0:
		return errors.New("a negative tolerance refuses everything")
	case c.at.kind == fromParam:
		return errors.New("a clock that the sender does not set")
	case a.signed.has(atTime) || a.covers(c.at):
		return nil
	}
	return errors.New("the time is not covered by the signature: anybody could change it")
}

// soundPlaces refuses sources where they read nothing, or not the sender's.
func (a *alternative) soundPlaces() error {
	for _, src := range a.at {
		if src.kind == fromSig || src.kind == fromParam {
			return fmt.Errorf("a signature cannot be at %s", src)
		}
	}
	if a.when != nil && (a.when.kind == fromSig || a.when.kind == fromItem) {
		return fmt.Errorf("a condition cannot be at %s", a.when)
	}
	for _, src := range a.read() {
		switch {
		case src.wild:
			return fmt.Errorf("%s is many headers, which is for signatures only", src)
		case src.kind == fromSig && a.sig.KV == "":
			return fmt.Errorf("%s without a list of keys", src)
		case src.kind == fromItem && a.items == nil:
			return fmt.Errorf("%s without an array of items", src)
		}
	}
	for _, src := range a.at {
		if src.kind == fromItem && a.items == nil {
			return fmt.Errorf("%s without an array of items", src)
		}
	}
	return nil
}

// read are all sources but those of the signature.
func (a *alternative) read() []Source {
	var all []Source
	if a.clock != nil {
		all = append(all, a.clock.at)
	}
	if a.when != nil {
		all = append(all, *a.when)
	}
	for _, t := range a.templates() {
		for _, seg := range t {
			if seg.atom == atSource {
				all = append(all, seg.from)
			}
		}
	}
	return all
}

func (a *alternative) templates() []template {
	all := []template{a.signed}
	for _, p := range a.require {
		all = append(all, p[0], p[1])
	}
	return all
}

func (a *alternative) soundItems() error {
	switch {
	case a.items == nil:
		return nil
	case a.items.kind != fromJSON:
		return errors.New("items are in a JSON array")
	case a.asymmetric() || a.kind == Basic:
		return errors.New("items are signed with a keyed hash, or hold a token")
	case len(a.require) > 0:
		return errors.New("what must be equal is not looked at for each item")
	}
	for _, src := range a.at {
		if src.kind != fromItem {
			return fmt.Errorf("%s is not in the item: one signature would do for all", src)
		}
	}
	for _, seg := range a.signed {
		if seg.wholeBody() || seg.atom == atSource && (seg.from.kind == fromJSON || seg.from.kind == fromForm) {
			return errors.New("the signature of an item covers the item only")
		}
	}
	return nil
}

func (a *alternative) soundPairs() error {
	for _, p := range a.require {
		for _, t := range p {
			switch {
			case len(t) == 0:
				return errors.New("something must be equal to nothing")
			case t.has(atSecret):
				return errors.New("{secret} is for digests only")
			case t.has(atTime) && a.clock == nil:
				return errors.New("{time} without a clock")
			case slices.ContainsFunc(t, func(s segment) bool { return s.optional }):
				return errors.New("what must be equal must be there")
			}
		}
		if !slices.ContainsFunc(p[0], segment.fromSender) && !slices.ContainsFunc(p[1], segment.fromSender) {
			return errors.New("two texts must be equal of which the request holds none")
		}
	}
	return nil
}

func (a *alternative) soundOptions(o *Options) error {
	for _, t := range a.templates() {
		if o.URL == "" && slices.ContainsFunc(t, segment.needsURL) {
			return errors.New("needs public_url: the signature covers the URL as the sender sees it")
		}
		for _, seg := range t {
			if seg.atom == atSource && seg.from.kind == fromParam && !seg.optional && o.Params[seg.from.name] == "" {
				return needsParam(seg.from.name)
			}
		}
	}
	return nil
}
