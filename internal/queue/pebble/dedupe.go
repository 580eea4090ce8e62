package pebble

import (
	"context"
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// pendingKeys makes check-and-store of a key atomic without a lock across the
// fsync: a second Put of a key waits for the outcome of the first.
type pendingKeys struct {
	stripes [64]struct {
		sync.Mutex
		m map[[hashLen]byte]*pendingKey
	}
}

// pendingKey is a key whose first Put is under way.
type pendingKey struct {
	hash [hashLen]byte
	done chan struct{}
	id   event.ID // valid once done is closed
	err  error
}

// acquire returns the key when the caller is the first; it must release it.
// Otherwise the key is nil and id that of the first. known looks the key up in
// the store: queue.ErrNotFound when it is not there.
func (ks *pendingKeys) acquire(ctx context.Context, hash [hashLen]byte, known func() (event.ID, error)) (*pendingKey, event.ID, error) {
	s := &ks.stripes[hash[0]%64]
	for {
		s.Lock()
		first := s.m[hash]
		if first == nil {
			break
		}
		s.Unlock()
		select {
		case <-first.done:
			if first.err == nil {
				return nil, first.id, nil
			}
		case <-ctx.Done():
			return nil, event.ID{}, ctx.Err()
		}
	}
	k := &pendingKey{hash: hash, done: make(chan struct{})}
	if s.m == nil {
		s.m = map[[hashLen]byte]*pendingKey{}
	}
	s.m[hash] = k
	s.Unlock()
	id, err := known()
	if errors.Is(err, queue.ErrNotFound) {
		return k, event.ID{}, nil
	}
	ks.release(k, id, err)
	return nil, id, err
}

// release ends acquire. With a nil error id is what others get as the first.
func (ks *pendingKeys) release(k *pendingKey, id event.ID, err error) {
	if k == nil {
		return
	}
	k.id, k.err = id, err
	s := &ks.stripes[k.hash[0]%64]
	s.Lock()
	delete(s.m, k.hash)
	s.Unlock()
	close(k.done)
}

// known finds the event that a dedupe key stands for at the time now.
func (q *Queue) known(hash [hashLen]byte, now uint64) (id event.ID, err error) {
	if q.filters.absent(hash) {
		return id, queue.ErrNotFound
	}
	err = q.read(func(db *pebble.DB) error {
		k := append([]byte{keyDedupe}, hash[:]...)
		return get(db, k, func(v []byte) error {
			d, err := decodeDupe(v)
			if err != nil || d.expires <= now {
				return queue.ErrNotFound // a damaged key is stored anew
			}
			id = d.id
			return nil
		})
	})
	return id, q.trusted(err)
}

func (q *Queue) exists(id event.ID) (event.ID, error) {
	err := q.read(func(db *pebble.DB) error {
		return get(db, idKey(keyEvent, id), func([]byte) error { return nil })
	})
	return id, q.trusted(err)
}

// trusted refuses what was read from a store that froze: it may show events
// whose Puts failed.
func (q *Queue) trusted(err error) error {
	if broken := q.broken(); broken != nil {
		return broken
	}
	return err
}

// busy reports whether a Put of the key is under way.
func (ks *pendingKeys) busy(hash [hashLen]byte) bool {
	s := &ks.stripes[hash[0]%64]
	s.Lock()
	defer s.Unlock()
	return s.m[hash] != nil
}
