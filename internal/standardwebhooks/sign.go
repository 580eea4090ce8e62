// Package standardwebhooks makes and checks the signatures of Standard Webhooks
// 1.0, symmetric (v1) and asymmetric (v1a). The source is
// github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md; the
// 64-byte form of private keys is that of Svix, whose server was the first to
// make v1a.
package standardwebhooks

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// The versions: HMAC-SHA256 and ed25519 (RFC 8032).
const (
	v1  = "v1"
	v1a = "v1a"
)

// Message is what a signature covers. ID must not hold a dot, and Timestamp is
// in whole seconds since 1970: the three are joined by dots, so that another
// split of the same text would be another message with the same signature.
type Message struct {
	ID, Timestamp string
	Body          []byte
}

// head is what comes before the body.
func (m Message) head() string { return m.ID + "." + m.Timestamp + "." }

// text is the signed bytes. ed25519 passes over them twice, so they cannot be
// streamed as those of an HMAC are.
func (m Message) text() []byte { return append([]byte(m.head()), m.Body...) }

// Sign returns the list of the signatures by keys, as it stands in the
// signature header. Keys that cannot sign are left out.
func Sign(keys []Key, m Message) string {
	var list []string
	var text []byte
	for _, k := range keys {
		var sig []byte
		switch {
		case k.m().shared != nil:
			sig = k.mac(m)
		case k.m().private != nil:
			if text == nil {
				text = m.text()
			}
			sig = ed25519.Sign(k.m().private, text)
		default:
			continue
		}
		list = append(list, k.version()+","+base64.StdEncoding.EncodeToString(sig))
	}
	return strings.Join(list, " ")
}

func (k Key) mac(m Message) []byte {
	h := hmac.New(sha256.New, k.m().shared)
	h.Write([]byte(m.head()))
	h.Write(m.Body)
	return h.Sum(nil)
}
