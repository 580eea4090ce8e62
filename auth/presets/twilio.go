package presets

import (
	"context"
	hashsha1 "crypto/sha1" //nolint:gosec // what Twilio signs with by default
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	neturl "net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

const (
	twilioSignature = "X-Twilio-Signature"
	twilioSettings  = "X-Twilio-Webhooks-Signature-Settings"
	twilioBodyHash  = "bodySHA256"
)

// twilioPreset has no MessageSid or CallSid as its delivery id: those stay the
// same while a message goes from sent to delivered.
func twilioPreset() *Preset {
	return &Preset{
		Name:    "twilio",
		Title:   "Twilio",
		Summary: "Messages, calls and status callbacks of Twilio.",
		Doc: "The secret is the account's *Auth Token*. Where a Webhooks Rule signs with a shared key, give that one, or both.\n\n" +
			"The signature covers the URL: set `public_url` to the one that Twilio has, without the query; the query is taken from the request. " +
			"The URL counts with the port and without.\n\n" +
			"Of a form, names and values are signed without anything between them. A body that is no form must have its hash in the query, `bodySHA256`, " +
			"as Twilio sends it; without that nothing would cover it, and it is refused.",
		Source: "https://www.twilio.com/docs/usage/security#validating-requests",
		Code:   newTwilio,
		Signing: "header X-Twilio-Signature, HMAC-SHA1 in base64 over the URL and the sorted fields of the form, " +
			"or over the URL with bodySHA256; HMAC-SHA256 where X-Twilio-Webhooks-Signature-Settings says so",
		SignsURL: true,
		ID:       at("header:I-Twilio-Idempotency-Token"),
		Type:     at("form:MessageStatus", "form:SmsStatus", "form:CallStatus"),
		Deadline: 15 * time.Second,
		Retry:    "None unless the URL asks for it in its fragment (`#rc=2`).",
		Headers:  inFormWith("User-Agent", "TwilioProxy/1.1", "I-Twilio-Idempotency-Token", "{delivery}"),

		DefaultEvent: "received",
		Sample:       "AccountSid=AC1&ApiVersion=2010-04-01&Body=Hello&From=%2B15550100&MessageSid=SM1&SmsStatus={event}&To=%2B15550101",
	}
}

type twilio struct {
	signers
	urls []string // as Twilio may have signed it, without the query
}

func newTwilio(_ auth.Env, o Options) (Checker, error) {
	if err := scheme.CheckSecrets(o.Secrets); err != nil {
		return nil, err
	}
	if o.PublicURL == "" {
		return nil, errors.New("needs public_url: the signature covers the URL as Twilio sees it")
	}
	urls, err := withPorts(o.PublicURL)
	if err != nil {
		return nil, err
	}
	return &twilio{signers{"twilio", o.Secrets}, urls}, nil
}

// Verify checks the signature over every form of the URL.
func (t *twilio) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	value, code := auth.OneHeader(r.Header, twilioSignature)
	if code != "" {
		return auth.Identity{}, t.deny(code, nil)
	}
	h, code := twilioHash(r.Header)
	if code != "" {
		return auth.Identity{}, t.deny(code, errors.New(twilioSettings+" names neither HMAC_SHA1 nor HMAC_SHA256"))
	}
	got, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(got) != h().Size() || strings.ContainsAny(value, "\r\n") {
		return auth.Identity{}, t.deny(auth.CodeMalformed, nil)
	}
	tail, code, err := twilioTail(r)
	if code != "" {
		return auth.Identity{}, t.deny(code, err)
	}
	return t.find(h, got, t.urls[0]+tail, t.urls[1]+tail)
}

// Sign signs with the first secret and SHA-1. Where the body is no form, its
// hash is put into the query.
func (t *twilio) Sign(_ context.Context, r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if r.URL == nil {
		r.URL = &neturl.URL{Path: "/"}
	}
	if !isForm(r.Header) {
		sum := sha256.Sum256(r.Body)
		r.URL.RawQuery = scheme.SetPair(r.URL.RawQuery, twilioBodyHash, hex.EncodeToString(sum[:]))
	}
	tail, code, _ := twilioTail(r)
	if code != "" {
		return errors.New("twilio: cannot sign: the body is no form (" + code + ")")
	}
	r.Header.Del(twilioSettings)
	r.Header.Set(twilioSignature, base64.StdEncoding.EncodeToString(t.sum(hashsha1.New, 0, t.urls[0]+tail)))
	return nil
}

// Covers is true for the body and the query.
func (t *twilio) Covers(src scheme.Source) bool {
	return src.InBody() || strings.HasPrefix(src.String(), "query:")
}

// CredentialHeaders is the signature's.
func (t *twilio) CredentialHeaders() []string { return []string{twilioSignature} }

// CredentialParams is empty.
func (t *twilio) CredentialParams() []string { return nil }
