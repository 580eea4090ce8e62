// Package admin is the admin listener: what hookd did and holds, as an HTTP API
// for operators, their dashboards and the command line. It also has the stats
// and reload routes of the original service for the public listener.
//
// The wire types of this file and the Client are all that the command line
// needs to know of it.
package admin

import (
	"net/http"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/record"
)

// Filter narrows a list of events or dead letters. Zero fields do not narrow;
// the fields are and-ed. In a URL the fields are query parameters, the times in
// RFC 3339.
type Filter struct {
	Hook   string    `json:"hook,omitempty"`
	Lane   string    `json:"lane,omitempty"`
	Status string    `json:"status,omitempty"` // pending, delayed, delivered, filtered, dead
	Type   string    `json:"type,omitempty"`
	Since  time.Time `json:"since,omitzero"` // accepted at or after
	Until  time.Time `json:"until,omitzero"` // accepted before
}

// Version is GET /api/v1/version.
type Version struct {
	Version string    `json:"version"`
	Go      string    `json:"go"`
	Started time.Time `json:"started"`
}

// Health is GET /healthz: 200 when Status is "ok", else 503.
type Health struct {
	Status string `json:"status"` // "ok" or "unready"
	Reason string `json:"reason,omitempty"`
}

// Hook is one entry of GET /api/v1/hooks: a configured hook, without secrets.
type Hook struct {
	ID          string   `json:"id"`
	Path        string   `json:"path"` // "/webhook/github"
	Description string   `json:"description,omitempty"`
	Enabled     bool     `json:"enabled"`
	DataType    string   `json:"data_type"`
	Provider    string   `json:"provider,omitempty"`
	Auth        []string `json:"auth"` // names of the proofs that must all hold
	Lanes       []string `json:"lanes"`
}

// Hooks is GET /api/v1/hooks.
type Hooks struct {
	Hooks []Hook `json:"hooks"`
}

// Lane is one entry of GET /api/v1/lanes: what waits for one destination, and
// how it fares.
type Lane struct {
	Name    string    `json:"name"` // "github/log-1"
	Hook    string    `json:"hook"`
	Module  string    `json:"module,omitempty"` // empty for a lane that is no longer configured
	Paused  bool      `json:"paused"`
	Breaker string    `json:"breaker"` // closed, open, half_open
	Ready   int       `json:"ready"`
	Delayed int       `json:"delayed"`
	Leased  int       `json:"leased"`
	Dead    int       `json:"dead"`
	Oldest  time.Time `json:"oldest,omitzero"` // when the oldest unsettled delivery was accepted
}

// Lanes is GET /api/v1/lanes.
type Lanes struct {
	Lanes []Lane `json:"lanes"`
}

// Stats is GET /api/v1/stats: counters since the start of the process, sorted
// by name. What belongs to no configured hook or lane is counted as "other".
type Stats struct {
	Started time.Time   `json:"started"`
	Now     time.Time   `json:"now"`
	Tails   int         `json:"tails"`        // open tails
	Missed  int64       `json:"tails_missed"` // facts that a tail had no room for
	Hooks   []HookStats `json:"hooks"`
	Lanes   []LaneStats `json:"lanes"`
	// EventLog is left out where there is none.
	EventLog *EventLogStats `json:"event_log,omitempty"`
}

// EventLogStats counts the rows of the event log.
type EventLogStats struct {
	Written int64 `json:"written"`
	Dropped int64 `json:"dropped"` // could not be written, or not in time
	Waiting int64 `json:"waiting"`
}

// HookStats counts the requests of one hook.
type HookStats struct {
	Hook       string           `json:"hook"`
	Accepted   int64            `json:"accepted"`
	Duplicates int64            `json:"duplicates"`
	Handshakes int64            `json:"handshakes"`
	Refused    int64            `json:"refused"`
	Bytes      int64            `json:"bytes"`                // of accepted bodies
	Last       time.Time        `json:"last,omitzero"`        // accepted
	RefusedBy  map[string]int64 `json:"refused_by,omitempty"` // by code
	Windows    Windows          `json:"windows"`
	Accept     Latency          `json:"accept"`
}

// Windows counts accepted requests of the last while, under the names of the
// original service.
type Windows = record.Windows

// LaneStats counts the attempts of one lane.
type LaneStats struct {
	Lane      string           `json:"lane"`
	Delivered int64            `json:"delivered"`
	Filtered  int64            `json:"filtered"`
	Failed    int64            `json:"failed"`              // attempts that will be tried again
	Dead      int64            `json:"dead"`                // deliveries that went to the dead letters
	FailedBy  map[string]int64 `json:"failed_by,omitempty"` // failed and dead, by code
	Bytes     int64            `json:"bytes"`               // delivered
	Last      time.Time        `json:"last,omitzero"`       // delivered
	Delivery  Latency          `json:"delivery"`
}

// Latency sums up durations. The quantiles are read off a histogram and as
// coarse as its buckets; all figures are seconds.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
}

// Event is an event of a list.
type Event struct {
	ID         event.ID   `json:"id"`
	Hook       string     `json:"hook"`
	Type       string     `json:"type,omitempty"`
	Received   time.Time  `json:"received"`
	Remote     string     `json:"remote,omitempty"`
	Subject    string     `json:"subject,omitempty"`
	Size       int        `json:"size"` // bytes of the body
	Deliveries []Delivery `json:"deliveries"`
}

// Delivery is where one delivery of an event stands.
type Delivery struct {
	ID       event.ID  `json:"id"`
	Lane     string    `json:"lane"`
	Status   string    `json:"status"`
	Attempts int       `json:"attempts"`
	Updated  time.Time `json:"updated,omitzero"`
	NextTry  time.Time `json:"next_try,omitzero"`
	Code     string    `json:"code,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// EventPage is GET /api/v1/events and GET /api/v1/dead, newest first. An empty
// Next is the last page's.
type EventPage struct {
	Events []Event `json:"events"`
	Next   string  `json:"next,omitempty"`
}

// EventDetail is GET /api/v1/events/{id}. A body that is not UTF-8 text is in
// base64. One over 1 MiB is left out (BodyOmitted): fetch it from
// /api/v1/events/{id}/body.
type EventDetail struct {
	Event
	Query        string      `json:"query,omitempty"`
	Headers      http.Header `json:"headers"` // without credentials
	Body         string      `json:"body"`
	BodyEncoding string      `json:"body_encoding"` // "text" or "base64"
	BodyOmitted  bool        `json:"body_omitted,omitempty"`
}

// LaneRequest is the body of POST /api/v1/events/{id}/replay and
// /api/v1/dead/{id}/replay. An empty lane is all that the event had at first,
// or all its dead ones.
type LaneRequest struct {
	Lane string `json:"lane,omitempty"`
}

// ReplayRequest is the body of POST /api/v1/replay and /api/v1/dead/replay. The
// deliveries that match the filter's lane and status become due again; To sends
// the matching events to another lane instead. At least one field of the filter
// or All must be set. Without lane, status and To an event starts over where it
// began; a dry run then counts the later steps of a sequential chain too.
type ReplayRequest struct {
	Filter
	All    bool   `json:"all,omitempty"`
	To     string `json:"to,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"` // count only
	Cursor string `json:"cursor,omitempty"`  // Replayed.Next of the call before
	Limit  int    `json:"limit,omitempty"`   // events per call: 1 to 10000; 0 is 1000
}

// Replayed is the answer of every replay. A Next that is not empty means that
// there is more: call again with it as the cursor.
type Replayed struct {
	Events     int    `json:"events"`
	Deliveries int    `json:"deliveries"` // that became due, or would
	DryRun     bool   `json:"dry_run,omitempty"`
	Next       string `json:"next,omitempty"`
}

// PurgeRequest is the body of POST /api/v1/dead/purge. At least one field of
// the filter, an id or All must be set. Status is ignored.
type PurgeRequest struct {
	Filter
	IDs    []event.ID `json:"ids,omitempty"` // at most 1000
	All    bool       `json:"all,omitempty"`
	DryRun bool       `json:"dry_run,omitempty"`
}

// Purged is how many dead letters are gone, or would be.
type Purged struct {
	Deliveries int  `json:"deliveries"`
	DryRun     bool `json:"dry_run,omitempty"`
}

// Fact is one server-sent event of GET /api/v1/tail.
type Fact struct {
	Cursor     string    `json:"cursor"` // for TailFilter.After
	Time       time.Time `json:"time"`
	Kind       string    `json:"kind"` // accepted, duplicate, refused, delivered, filtered, retried, died, breaker, handshake
	Hook       string    `json:"hook,omitempty"`
	Lane       string    `json:"lane,omitempty"`
	Event      event.ID  `json:"event,omitzero"`
	Type       string    `json:"type,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Status     int       `json:"status,omitempty"` // that the sender got
	Code       string    `json:"code,omitempty"`
	Note       string    `json:"note,omitempty"`
	Bytes      int       `json:"bytes,omitempty"`
	DurationMS float64   `json:"duration_ms,omitempty"`
	NextTry    time.Time `json:"next_try,omitzero"`
	Remote     string    `json:"remote,omitempty"`
	Request    string    `json:"request,omitempty"`
}

// TailFilter narrows a tail. Zero fields do not narrow.
type TailFilter struct {
	Hook, Lane, Type, Kind string
	// After starts behind the fact with this Cursor, as far back as the recorder
	// remembers; "" starts with what happens now.
	After string
}

// ReloadRequest is the body of POST /api/v1/reload.
type ReloadRequest struct {
	DryRun bool `json:"dry_run,omitempty"` // check the files, change nothing
}

// ReloadResult is the answer: 200 when OK, 422 when the files have errors. The
// configuration in force before stays when OK is false.
type ReloadResult struct {
	OK          bool      `json:"ok"`
	DryRun      bool      `json:"dry_run,omitempty"`
	Time        time.Time `json:"time"`
	Hooks       Change    `json:"hooks"`
	Connections Change    `json:"connections"`
	Problems    []Problem `json:"problems,omitempty"`
}

// Change is what a reload did to one kind of thing. Changed is empty where
// that is not known.
type Change struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Total   int      `json:"total"`
}

// Problem is one thing wrong in a file.
type Problem struct {
	Severity string `json:"severity"` // error, warning, note
	Place    string `json:"place"`    // file:line:col
	Path     string `json:"path,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}
