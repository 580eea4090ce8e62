package oauth1

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/authparam"
)

// Sign signs with the first consumer secret, at r.Now, in Authorization. A body
// that is no form is covered by oauth_body_hash.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error {
	if v.method == rsaSHA1 {
		return errors.New("oauth1: RSA-SHA1 is signed with the sender's private key, which is not here")
	}
	if v.method == plaintext && !secure(r) {
		return errors.New("oauth1: PLAINTEXT needs TLS: use an https URL")
	}
	form, err := isForm(r.Header["Content-Type"])
	if err != nil {
		return errors.New("oauth1: " + err.Error())
	}
	mine := []pair{{"oauth_consumer_key", v.consumerKey}}
	if v.token != "" {
		mine = append(mine, pair{"oauth_token", v.token})
	}
	mine = append(mine, pair{"oauth_signature_method", string(v.method)})
	if v.method != plaintext {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		mine = append(mine, pair{"oauth_timestamp", strconv.FormatInt(r.Now.Unix(), 10)}, pair{"oauth_nonce", hex.EncodeToString(b[:])}, pair{"oauth_version", "1.0"})
		if !form {
			mine = append(mine, pair{"oauth_body_hash", bodyHash(v.method.hash()(), r.Body)})
		}
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set(header, headerOf(mine))
	p, d := collect(r)
	if d != nil {
		return d
	}
	signature := v.keys[0].Reveal()
	if v.method != plaintext {
		signature = base64.StdEncoding.EncodeToString(v.sums(func(w io.Writer) { writeBase(w, r.Method, v.base.uri(r), p.signed()) })[0])
	}
	r.Header.Set(header, headerOf(append(mine, pair{"oauth_signature", signature})))
	return nil
}

// headerOf is RFC 5849 section 3.5.1.
func headerOf(ps []pair) string {
	parts := make([]string, 0, len(ps))
	for _, p := range ps {
		parts = append(parts, escape(p.name)+"="+authparam.Quote(escape(p.value)))
	}
	return scheme + " " + strings.Join(parts, ", ")
}
