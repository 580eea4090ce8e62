package websocket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gorilla/websocket"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// codeReply is a reply that is not the one that means success.
	codeReply = "websocket_reply"

	closePolicy = websocket.ClosePolicyViolation
	// Codes that were registered after RFC 6455.
	closeUnauthorized = 3000
	closeForbidden    = 3003

	// restarting is how long a server that restarts is left alone. The registry
	// of close codes speaks of 5 to 30 s.
	restarting = 5 * time.Second
)

// closeKind says what a close code means for a delivery that was under way.
// final are codes that say that the server will never take it.
func (d *destination) closeFailure(e *websocket.CloseError) error {
	reason := ""
	if text := d.clean(e.Text); text != "" {
		reason = ": " + text
	}
	err := fmt.Errorf("websocket: %s closed the connection with %d%s", d.host, e.Code, reason)
	own := "websocket_" + strconv.Itoa(e.Code)
	switch e.Code {
	case websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived, websocket.CloseAbnormalClosure:
		return modules.Retry(modules.CodeConnectionLost, fmt.Errorf("%w before it had confirmed", err))
	case websocket.CloseProtocolError, websocket.CloseMandatoryExtension:
		return modules.Retry(modules.CodeBadAnswer, err)
	case websocket.CloseMessageTooBig:
		return modules.Retry(modules.CodeTooLarge, fmt.Errorf("%w: the message is larger than it takes", err))
	case websocket.CloseUnsupportedData, websocket.CloseInvalidFramePayloadData:
		return modules.Retry(modules.CodeRefused, fmt.Errorf("%w: it does not take this kind of message (see format and frame)", err))
	case closePolicy, closeUnauthorized, closeForbidden:
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("%w: is the token valid, and may it send?", err))
	case websocket.CloseServiceRestart:
		return modules.Throttle(modules.CodeUnavailable, restarting, err)
	case websocket.CloseTryAgainLater:
		return modules.Throttle(modules.CodeThrottled, restarting, err)
	case websocket.CloseInternalServerErr:
		return modules.Retry(modules.CodeUnavailable, err)
	}
	return modules.Retry(own, err)
}

// final reports whether the server said that it will never take what it was
// sent.
func (d *destination) final(err error) bool {
	var e *websocket.CloseError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case websocket.CloseUnsupportedData, websocket.CloseInvalidFramePayloadData, websocket.CloseMessageTooBig:
		return true
	}
	return slices.Contains(d.o.RejectCodes, strconv.Itoa(e.Code))
}

// failure says what it means that a message was not confirmed. It is not known
// whether the server has it.
func (d *destination) failure(ctx context.Context, err error, what string) error {
	var e *websocket.CloseError
	switch {
	case errors.As(err, &e):
		return d.closeFailure(e)
	case ctx.Err() != nil:
		return link.Ended(ctx, fmt.Errorf("websocket: %s: %s", d.host, what))
	case errors.Is(err, websocket.ErrReadLimit):
		return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("websocket: %s sent a message of more than max_reply_size", d.host))
	}
	return modules.Retry(modules.CodeConnectionLost, fmt.Errorf("websocket: %s: %s: %w", d.host, what, err))
}

// refusal says what an answer other than 101 means. It never speaks of a
// delivery, so nothing is given up.
func (d *destination) refusal(resp *http.Response) error {
	n := resp.StatusCode
	err := fmt.Errorf("websocket: %s answered %d %s", d.host, n, http.StatusText(n))
	after, asked := link.RetryAfter(resp.Header.Get("Retry-After"), time.Now())
	switch {
	case n == http.StatusSwitchingProtocols, n < 300:
		return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("%w and does not speak WebSocket there: is the path right?", err))
	case n < 400:
		return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("%w: redirects are not followed; write the new URL", err))
	case n == http.StatusUnauthorized, n == http.StatusForbidden, n == http.StatusProxyAuthRequired:
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("%w: look at headers and query", err))
	case n == http.StatusNotFound, n == http.StatusGone:
		return modules.Retry(modules.CodeNotFound, fmt.Errorf("%w: is the path right?", err))
	case n == http.StatusTooManyRequests:
		return modules.Throttle(modules.CodeThrottled, after, err)
	case n >= 500 && asked:
		return modules.Throttle(modules.CodeUnavailable, after, err)
	case n >= 500, n == http.StatusRequestTimeout:
		return modules.Retry(modules.CodeUnavailable, err)
	}
	return modules.Retry(modules.CodeBadAnswer, err)
}

// clean makes a text of the server fit for a log: without what is secret or not
// printable.
func (d *destination) clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, d.hide.Hide(text)))
}
