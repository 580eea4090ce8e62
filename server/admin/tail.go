package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/record"
)

const (
	maxTails   = 32 // open at once
	tailBuffer = 1024
	heartbeat  = 15 * time.Second
	// tailWrite is how long a reader may take to accept one write.
	tailWrite = 10 * time.Second
)

// tail streams facts as server-sent events (HTML Living Standard, section 9.2).
// The id of an event is the fact's time in nanoseconds: a reader that comes back
// with it gets what it missed, as far as the recorder remembers.
func (a *api) tail(c *gin.Context) {
	f, after, ok := tailQuery(c)
	if !ok {
		return
	}
	select {
	case a.tails <- struct{}{}:
		defer func() { <-a.tails }()
	default:
		c.Header("Retry-After", "10")
		refuse(c, http.StatusServiceUnavailable, "too_many_tails", "there are as many tails as there may be")
		return
	}
	ctx := c.Request.Context()
	sub, err := a.Recorder.Subscribe(ctx, tailBuffer)
	if errors.Is(err, record.ErrTooMany) {
		c.Header("Retry-After", "10")
		refuse(c, http.StatusServiceUnavailable, "too_many_tails", "there are as many tails as there may be")
		return
	}
	if err != nil {
		a.fail(c, err)
		return
	}

	rc := http.NewResponseController(c.Writer)
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no") // nginx would hold it back
	c.Status(http.StatusOK)
	s := &stream{w: c.Writer, rc: rc}
	if s.comment("hookd") != nil {
		return
	}
	missed, sent := a.since(after), map[record.Fact]bool{}
	for _, fact := range missed {
		sent[fact] = true
		if f.match(&fact) && s.fact(&fact) != nil {
			return
		}
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-a.Stopping:
			return
		case <-beat.C:
			err = s.comment("heartbeat")
		case fact := <-sub.Facts():
			// What was told between the subscription and the look back is in both.
			if len(sent) > 0 && sent[fact] {
				delete(sent, fact)
			} else if f.match(&fact) {
				err = s.fact(&fact)
			}
		}
		if err != nil {
			return
		}
	}
}

// since returns the remembered facts behind a cursor, oldest first.
func (a *api) since(after int64) []record.Fact {
	if after == 0 {
		return nil
	}
	facts := a.Recorder.Recent(record.DefaultRecent)
	var out []record.Fact
	for i := len(facts) - 1; i >= 0; i-- {
		if facts[i].Time.UnixNano() > after {
			out = append(out, facts[i])
		}
	}
	return out
}

func tailQuery(c *gin.Context) (f TailFilter, after int64, ok bool) {
	q, ok := parameters(c, "hook", "lane", "type", "kind", "after")
	if !ok {
		return f, 0, false
	}
	f = TailFilter{Hook: q.Get("hook"), Lane: q.Get("lane"), Type: q.Get("type"), Kind: q.Get("kind"), After: q.Get("after")}
	if id := c.GetHeader("Last-Event-ID"); id != "" {
		f.After = id
	}
	if f.After == "" {
		return f, 0, true
	}
	after, err := strconv.ParseInt(f.After, 10, 64)
	if err != nil || after <= 0 {
		refuse(c, http.StatusBadRequest, "bad_cursor", "after and Last-Event-ID are ids of this stream")
		return f, 0, false
	}
	return f, after, true
}

func (f *TailFilter) match(fact *record.Fact) bool {
	return (f.Hook == "" || f.Hook == fact.Hook) && (f.Lane == "" || f.Lane == fact.Lane) &&
		(f.Type == "" || f.Type == fact.Type) && (f.Kind == "" || f.Kind == fact.Kind.String())
}

// stream writes server-sent events, each at once.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf bytes.Buffer
}

func (s *stream) comment(text string) error {
	s.buf.Reset()
	s.buf.WriteString(": " + text + "\n\n")
	return s.send()
}

func (s *stream) fact(f *record.Fact) error {
	b, err := json.Marshal(wireFact(f))
	if err != nil {
		return err
	}
	s.buf.Reset()
	s.buf.WriteString("id: " + strconv.FormatInt(f.Time.UnixNano(), 10) + "\ndata: ")
	s.buf.Write(b) // JSON has no line breaks of its own
	s.buf.WriteString("\n\n")
	return s.send()
}

func (s *stream) send() error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(tailWrite)) // not every writer can
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return err
	}
	return s.rc.Flush()
}

func wireFact(f *record.Fact) Fact {
	out := Fact{
		Cursor: strconv.FormatInt(f.Time.UnixNano(), 10), Time: f.Time, Kind: f.Kind.String(), Hook: f.Hook, Lane: f.Lane,
		Event: f.Event, Type: f.Type, Attempt: f.Attempt, Status: f.Status, Code: f.Code, Note: f.Note, Bytes: f.Bytes,
		DurationMS: float64(f.Duration.Microseconds()) / 1000, NextTry: f.NextTry, Request: f.Request,
	}
	if f.Remote.IsValid() {
		out.Remote = f.Remote.String()
	}
	return out
}
