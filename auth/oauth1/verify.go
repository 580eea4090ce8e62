package oauth1

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
)

// keptUnbound is how long a nonce is remembered where its time is not checked.
const keptUnbound = 24 * time.Hour

// Verify computes the signature with every key. The nonce is returned as a mark:
// it is used up by a request that is accepted, and by no other.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	p, d := collect(r)
	if d != nil {
		return auth.Identity{}, d
	}
	if d := v.checkProtocol(p, r); d != nil {
		return auth.Identity{}, d
	}
	until, d := v.checkClock(p.oauth, r.Now)
	if d != nil {
		return auth.Identity{}, d
	}
	nonce := p.oauth["oauth_nonce"]
	if nonce == "" && v.needsNonce() {
		return auth.Identity{}, deny(auth.CodeMissing, "oauth_nonce is missing or empty")
	}
	if !v.signed(p, r) {
		return auth.Identity{}, auth.Deny(name, auth.CodeSignatureMismatch)
	}
	if d := v.checkBody(p, r); d != nil {
		return auth.Identity{}, d
	}
	id := auth.Identity{Method: name, Subject: "oauth1:" + v.consumerKey}
	if v.checkNonce && nonce != "" {
		id.Once = []auth.Once{{Key: onceKey(p.oauth), Until: until}}
	}
	return id, nil
}

func deny(code, why string) *auth.Denial {
	return &auth.Denial{Method: name, Code: code, Err: errors.New(why)}
}

// checkProtocol checks who signed, and how.
func (v *verifier) checkProtocol(p *params, r *auth.Request) *auth.Denial {
	version, hasVersion := p.oauth["oauth_version"]
	_, consumer := v.consumer.Find(p.oauth["oauth_consumer_key"])
	token := v.token == ""
	if !token {
		_, token = v.tokens.Find(p.oauth["oauth_token"])
	}
	switch {
	case hasVersion && version != "1.0":
		return deny(auth.CodeMalformed, "oauth_version is not 1.0")
	case p.oauth["oauth_consumer_key"] == "":
		return deny(auth.CodeMissing, "oauth_consumer_key is missing or empty")
	case p.oauth["oauth_signature"] == "":
		return deny(auth.CodeMissing, "oauth_signature is missing or empty")
	case p.oauth["oauth_signature_method"] == "":
		return deny(auth.CodeMissing, "oauth_signature_method is missing or empty")
	case !strings.EqualFold(p.oauth["oauth_signature_method"], string(v.method)):
		return deny(auth.CodeAlgorithm, "oauth_signature_method is not "+string(v.method))
	case v.method == plaintext && !secure(r):
		return deny(auth.CodeInsecure, "PLAINTEXT needs TLS")
	case v.method == plaintext && p.place == "form":
		return deny(auth.CodeMalformed, "PLAINTEXT in the body would be stored and delivered with it")
	case !consumer:
		return deny(auth.CodeKey, "another oauth_consumer_key")
	case !token:
		return deny(auth.CodeKey, "another oauth_token, or none")
	}
	return nil
}

// needsNonce: RFC 5849 section 3.1 lets PLAINTEXT go without.
func (v *verifier) needsNonce() bool { return v.checkNonce && v.method != plaintext }

// checkClock reads the timestamp. until is when the request is refused for its
// age.
func (v *verifier) checkClock(oauth map[string]string, now time.Time) (until time.Time, d *auth.Denial) {
	text, ok := oauth["oauth_timestamp"]
	if !ok {
		if v.checkTime && v.method != plaintext {
			return until, auth.Deny(name, auth.CodeTimestampMissing)
		}
		return now.Add(keptUnbound), nil
	}
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) > 12 { // no sign, no blank: digits only
		return until, deny(auth.CodeMalformed, "oauth_timestamp is not a number of seconds since 1970")
	}
	if !v.checkTime {
		return now.Add(keptUnbound), nil
	}
	at := time.Unix(int64(seconds), 0)
	switch until = at.Add(v.window); {
	case now.After(until):
		return until, auth.Deny(name, auth.CodeTimestampTooOld)
	case at.After(now.Add(v.window)):
		return until, auth.Deny(name, auth.CodeTimestampInFuture)
	}
	return until, nil
}

// signed compares the signature with that of the RFC, and with that of the
// original service where it is allowed.
func (v *verifier) signed(p *params, r *auth.Request) bool {
	signature := p.oauth["oauth_signature"]
	if v.matches(signature, func(w io.Writer) { writeBase(w, r.Method, v.base.uri(r), p.signed()) }) {
		return true
	}
	return v.pathOnly && p.place == "header" &&
		v.matches(signature, func(w io.Writer) { writeBase(w, r.Method, pathOf(r), p.pathOnly()) })
}

// checkBody compares oauth_body_hash, which the signature covers.
func (v *verifier) checkBody(p *params, r *auth.Request) *auth.Denial {
	got, ok := p.oauth["oauth_body_hash"]
	switch {
	case ok && !matchesBody(got, r.Body):
		return deny(auth.CodeSignatureMismatch, "oauth_body_hash is not that of the body")
	case !ok && v.needHash && !p.isForm:
		return deny(auth.CodeMissing, "oauth_body_hash is missing")
	}
	return nil
}

// onceKey is the scope of a nonce: RFC 5849 section 3.3 makes it unique for a
// consumer, a token and a time.
func onceKey(oauth map[string]string) string {
	h := sha256.New()
	for _, n := range []string{"oauth_consumer_key", "oauth_token", "oauth_timestamp", "oauth_nonce"} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(oauth[n]))))
		_, _ = io.WriteString(h, oauth[n])
	}
	return "oauth1:" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
