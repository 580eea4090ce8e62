package pebble

import (
	"errors"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// revivals keeps those apart who look at a settled delivery and then change
// it: Replay, Purge and the next step of a chain, one at a time for each
// event; retention, all events at once. A lease needs none of this: only its
// holder can settle it.
type revivals struct {
	all    sync.RWMutex
	events [64]sync.Mutex
}

// lock locks the events and returns what unlocks them.
func (r *revivals) lock(ids ...event.ID) func() {
	if len(ids) == 0 {
		return func() {}
	}
	stripes := make([]int, len(ids))
	for i, id := range ids {
		stripes[i] = int(id[idLen-1] % 64)
	}
	slices.Sort(stripes)
	stripes = slices.Compact(stripes)
	r.all.RLock()
	for _, s := range stripes {
		r.events[s].Lock()
	}
	return func() {
		for _, s := range stripes {
			r.events[s].Unlock()
		}
		r.all.RUnlock()
	}
}

func nextEvents(vs []queue.Verdict) (ids []event.ID) {
	for _, v := range vs {
		if h, ok := v.Claim.Token.(*held); ok && v.Next != "" {
			ids = append(ids, h.id)
		}
	}
	return ids
}

// stateOf is the state of the delivery of an event to a lane: pending where it
// is owed since the Put, zero where the event never had it.
func stateOf(db pebble.Reader, id event.ID, l *lane) (s state, err error) {
	err = get(db, pairKey(keyState, id, l.num), func(v []byte) (err error) {
		s, err = decodeState(v)
		return err
	})
	if !errors.Is(err, queue.ErrNotFound) {
		return s, err
	}
	err = get(db, idKey(keyEvent, id), func(v []byte) error {
		m, err := decodeMeta(v, false)
		if slices.Contains(m.lanes, l.num) {
			s.status = queue.StatusPending
		}
		return err
	})
	return s, err
}
