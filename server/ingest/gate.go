package ingest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
)

// Limits that hold where a hook or the daemon sets none.
const (
	DefaultMaxBody     = 10 << 20  // bytes of one body
	DefaultMaxBuffered = 512 << 20 // bytes of all bodies being read or checked
	DefaultMaxWait     = 25 * time.Second
)

// Putter is the part of the queue that the gate needs.
type Putter interface {
	Put(ctx context.Context, it queue.Item) (queue.Put, error)
}

// A Putter may promise to keep nothing of Event.Body once Put has returned,
// whatever it returned: then a small body is never copied.
type bodyReturner interface{ ReturnsBody() bool }

// Gate turns requests into durable events. Its fields are set before the first
// Accept and not changed after it; Accept is safe for concurrent use.
type Gate struct {
	Hooks    Hooks
	Queue    Putter
	Recorder Recorder // nil tells nobody
	Waiter   Waiter   // nil: response.wait is "accepted" for every hook
	// Quarantine keeps what a proof refuses; nil keeps nothing.
	Quarantine Quarantine
	Log        *slog.Logger
	Now        func() time.Time // nil is time.Now

	MaxBuffered int64         // bytes; 0 is DefaultMaxBuffered
	MaxWait     time.Duration // longest Reply.Delivered; 0 is DefaultMaxWait

	buffered atomic.Int64
	flood    flood
}

// Accept stores the event of req and returns its id. A nil error is a promise:
// the event and every delivery it owes survive a crash. Any error is a
// *Refusal; then nothing new will be delivered.
func (g *Gate) Accept(ctx context.Context, req *Request) (Accepted, error) {
	c := calls.Get().(*call)
	c.gate, c.req = g, req
	defer c.end()
	got, err := c.accept(ctx)
	if err != nil {
		r := refusalOf(err)
		g.refused(ctx, c, r)
		return Accepted{}, r
	}
	g.told(ctx, c, got)
	return got, nil
}

// accept is the way of one request from its first check to stable storage, in
// the order in which the checks become expensive.
func (c *call) accept(ctx context.Context) (Accepted, error) {
	if err := c.findHook(); err != nil { // 400, 404
		return Accepted{}, err
	}
	if err := c.findClient(); err != nil { // 403
		return Accepted{}, err
	}
	if err := c.hook.Auth.Early(ctx, &c.proof); err != nil { // 403
		return Accepted{}, c.unproved(err)
	}
	if err := c.readBody(); err != nil { // 413
		return Accepted{}, err
	}
	if a := c.handshake(ctx, false); a != nil {
		return c.shaken(a)
	}
	who, err := c.hook.Auth.Verify(ctx, &c.proof) // 401, 403, 503
	if err != nil {
		return Accepted{}, c.unproved(err)
	}
	if err := c.guarded(who); err != nil { // 401
		return Accepted{}, err
	}
	if a := c.handshake(ctx, true); a != nil {
		return c.shaken(a)
	}
	if c.req.Method != http.MethodPost {
		return Accepted{}, methodNotAllowed
	}
	if err := c.limit(); err != nil { // 429
		return Accepted{}, err
	}
	if err := c.decodeBody(); err != nil { // 413, 415
		return Accepted{}, err
	}
	if err := c.checkBody(ctx); err != nil { // 400, 415, 422
		return Accepted{}, err
	}
	put, err := c.gate.Queue.Put(ctx, c.item(ctx, who)) // 401, 503
	if errors.Is(err, queue.ErrReplayed) {
		return Accepted{}, denied(c.hook.Auth.Replayed(&c.proof, who))
	}
	if err != nil {
		return Accepted{}, unstored(err)
	}
	got := Accepted{ID: put.ID, Duplicate: !put.Fresh, Hook: c.hook}
	if c.hook.Reply.Delivered && !c.again {
		got.Outcome = c.gate.wait(ctx, put.ID)
	}
	return got, nil
}

func (c *call) findHook() error {
	r := c.req
	if r.Namespace != "" {
		if why := CheckNamespace(r.Namespace); why != "" {
			return &Refusal{Status: http.StatusBadRequest, Code: "bad_namespace", Public: why}
		}
	}
	if why := CheckID(r.Hook); why != "" {
		return &Refusal{Status: http.StatusBadRequest, Code: "bad_hook_id", Public: why}
	}
	h, release, ok := c.gate.Hooks.Hook(r.Hook)
	if ok {
		c.hook, c.release = h, release
	}
	if r.Method != http.MethodPost && (!ok || h.Handshake == nil) {
		return methodNotAllowed
	}
	if !ok {
		return unknownHook
	}
	return nil
}

// findClient fills in what a proof may look at before the body is there.
func (c *call) findClient() error {
	r := c.req
	c.proof = auth.Request{
		Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header,
		Peer: r.Peer, Remote: r.Peer, TLS: r.TLS, Now: r.Received,
	}
	if c.hook.Client == nil {
		return nil
	}
	remote, err := c.hook.Client(r.Peer, r.Header)
	if err != nil {
		return &Refusal{Status: http.StatusForbidden, Code: "forbidden", Public: "Forbidden", Reason: "client_address", Err: err}
	}
	c.proof.Remote = remote
	return nil
}

func (c *call) handshake(ctx context.Context, verified bool) *auth.Answer {
	if c.hook.Handshake == nil || c.again && !verified {
		return nil
	}
	return c.hook.Handshake.Answer(ctx, &c.proof, verified)
}

// shaken is the outcome of a handshake.
func (c *call) shaken(a *auth.Answer) (Accepted, error) {
	if a.Err != nil {
		return Accepted{}, noConsent(a)
	}
	return Accepted{Hook: c.hook, Answer: a}, nil
}

func (c *call) limit() error {
	if c.hook.Limit == nil {
		return nil
	}
	wait, ok := c.hook.Limit.Allow(c.proof.Remote, c.began())
	if ok {
		return nil
	}
	return &Refusal{
		Status: http.StatusTooManyRequests, Code: "rate_limited",
		Public: "Rate limit exceeded", RetryAfter: max(wait, time.Second),
	}
}

func (c *call) checkBody(ctx context.Context) error {
	if c.hook.Body.Check == nil {
		return nil
	}
	return c.hook.Body.Check(ctx, first(c.req.Header, "Content-Type"), c.body)
}

// item is the event as it is stored. What it holds is its own: the buffer that
// the body was read into goes back to the pool.
func (c *call) item(ctx context.Context, who auth.Identity) queue.Item {
	marks := c.hook.Auth.Mark(&c.proof, who)
	key, window := c.dedupe(ctx, marks)
	c.typ = eventType(marks.Type)
	return queue.Item{
		Event: &event.Event{
			Hook: c.hook.ID, Type: c.typ,
			Received: c.req.Received, Remote: c.proof.Remote, Subject: who.Subject,
			Query:  cleanQuery(c.req.URL.RawQuery, c.hook),
			Header: cleanHeader(c.req.Header, c.hook),
			Body:   c.keepBody(),
		},
		Lanes: c.hook.Lanes, DedupeKey: key, DedupeWindow: window, Once: c.held(c.once(who)),
	}
}

func (g *Gate) now() time.Time {
	if g.Now != nil {
		return g.Now()
	}
	return time.Now()
}

// told records what was accepted. Nothing is logged above Debug: the record
// counts, and a line per event would be the largest part of the work.
func (g *Gate) told(ctx context.Context, c *call, got Accepted) {
	kind, status := record.Accepted, http.StatusOK
	switch {
	case got.Answer != nil:
		kind, status = record.Handshake, cmp.Or(got.Answer.Status, status)
	case got.Duplicate:
		kind = record.Duplicate
	}
	if g.Log != nil && g.Log.Enabled(ctx, slog.LevelDebug) {
		g.Log.LogAttrs(ctx, slog.LevelDebug, "accepted", slog.String("request", c.req.ID), slog.String("hook", c.hook.ID),
			slog.String("event", got.ID.String()), slog.Bool("duplicate", got.Duplicate))
	}
	if g.Recorder == nil {
		return
	}
	g.Recorder.Tell(record.Fact{
		Time: c.began(), Kind: kind, Hook: c.hook.ID, Event: got.ID, Type: c.typ, Status: status,
		Bytes: len(c.proof.Body), Duration: g.now().Sub(c.began()), Remote: c.remote(), Request: c.req.ID,
	})
}

// remote is the client as far as it is known.
func (c *call) remote() netip.Addr {
	if c.proof.Remote.IsValid() {
		return c.proof.Remote
	}
	return c.req.Peer
}
