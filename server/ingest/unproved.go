package ingest

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// Quarantine keeps requests that a proof refused, so that they can be looked at
// and, when what was wrong is put right, taken after all. It is safe for
// concurrent use.
type Quarantine interface {
	// Keep returns the id under which the request will be found, or zero where
	// it is not kept. It never blocks and never fails; of u it keeps nothing
	// but copies.
	Keep(u *Unproved) event.ID
}

// Unproved is a request that a proof refused, as it was received.
type Unproved struct {
	Request *Request // its Body is read
	Hook    *Hook
	Remote  netip.Addr // the client, after trusted proxies
	Body    []byte     // as sent
	Read    bool       // false: refused by its address, before the body was read
	Status  int
	Reason  string // "hmac:signature_mismatch"
}

// unproved is the refusal of a request by a proof.
func (c *call) unproved(err error) error {
	c.kept = !c.again && !auth.DenialOf(err).Asked
	return denied(err)
}

// keep hands a request that a proof refused to the quarantine.
func (g *Gate) keep(c *call, r *Refusal) event.ID {
	if g.Quarantine == nil || !c.kept {
		return event.ID{}
	}
	return g.Quarantine.Keep(&Unproved{
		Request: c.req, Hook: c.hook, Remote: c.remote(), Body: c.proof.Body, Read: c.body != nil,
		Status: r.Status, Reason: reasonOf(r),
	})
}

// Again is how a request that was refused is taken after all.
type Again struct {
	// Key names the request: it is accepted once under it.
	Key string
	// Hold is how long another copy of it may still be waiting to be taken; its
	// marks are remembered until then.
	Hold time.Duration
	// Unguarded takes it also where a mark that may be accepted once would be
	// forgotten by now, so that nobody knows whether it was accepted before.
	Unguarded bool
}

// Retry is Accept for a request that was refused before. It passes every check
// that it would pass if it came now, with one difference: for the proofs, now
// is req.Received, the time at which it came. A signature is valid for minutes
// only, and it was fresh when it came; that it is let in late is the operator's
// doing and not the sender's. What was too old then is too old still.
//
// It is not kept in the quarantine again, and no handshake is answered.
func (g *Gate) Retry(ctx context.Context, req *Request, how Again) (Accepted, error) {
	c := calls.Get().(*call)
	c.gate, c.req, c.again, c.how = g, req, true, how
	c.started = g.now()
	defer c.end()
	got, err := c.accept(ctx)
	if err != nil {
		return Accepted{}, refusalOf(err)
	}
	g.told(ctx, c, got)
	return got, nil
}

// began is when the request came to be accepted.
func (c *call) began() time.Time {
	if c.again {
		return c.started
	}
	return c.req.Received
}

// guarded refuses to try a request again when a mark that it may be accepted
// once with would be forgotten by now, and with it that it was accepted.
func (c *call) guarded(who auth.Identity) error {
	if !c.again || c.how.Unguarded {
		return nil
	}
	for _, o := range who.Once {
		if o.Until.Before(c.started) {
			return &Refusal{
				Status: http.StatusUnauthorized, Code: "unauthorized", Public: "Unauthorized", Reason: MarkForgotten,
			}
		}
	}
	return nil
}

// MarkForgotten is the reason for which Retry refuses what it cannot tell from
// a replay.
const MarkForgotten = "mark_forgotten"

// held makes the marks of a request that is tried again outlive its copies, and
// adds one for the request itself: it is not accepted twice when the process
// ends between accepting it and forgetting it.
func (c *call) held(marks []queue.Once) []queue.Once {
	if !c.again {
		return marks
	}
	until := c.started.Add(c.how.Hold)
	for i := range marks {
		if marks[i].Until.Before(until) {
			marks[i].Until = until
		}
	}
	if c.how.Key != "" {
		marks = append(marks, queue.Once{Key: c.hook.ID + "\x00q" + bounded(c.how.Key), Until: until})
	}
	return marks
}
