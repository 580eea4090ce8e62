package quarantine

import (
	"context"
	"errors"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/ingest"
)

// Gate takes requests that were refused before; see ingest.Gate.Retry.
type Gate interface {
	Retry(ctx context.Context, req *ingest.Request, how ingest.Again) (ingest.Accepted, error)
}

// Retried is what became of one request that was tried again.
type Retried struct {
	ID        event.ID // in the quarantine
	Event     event.ID // that it is now, or was before; zero where it was refused
	Duplicate bool
	Reason    string // why it was refused again: "hmac:signature_mismatch"
}

// Reasons of the quarantine's own for not taking a request.
const (
	ReasonGone      = "not_found"
	ReasonBusy      = "busy" // somebody else tries it right now
	ReasonNoBody    = "body_not_kept"
	ReasonHandshake = "handshake"  // no event: its sender asks again by itself
	ReasonUnread    = "unreadable" // its file
)

// Retry lets the gate check one request again, with the configuration that is
// in force now, and removes it when it is accepted.
func (s *Store) Retry(ctx context.Context, gate Gate, id event.ID, unguarded bool) Retried {
	out := Retried{ID: id}
	release, reason := s.claim(id)
	if out.Reason = reason; reason != "" {
		return out
	}
	accepted := false
	defer func() { release(accepted) }()
	e, err := s.read(id)
	if err != nil {
		s.log.WarnContext(ctx, "file in the quarantine cannot be read", "quarantine", id.String(), "error", err)
		out.Reason = ReasonUnread
		return out
	}
	got, err := gate.Retry(ctx, e.Ingest(), ingest.Again{Key: id.String(), Hold: s.o.MaxAge, Unguarded: unguarded})
	switch {
	case err != nil:
		out.Reason = reasonOf(err)
	case got.Answer != nil:
		out.Reason = ReasonHandshake
	default:
		accepted = true
		out.Event, out.Duplicate = got.ID, got.Duplicate
	}
	return out
}

// claim keeps others from trying the same request at the same time.
func (s *Store) claim(id event.ID) (release func(done bool), reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.index.get(id)
	switch {
	case it == nil:
		return nil, ReasonGone
	case it.busy:
		return nil, ReasonBusy
	case it.Body != BodyKept:
		return nil, ReasonNoBody
	}
	it.busy = true
	return func(done bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		it.busy = false
		if done {
			s.drop(it)
		}
	}, ""
}

func reasonOf(err error) string {
	var r *ingest.Refusal
	if !errors.As(err, &r) {
		return "internal"
	}
	if r.Reason != "" {
		return r.Reason
	}
	return r.Code
}

// Oldest lists up to n requests that match, oldest first, that are newer than
// after: the order in which they are tried again.
func (s *Store) Oldest(f Filter, after event.ID, n int) []event.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []event.ID
	from, found := s.index.find(after)
	if found {
		from++
	}
	for _, it := range s.index.items[from:] {
		if len(ids) == n {
			break
		}
		if !it.bad && f.match(&it.Facts) {
			ids = append(ids, it.ID)
		}
	}
	return ids
}
