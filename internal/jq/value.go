package jq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/hookd/hookd/internal/event"
)

// Decode reads one JSON document as a program's input. Numbers keep their
// digits; one of more than MaxNumber characters is ErrSize, because computing
// with it could not be interrupted.
func Decode(body []byte) (any, error) {
	if longNumber(body) {
		return nil, fmt.Errorf("%w: a number of more than %d characters", ErrSize, MaxNumber)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("body is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("body is not JSON: more follows the document")
	}
	return v, nil
}

// Event is $event: id, hook, type, received, headers, query, subject, remote.
// Headers have lower-case names, their values joined by ", ".
func Event(ev *event.Event) map[string]any {
	headers := make(map[string]any, len(ev.Header))
	for name, values := range ev.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	remote := ""
	if ev.Remote.IsValid() {
		remote = ev.Remote.String()
	}
	return map[string]any{
		"id":       ev.ID.String(),
		"hook":     ev.Hook,
		"type":     ev.Type,
		"received": ev.Received.UTC().Format(time.RFC3339Nano),
		"headers":  headers,
		"query":    ev.Query,
		"subject":  ev.Subject,
		"remote":   remote,
	}
}

// Filter runs the program as a question: false, null and no result at all are
// no, anything else is yes.
func (p *Program) Filter(ctx context.Context, input any, ev map[string]any) (bool, error) {
	v, err := p.Run(ctx, input, ev)
	if errors.Is(err, ErrNoResult) {
		return false, nil
	}
	return err == nil && v != nil && v != false, err
}

// Transform runs the program and returns its result as compact JSON with
// sorted keys.
func (p *Program) Transform(ctx context.Context, input any, ev map[string]any) ([]byte, error) {
	v, err := p.Run(ctx, input, ev)
	if err != nil {
		return nil, err
	}
	if err := fits(v, MaxOutput); err != nil {
		return nil, err
	}
	out, err := gojq.Marshal(v)
	if err == nil && len(out) > MaxOutput {
		err = fmt.Errorf("%w: a result of %d bytes", ErrSize, len(out))
	}
	return out, err
}

// longNumber looks for a number of more than MaxNumber characters outside of
// strings, without caring whether the rest is JSON.
func longNumber[T string | []byte](s T) bool {
	run, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted:
			if c == '\\' {
				i++
			}
			quoted = c != '"'
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '-', c == '+':
			if run++; run > MaxNumber {
				return true
			}
		default:
			run, quoted = 0, c == '"'
		}
	}
	return false
}
