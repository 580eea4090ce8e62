package activemq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	codeError = "activemq_error"
	// fullPause is how long a full broker is left alone.
	fullPause = 5 * time.Second
)

// fault is an ERROR frame.
type fault struct {
	receipt string // that it names; "" is none
	message string // for people
	class   string // the exception, as ActiveMQ Classic gives it in the body
}

func newFault(f *frame.Frame) *fault {
	first, _, _ := strings.Cut(string(f.Body), "\n")
	class, rest, _ := strings.Cut(first, ":")
	x := &fault{receipt: f.Header.Get(frame.ReceiptId), message: clip(f.Header.Get(frame.Message)), class: clip(class)}
	// Artemis adds the message with all its headers.
	x.message, _, _ = strings.Cut(x.message, " CoreMessage[")
	if x.message == "" {
		x.message = clip(rest)
	}
	if x.message == "" {
		x.message = "an ERROR without words"
	}
	return x
}

func (f *fault) Error() string { return f.message }

// clip is a text of the broker's that is fit for a log.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.TrimSpace(s)
}

// says reports whether the broker used one of the words. STOMP has no codes.
func (f *fault) says(words ...string) bool {
	text := strings.ToLower(f.class + " " + f.message)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// tooLarge: ActiveMQ Classic, Artemis, RabbitMQ.
func (f *fault) tooLarge() bool {
	return f.says("maximum data length", "maximum frame size", "header length", "number of headers", "too large", "too big", "max_frame", "max_headers")
}

// forbidden: ActiveMQ Classic ("User x is not authorized to write to"), Artemis
// ("AMQ229032: User: x does not have permission='SEND'"), RabbitMQ.
func (f *fault) forbidden() bool {
	return f.says("securityexception", "not authorized", "does not have permission", "access_refused", "access refused")
}

// full: "Usage Manager Store is Full", "AMQ229102: Address x is full".
func (f *fault) full() bool { return f.says("resourceallocation", "is full", "no space") }

// aboutOne reports whether the ERROR is about one message, and not about all
// that are sent to the same place. No ERROR is about nothing.
func (f *fault) aboutOne() bool { return f != nil && !f.forbidden() && !f.full() }

// refusal says what an ERROR means for a message. What an operator may cure,
// rights among it, is tried again; a message that can never pass is not.
func (k *client) refusal(f *fault) error {
	err := fmt.Errorf("activemq: %s: %w", k.addr, f)
	switch {
	case f.tooLarge():
		return modules.Reject(modules.CodeTooLarge, err)
	case f.forbidden():
		return modules.Retry(modules.CodeAuthFailed, err)
	case f.full():
		return modules.Throttle(modules.CodeThrottled, fullPause, err)
	}
	return modules.Retry(codeError, err)
}

// failure says what it means that a session ended.
func (k *client) failure(ctx context.Context, s *session, why error) error {
	switch f, _ := s.state(); {
	case f != nil:
		return k.refusal(f)
	case ctx.Err() != nil:
		return link.Ended(ctx, fmt.Errorf("activemq: %s: %w", k.addr, why))
	}
	return modules.Disconnect(fmt.Errorf("activemq: %s: connection lost: %w", k.addr, why))
}

// openFailure says why a session could not be opened.
func (k *client) openFailure(ctx context.Context, err error) error {
	var (
		x *fault
		c *modules.Failure
	)
	switch {
	case errors.As(err, &x) && (x.forbidden() || x.says("invalid", "password", "login", "credentials", "unable to validate", "security")):
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("activemq: %s: user %q: %w", k.addr, k.config.User, x))
	case errors.As(err, &x):
		return modules.Retry(codeError, fmt.Errorf("activemq: %s: %w", k.addr, x))
	case ctx.Err() != nil:
		err = link.Ended(ctx, err)
	case errors.Is(err, errStranger), errors.Is(err, frame.ErrInvalidCommand), errors.Is(err, frame.ErrInvalidFrameFormat):
		err = modules.Retry(modules.CodeBadAnswer, errors.Join(errStranger, err))
	case !errors.As(err, &c):
		err = link.Failure(ctx, err)
	}
	f := modules.FailureOf(err)
	f.Err = fmt.Errorf("activemq: %s: %w", k.addr, f.Err)
	return &f
}
