package deliver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
)

// Defaults of a lane.
const (
	DefaultConcurrency = 16
	DefaultTimeout     = 30 * time.Second
)

// Format is what a destination gets.
type Format string

// The formats.
const (
	Payload     Format = "payload"     // the body
	Envelope    Format = "envelope"    // JSON with id, hook, type, received, headers, body
	CloudEvents Format = "cloudevents" // CloudEvents 1.0 (cloudevents.io)
)

// DataType is how the body of the hook is read by filters, transforms and the
// cleanup.
type DataType string

// The data types.
const (
	JSON DataType = "json"
	Form DataType = "form"
	Blob DataType = "blob"
)

// Lane is one destination of one hook, compiled. It is immutable once it was
// given to Engine.Apply.
type Lane struct {
	Name string // "github/kafka-1", unique
	Hook string
	// Fingerprint covers all that the lane is made from. Equal fingerprints keep
	// the breaker and the destination across a reload; empty is equal to nothing.
	Fingerprint string

	Module  modules.Module
	Env     modules.Env
	Options spec.Described
	// Conn is never nil. A module without connections gets a lease of its Open
	// with a nil description.
	Conn *conn.Lease

	Policy      Policy
	Concurrency int           // sends at once; 0 is DefaultConcurrency
	Timeout     time.Duration // of one send; 0 is DefaultTimeout

	DataType  DataType
	Filter    *jq.Program // nil lets everything pass
	Transform *jq.Program // nil changes nothing
	Cleanup   *Cleanup    // nil leaves credentials in bodies
	Format    Format      // "" is Payload
	// HTTPHeaders: Delivery.Header ends up as HTTP headers at the far end, so
	// CloudEvents are sent in binary mode.
	HTTPHeaders bool
	// Strip are headers of the sender that were kept for another lane of the
	// hook and are none of this one's business.
	Strip []string

	// Next is the lane of the next step of a sequential chain; "" is none.
	Next string
	// ContinueOnError starts Next although this step went to the dead letters.
	ContinueOnError bool
}

// check finds what a plan must never hand over.
func (l *Lane) check() error {
	switch {
	case l.Name == "":
		return errors.New("a lane has no name")
	case l.Module == nil, l.Conn == nil:
		return fmt.Errorf("lane %s has no module or no connection", l.Name)
	case l.Next == l.Name:
		return fmt.Errorf("lane %s is its own next step", l.Name)
	}
	return nil
}

func (l *Lane) concurrency() int {
	if l.Concurrency > 0 {
		return l.Concurrency
	}
	return DefaultConcurrency
}

func (l *Lane) timeout() time.Duration {
	if l.Timeout > 0 {
		return l.Timeout
	}
	return DefaultTimeout
}

// binary reports whether CloudEvents attributes travel as HTTP headers. A
// module's options may say so themselves.
func (l *Lane) binary() bool {
	h, ok := l.Options.(interface{ HTTPHeaders() bool })
	return l.HTTPHeaders || ok && h.HTTPHeaders()
}

func (l *Lane) log() *slog.Logger {
	if l.Env.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Env.Log
}
