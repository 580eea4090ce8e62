package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// lanes is the dictionary of lane names and numbers.
type lanes struct {
	mu     sync.RWMutex
	byName map[string]*lane
	byNum  map[uint32]*lane
	last   uint32
}

// get returns the lane, a new one where there is none. It has no number before
// something is stored for it.
func (ls *lanes) get(name string) *lane {
	ls.mu.RLock()
	l := ls.byName[name]
	ls.mu.RUnlock()
	if l != nil {
		return l
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l = ls.byName[name]; l == nil {
		l = newLane(ls, name)
		ls.byName[name] = l
	}
	return l
}

// number gives the lane its number.
func (ls *lanes) number(l *lane) uint32 {
	l.mu.Lock()
	num := l.num
	l.mu.Unlock()
	if num != 0 {
		return num
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.num == 0 {
		ls.last++
		l.num = ls.last
		ls.byNum[l.num] = l
	}
	return l.num
}

// name is the lane's name; a number that no l key names is shown as such.
func (ls *lanes) name(num uint32) string {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	if l := ls.byNum[num]; l != nil {
		return l.name
	}
	return fmt.Sprintf("lane-%d", num)
}

func (ls *lanes) numbered(num uint32) *lane {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return ls.byNum[num]
}

// all returns the lanes that have a number, in that order.
func (ls *lanes) all() []*lane {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	out := make([]*lane, 0, len(ls.byNum))
	for _, l := range ls.byNum {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b *lane) int { return int(a.num) - int(b.num) })
	return out
}

// every returns all lanes, also those that were only ever claimed from.
func (ls *lanes) every() []*lane {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	out := make([]*lane, 0, len(ls.byName))
	for _, l := range ls.byName {
		out = append(out, l)
	}
	return out
}

// save writes the lane's name before the first key that needs it. It is called
// under the writer's lock.
func (l *lane) save(b *batch) {
	if !l.saved {
		b.set(append([]byte{keyLane}, l.name...), binary.BigEndian.AppendUint32(nil, l.num))
		l.saved = true
	}
}

// load reads the dictionary and the hints of a store that was just opened, and
// forgets what memory knew of its keys. Leases stay. It returns the newest ID
// that the store knows of.
func (ls *lanes) load(db *pebble.DB) (newest event.ID, err error) {
	if newest, err = newestEvent(db); err != nil {
		return newest, err
	}
	for _, l := range ls.every() {
		l.saved = false
	}
	err = scan(db, []byte{keyLane}, []byte{keyLane + 1}, func(k, v []byte) error {
		if len(v) != laneLen {
			return fmt.Errorf("lane %q: %w", k[1:], errRecord)
		}
		l, num := ls.get(string(k[1:])), binary.BigEndian.Uint32(v)
		ls.mu.Lock()
		l.num, l.saved = num, true
		ls.byNum[num] = l
		ls.last = max(ls.last, num)
		ls.mu.Unlock()
		return nil
	})
	if err != nil {
		return newest, err
	}
	for _, l := range ls.every() {
		if err := l.reset(db); err != nil {
			return newest, err
		}
	}
	defer func() {
		for _, l := range ls.every() {
			l.mu.Lock()
			l.newest = newest
			l.mu.Unlock()
		}
	}()
	err = scan(db, []byte{keyHint}, []byte{keyHint + 1}, func(k, v []byte) error {
		if len(k) != 1+laneLen || len(v) != idLen {
			return fmt.Errorf("lane hint: %w", errRecord)
		}
		id := event.ID(v)
		if l := ls.numbered(binary.BigEndian.Uint32(k[1:])); l != nil {
			l.mu.Lock()
			l.rnext, l.floor, l.hint = id, id, id
			l.mu.Unlock()
		}
		if bytes.Compare(id[:], newest[:]) > 0 {
			newest = id
		}
		return nil
	})
	return newest, err
}

// reset makes the lane look at all its keys again, but for those on lease. A
// lease whose key is not there ends: the retry that it is for was written
// behind the last fsync, and what was there before it is owed again.
func (l *lane) reset(db *pebble.DB) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rnext, l.floor, l.dnext, l.due = event.ID{}, event.ID{}, moment{}, 0
	l.count = counts{}
	clear(l.ages)
	clear(l.arriving)
	l.back = nil
	for id, h := range l.held {
		there := false
		if h.state == leased || h.state == settling { // its Settle has yet to see the failure
			err := get(db, h.key(), func([]byte) error { there = true; return nil })
			if err != nil && !errors.Is(err, queue.ErrNotFound) {
				return err
			}
		}
		switch {
		case !there:
			h.state = gone
			delete(l.held, id)
			continue
		case h.delayed:
			l.count.future--
		default:
			l.count.ready--
		}
		l.count.leased++
	}
	return nil
}

// key is the key that makes the delivery owed.
func (h *held) key() []byte {
	if h.delayed {
		return delayKey(h.lane.num, h.at)
	}
	return readyKey(h.lane.num, h.id)
}

func newestEvent(db *pebble.DB) (id event.ID, err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyEvent}, UpperBound: []byte{keyEvent + 1}})
	if err != nil {
		return id, err
	}
	if it.Last() {
		copy(id[:], it.Key()[1:])
	}
	return id, it.Close()
}
