package deliver

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
)

// The headers of every delivery.
const (
	headerEvent       = "Hookd-Event-Id"
	headerDelivery    = "Hookd-Delivery-Id"
	headerHook        = "Hookd-Hook"
	headerAttempt     = "Hookd-Attempt"
	headerTraceparent = "Traceparent"
	headerTracestate  = "Tracestate"
	headerContentType = "Content-Type"
)

func headers(c *queue.Claim, contentType string) http.Header {
	h := make(http.Header, 8)
	h.Set(headerEvent, c.Event.ID.String())
	h.Set(headerDelivery, c.ID.String())
	h.Set(headerHook, c.Event.Hook)
	h.Set(headerAttempt, strconv.Itoa(c.Attempt))
	if contentType != "" {
		h.Set(headerContentType, contentType)
	}
	parent, state := trace(c.Event, c.ID, c.Attempt)
	h.Set(headerTraceparent, parent)
	if state != "" {
		h.Set(headerTracestate, state)
	}
	return h
}

// trace makes the traceparent of an attempt (W3C Trace Context section 3.2). A
// sender's valid one is continued with its flags and tracestate; else the trace
// is named by the event's ID, sampled, so that all deliveries of an event are
// one trace. The parent is the attempt: the same attempt has the same one.
func trace(ev *event.Event, delivery event.ID, attempt int) (parent, state string) {
	sum := sha256.Sum256(strconv.AppendInt(delivery[:], int64(attempt), 10))
	span := hex.EncodeToString(sum[:8])
	if id, flags, ok := parseTraceparent(ev.Header.Values(headerTraceparent)); ok {
		state = strings.Join(ev.Header.Values(headerTracestate), ",")
		if len(state) > 512 { // section 3.3.1.5: more need not be passed on
			state = ""
		}
		return "00-" + id + "-" + span + "-" + flags, state
	}
	return "00-" + hex.EncodeToString(ev.ID[:]) + "-" + span + "-01", ""
}

// parseTraceparent takes exactly one header of version 00.
func parseTraceparent(values []string) (id, flags string, ok bool) {
	if len(values) != 1 || len(values[0]) != 55 {
		return "", "", false
	}
	v := values[0]
	if v[:3] != "00-" || v[35] != '-' || v[52] != '-' {
		return "", "", false
	}
	id, span, flags := v[3:35], v[36:52], v[53:]
	for _, part := range []string{id, span, flags} {
		if strings.Trim(part, "0123456789abcdef") != "" {
			return "", "", false
		}
	}
	if strings.Trim(id, "0") == "" || strings.Trim(span, "0") == "" {
		return "", "", false
	}
	return id, flags, true
}
