package admin

import (
	"net/http"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// QuarantineFilter narrows a list of refused requests. Zero fields do not
// narrow; the fields are and-ed.
type QuarantineFilter struct {
	Hook  string    `json:"hook,omitempty"`
	Code  string    `json:"code,omitempty"` // "hmac:signature_mismatch", or what is behind the colon
	Since time.Time `json:"since,omitzero"` // received at or after
	Until time.Time `json:"until,omitzero"` // received before
}

// Quarantined is a request that a proof refused.
type Quarantined struct {
	ID       event.ID  `json:"id"`
	Hook     string    `json:"hook"`
	Received time.Time `json:"received"`
	Status   int       `json:"status"` // that the sender got
	Code     string    `json:"code"`   // "hmac:signature_mismatch"
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Remote   string    `json:"remote,omitempty"`
	Size     int       `json:"size"` // bytes of the body
	// Body is kept, too_large or unread. A request whose body is not kept
	// cannot be tried again.
	Body string `json:"body_state"`
}

// QuarantinePage is GET /api/v1/quarantine, newest first. An empty Next is the
// last page's.
type QuarantinePage struct {
	Requests []Quarantined `json:"requests"`
	Next     string        `json:"next,omitempty"`
}

// QuarantineDetail is GET /api/v1/quarantine/{id}. Headers that are, or may be,
// credentials are in Hidden, without their values.
type QuarantineDetail struct {
	Quarantined
	Request string         `json:"request,omitempty"` // its id in the log
	Host    string         `json:"host"`
	Query   string         `json:"query,omitempty"` // without credentials
	TLS     bool           `json:"tls"`
	Headers http.Header    `json:"headers"`
	Hidden  []HiddenHeader `json:"hidden"`
}

// HiddenHeader is a header whose values are not shown.
type HiddenHeader struct {
	Name  string `json:"name"`
	Bytes []int  `json:"bytes"` // length of each value
}

// QuarantineRetry is the body of POST /api/v1/quarantine/retry. At least one
// id, one field of the filter, or All must be set.
type QuarantineRetry struct {
	QuarantineFilter
	IDs []event.ID `json:"ids,omitempty"` // at most 1000
	All bool       `json:"all,omitempty"`
	// Unguarded takes also what may have been accepted before, because the mark
	// that would tell is forgotten.
	Unguarded bool   `json:"unguarded,omitempty"`
	Cursor    string `json:"cursor,omitempty"` // QuarantineRetried.Next of the call before
	Limit     int    `json:"limit,omitempty"`  // requests per call: 1 to 1000; 0 is 1000
}

// QuarantineRetried is the answer. A Next that is not empty means that there is
// more: call again with it as the cursor.
type QuarantineRetried struct {
	Accepted int                `json:"accepted"` // and removed from the quarantine; duplicates among them
	Refused  int                `json:"refused"`  // and still there
	Results  []QuarantineResult `json:"results"`
	Next     string             `json:"next,omitempty"`
}

// QuarantineResult is what became of one request.
type QuarantineResult struct {
	ID        event.ID `json:"id"`
	Event     event.ID `json:"event,omitzero"` // that it is now, or was before
	Duplicate bool     `json:"duplicate,omitempty"`
	Code      string   `json:"code,omitempty"` // why it is refused again
}

// QuarantinePurge is the body of POST /api/v1/quarantine/purge. At least one id,
// one field of the filter, or All must be set.
type QuarantinePurge struct {
	QuarantineFilter
	IDs []event.ID `json:"ids,omitempty"` // at most 1000
	All bool       `json:"all,omitempty"`
}

// QuarantinePurged is how many requests are gone.
type QuarantinePurged struct {
	Requests int `json:"requests"`
}

// QuarantineStats are counters since the start, for the metrics.
type QuarantineStats struct {
	Entries int   // now
	Bytes   int64 // now
	Kept    int64
	Dropped int64 // beyond the bounds of time
	Failed  int64 // could not be written
}
