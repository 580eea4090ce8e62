// Package quarantine keeps requests that a proof refused: sealed, bounded, and
// for a while. They can be looked at, and taken after all when what was wrong
// is put right.
//
// Everything in it came from strangers, so that a flood must cost nothing:
// each hook has its own allowance by the minute, writing is left to one
// goroutine behind a short line, and where there is no room the oldest request
// of the hook that holds most makes place.
package quarantine

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/ingest"
)

var _ ingest.Quarantine = (*Store)(nil)

// ErrNotFound says that no request is kept under this id, or not any more.
var ErrNotFound = errors.New("no such request in the quarantine")

// Options make a Store. All bounds are more than 0.
type Options struct {
	Dir     string // folder of the requests; made when it is not there
	KeyFile string // made when the first request is kept

	MaxEntries int
	MaxBytes   int64         // of all files
	MaxBody    int64         // bytes; of a larger body only facts are kept
	PerMinute  int           // requests of one hook
	MaxAge     time.Duration // older ones are removed

	Log *slog.Logger     // nil discards
	Now func() time.Time // nil is time.Now
}

// Bounds of what waits to be written.
const (
	maxWaiting      = 64       // requests
	maxWaitingBytes = 16 << 20 // of their bodies and headers
)

// Store is the quarantine. It is safe for concurrent use; Run writes what Keep
// was given.
type Store struct {
	o    Options
	log  *slog.Logger
	ids  event.IDs
	seal *sealer

	waiting      chan *Entry
	waitingBytes atomic.Int64
	allowance    allowance

	mu    sync.Mutex
	index index

	counts counts
}

// counts are those of Stats, since the start.
type counts struct{ kept, dropped, failed atomic.Int64 }

// Stats is a read-out.
type Stats struct {
	Entries int
	Bytes   int64
	Kept    int64 // since the start
	Dropped int64 // beyond the allowance of their hook, or too many at once
	Failed  int64 // could not be written
}

// Open reads what is kept. Files that cannot be read, because the key is
// another one or they are damaged, are left out; they go when they are old.
func Open(o Options) (*Store, error) {
	s := &Store{o: o, log: o.Log, waiting: make(chan *Entry, maxWaiting)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	s.allowance.perMinute = o.PerMinute
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if s.seal, err = newSealer(o.KeyFile); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	return s, nil
}

// Keep takes a copy of u, where its hook has not used up its allowance.
func (s *Store) Keep(u *ingest.Unproved) event.ID {
	now := s.o.Now()
	if !s.allowance.take(u.Hook.ID, now) {
		s.counts.dropped.Add(1)
		return event.ID{}
	}
	size := roughSize(u, s.o.MaxBody)
	if s.waitingBytes.Add(size) > maxWaitingBytes {
		s.waitingBytes.Add(-size)
		s.counts.dropped.Add(1)
		return event.ID{}
	}
	e := entryOf(u, s.o.MaxBody)
	e.ID, e.waiting = s.ids.Next(now), size
	select {
	case s.waiting <- e:
		return e.ID
	default:
		s.waitingBytes.Add(-size)
		s.counts.dropped.Add(1)
		return event.ID{}
	}
}

// sweepEvery is how often old requests are looked for.
const sweepEvery = time.Minute

// Run writes what Keep was given until ctx ends, and then what is waiting
// still. It returns nil.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-s.waiting:
			s.write(e)
		case <-tick.C:
			s.mu.Lock()
			s.sweep()
			s.mu.Unlock()
		case <-ctx.Done():
			for {
				select {
				case e := <-s.waiting:
					s.write(e)
				default:
					return nil
				}
			}
		}
	}
}

// write seals one request into its file. Nothing waits for the disk: what is
// lost with the power is a request that was refused.
func (s *Store) write(e *Entry) {
	defer s.waitingBytes.Add(-e.waiting)
	size, err := s.put(e)
	if err != nil {
		s.counts.failed.Add(1)
		s.log.Warn("refused request not kept", "quarantine", e.ID.String(), "hook", e.Hook, "error", err)
		return
	}
	s.counts.kept.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.add(&item{Facts: e.Facts, bytes: size})
	s.sweep()
}

func (s *Store) put(e *Entry) (int64, error) {
	text, err := e.encode()
	if err != nil {
		return 0, err
	}
	sealed, err := s.seal.seal(text, e.ID[:])
	if err != nil {
		return 0, err
	}
	name := s.path(e.ID)
	if err := os.WriteFile(name+partial, sealed, 0o600); err != nil {
		_ = os.Remove(name + partial)
		return 0, err
	}
	return int64(len(sealed)), os.Rename(name+partial, name)
}

// sweep removes what is too old or too much. The caller holds mu.
func (s *Store) sweep() {
	oldest := s.o.Now().Add(-s.o.MaxAge)
	for len(s.index.items) > 0 && s.index.items[0].ID.Time().Before(oldest) {
		s.drop(s.index.items[0])
	}
	for len(s.index.items) > s.o.MaxEntries {
		s.drop(s.index.victim(func(h *holding) int64 { return int64(h.entries) }))
	}
	for s.index.bytes > s.o.MaxBytes {
		s.drop(s.index.victim(func(h *holding) int64 { return h.bytes }))
	}
}

// drop removes a file and its place in the index. The caller holds mu.
func (s *Store) drop(it *item) {
	s.index.remove(it)
	if err := os.Remove(s.path(it.ID)); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("file in the quarantine not removed", "quarantine", it.ID.String(), "error", err)
	}
}

func (s *Store) path(id event.ID) string { return filepath.Join(s.o.Dir, id.String()+suffix) }

// Stats reads the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Entries: len(s.index.items), Bytes: s.index.bytes,
		Kept: s.counts.kept.Load(), Dropped: s.counts.dropped.Load(), Failed: s.counts.failed.Load(),
	}
}
