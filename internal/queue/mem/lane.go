package mem

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/hookd/hookd/internal/queue"
)

// delivery is one event owed to one lane.
type delivery struct {
	of       *stored
	lane     string
	final    queue.Status // "" while it is owed
	purged   bool         // dead, but no longer in the dead letters
	attempts int
	due      time.Time
	ready    time.Time
	updated  time.Time
	code     string
	note     string

	token   uint64 // of the lease; 0 is none
	expires time.Time
	at      int // place in the lane's heap; -1 is none
}

// lane holds what is owed to one destination: waiting in a heap, or on lease.
type lane struct {
	wait   byDue
	leased map[*delivery]struct{}
	dead   int
	wake   chan struct{} // closed when something became due, then replaced
}

func (q *Queue) lane(name string) *lane {
	l := q.lanes[name]
	if l == nil {
		l = &lane{leased: map[*delivery]struct{}{}, wake: make(chan struct{})}
		q.lanes[name] = l
	}
	return l
}

// due makes the delivery claimable from at on.
func (q *Queue) due(d *delivery, at, ready time.Time) {
	l := q.lane(d.lane)
	d.final, d.token, d.due, d.ready = "", 0, at, ready
	heap.Push(&l.wait, d)
	close(l.wake)
	l.wake = make(chan struct{})
}

// expire puts back what was leased for too long and returns when to look next.
func (q *Queue) expire(l *lane, now time.Time) (next time.Time) {
	for d := range l.leased {
		if !now.Before(d.expires) {
			delete(l.leased, d)
			q.due(d, d.due, d.ready)
		} else if next.IsZero() || d.expires.Before(next) {
			next = d.expires
		}
	}
	return next
}

func (d *delivery) status(now time.Time) queue.Status {
	switch {
	case d.final != "":
		return d.final
	case d.token == 0 && d.due.After(now):
		return queue.StatusDelayed
	}
	return queue.StatusPending
}

// byDue orders deliveries by the time they are due, then by their events' IDs.
type byDue []*delivery

func (h byDue) Len() int { return len(h) }
func (h byDue) Less(i, j int) bool {
	return cmp.Or(h[i].due.Compare(h[j].due), compareID(h[i].of.event.ID, h[j].of.event.ID)) < 0
}

func (h byDue) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *byDue) Push(x any) {
	d := x.(*delivery)
	d.at = len(*h)
	*h = append(*h, d)
}

func (h *byDue) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	d.at = -1
	return d
}
