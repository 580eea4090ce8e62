package presets

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

// A captured secret of fewer bytes could be guessed; one of more is none.
const (
	minCaptured = 16
	maxCaptured = 1024
)

// captureParam arms a hook.
var captureParam = Param{
	Name: "capture",
	Doc: "`on` stores the secret of the first handshake in the data folder, as `secrets/HOOK`, and uses it from then on, so that `secret` may " +
		"be left out; any later secret is refused until that file is deleted",
}

// captures reports whether the sender hands over its secret, and the hook is
// armed to take it.
func (p *Preset) captures(o Options) (bool, error) {
	if p.Handshake == nil || !slices.ContainsFunc(p.Handshake.Steps, func(s Step) bool { return s.Capture != "" }) {
		return false, nil
	}
	switch v := o.Params[captureParam.Name]; v {
	case "on":
		return true, nil
	case "", "off":
		return false, nil
	default:
		return false, fmt.Errorf("the setting %q is %q: it is on or off", captureParam.Name, v)
	}
}

// take stores the secret that the sender hands over. nil: it is the hook's
// secret now, or was before. Whoever comes first after the hook was armed
// decides; nobody who comes later does.
func (h *shake) take(ctx context.Context, at *scheme.Source, r *auth.Request) *auth.Answer {
	value, code := at.Value(r, nil)
	if _, visible := asHeader(value); code != "" || !visible || len(value) < minCaptured || len(value) > maxCaptured {
		return h.refuse(http.StatusBadRequest, auth.CodeMalformed, "what was handed over is no secret")
	}
	if h.env.Captures == nil {
		return h.refuse(http.StatusServiceUnavailable, auth.CodeUnavailable, "there is no place to keep secrets")
	}
	if _, there := h.env.Captures.Get(h.env.Hook); !there {
		if _, err := h.env.Captures.Put(ctx, h.env.Hook, secret.New(value)); err != nil {
			return h.refuse(http.StatusServiceUnavailable, auth.CodeUnavailable, err.Error())
		}
	}
	kept, there := h.env.Captures.Get(h.env.Hook)
	switch {
	case !there:
		return h.refuse(http.StatusServiceUnavailable, auth.CodeUnavailable, "the stored secret cannot be read")
	case !kept.Equal(value):
		return h.refuse(http.StatusConflict, auth.CodeMismatch, "another secret was captured before; its file must be deleted to take a new one")
	}
	return nil
}
