package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/queue"
)

// maxKey is the longest key that is stored as it is; a longer one is hashed.
const maxKey = 128

// dedupe returns what makes two requests of this hook the same, and for how
// long. An id that the proof does not cover could be changed by whoever replays
// the request, or set to a stranger's, so the body is mixed in.
func (c *call) dedupe(ctx context.Context, m auth.Marks) (key string, window time.Duration) {
	d := &c.hook.Dedupe
	if window = d.Window; window == 0 {
		window = m.Window
	}
	if window <= 0 {
		return "", 0
	}
	if d.Key != nil {
		own, err := d.Key(ctx, &c.proof, c.body)
		if err != nil {
			// Better delivered twice than lost.
			if attrs, ok := c.gate.line(ctx, slog.LevelWarn, c, err); ok {
				c.gate.Log.LogAttrs(ctx, slog.LevelWarn, "dedupe key failed", attrs...)
			}
			return "", 0
		}
		if own == "" {
			return "", 0
		}
		return c.hook.ID + "\x00k" + bounded(own), window
	}
	switch {
	case m.DeliveryID == "":
		return "", 0
	case m.Covered:
		return c.hook.ID + "\x00i" + bounded(m.DeliveryID), window
	}
	// A hash that is only fast will do: to make two bodies with one digest pass,
	// one must be able to prove both, and who can do that is the sender.
	var digest [16]byte
	binary.BigEndian.PutUint64(digest[:8], xxhash.Sum64(c.proof.Body))
	binary.BigEndian.PutUint64(digest[8:], uint64(len(c.proof.Body)))
	return c.hook.ID + "\x00b" + string(digest[:]) + bounded(m.DeliveryID), window
}

// once are the marks of the proofs that only one accepted request may have.
func (c *call) once(who auth.Identity) []queue.Once {
	if len(who.Once) == 0 {
		return nil
	}
	out := make([]queue.Once, 0, len(who.Once))
	for _, o := range who.Once {
		out = append(out, queue.Once{Key: c.hook.ID + "\x00o" + o.Key, Until: o.Until})
	}
	return out
}

func bounded(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "\x00" + string(sum[:])
}
