package pebble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// putOp is one Put on its way through the writer.
type putOp struct {
	q     *Queue
	id    event.ID
	own   bool // the caller chose the ID: it may be out of order
	at    moment
	lanes []*lane
	nums  []uint32
	once  []mark      // that no other Put may have
	key   mark        // dedupe key
	idKey *pendingKey // holds an ID that the caller chose
	meta  []byte      // scratch, as body
	body  []byte
	done  chan error
}

// mark is a key that is stored with the event until it expires.
type mark struct {
	pending *pendingKey // nil: there is none
	expires uint64
}

var putOps = sync.Pool{New: func() any { return &putOp{done: make(chan error, 1)} }}

// maxAhead is how far a caller's own ID may lie in the future: all later IDs
// are made greater than it.
const maxAhead = 24 * time.Hour

// keepScratch is the largest scratch buffer that a pooled putOp keeps.
const keepScratch = 64 << 10

func (p *putOp) free() {
	p.q, p.key, p.idKey = nil, mark{}, nil
	clear(p.once)
	p.once = p.once[:0]
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
	p.release(event.ID{}, err)
	p.free()
}

// release tells who waits for the same keys how the Put ended.
func (p *putOp) release(id event.ID, err error) {
	for _, m := range p.once {
		p.q.keys.release(m.pending, id, err)
	}
	p.q.keys.release(p.key.pending, id, err)
	p.q.keys.release(p.idKey, id, err)
}

// errNotFirst is what those get who wait for the keys of a Put that is none.
var errNotFirst = errors.New("is a duplicate")

// firstOf claims the item's marks, its dedupe key and its own ID, or finds that
// it is a duplicate; then nothing stays claimed. All Puts claim in this order,
// and marks in the order of their hashes, so that none waits for another that
// waits for it.
func (q *Queue) firstOf(ctx context.Context, p *putOp, it queue.Item) (dup bool, id event.ID, err error) {
	defer func() {
		if err != nil {
			p.release(id, err)
		} else if dup {
			p.release(id, errNotFirst)
		}
	}()
	if err := q.claimOnce(ctx, p, it.Once); err != nil {
		return false, id, err
	}
	if it.DedupeKey != "" && it.DedupeWindow > 0 {
		if dup, id, err = q.claimKey(ctx, &p.key, dedupeKey(it.DedupeKey), q.opt.Now().Add(it.DedupeWindow)); dup || err != nil {
			return dup, id, err
		}
	}
	if !p.own {
		return false, id, nil
	}
	if ahead := it.Event.ID.Time().Sub(q.opt.Now()); ahead > maxAhead {
		return false, id, fmt.Errorf("event id %s lies %s in the future", it.Event.ID, ahead.Round(time.Hour))
	}
	sum := sha256.Sum256(append([]byte("event id "), it.Event.ID[:]...))
	p.idKey, id, err = q.keys.acquire(ctx, [hashLen]byte(sum[:hashLen]), func() (event.ID, error) { return q.exists(it.Event.ID) })
	return p.idKey == nil && err == nil, id, err
}

// claimOnce claims the marks; ErrReplayed when one of them is taken.
func (q *Queue) claimOnce(ctx context.Context, p *putOp, marks []queue.Once) error {
	if len(marks) == 0 {
		return nil
	}
	type claim struct {
		hash  [hashLen]byte
		until time.Time
	}
	claims := make([]claim, 0, len(marks))
	for _, o := range marks {
		claims = append(claims, claim{dedupeKey("\xffonce\x00" + o.Key), o.Until})
	}
	slices.SortFunc(claims, func(a, b claim) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	claims = slices.CompactFunc(claims, func(a, b claim) bool { return a.hash == b.hash })
	for _, c := range claims {
		var m mark
		taken, _, err := q.claimKey(ctx, &m, c.hash, c.until)
		if err != nil {
			return err
		}
		if taken {
			return queue.ErrReplayed
		}
		p.once = append(p.once, m)
	}
	return nil
}

// claimKey claims one key, or finds the event that has it.
func (q *Queue) claimKey(ctx context.Context, m *mark, hash [hashLen]byte, until time.Time) (taken bool, id event.ID, err error) {
	m.expires = dueOf(until)
	m.pending, id, err = q.keys.acquire(ctx, hash, func() (event.ID, error) { return q.known(hash, dueOf(q.opt.Now())) })
	return m.pending == nil && err == nil, id, err
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
	p.writeMark(b, p.key)
	for _, m := range p.once {
		p.writeMark(b, m)
	}
	p.q.space.stored(len(p.meta) + len(p.body))
}

func (p *putOp) writeMark(b *batch, m mark) {
	if m.pending == nil {
		return
	}
	p.q.filters.add(m.pending.hash)
	b.set(append([]byte{keyDedupe}, m.pending.hash[:]...), appendDupe(nil, dupe{p.id, m.expires}))
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
	p.release(p.id, err)
	if err != nil {
		err = fmt.Errorf("storing an event: %w", err)
	}
	p.done <- err // the Put may be gone; then p is garbage
}

func (p *putOp) durable() bool { return !p.q.opt.UnsafeNoSync }
