package presets

import (
	"context"
	"net/http"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// Verifier is a preset with a hook's secrets. It is immutable and safe for
// concurrent use.
type Verifier struct {
	preset *Preset
	check  Checker
	reader *scheme.Reader
	shake  auth.Handshake // nil: the sender has none
}

var (
	_ auth.Verifier = (*Verifier)(nil)
	_ auth.Signer   = (*Verifier)(nil)
	_ auth.Preparer = (*Verifier)(nil)
	_ auth.Marker   = (*Verifier)(nil)
	_ auth.Sourced  = (*Verifier)(nil)
	_ auth.Shaker   = (*Verifier)(nil)

	_ auth.Challenger = (*Verifier)(nil)
)

// Preset is the sender.
func (v *Verifier) Preset() *Preset { return v.preset }

// Cost is that of the body, also for senders whose proof leaves it out: the
// delivery id may be in it. A sender that proves nothing comes before whatever
// does, which then is the identity; one whose proof asks another service says
// so.
func (v *Verifier) Cost() auth.Cost {
	if v.preset.Unsigned {
		return auth.CostHeader
	}
	if c, ok := v.check.(interface{ Cost() auth.Cost }); ok {
		return c.Cost()
	}
	return auth.CostBody
}

// Verify checks the proof. A body that has the delivery id or the event type
// twice is refused, although its signature is right: what reads it next may
// take the other one.
func (v *Verifier) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	id, err := v.check.Verify(ctx, r)
	if err != nil || v.preset.Unsigned {
		return id, err
	}
	if err := v.reader.Unambiguous(r.Body); err != nil {
		return auth.Identity{}, &auth.Denial{Method: v.preset.Name, Code: auth.CodeMalformed, Err: err}
	}
	return id, nil
}

// Mark reads the delivery id and the event type.
func (v *Verifier) Mark(r *auth.Request) auth.Marks {
	var values [2]string
	var from [2]scheme.Source
	v.reader.Read(r, values[:], from[:])
	m := auth.Marks{DeliveryID: values[0], Type: values[1]}
	if m.DeliveryID != "" {
		m.Covered = v.check.Covers(from[0]) && !v.preset.IDShared
		m.Window = v.preset.Window
	}
	return m
}

// Prepare sets the headers that the sender sets.
func (v *Verifier) Prepare(r *auth.Request, event, deliveryID string) {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	v.preset.prepare(r.Header, event, deliveryID, r.Now)
}

// Sign signs with the first secret, at r.Now.
func (v *Verifier) Sign(ctx context.Context, r *auth.Request) error { return v.check.Sign(ctx, r) }

// CredentialHeaders are those of the signature.
func (v *Verifier) CredentialHeaders() []string { return v.check.CredentialHeaders() }

// CredentialParams are those of the signature.
func (v *Verifier) CredentialParams() []string { return v.check.CredentialParams() }

// CredentialFields are the sources in the body that hold the signature or the
// token, as "json:a.b" or "form:a"; nil where it travels outside.
func (v *Verifier) CredentialFields() []string {
	if c, ok := v.check.(interface{ CredentialFields() []string }); ok {
		return c.CredentialFields()
	}
	return nil
}

// Challenge is that of the sender's scheme; "" where it has none, as for every
// signature.
func (v *Verifier) Challenge(*auth.Request) string {
	if c, ok := v.check.(interface{ Challenge() string }); ok {
		return c.Challenge()
	}
	return ""
}

// Handshake is the sender's; nil where it has none.
func (v *Verifier) Handshake() auth.Handshake { return v.shake }
