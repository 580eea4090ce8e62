package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/modules"
)

// errFiltered: the filter said no.
var errFiltered = errors.New("filtered")

// prepare makes what a module gets of a claim, or says why there is nothing to
// send: errFiltered, or a rejection with filter_error or transform_error.
func (l *Lane) prepare(ctx context.Context, c *queue.Claim) (d *event.Delivery, err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log().Error("panic while preparing a delivery", slog.String("lane", l.Name), slog.String("stack", string(debug.Stack())))
			err = modules.Retry(modules.CodePanic, errors.New("panic while preparing the delivery"))
		}
	}()
	ev := l.strip(c.Event)
	contentType := ev.Header.Get(headerContentType)
	if pass, err := l.filter(ctx, ev, contentType); err != nil || !pass {
		if err == nil {
			err = errFiltered
		}
		return nil, err
	}
	if ev, err = l.Clean(ev); err != nil {
		return nil, modules.Reject(modules.CodeTransformError, err)
	}
	body := ev.Body
	if l.Transform != nil {
		if body, err = l.transform(ctx, ev, contentType, body); err != nil {
			return nil, err
		}
		contentType = jsonType
	}
	d = &event.Delivery{ID: c.ID, Event: ev, Lane: c.Lane, Attempt: c.Attempt, Header: headers(c, contentType)}
	if d.Body, err = l.format(ev, body, d.Header); err != nil {
		return nil, modules.Reject(modules.CodeTransformError, fmt.Errorf("format: %w", err))
	}
	return d, nil
}

// Clean is the event without credentials in its body, where the hook's are
// cleaned: a module that reads the event must not find them there.
func (l *Lane) Clean(ev *event.Event) (*event.Event, error) {
	if l.Cleanup == nil {
		return ev, nil
	}
	body, err := l.clean(ev.Header.Get(headerContentType), ev.Body)
	if err != nil {
		return nil, err
	}
	cleaned := *ev
	cleaned.Body = body
	return &cleaned, nil
}

func (l *Lane) filter(ctx context.Context, ev *event.Event, contentType string) (bool, error) {
	if l.Filter == nil {
		return true, nil
	}
	in, err := input(l.DataType, contentType, ev.Body)
	if err != nil {
		return false, modules.Reject(modules.CodeFilterError, err)
	}
	pass, err := l.Filter.Filter(ctx, in, jq.Event(ev))
	if err != nil && ctx.Err() == nil {
		err = modules.Reject(modules.CodeFilterError, err)
	}
	return pass, err
}

func (l *Lane) transform(ctx context.Context, ev *event.Event, contentType string, body []byte) ([]byte, error) {
	in, err := input(l.DataType, contentType, body)
	if err != nil {
		return nil, modules.Reject(modules.CodeTransformError, err)
	}
	out, err := l.Transform.Transform(ctx, in, jq.Event(ev))
	if err != nil && ctx.Err() == nil {
		err = modules.Reject(modules.CodeTransformError, err)
	}
	return out, err
}

func (l *Lane) clean(contentType string, body []byte) ([]byte, error) {
	switch l.DataType {
	case Blob:
		return body, nil
	case Form:
		return l.Cleanup.form(body, contentType)
	default:
		return l.Cleanup.json(body)
	}
}

// strip leaves out the headers that were kept for other lanes. The event itself
// is shared with them and never changed.
func (l *Lane) strip(ev *event.Event) *event.Event {
	if len(l.Strip) == 0 {
		return ev
	}
	own := *ev
	own.Header = make(http.Header, len(ev.Header))
	for name, values := range ev.Header {
		own.Header[name] = values
	}
	for _, name := range l.Strip {
		own.Header.Del(name)
	}
	return &own
}
