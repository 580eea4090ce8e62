package edge

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/hookd/hookd/server/ingest"
)

var (
	jsonType    = []string{"application/json"}
	problemType = []string{"application/problem+json"}
	textPlain   = []string{"text/plain; charset=utf-8"}
	closeConn   = []string{"close"}
	noStore     = []string{"no-store"}
	allowPost   = []string{http.MethodPost}
	decodes     = []string{"gzip, deflate"}
)

// problem is an error document (RFC 9457). Detail is always there: it is what
// clients of the original service read.
type problem struct {
	Type      string             `json:"type"`
	Title     string             `json:"title"`
	Status    int                `json:"status"`
	Detail    string             `json:"detail"`
	Code      string             `json:"code"`
	RequestID string             `json:"request_id"`
	ID        string             `json:"id,omitempty"` // of the event, where it is stored all the same
	Errors    []ingest.Violation `json:"errors,omitempty"`
}

func writeProblem(w http.ResponseWriter, p problem) {
	h := w.Header()
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if id := h[requestIDHeader]; len(id) > 0 {
		p.RequestID = id[0]
	}
	b, err := json.Marshal(p)
	if err != nil {
		b = []byte("{}") // cannot be: strings and numbers only
	}
	h["Content-Type"] = problemType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(p.Status)
	_, _ = w.Write(b)
}

// refuse answers with what the gate said. Nothing but the public parts of a
// Refusal reaches the caller.
func refuse(w http.ResponseWriter, err error) {
	var r *ingest.Refusal
	if !errors.As(err, &r) {
		r = &ingest.Refusal{Status: http.StatusInternalServerError, Code: "internal", Public: "Internal Server Error"}
	}
	h := w.Header()
	if r.Challenge != "" {
		h["Www-Authenticate"] = []string{r.Challenge}
	}
	if r.RetryAfter > 0 {
		h["Retry-After"] = []string{seconds(r.RetryAfter)}
	}
	switch r.Status {
	case http.StatusMethodNotAllowed:
		h["Allow"] = allowPost
	case http.StatusUnsupportedMediaType:
		if r.Code == "unsupported_encoding" { // RFC 9110 section 15.5.16
			h["Accept-Encoding"] = decodes
		}
	case http.StatusRequestTimeout, http.StatusRequestEntityTooLarge:
		// The rest of the body would have to be read to keep the connection.
		h["Connection"] = closeConn
	}
	writeProblem(w, problem{Status: r.Status, Detail: r.Public, Code: r.Code, Errors: r.Violations})
}

// seconds is the value of Retry-After: whole ones, rounded up.
func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
