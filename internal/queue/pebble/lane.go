package pebble

import (
	"bytes"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// none is a due time that never comes.
const none = math.MaxUint64

// lane is what memory knows of one lane. Its size depends on the leases, not
// on the backlog.
//
//	r keys:  floor ─ gone ─▶ rnext ─ to be claimed ─▶ newest │ not yet acknowledged
//	d keys:  gone or claimed ─▶ dnext ─ due ─▶ now ─ delayed ─▶
type lane struct {
	name string
	of   *lanes

	mu    sync.Mutex
	num   uint32 // 0 until the lane is used for the first time
	saved bool   // its l key was written; under the writer's lock

	rnext  event.ID // no r key below it is left to claim
	floor  event.ID // there is no r key below it
	newest event.ID // r keys above it are not acknowledged
	dnext  moment   // no d key below it is left to claim
	due    uint64   // no unclaimed d key is due before

	held     map[event.ID]*held
	back     []*held             // came back without a write; by ready and ID
	arriving map[moment]struct{} // d keys that are being written
	expiry   time.Time           // no lease ends before; zero: no lease
	waiters  []chan struct{}

	count counts
	ages  map[int64]int // d keys by the age of their events, see ageOf
	hint  event.ID      // the floor that was last written down
}

// counts are kept by differences; the counting at open adds what was there.
type counts struct {
	ready   int // r keys that are not claimed
	due     int // d keys that are not claimed, up to dueMark
	future  int // those behind dueMark
	dueMark uint64
	leased  int
	dead    int
}

// held is a delivery that was claimed and whose key is still there.
type held struct {
	lane     *lane
	id       event.ID
	delayed  bool // its key is d, not r
	at       moment
	attempts int
	ready    time.Time
	state    holding
	expires  time.Time
}

type holding uint8

const (
	leased   holding = iota
	settling         // its verdict is being written
	returned         // in lane.back
	gone
)

func newLane(of *lanes, name string) *lane {
	return &lane{
		name: name, of: of, due: none, held: map[event.ID]*held{},
		arriving: map[moment]struct{}{}, ages: map[int64]int{},
	}
}

// acked makes the delivery of a new event claimable. Calls come in the order
// of the IDs.
func (l *lane) acked(id event.ID) {
	l.mu.Lock()
	l.newest = id
	l.count.ready++
	l.wakeOne()
	l.mu.Unlock()
}

// arrive announces a d key before it is written, so that it is neither
// claimed nor counted before landed says that it counts.
func (l *lane) arrive(m moment) {
	l.mu.Lock()
	l.arriving[m] = struct{}{}
	l.mu.Unlock()
}

// landed ends arrive; ok tells whether the key is there now.
func (l *lane) landed(m moment, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.arriving, m)
	if !ok {
		return
	}
	if m.due <= l.count.dueMark {
		l.count.due++
	} else {
		l.count.future++
	}
	l.ages[ageOf(m.id)]++
	if m.compare(l.dnext) < 0 {
		l.dnext = m
	}
	if m.due < l.due {
		l.due = m.due
	}
	l.wakeOne() // to claim it, or to wait until it is due
}

// claimed books a delivery as leased. The caller holds l.mu.
func (l *lane) claimed(h *held, expires time.Time) {
	h.state, h.expires = leased, expires
	l.held[h.id] = h
	l.count.leased++
	l.ends(h)
}

// ends sees to it that the end of a lease is looked at. The caller holds l.mu.
func (l *lane) ends(h *held) {
	if l.expiry.IsZero() || h.expires.Before(l.expiry) {
		l.expiry = h.expires
	}
}

// giveBack makes a leased delivery claimable again, without a write. The
// caller holds l.mu.
func (l *lane) giveBack(h *held) {
	h.state = returned
	l.count.leased--
	// The claim keeps a pointer to h; what is claimed next is another lease.
	again := *h
	l.held[h.id] = &again
	h.state = gone
	at, _ := slices.BinarySearchFunc(l.back, &again, compareHeld)
	l.back = slices.Insert(l.back, at, &again)
	l.wakeOne()
}

func (l *lane) giveAllBack(hs []*held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range hs {
		l.giveBack(h)
	}
}

func compareHeld(a, b *held) int {
	if c := a.ready.Compare(b.ready); c != 0 {
		return c
	}
	return bytes.Compare(a.id[:], b.id[:])
}

// finish forgets a lease whose key was removed.
func (l *lane) finish(h *held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.state = gone
	delete(l.held, h.id)
	l.count.leased--
	if h.delayed {
		l.aged(h.id)
	}
}

// aged takes a removed d key out of the ages.
func (l *lane) aged(id event.ID) {
	a := ageOf(id)
	if l.ages[a]--; l.ages[a] == 0 {
		delete(l.ages, a)
	}
}

// expire gives back what was leased for too long. The caller holds l.mu.
func (l *lane) expire(now time.Time) {
	if l.expiry.IsZero() || now.Before(l.expiry) {
		return
	}
	l.expiry = time.Time{}
	for _, h := range l.held {
		switch {
		case h.state != leased: // one that is being settled ends otherwise
		case !now.Before(h.expires):
			l.giveBack(h)
		default:
			l.ends(h)
		}
	}
}

// wakeOne wakes the Claim that waits longest. The caller holds l.mu.
func (l *lane) wakeOne() {
	if len(l.waiters) > 0 {
		w := l.waiters[0]
		l.waiters = l.waiters[1:]
		w <- struct{}{} // has room for one, and is in the list once
	}
}

// leave takes a waiter out; a wake that it did not use goes to the next.
func (l *lane) leave(w chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := slices.Index(l.waiters, w); at >= 0 {
		l.waiters = slices.Delete(l.waiters, at, at+1)
		return
	}
	select {
	case <-w:
		l.wakeOne()
	default:
	}
}

// ageOf groups the delayed deliveries of a lane by when their events were
// accepted, to some seconds: the oldest is known without a list of all.
func ageOf(id event.ID) int64 { return id.Time().Unix() / ageStep }

const ageStep = 4
