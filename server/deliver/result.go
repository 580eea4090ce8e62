package deliver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
)

// effect is what a result says about the far end.
type effect uint8

const (
	neutral effect = iota // nothing: filtered, or hookd's own doing
	works
	fails
)

// result is how one claim ended.
type result struct {
	verdict queue.Verdict
	fact    record.Fact
	quiet   bool // hookd's own doing: neither told nor logged
	effect  effect
	after   time.Duration // the far end's wish
}

var (
	// errShutdown is the cause of the contexts that end when hookd does.
	errShutdown = errors.New("hookd is shutting down")
	errIgnored  = errors.New("the module did not return after its time-out")
)

// notOpen marks the failure of a connection that could not be opened: nothing
// was sent, so the attempt does not count.
type notOpen struct{ error }

func (n notOpen) Unwrap() error { return n.error }

// judge turns the error of an attempt into a result.
func (l *Lane) judge(ctx context.Context, c *queue.Claim, err error, took time.Duration) result {
	now := time.Now()
	r := result{
		verdict: queue.Verdict{Claim: c},
		fact: record.Fact{
			Time: now, Hook: l.Hook, Lane: l.Name, Event: c.Event.ID, Type: c.Event.Type,
			Attempt: c.Attempt, Bytes: len(c.Event.Body), Duration: took,
		},
	}
	var closed notOpen
	switch {
	case err == nil:
		r.verdict.Outcome, r.verdict.Next, r.fact.Kind, r.effect = queue.Done, l.Next, record.Delivered, works
	case errors.Is(err, errFiltered):
		r.verdict.Outcome, r.verdict.Next, r.fact.Kind = queue.Filtered, l.Next, record.Filtered
	case errors.Is(context.Cause(ctx), errShutdown) && !isRejected(err):
		r.giveBack(now, modules.CodeShutdown)
	case errors.Is(err, conn.ErrReleased):
		// A reload came between the claim and the send.
		r.giveBack(now.Add(time.Second), modules.CodeConnectionLost)
	case errors.As(err, &closed):
		f := modules.FailureOf(closed.error)
		r.later(f, now.Add(max(f.After, time.Second)))
		r.verdict.Uncounted = true
	default:
		l.fail(&r, err, now)
	}
	r.fact.Next = r.verdict.Next
	return r
}

// fail decides between another attempt and the dead letters.
func (l *Lane) fail(r *result, err error, now time.Time) {
	f := modules.FailureOf(err)
	if errors.Is(err, context.DeadlineExceeded) && f.Kind != modules.Rejected {
		f.Code = modules.CodeTimeout
	}
	attempt := r.verdict.Claim.Attempt
	switch {
	case f.Kind == modules.Rejected:
		r.dead(f, l)
		r.effect = works // it answered
		if f.Code == modules.CodeFilterError || f.Code == modules.CodeTransformError {
			r.effect = neutral
			r.fact.Note = "" // jq quotes the payload
		}
	case attempt >= l.Policy.Attempts:
		r.dead(f, l)
		r.effect = fails
	default:
		r.later(f, now.Add(l.Policy.delay(attempt, f.After)))
	}
}

func (r *result) dead(f modules.Failure, l *Lane) {
	r.verdict.Outcome, r.fact.Kind = queue.Dead, record.Died
	if l.ContinueOnError {
		r.verdict.Next = l.Next
	}
	r.explain(f)
}

func (r *result) later(f modules.Failure, at time.Time) {
	r.verdict.Outcome, r.verdict.At = queue.Later, at
	r.fact.Kind, r.fact.NextTry, r.effect = record.Retried, at, fails
	r.explain(f)
}

// giveBack returns the claim as if it had not been taken.
func (r *result) giveBack(at time.Time, code string) {
	r.verdict.Outcome, r.verdict.At, r.verdict.Uncounted, r.verdict.Code = queue.Later, at, true, code
	r.quiet = true
}

func (r *result) explain(f modules.Failure) {
	if f.Code == "" {
		f.Code = modules.CodeUnknown
	}
	note := clip(f.Err)
	r.verdict.Code, r.verdict.Note = f.Code, note
	r.fact.Code, r.fact.Note = f.Code, note
	r.after = f.After
}

func isRejected(err error) bool { return modules.FailureOf(err).Kind == modules.Rejected }

// clip makes one line of at most 1 KiB of an error.
func clip(err error) string {
	if err == nil {
		return ""
	}
	s := err.Error()
	if len(s) > 1024 {
		s = fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(s[:1000], ""), len(s))
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)
}
