package httpwebhook

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/standardwebhooks"
)

// signer signs as of Standard Webhooks 1.0, with every key. A nil signer signs
// nothing.
type signer struct{ keys []standardwebhooks.Key }

var errPublic = errors.New(`is a public key ("whpk_") and cannot sign: it is for the receiver; give the private one, "whsk_"`)

func newSigner(secrets []secret.String) (*signer, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	keys, err := standardwebhooks.ParseKeys(secrets)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !k.CanSign() {
			return nil, errPublic
		}
	}
	return &signer{keys}, nil
}

// sign sets the three headers. The id is the delivery's, the same on every
// attempt; the time is this attempt's.
func (s *signer) sign(h http.Header, d *event.Delivery, now time.Time) {
	if s == nil {
		return
	}
	m := standardwebhooks.Message{ID: d.ID.String(), Timestamp: strconv.FormatInt(now.Unix(), 10), Body: d.Body}
	h.Set("Webhook-Id", m.ID)
	h.Set("Webhook-Timestamp", m.Timestamp)
	h.Set("Webhook-Signature", standardwebhooks.Sign(s.keys, m))
}
