package presets

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

const (
	paypalID   = "Paypal-Transmission-Id"
	paypalTime = "Paypal-Transmission-Time"
	paypalSig  = "Paypal-Transmission-Sig"
	paypalCert = "Paypal-Cert-Url"
	paypalAlgo = "Paypal-Auth-Algo"

	// paypalTolerance is how long PayPal repeats an event. It does not say
	// whether a repetition has a new time.
	paypalTolerance = 3 * 24 * time.Hour
)

func paypalPreset() *Preset {
	return &Preset{
		Name:    "paypal",
		Title:   "PayPal",
		Summary: "REST webhooks of PayPal applications, live and sandbox.",
		Doc: "There is no secret: PayPal signs with a certificate, and the setting `webhook_id` is what makes its signature yours. " +
			"The id is in *Apps & Credentials* beside the webhook's URL; events of the webhook simulator have `WEBHOOK_ID` as theirs.\n\n" +
			"hookd fetches the certificate from PayPal's API hosts only (and, where the chain lacks an issuer, that one from DigiCert), " +
			"checks its chain and its name, and keeps it. While PayPal cannot be reached and the certificate is not known yet, " +
			"events are answered with 503, and PayPal repeats them.\n\n" +
			"**Of the body only a CRC-32 is signed.** It finds accidents, but whoever captures an event can make another body with the same one: " +
			"fetch what the event is about before you act on it.\n\n" +
			"Events older than 3 days are refused, which is as long as PayPal repeats them; `tolerance` changes that.",
		Source:   "https://developer.paypal.com/api/rest/webhooks/rest/",
		Code:     func(env auth.Env, o Options) (Checker, error) { return newPaypal(env, o, nil) },
		NoSecret: true,
		Signing:  "header PAYPAL-TRANSMISSION-SIG, RSA-SHA256 in base64 over transmission id, time, webhook id and CRC-32 of the body, by the certificate at PAYPAL-CERT-URL",
		Covers:   CoversPart,
		Params:   []Param{{Name: "webhook_id", Doc: "the id of the webhook, from the application's page", Required: true}},
		ID:       at("json:id", "header:PAYPAL-TRANSMISSION-ID"),
		Type:     at("json:event_type"),
		Retry:    "Up to 25 times over 3 days.",
		Headers:  inJSONWith("User-Agent", "PayPal/AUHR-214.0", paypalAlgo, "SHA256withRSA", paypalID, "{delivery}"),

		DefaultEvent: "PAYMENT.CAPTURE.COMPLETED",
		Sample: `{"id":"{delivery}","event_version":"1.0","create_time":"{rfc3339}","resource_type":"capture","event_type":"{event}",` +
			`"summary":"Payment completed","resource":{"id":"1","amount":{"currency_code":"USD","value":"7.47"},"status":"COMPLETED"}}`,
	}
}

type paypal struct {
	webhook string
	clock   scheme.Time
	certs   *paypalCerts
}

// newPaypal trusts roots; nil are those of the system.
func newPaypal(env auth.Env, o Options, roots *x509.CertPool) (*paypal, error) {
	switch id := o.Params["webhook_id"]; {
	case len(o.Secrets) > 0:
		return nil, errors.New("has no secret: remove it, and set the webhook's id under \"params\" as webhook_id")
	case strings.ContainsAny(id, "| \t\r\n"):
		return nil, errors.New("the setting \"webhook_id\" is no id of a webhook")
	case o.Tolerance < 0:
		return nil, errors.New("a negative tolerance refuses everything")
	}
	p := &paypal{
		webhook: o.Params["webhook_id"],
		clock:   scheme.Time{Format: scheme.RFC3339, Tolerance: paypalTolerance, Future: 5 * time.Minute},
		certs:   newPaypalCerts(env.HTTP, roots),
	}
	if o.Tolerance != 0 {
		p.clock.Tolerance, p.clock.Future = o.Tolerance, o.Tolerance
	}
	return p, nil
}

// Cost is that of another service, which is asked for a certificate that is not
// known yet.
func (p *paypal) Cost() auth.Cost { return auth.CostRemote }

// Verify checks all that costs nothing before it fetches a certificate.
func (p *paypal) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	values, d := paypalHeaders(r)
	if d != nil {
		return auth.Identity{}, d
	}
	if values[paypalAlgo] != "SHA256withRSA" {
		return auth.Identity{}, paypalDeny(auth.CodeAlgorithm, errors.New("PAYPAL-AUTH-ALGO is not SHA256withRSA"))
	}
	if code := p.clock.Check(r.Now, values[paypalTime]); code != "" {
		return auth.Identity{}, paypalDeny(code, nil)
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(values[paypalSig])
	if err != nil {
		return auth.Identity{}, paypalDeny(auth.CodeMalformed, errors.New("PAYPAL-TRANSMISSION-SIG is no base64"))
	}
	key, d := p.certs.key(ctx, values[paypalCert], r.Now)
	if d != nil {
		return auth.Identity{}, d
	}
	sum := sha256.Sum256([]byte(p.signed(values[paypalID], values[paypalTime], r.Body)))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) != nil {
		return auth.Identity{}, paypalDeny(auth.CodeSignatureMismatch, nil)
	}
	return auth.Identity{Method: "paypal", Subject: "paypal:" + p.webhook}, nil
}

func (p *paypal) signed(id, at string, body []byte) string {
	return id + "|" + at + "|" + p.webhook + "|" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
}

// paypalHeaders reads all five, each once. A bar would make two readings of
// what is signed.
func paypalHeaders(r *auth.Request) (map[string]string, *auth.Denial) {
	values := make(map[string]string, 5)
	for _, name := range []string{paypalSig, paypalAlgo, paypalID, paypalTime, paypalCert} {
		value, code := auth.OneHeader(r.Header, name)
		if code == "" && strings.Contains(value, "|") {
			code = auth.CodeMalformed
		}
		if code == auth.CodeMissing && name == paypalTime {
			code = auth.CodeTimestampMissing
		}
		if code != "" {
			return nil, paypalDeny(code, fmt.Errorf("the header %s is needed once", strings.ToUpper(name)))
		}
		values[name] = value
	}
	return values, nil
}

func paypalDeny(code string, err error) *auth.Denial {
	return &auth.Denial{Method: "paypal", Code: code, Err: err}
}

// Sign cannot be done: only PayPal has the key.
func (p *paypal) Sign(context.Context, *auth.Request) error {
	return errors.New("paypal: cannot sign: only PayPal has the key of its certificate; send an event with the webhook simulator")
}

// Covers is true for the transmission only: a CRC covers nothing.
func (p *paypal) Covers(src scheme.Source) bool {
	return src.Header() == paypalID || src.Header() == paypalTime
}

// CredentialHeaders is the signature's.
func (p *paypal) CredentialHeaders() []string { return []string{paypalSig} }

// CredentialParams is empty.
func (p *paypal) CredentialParams() []string { return nil }
