package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"

	// bodyLimit bounds the body of a request, in bytes.
	bodyLimit = 1 << 20
	bodyTime  = 10 * time.Second
	callTime  = 30 * time.Second
)

// problem is the body of every refusal (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	// Request names the request in the log, where the listener gave it an id.
	Request string `json:"request_id,omitempty"`
}

func refuse(c *gin.Context, status int, code, detail string) {
	c.Abort()
	writeProblem(c.Writer, status, code, detail)
}

func writeProblem(w http.ResponseWriter, status int, code, detail string) {
	b, err := json.Marshal(problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code,
		Request: w.Header().Get("X-Request-Id"),
	})
	if err != nil {
		b = nil // strings always marshal
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// fail answers an error of the queue. What is not known is logged and not told.
func (a *api) fail(c *gin.Context, err error) {
	switch {
	case errors.Is(err, queue.ErrNotFound):
		refuse(c, http.StatusNotFound, "not_found", "no such event; it may be older than the history")
	case errors.Is(err, event.ErrBadID):
		refuse(c, http.StatusBadRequest, "bad_cursor", "the cursor is not one of this list")
	case errors.Is(err, queue.ErrFull), errors.Is(err, queue.ErrReadOnly), errors.Is(err, queue.ErrClosed):
		c.Header("Retry-After", "5")
		refuse(c, http.StatusServiceUnavailable, "queue_unavailable", "the queue takes no changes now")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		refuse(c, http.StatusServiceUnavailable, "timeout", "this took too long; ask for less")
	default:
		a.log.ErrorContext(c.Request.Context(), "admin request failed", "path", c.FullPath(), "error", err)
		refuse(c, http.StatusInternalServerError, "internal", "this failed; the log has the reason")
	}
}

// recovered turns a panic into a 500. The server's own way out of a handler is
// left alone.
func (a *api) recovered(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		a.log.ErrorContext(c.Request.Context(), "admin request panicked", "path", c.FullPath(), "panic", p, "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			refuse(c, http.StatusInternalServerError, "internal", "this failed; the log has the reason")
		}
	}()
	c.Next()
}

// limited bounds the time of a call whose answer has an end.
func limited(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), callTime)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(2 * callTime)) // not every writer can
	c.Next()
}

// decode reads the JSON body into v; an empty one leaves v as it is. It has
// answered when it returns false.
func decode(c *gin.Context, v any) bool {
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime)) // not every writer can
	defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	d := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, bodyLimit))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return true
	}
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.Join(errors.New("there is more than one JSON value"), more)
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(c, http.StatusRequestEntityTooLarge, "body_too_large", "the body is over 1 MiB")
		return false
	}
	if err != nil {
		refuse(c, http.StatusBadRequest, "malformed_json", "the body is not what this takes: "+err.Error())
		return false
	}
	return true
}
