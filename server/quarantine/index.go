package quarantine

import (
	"bytes"
	"slices"

	"github.com/hookd/hookd/internal/event"
)

// item is what is known of a file without opening it.
type item struct {
	Facts
	bytes int64
	bad   bool // the file cannot be read
	busy  bool // somebody is trying it again
}

// index lists the files, oldest first.
type index struct {
	items []*item
	bytes int64
	hooks map[string]*holding
}

// holding is what one hook has in the quarantine.
type holding struct {
	entries int
	bytes   int64
}

func (x *index) add(it *item) {
	if x.hooks == nil {
		x.hooks = make(map[string]*holding)
	}
	h := x.hooks[it.Hook]
	if h == nil {
		h = &holding{}
		x.hooks[it.Hook] = h
	}
	h.entries++
	h.bytes += it.bytes
	x.bytes += it.bytes
	at, _ := x.find(it.ID)
	x.items = slices.Insert(x.items, at, it)
}

func (x *index) remove(it *item) {
	at, ok := x.find(it.ID)
	if !ok {
		return
	}
	x.items = slices.Delete(x.items, at, at+1)
	x.bytes -= it.bytes
	h := x.hooks[it.Hook]
	h.entries--
	h.bytes -= it.bytes
	if h.entries == 0 {
		delete(x.hooks, it.Hook)
	}
}

func (x *index) find(id event.ID) (int, bool) {
	return slices.BinarySearchFunc(x.items, id, func(it *item, id event.ID) int { return bytes.Compare(it.ID[:], id[:]) })
}

// get is the item of an id; nil where there is none that can be read.
func (x *index) get(id event.ID) *item {
	if at, ok := x.find(id); ok && !x.items[at].bad {
		return x.items[at]
	}
	return nil
}

// victim is the oldest request of the hook that holds most: whoever floods one
// hook pushes out what the flood brought, and not what other hooks have.
func (x *index) victim(most func(*holding) int64) *item {
	var hook string
	top := int64(-1)
	for name, h := range x.hooks {
		if n := most(h); n > top || n == top && name < hook {
			hook, top = name, n
		}
	}
	for _, it := range x.items {
		if it.Hook == hook {
			return it
		}
	}
	return nil // every holding has an item
}
