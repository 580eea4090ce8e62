package standardwebhooks

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/standardwebhooks"
)

// maxID is the length in bytes of the longest id that is taken.
const maxID = 512

// verifier is not made of a scheme.Scheme: that picks one version from a list,
// and here one list may hold signatures of two kinds by keys of two kinds.
type verifier struct {
	keys      []standardwebhooks.Key
	at        names
	tolerance time.Duration
	event     *scheme.Reader // of the event type
}

var (
	_ auth.Verifier = (*verifier)(nil)
	_ auth.Signer   = (*verifier)(nil)
	_ auth.Preparer = (*verifier)(nil)
	_ auth.Marker   = (*verifier)(nil)
	_ auth.Sourced  = (*verifier)(nil)
)

func newVerifier(o *options) (*verifier, error) {
	keys, err := standardwebhooks.ParseKeys(o.secrets)
	if err != nil {
		return nil, errors.New(name + ": secret " + err.Error())
	}
	event, err := scheme.ParseSource("json:type")
	if err != nil {
		return nil, err
	}
	rd, err := scheme.NewReader([]scheme.Source{event})
	if err != nil {
		return nil, err
	}
	return &verifier{
		keys: keys, at: headers(cmp.Or(o.prefix, defaultPrefix)), tolerance: cmp.Or(o.tolerance, defaultTolerance), event: rd,
	}, nil
}

// Verify looks at the headers and the clock before it computes anything. A body
// that has its event type twice is refused, although its signature is right:
// what reads it next may take the other one.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	m, list, code := v.read(r)
	if code != "" {
		return auth.Identity{}, auth.Deny(name, code)
	}
	who, err := standardwebhooks.Verify(v.keys, m, list)
	if err != nil {
		return auth.Identity{}, &auth.Denial{Method: name, Code: codeOf(err), Err: err}
	}
	if err := v.event.Unambiguous(r.Body); err != nil {
		return auth.Identity{}, &auth.Denial{Method: name, Code: auth.CodeMalformed, Err: err}
	}
	return auth.Identity{Method: name, Subject: name + ":" + strconv.Itoa(who)}, nil
}

func codeOf(err error) string {
	switch {
	case errors.Is(err, standardwebhooks.ErrVersion):
		return auth.CodeAlgorithm
	case errors.Is(err, standardwebhooks.ErrTooMany):
		return auth.CodeTooLong
	case errors.Is(err, standardwebhooks.ErrMismatch):
		return auth.CodeSignatureMismatch
	}
	return auth.CodeMalformed
}

// read takes the message and the list of its signatures out of the request.
func (v *verifier) read(r *auth.Request) (m standardwebhooks.Message, list, code string) {
	if list, code = auth.OneHeader(r.Header, v.at.signature); code != "" {
		return m, "", code
	}
	if strings.Trim(list, " \t") == "" {
		return m, "", auth.CodeMissing
	}
	if m.ID, code = auth.OneHeader(r.Header, v.at.id); code != "" {
		return m, "", code
	}
	switch {
	case len(m.ID) > maxID:
		return m, "", auth.CodeTooLong
	case strings.ContainsAny(m.ID, ". \t"):
		return m, "", auth.CodeMalformed
	}
	if m.Timestamp, code = auth.OneHeader(r.Header, v.at.timestamp); code == auth.CodeMissing {
		code = auth.CodeTimestampMissing
	}
	if code == "" {
		code = v.checkTime(m.Timestamp, r.Now)
	}
	m.Body = r.Body
	return m, list, code
}

// checkTime compares whole seconds, as the senders' libraries do; both ends of
// the tolerance are inside.
func (v *verifier) checkTime(text string, now time.Time) (code string) {
	seconds, err := strconv.ParseUint(text, 10, 47) // until the year 4,461,763
	if err != nil {
		return auth.CodeMalformed
	}
	// Sub saturates, so that a time far off stays far off.
	switch age := now.Truncate(time.Second).Sub(time.Unix(int64(seconds), 0)); {
	case age > v.tolerance:
		return auth.CodeTimestampTooOld
	case age < -v.tolerance:
		return auth.CodeTimestampInFuture
	}
	return ""
}

// Cost is that of the body.
func (v *verifier) Cost() auth.Cost { return auth.CostBody }

// Mark returns the id, which the signature covers, and the event type.
func (v *verifier) Mark(r *auth.Request) auth.Marks {
	var kind [1]string
	var from [1]scheme.Source
	v.event.Read(r, kind[:], from[:])
	return auth.Marks{DeliveryID: r.Header.Get(v.at.id), Covered: true, Type: kind[0], Window: window}
}

// Prepare sets the id, which the signature covers.
func (v *verifier) Prepare(r *auth.Request, _, deliveryID string) {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if deliveryID != "" && r.Header.Get(v.at.id) == "" {
		r.Header.Set(v.at.id, deliveryID)
	}
}

// Sign signs with the first key that can, at r.Now.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	id := r.Header.Get(v.at.id)
	if id == "" {
		return errors.New(name + ": cannot sign: the header " + v.at.id + ", which the signature covers, is not in the request")
	}
	i := slices.IndexFunc(v.keys, standardwebhooks.Key.CanSign)
	if i < 0 {
		return errors.New(name + ": cannot sign with a public key (whpk_): add the private one (whsk_) to secret")
	}
	m := standardwebhooks.Message{ID: id, Timestamp: strconv.FormatInt(r.Now.Unix(), 10), Body: r.Body}
	r.Header.Set(v.at.timestamp, m.Timestamp)
	r.Header.Set(v.at.signature, standardwebhooks.Sign(v.keys[i:i+1], m))
	return nil
}

// CredentialHeaders is the header with the signatures.
func (v *verifier) CredentialHeaders() []string { return []string{v.at.signature} }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }
