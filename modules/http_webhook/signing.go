package httpwebhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/secret"
)

// signer signs as of Standard Webhooks 1.0, symmetric ("v1"):
// github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. A
// nil signer signs nothing.
type signer struct{ keys [][]byte }

var errSecret = errors.New(`a signing secret is "whsec_" and the base64 of 24 to 64 bytes`)

func newSigner(secrets []secret.String) (*signer, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	s := &signer{}
	for _, sec := range secrets {
		text, ok := strings.CutPrefix(sec.Reveal(), "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 {
			return nil, errSecret // the decoder's own error may quote the secret
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

// sign sets the three headers. The id is the delivery's, the same on every
// attempt; the time is this attempt's.
func (s *signer) sign(h http.Header, d *event.Delivery, now time.Time) {
	if s == nil {
		return
	}
	id, at := d.ID.String(), strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, key := range s.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(d.Body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", strings.Join(signatures, " "))
}
