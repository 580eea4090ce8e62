package pebble

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// The first byte of every key; see the picture in doc.go.
const (
	keyEvent  = 'e'
	keyBody   = 'b'
	keyDedupe = 'k'
	keyReady  = 'r'
	keyDue    = 'd'
	keyState  = 'h'
	keyDead   = 'x'
	keyLane   = 'l'
	keyHint   = 'w'
)

const (
	idLen    = len(event.ID{})
	laneLen  = 4
	hashLen  = 16
	dueLen   = 8
	readyLen = 1 + laneLen + idLen
	delayLen = 1 + laneLen + dueLen + idLen
	stateLen = 1 + idLen + laneLen
)

var formatKey = []byte("!format")

func idKey(kind byte, id event.ID) []byte {
	return append([]byte{kind}, id[:]...)
}

func laneKey(kind byte, lane uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, lane)
}

func readyKey(lane uint32, id event.ID) []byte {
	k := make([]byte, readyLen)
	putReadyKey(k, lane, id)
	return k
}

func putReadyKey(k []byte, lane uint32, id event.ID) {
	k[0] = keyReady
	binary.BigEndian.PutUint32(k[1:], lane)
	copy(k[1+laneLen:], id[:])
}

// moment is a place in a lane's delayed index: a time and, for those at the
// same time, an ID.
type moment struct {
	due uint64
	id  event.ID
}

func (m moment) compare(o moment) int {
	if m.due != o.due {
		if m.due < o.due {
			return -1
		}
		return 1
	}
	return bytes.Compare(m.id[:], o.id[:])
}

func delayKey(lane uint32, m moment) []byte {
	k := make([]byte, delayLen)
	k[0] = keyDue
	binary.BigEndian.PutUint32(k[1:], lane)
	binary.BigEndian.PutUint64(k[1+laneLen:], m.due)
	copy(k[1+laneLen+dueLen:], m.id[:])
	return k
}

func splitDelayKey(k []byte) (lane uint32, m moment) {
	m.due = binary.BigEndian.Uint64(k[1+laneLen:])
	copy(m.id[:], k[1+laneLen+dueLen:])
	return binary.BigEndian.Uint32(k[1:]), m
}

func pairKey(kind byte, id event.ID, lane uint32) []byte {
	k := make([]byte, stateLen)
	k[0] = kind
	copy(k[1:], id[:])
	binary.BigEndian.PutUint32(k[1+idLen:], lane)
	return k
}

func splitPairKey(k []byte) (id event.ID, lane uint32) {
	copy(id[:], k[1:])
	return id, binary.BigEndian.Uint32(k[1+idLen:])
}

// dedupeKey hashes the caller's key: 128 bits of SHA-256, so that the cost of
// a key does not grow with its length and keys cannot be made to collide.
func dedupeKey(key string) (h [hashLen]byte) {
	sum := sha256.Sum256([]byte(key))
	copy(h[:], sum[:])
	return h
}

// next is the moment right behind m.
func (m moment) next() moment {
	m.id = nextID(m.id)
	if m.id.IsZero() {
		m.due++
	}
	return m
}

// nextID is the ID right behind id; zero behind the last.
func nextID(id event.ID) event.ID {
	for i := idLen - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}

// after is the first key behind all keys that start with k.
func after(k []byte) []byte {
	end := bytes.Clone(k)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// dueOf is the time as keys order it; times before 1970 and after 2262 are
// those.
func dueOf(t time.Time) uint64 {
	switch s := t.Unix(); {
	case s < 0:
		return 0
	case s >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	}
	return uint64(t.UnixNano()) // #nosec G115 -- not negative, see above
}

func timeOf(due uint64) time.Time {
	return time.Unix(0, int64(min(due, math.MaxInt64))) // #nosec G115 -- bounded
}
