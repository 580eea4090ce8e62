package presets

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// shake is a compiled handshake. It is immutable.
type shake struct {
	name   string
	env    auth.Env
	params map[string]string
	steps  []step
}

// Answer is auth.Handshake.
func (h *shake) Answer(ctx context.Context, r *auth.Request, verified bool) *auth.Answer {
	for i := range h.steps {
		s := &h.steps[i]
		if s.verified != verified || !s.fits(r) {
			continue
		}
		if a := h.answer(ctx, s, r); a != nil {
			return a
		}
	}
	return nil
}

func (s *step) fits(r *auth.Request) bool {
	return slices.Contains(s.methods, r.Method) &&
		!slices.ContainsFunc(s.when, func(c cond) bool { return !c.holds(r) })
}

func (c *cond) holds(r *auth.Request) bool {
	v, code := c.at.Value(r, nil)
	if c.None {
		return code == auth.CodeMissing
	}
	return code == "" && (c.Is == "" || v == c.Is) && (c.Fits == nil || c.Fits(v))
}

func (h *shake) answer(ctx context.Context, s *step, r *auth.Request) *auth.Answer {
	if s.token != nil {
		v, code := s.token.Value(r, nil)
		if s.want.Empty() || code == auth.CodeMissing {
			return nil
		}
		if _, ok := s.want.Find(v); !ok || code != "" {
			return h.refuse(http.StatusForbidden, auth.CodeMismatch, "the token is not the one in the hook's params")
		}
	}
	if s.listed != nil && len(s.allowed) > 0 {
		if v, code := s.listed.Value(r, nil); code != "" || !slices.ContainsFunc(s.allowed, func(a string) bool { return strings.EqualFold(a, v) }) {
			return h.refuse(http.StatusMethodNotAllowed, auth.CodeMismatch, "the sender is not listed in the hook's params")
		}
	}
	a := s.reply.render(r, h.params)
	if a == nil || s.capture == nil {
		return a
	}
	if refusal := h.take(ctx, s.capture, r); refusal != nil {
		return refusal
	}
	return a
}

func (h *shake) refuse(status int, code, why string) *auth.Answer {
	return &auth.Answer{Status: status, Err: &auth.Denial{
		Method: h.name, Code: code, Forbidden: status == http.StatusForbidden, Err: errors.New("handshake: " + why),
	}}
}
