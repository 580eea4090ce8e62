package pebble

import (
	"context"
	"encoding/binary"
	"sync/atomic"
)

// filter answers most dedupe look-ups without touching the store: a key that
// it does not know was never stored. It is a Bloom filter of a fixed 8 MiB:
// with 6 million keys one look-up in 50 goes to the store, with 60 million all
// do, and memory is the same.
type filter struct {
	bits [filterWords]atomic.Uint64
}

const (
	filterWords = 1 << 20
	filterHash  = 4
)

// places are the bits of a key. A key is a hash already: its halves do.
func places(h [hashLen]byte, fn func(word uint64, bit uint64)) {
	a, b := binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:])|1
	for i := range uint64(filterHash) {
		at := (a + i*b) >> 20
		fn(at>>6%filterWords, 1<<(at&63))
	}
}

func (f *filter) add(h [hashLen]byte) {
	places(h, func(word, bit uint64) { f.bits[word].Or(bit) })
}

func (f *filter) has(h [hashLen]byte) bool {
	all := true
	places(h, func(word, bit uint64) { all = all && f.bits[word].Load()&bit != 0 })
	return all
}

// filters are the filter in use, which knows all stored keys or is nil, and
// the one that the sweep fills meanwhile. New keys go into both.
type filters struct {
	use  atomic.Pointer[filter]
	fill atomic.Pointer[filter]
}

// absent reports whether the key is surely not stored.
func (fs *filters) absent(h [hashLen]byte) bool {
	f := fs.use.Load()
	return f != nil && !f.has(h)
}

// add notes a key before it is written. What is filled is looked at first: it
// may come into use in between, but not the other way round.
func (fs *filters) add(h [hashLen]byte) {
	if f := fs.fill.Load(); f != nil {
		f.add(h)
	}
	if f := fs.use.Load(); f != nil {
		f.add(h)
	}
}

// refill starts a new filter. When it returns, all keys that were not added to
// it can be read from the store.
func (q *Queue) refill(ctx context.Context) error {
	q.filters.fill.Store(&filter{})
	return q.clean(ctx, func(b *batch) { b.note(b.LogData(nil, nil)) })
}
