package edge

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/server/ingest"
)

const eventIDHeader = "Hookd-Event-Id"

func (e *edge) hook(c *gin.Context) { e.accept(c, "", c.Param("id")) }

// namespaced has the namespace in the parameter that the other route calls id:
// gin wants one name for one place.
func (e *edge) namespaced(c *gin.Context) {
	if c.Param("id") == "" { // "/webhook//a" is not "/webhook/a"
		notFound(c)
		return
	}
	e.accept(c, c.Param("id"), c.Param("name"))
}

// call is the pooled part of a webhook request.
type call struct {
	req  ingest.Request
	body timedBody
}

var calls = sync.Pool{New: func() any { return new(call) }}

// accept hands a request to the gate without its gin context, and writes the
// answer.
func (e *edge) accept(c *gin.Context, namespace, id string) {
	w, r := c.Writer, c.Request
	if r.Method == http.MethodPost && e.o.Draining() {
		h := w.Header()
		h["Connection"] = closeConn
		refuse(w, &ingest.Refusal{
			Status: http.StatusServiceUnavailable, Code: "draining",
			Public: "Service is shutting down", RetryAfter: 5 * time.Second,
		})
		return
	}
	k := calls.Get().(*call)
	now := e.o.Now()
	k.body = timedBody{e: e, w: w, r: r.Body}
	k.req = ingest.Request{
		ID: w.Header()[requestIDHeader][0], Method: r.Method, Namespace: namespace, Hook: id,
		URL: r.URL, Host: r.Host, Header: r.Header, Peer: peerOf(r), TLS: r.TLS,
		Length: r.ContentLength, Body: &k.body, Received: now,
	}
	got, err := e.o.Gate.Accept(r.Context(), &k.req)
	*k = call{}
	calls.Put(k) // not after a panic: somebody may still hold it
	switch {
	case err != nil:
		refuse(w, err)
	case got.Answer != nil:
		writeAnswer(w, got.Answer)
	default:
		writeAccepted(w, &got)
	}
}

// writeAnswer answers a handshake. Some answers reflect what the caller sent,
// so they are never a page.
func writeAnswer(w http.ResponseWriter, a *auth.Answer) {
	h := w.Header()
	h["Content-Type"] = textPlain
	h["Cache-Control"] = noStore
	setHeaders(h, a.Header)
	if strings.Contains(strings.ToLower(h.Get("Content-Type")), "html") {
		h["Content-Type"] = textPlain
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(a.Body)
}

// The usual answer has one of two lengths.
const (
	replyHead    = `{"message":"200 OK","id":"`
	replyTail    = `"}`
	replyTailDup = `","duplicate":true}`
)

var (
	replyLength    = []string{strconv.Itoa(len(replyHead) + 36 + len(replyTail))}
	replyLengthDup = []string{strconv.Itoa(len(replyHead) + 36 + len(replyTailDup))}
)

func writeAccepted(w http.ResponseWriter, got *ingest.Accepted) {
	h := w.Header()
	id := got.ID.String()
	h[eventIDHeader] = []string{id}
	reply := &got.Hook.Reply
	switch {
	case reply.Delivered:
		writeOutcome(w, got, id)
		return
	case reply.Status != 0 || reply.Body != "" || len(reply.Header) > 0:
		writeReply(w, got, id)
		return
	}
	h["Content-Type"] = jsonType
	buf := make([]byte, 0, 128)
	buf = append(append(buf, replyHead...), id...)
	if got.Duplicate {
		h["Content-Length"] = replyLengthDup
		buf = append(buf, replyTailDup...)
	} else {
		h["Content-Length"] = replyLength
		buf = append(buf, replyTail...)
	}
	_, _ = w.Write(buf)
}

// writeReply is the answer that a hook is configured with.
func writeReply(w http.ResponseWriter, got *ingest.Accepted, id string) {
	reply := &got.Hook.Reply
	status := reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	h := w.Header()
	body := reply.Body
	if body == "" {
		h["Content-Type"] = jsonType
		body = message(status, id, got.Duplicate, "")
	} else if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		h["Content-Type"] = jsonType
	} else {
		h["Content-Type"] = textPlain
	}
	setHeaders(h, reply.Header)
	w.WriteHeader(status)
	if status != http.StatusNoContent && status != http.StatusNotModified {
		_, _ = w.Write([]byte(body))
	}
}

// writeOutcome is the answer of a hook that waits for its deliveries.
func writeOutcome(w http.ResponseWriter, got *ingest.Accepted, id string) {
	switch o := got.Outcome; {
	case o == nil:
		w.Header()["Content-Type"] = jsonType
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(message(http.StatusAccepted, id, got.Duplicate, "accepted")))
	case o.Dead > 0:
		writeProblem(w, problem{
			Status: http.StatusBadGateway, Code: "delivery_failed", ID: id,
			Detail: "The event is stored, but could not be delivered",
		})
	case got.Hook.Reply.Status != 0 || got.Hook.Reply.Body != "" || len(got.Hook.Reply.Header) > 0:
		writeReply(w, got, id)
	default:
		w.Header()["Content-Type"] = jsonType
		_, _ = w.Write([]byte(message(http.StatusOK, id, got.Duplicate, "delivered")))
	}
}

// message is the usual JSON; none of its parts needs escaping.
func message(status int, id string, duplicate bool, state string) string {
	s := `{"message":"` + strconv.Itoa(status) + " " + http.StatusText(status) + `","id":"` + id + `"`
	if state != "" {
		s += `,"status":"` + state + `"`
	}
	if duplicate {
		s += `,"duplicate":true`
	}
	return s + "}"
}

// setHeaders sets what the configuration or a preset wants, save what frames
// the message.
func setHeaders(h http.Header, extra map[string]string) {
	for k, v := range extra {
		switch http.CanonicalHeaderKey(k) {
		case "Connection", "Content-Length", "Transfer-Encoding", "Date", "Trailer", "Upgrade":
		default:
			h.Set(k, v)
		}
	}
}
