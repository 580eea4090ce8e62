package pebble

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookd/hookd/internal/queue"
)

// errStop ends a scan early, without an error.
var errStop = errors.New("stop")

// scan calls fn with each key in [from, to) and its value, until fn fails. The
// slices are fn's only during the call.
func scan(db pebble.Reader, from, to []byte, fn func(k, v []byte) error) (err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := fn(it.Key(), v); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return it.Error()
}

// get calls fn with the value of k; queue.ErrNotFound when there is none.
func get(db pebble.Reader, k []byte, fn func(v []byte) error) (err error) {
	v, closer, err := db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return queue.ErrNotFound
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	return fn(v)
}
