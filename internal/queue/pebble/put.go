package pebble

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// putOp is one Put on its way through the writer.
type putOp struct {
	q       *Queue
	id      event.ID
	own     bool // the caller chose the ID: it may be out of order
	at      moment
	lanes   []*lane
	nums    []uint32
	key     *pendingKey // dedupe key, or nil
	hash    [hashLen]byte
	expires uint64
	idKey   *pendingKey // holds an ID that the caller chose
	meta    []byte      // scratch, as body
	body    []byte
	done    chan error
}

var putOps = sync.Pool{New: func() any { return &putOp{done: make(chan error, 1)} }}

// maxAhead is how far a caller's own ID may lie in the future: all later IDs
// are made greater than it.
const maxAhead = 24 * time.Hour

// keepScratch is the largest scratch buffer that a pooled putOp keeps.
const keepScratch = 64 << 10

func (p *putOp) free() {
	p.q, p.key, p.idKey = nil, nil, nil
	clear(p.lanes)
	p.lanes, p.nums, p.own = p.lanes[:0], p.nums[:0], false
	if cap(p.body) > keepScratch {
		p.body = nil
	}
	putOps.Put(p)
}

// Put stores the item; see queue.Queue.
func (q *Queue) Put(ctx context.Context, it queue.Item) (queue.Put, error) {
	if err := ctx.Err(); err != nil {
		return queue.Put{}, err
	}
	p := putOps.Get().(*putOp)
	p.q, p.id, p.own = q, it.Event.ID, !it.Event.ID.IsZero()
	if dup, id, err := q.firstOf(ctx, p, it); dup || err != nil {
		p.free()
		return queue.Put{ID: id}, err
	}
	if err := q.admit(); err != nil {
		p.drop(err)
		return queue.Put{}, err
	}
	for _, name := range it.Lanes {
		if l := q.lanes.get(name); !slices.Contains(p.lanes, l) {
			p.lanes = append(p.lanes, l)
			p.nums = append(p.nums, q.lanes.number(l))
		}
	}
	p.meta = appendMeta(p.meta[:0], it.Event, p.nums)
	if p.body = p.body[:0]; len(it.Event.Body) > 0 {
		p.body = appendBody(p.body, it.Event.Body)
	}
	if err := q.writer.enqueue(ctx, p); err != nil {
		p.drop(err)
		return queue.Put{}, err
	}
	select {
	case err := <-p.done:
		id := p.id
		if err == nil {
			it.Event.ID = id
		}
		p.free()
		if err != nil {
			return queue.Put{}, err
		}
		return queue.Put{ID: id, Fresh: true}, nil
	case <-ctx.Done():
		return queue.Put{}, ctx.Err()
	}
}

// drop ends a Put that was not enqueued.
func (p *putOp) drop(err error) {
	p.q.keys.release(p.key, event.ID{}, err)
	p.q.keys.release(p.idKey, event.ID{}, err)
	p.free()
}

// firstOf claims the item's dedupe key and its own ID, or finds that it is a
// duplicate.
func (q *Queue) firstOf(ctx context.Context, p *putOp, it queue.Item) (dup bool, id event.ID, err error) {
	if it.DedupeKey != "" && it.DedupeWindow > 0 {
		p.hash = dedupeKey(it.DedupeKey)
		now := q.opt.Now()
		p.expires = dueOf(now.Add(it.DedupeWindow))
		p.key, id, err = q.keys.acquire(ctx, p.hash, func() (event.ID, error) { return q.known(p.hash, dueOf(now)) })
		if p.key == nil || err != nil {
			return err == nil, id, err
		}
	}
	if !p.own {
		return false, id, nil
	}
	if ahead := it.Event.ID.Time().Sub(q.opt.Now()); ahead > maxAhead {
		err := fmt.Errorf("event id %s lies %s in the future", it.Event.ID, ahead.Round(time.Hour))
		q.keys.release(p.key, id, err)
		return false, id, err
	}
	sum := sha256.Sum256(append([]byte("event id "), it.Event.ID[:]...))
	p.idKey, id, err = q.keys.acquire(ctx, [hashLen]byte(sum[:hashLen]), func() (event.ID, error) { return q.exists(it.Event.ID) })
	if p.idKey == nil || err != nil {
		q.keys.release(p.key, id, err)
		return err == nil, id, err
	}
	return false, id, nil
}

func (p *putOp) write(b *batch) {
	if !p.own {
		p.id = p.q.ids.Next(p.q.opt.Now())
	}
	put(b, keyEvent, p.id, p.meta)
	if len(p.body) > 0 {
		put(b, keyBody, p.id, p.body)
	}
	for _, l := range p.lanes {
		l.save(b)
		if p.own {
			p.at = moment{due: dueOf(p.q.opt.Now()), id: p.id}
			l.arrive(p.at)
			b.set(delayKey(l.num, p.at), encodeAttempts(0))
			b.set(pairKey(keyState, p.id, l.num), encodeState(state{status: queue.StatusPending, due: p.at.due}))
			continue
		}
		d := b.SetDeferred(readyLen, 0)
		putReadyKey(d.Key, l.num, p.id)
		b.note(d.Finish())
	}
	if p.key != nil {
		p.q.filters.add(p.hash)
		b.set(append([]byte{keyDedupe}, p.hash[:]...), appendDupe(nil, dupe{p.id, p.expires}))
	}
	p.q.space.stored(len(p.meta) + len(p.body))
}

func put(b *batch, kind byte, id event.ID, v []byte) {
	d := b.SetDeferred(1+idLen, len(v))
	d.Key[0] = kind
	copy(d.Key[1:], id[:])
	copy(d.Value, v)
	b.note(d.Finish())
}

func (p *putOp) applied() {}

func (p *putOp) ended(err error, submitted bool) {
	if err != nil && submitted {
		p.q.doubt(p)
	}
	for _, l := range p.lanes {
		switch {
		case p.own:
			l.landed(p.at, err == nil)
		case err == nil:
			l.acked(p.id)
		}
	}
	p.q.keys.release(p.key, p.id, err)
	p.q.keys.release(p.idKey, p.id, err)
	if err != nil {
		err = fmt.Errorf("storing an event: %w", err)
	}
	p.done <- err // the Put may be gone; then p is garbage
}

func (p *putOp) durable() bool { return !p.q.opt.UnsafeNoSync }
