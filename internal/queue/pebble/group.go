package pebble

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/queue"
)

// mutation is one caller's part of a group. Its methods are called once each,
// in this order, and never block.
type mutation interface {
	// write adds the mutation to the batch. It is called under the group's
	// lock: the order of the calls is the order of the commits.
	write(b *batch)
	// applied: the mutation can be read, and is in the log if not on the disk.
	applied()
	// ended: the outcome is known. With an error, submitted tells whether
	// the mutation may be on the disk all the same.
	ended(err error, submitted bool)
	// durable says whether ended waits for the fsync.
	durable() bool
}

// batch collects writes, and the first error among them.
type batch struct {
	*pebble.Batch
	err error
}

func (b *batch) set(k, v []byte)      { b.note(b.Set(k, v, nil)) }
func (b *batch) del(k []byte)         { b.note(b.Delete(k, nil)) }
func (b *batch) delOnce(k []byte)     { b.note(b.SingleDelete(k, nil)) }
func (b *batch) delRange(f, t []byte) { b.note(b.DeleteRange(f, t, nil)) }

func (b *batch) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// group is what is committed together.
type group struct {
	batch  batch
	ops    []mutation
	sync   bool
	synced bool // some were told when it was applied
}

const (
	maxGroup = 4 << 20 // bytes; a larger mutation is a group of its own
	maxSyncs = 1       // groups that may wait for their fsync: one at a time makes each the wider
	yields   = 2       // of the processor before a group is taken
)

// writer is the commit loop; see doc.go.
type writer struct {
	q     *Queue
	kick  chan struct{}
	slots chan struct{}
	syncs chan *group
	ends  sync.WaitGroup

	mu     sync.Mutex
	next   *group
	room   chan struct{} // closed when next was taken
	flying int           // groups taken and not ended
	quiet  sync.Cond     // flying is 0
	closed bool
}

func newWriter(q *Queue) *writer {
	w := &writer{
		q: q, kick: make(chan struct{}, 1), slots: make(chan struct{}, maxSyncs),
		syncs: make(chan *group, maxSyncs), next: &group{}, room: make(chan struct{}),
	}
	w.quiet.L = &w.mu
	w.ends.Go(w.commits)
	w.ends.Go(w.fsyncs)
	return w
}

// enqueue adds m to the open group. After a nil error m.ended will be called.
func (w *writer) enqueue(ctx context.Context, m mutation) error {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return queue.ErrClosed
		}
		if err := w.q.broken(); err != nil {
			w.mu.Unlock()
			return err
		}
		if g := w.next; g.batch.Batch == nil || g.batch.Len() < maxGroup {
			if g.batch.Batch == nil {
				g.batch.Batch = w.q.db.NewBatch()
			}
			m.write(&g.batch)
			g.ops = append(g.ops, m)
			g.sync = g.sync || m.durable()
			w.mu.Unlock()
			w.wake()
			return nil
		}
		room := w.room
		w.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *writer) wake() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// waiting reports whether there is a group to commit, and whether it syncs.
func (w *writer) waiting() (work, sync, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.next.ops) > 0, w.next.sync, w.closed
}

func (w *writer) take() *group {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.next
	w.next = &group{ops: make([]mutation, 0, len(g.ops))}
	w.flying++
	close(w.room)
	w.room = make(chan struct{})
	return g
}

func (w *writer) commits() {
	defer close(w.syncs)
	slot := false
	for {
		work, sync, closed := w.waiting()
		switch {
		case !work && closed:
			return
		case !work:
			<-w.kick
			continue
		case sync && !slot:
			w.slots <- struct{}{} // the group grows while it waits
			slot = true
		}
		// Who can run goes first: where the processor is the limit the group
		// grows, where it idles this costs nothing.
		for range yields {
			runtime.Gosched()
		}
		g := w.take()
		if g.sync && !slot { // a Put came between
			w.slots <- struct{}{}
			slot = true
		}
		if w.commit(g) {
			slot = false // fsyncs gives it back
		}
	}
}

// commit applies the group, and reports whether it went on to its fsync.
func (w *writer) commit(g *group) bool {
	if err := w.q.broken(); err != nil {
		w.end(g, err, false)
		return false
	}
	w.q.yield(g.batch.Len())
	err := w.apply(g)
	if err == nil {
		err = w.q.broken()
	}
	if err != nil {
		w.end(g, err, true)
		return false
	}
	for _, m := range g.ops {
		m.applied()
	}
	if !g.sync {
		w.end(g, nil, true)
		return false
	}
	for _, m := range g.ops {
		if !m.durable() {
			m.ended(nil, true)
		}
	}
	g.synced = true
	w.syncs <- g
	return true
}

// apply never lets a panic of the storage engine out: it freezes the store.
func (w *writer) apply(g *group) (err error) {
	if g.batch.err != nil {
		return fmt.Errorf("queue batch: %w", g.batch.err)
	}
	defer func() {
		if p := recover(); p != nil {
			w.q.fail(&failure{op: "commit", path: w.q.opt.Dir, err: fmt.Errorf("%v", p)})
			err = w.q.broken()
		}
	}()
	db := w.q.db
	if g.sync {
		return db.ApplyNoSyncWait(g.batch.Batch, pebble.Sync)
	}
	return db.Apply(g.batch.Batch, pebble.NoSync)
}

func (w *writer) fsyncs() {
	for g := range w.syncs {
		err := g.batch.SyncWait()
		// A frozen disk pretends to have synced; the failure was noted before.
		if broken := w.q.broken(); broken != nil {
			err = broken
		}
		<-w.slots
		w.end(g, err, true)
	}
}

func (w *writer) end(g *group, err error, submitted bool) {
	for _, m := range g.ops {
		if !g.synced || m.durable() {
			m.ended(err, submitted)
		}
	}
	if err == nil {
		_ = g.batch.Close() // gives the buffer back; a batch that failed may still be in use
	}
	w.mu.Lock()
	if w.flying--; w.flying == 0 {
		w.quiet.Broadcast()
	}
	w.mu.Unlock()
}

// settle waits until nothing is being committed.
func (w *writer) settle() {
	w.mu.Lock()
	for w.flying > 0 || len(w.next.ops) > 0 {
		w.quiet.Wait()
	}
	w.mu.Unlock()
}

// close commits what is there and ends the loop.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.wake()
	w.ends.Wait()
}
