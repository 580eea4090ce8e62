package ingest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
)

var (
	unknownHook = &Refusal{Status: http.StatusNotFound, Code: "unknown_hook", Public: "Webhook ID not found"}

	methodNotAllowed = &Refusal{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Public: "Method Not Allowed"}

	tooLarge = &Refusal{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Public: "Payload too large"}
)

// denied is the answer to a request that did not prove itself: one text for
// every reason, which only the log knows.
func denied(err error) error {
	d := auth.DenialOf(err)
	reason := d.Method + ":" + d.Code
	switch {
	case d.Unavailable:
		return &Refusal{
			Status: http.StatusServiceUnavailable, Code: "auth_unavailable", Reason: reason,
			Public: "Service temporarily unavailable", RetryAfter: 5 * time.Second, Err: d,
		}
	case d.Forbidden:
		return &Refusal{Status: http.StatusForbidden, Code: "forbidden", Reason: reason, Public: "Forbidden", Err: d}
	}
	return &Refusal{
		Status: http.StatusUnauthorized, Code: "unauthorized", Reason: reason,
		Public: "Unauthorized", Challenge: d.Challenge, Err: d, Asked: d.Asked,
	}
}

// noConsent is the answer to a handshake that the hook does not take. Senders
// look at the status only.
func noConsent(a *auth.Answer) error {
	d := auth.DenialOf(a.Err)
	r := &Refusal{
		Status: a.Status, Code: "handshake_refused", Reason: d.Method + ":" + d.Code,
		Public: http.StatusText(a.Status), Err: d,
	}
	if a.Status == http.StatusServiceUnavailable {
		r.RetryAfter = 5 * time.Second
	}
	return r
}

// unstored is the answer when the event is not on stable storage: the sender
// is asked to come again.
func unstored(err error) error {
	r := &Refusal{
		Status: http.StatusServiceUnavailable, Code: "storage_unavailable",
		Public: "Service temporarily unavailable", RetryAfter: 10 * time.Second, Err: err,
	}
	switch {
	case errors.Is(err, queue.ErrFull):
		r.Code, r.Public, r.RetryAfter = "queue_full", "Queue is full", 30*time.Second
	case errors.Is(err, queue.ErrReadOnly):
		r.RetryAfter = 60 * time.Second
	case errors.Is(err, queue.ErrClosed):
		r.Code, r.Public, r.RetryAfter = "draining", "Service is shutting down", 5*time.Second
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.Code = "canceled"
	}
	return r
}

// refusalOf makes a Refusal of any error. One that is none already is a fault
// of the hook's configuration or of hookd, and its text is not for the sender.
func refusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{Status: http.StatusInternalServerError, Code: "internal", Public: "Internal Server Error", Err: err}
}

// refused tells the record and the log. An unknown hook's id is not told to
// the record, where every name takes memory.
func (g *Gate) refused(ctx context.Context, c *call, r *Refusal) {
	id := g.keep(c, r)
	level := slog.LevelInfo
	switch {
	case r.Status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case r.Asked:
		level = slog.LevelDebug
	}
	if attrs, ok := g.line(ctx, level, c, r); ok {
		if !id.IsZero() {
			attrs = append(attrs, slog.String("quarantine", id.String()))
		}
		g.Log.LogAttrs(ctx, level, "refused", attrs...)
	}
	if g.Recorder == nil {
		return
	}
	f := record.Fact{
		Time: c.req.Received, Kind: record.Refused, Event: id, Status: r.Status, Code: reasonOf(r), Bytes: len(c.raw),
		Duration: g.now().Sub(c.req.Received), Remote: c.remote(), Request: c.req.ID,
	}
	if c.hook != nil {
		f.Hook = c.hook.ID
	}
	g.Recorder.Tell(f)
}

func reasonOf(r *Refusal) string {
	if r.Reason != "" {
		return r.Reason
	}
	return r.Code
}

// line is what to log about a request, unless there were too many lines
// already: a flood of bad requests must not fill a disk.
func (g *Gate) line(ctx context.Context, level slog.Level, c *call, err error) (attrs []slog.Attr, ok bool) {
	if g.Log == nil || !g.Log.Enabled(ctx, level) {
		return nil, false
	}
	ok, dropped := g.flood.allow(g.now())
	if !ok {
		return nil, false
	}
	attrs = make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("request", c.req.ID), slog.String("hook", c.req.Hook[:min(len(c.req.Hook), maxID)]),
		slog.String("remote", c.remote().String()))
	var r *Refusal
	if errors.As(err, &r) {
		attrs = append(attrs, slog.Int("status", r.Status), slog.String("code", r.Code))
		if r.Reason != "" {
			attrs = append(attrs, slog.String("reason", r.Reason))
		}
		err = r.Err
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	if dropped > 0 {
		attrs = append(attrs, slog.Int("lines_dropped", dropped))
	}
	return attrs, true
}

// flood is a token bucket for log lines: 50 at once, 10 a second after that.
type flood struct {
	mu      sync.Mutex
	tokens  float64
	last    time.Time
	dropped int
}

const (
	floodBurst = 50
	floodRate  = 10
)

func (f *flood) allow(now time.Time) (ok bool, dropped int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last.IsZero() {
		f.tokens = floodBurst
	} else if d := now.Sub(f.last); d > 0 {
		f.tokens = min(floodBurst, f.tokens+d.Seconds()*floodRate)
	}
	f.last = now
	if f.tokens < 1 {
		f.dropped++
		return false, 0
	}
	f.tokens--
	dropped, f.dropped = f.dropped, 0
	return true, dropped
}

// wait waits for the deliveries of id, in bounds. nil: they are not settled
// yet, which takes nothing from the promise that was made.
func (g *Gate) wait(ctx context.Context, id event.ID) *Outcome {
	if g.Waiter == nil {
		return nil
	}
	limit := g.MaxWait
	if limit == 0 {
		limit = DefaultMaxWait
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	o, err := g.Waiter.Wait(ctx, id)
	if err != nil {
		return nil
	}
	return &o
}
