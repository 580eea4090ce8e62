package event

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// ID names an event or a delivery. Event IDs are UUIDv7 (RFC 9562 section 5.7)
// and sort by the time of acceptance; delivery IDs are UUIDv8 (section 5.8).
type ID [16]byte

// ErrBadID is returned for text that is no UUID.
var ErrBadID = errors.New("not an event id: want 32 hex digits in the form 8-4-4-4-12")

// DeliveryID derives the ID of the delivery of an event to a lane, so that it
// is the same on every attempt, after a crash, and on a replay.
func DeliveryID(ev ID, lane string) ID {
	h := sha256.New()
	h.Write(ev[:])
	h.Write([]byte(lane))
	var id ID
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseID reads the form that String writes; it also takes upper case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, ErrBadID
	}
	packed := make([]byte, 0, 32)
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		packed = append(packed, s[i])
	}
	if _, err := hex.Decode(id[:], packed); err != nil {
		return ID{}, ErrBadID
	}
	return id, nil
}

// String is the usual 8-4-4-4-12 form in lower case.
func (id ID) String() string {
	var b [36]byte
	id.encode(&b)
	return string(b[:])
}

// Append appends the text of the ID to dst.
func (id ID) Append(dst []byte) []byte {
	var b [36]byte
	id.encode(&b)
	return append(dst, b[:]...)
}

func (id ID) encode(b *[36]byte) {
	hex.Encode(b[0:8], id[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], id[10:16])
}

// IsZero reports whether the ID was never set.
func (id ID) IsZero() bool { return id == ID{} }

// Time is when an event ID was made, to the millisecond.
func (id ID) Time() time.Time {
	ms := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	return time.UnixMilli(ms)
}

// MarshalText writes the form of String.
func (id ID) MarshalText() ([]byte, error) { return id.Append(nil), nil }

// UnmarshalText reads the form of String.
func (id *ID) UnmarshalText(b []byte) error {
	p, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = p
	return nil
}
