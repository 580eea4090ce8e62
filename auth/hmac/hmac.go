// Package hmac checks a keyed hash of the body, for senders that have no preset.
package hmac

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/mistakes"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

const name = "hmac"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "HMAC signature",
		Summary: "The sender signs the body with a shared secret (RFC 2104).",
		Doc: "The signature covers the bytes as sent. Hex of either case is taken, with `sha256=` (the algorithm's name) before it or without. " +
			"`secret` may be a list while it is being replaced.\n\n" +
			"Without a timestamp a captured request is valid forever; set `timestamp_header` where the sender has one.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type (
	algorithm string
	encoding  string
)

type options struct {
	secrets    []secret.String
	header     string
	algorithm  algorithm
	encoding   encoding
	prefix     string
	timeHeader string
	tolerance  time.Duration
	signed     string
	once       bool
}

// Fields describes the options.
func (o *options) Fields() spec.Fields {
	return spec.Fields{
		spec.Secrets(&o.secrets, "secret").Required().Check(checkSecrets).
			Doc("The shared secret, used as text; or a list of them while one is being replaced."),
		spec.String(&o.header, "header").Default(defaultHeader).Check(checkHeader).Doc("The header with the signature."),
		spec.Enum(&o.algorithm, "algorithm", "sha256", "sha1", "sha512").Default("sha256").Doc("The hash. It is never taken from the request."),
		spec.Enum(&o.encoding, "encoding", "hex", "base64", "base64url").Default("hex").Doc("The text form of the signature; base64 is decoded strictly."),
		spec.String(&o.prefix, "prefix").
			Doc("Text that must stand before the signature, exactly: `v0=`. Without it, the algorithm's name and `=` may stand there."),
		spec.String(&o.timeHeader, "timestamp_header").Check(checkHeader).
			Doc("The header with the time of sending, in seconds since 1970. Absent or too far off, the request is refused."),
		spec.Duration(&o.tolerance, "tolerance").Default(defaultTolerance).Check(checkTolerance).
			Doc("How far the time may be off, in both directions; needs `timestamp_header`."),
		spec.String(&o.signed, "signed").
			Doc("What is signed: text with `{body}` and `{timestamp}`. The default is `{body}`, or `{timestamp}.{body}` with a `timestamp_header`."),
		spec.Bool(&o.once, "once").
			Doc("Refuses a request that was accepted before, for as long as its time would pass; needs `timestamp_header`. " +
				"A sender that repeats an unanswered request as it was is refused too: where it has an id, `deduplicate` is the kinder way."),
	}
}

const (
	defaultHeader    = "X-HMAC-Signature"
	defaultTolerance = 5 * time.Minute
)

// Validate checks what spans fields.
func (o *options) Validate() []spec.Issue {
	if o.once && o.timeHeader == "" {
		return []spec.Issue{{
			Field: "once", Message: "needs timestamp_header",
			Hint: "without a time hookd would have to remember every request forever; \"deduplicate\" with a window remembers for as long as you say",
		}}
	}
	if o.signed == "" {
		return nil
	}
	if _, err := template(o); err != nil {
		return []spec.Issue{{Field: "signed", Message: err.Error()}}
	}
	return nil
}

func checkSecrets(ss []secret.String) error {
	for _, s := range ss {
		if strings.TrimSpace(s.Reveal()) == "" {
			return errors.New("must not be blank")
		}
	}
	if len(ss) > scheme.MaxSecrets {
		return errors.New("has more secrets than can be valid at once (8)")
	}
	return nil
}

func checkHeader(s string) error {
	if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) }) {
		return errors.New("is no header name")
	}
	return nil
}

func checkTolerance(d time.Duration) error {
	if d <= 0 || d > 24*time.Hour {
		return errors.New("must be more than 0 and at most 24h")
	}
	return nil
}

// template translates signed into the scheme language. A timestamp that is not
// signed would protect nothing, so that is refused.
func template(o *options) (string, error) {
	text, hasTime := o.signed, o.timeHeader != ""
	if text == "" && hasTime {
		return "{time}.{body}", nil
	}
	if text == "" {
		return "{body}", nil
	}
	rest := strings.NewReplacer("{body}", "", "{timestamp}", "").Replace(text)
	switch {
	case strings.ContainsAny(rest, "{}"):
		return "", errors.New("may hold {body} and {timestamp} only")
	case !strings.Contains(text, "{body}"):
		return "", errors.New("must hold {body}, or anybody could change the body")
	case hasTime && !strings.Contains(text, "{timestamp}"):
		return "", errors.New("must hold {timestamp}, or anybody could change the time")
	case !hasTime && strings.Contains(text, "{timestamp}"):
		return "", errors.New("holds {timestamp}, which needs timestamp_header")
	}
	return strings.ReplaceAll(text, "{timestamp}", "{time}"), nil
}

type verifier struct {
	scheme *scheme.Scheme
	given  scheme.Alternative // what scheme was compiled from
	with   scheme.Options
	once   string        // the header with the time, canonical; "" accepts repeats
	keep   time.Duration // how long a request may be repeated after its time
}

func newVerifier(o *options) (*verifier, error) {
	signed, err := template(o)
	if err != nil {
		return nil, errors.New("hmac: signed " + err.Error())
	}
	if err := errors.Join(checkSecrets(o.secrets), checkHeader(o.header), checkHeader(o.timeHeader)); err != nil {
		return nil, errors.New("hmac: " + err.Error())
	}
	d := scheme.Alternative{Kind: scheme.HMAC, Signed: signed}
	d.Sig = scheme.Sig{At: []string{"header:" + orDefault(o.header, defaultHeader)}, Prefix: o.prefix, HashPrefix: o.prefix == ""}
	var ok bool
	if d.Hash, ok = map[algorithm]scheme.Hash{"": scheme.SHA256, "sha256": scheme.SHA256, "sha1": scheme.SHA1, "sha512": scheme.SHA512}[o.algorithm]; !ok {
		return nil, errors.New("hmac: unknown algorithm")
	}
	if d.Sig.Enc, ok = map[encoding]scheme.Encoding{"": scheme.Hex, "hex": scheme.Hex, "base64": scheme.Base64, "base64url": scheme.Base64URL}[o.encoding]; !ok {
		return nil, errors.New("hmac: unknown encoding")
	}
	if o.timeHeader != "" {
		if textproto.CanonicalMIMEHeaderKey(o.timeHeader) == textproto.CanonicalMIMEHeaderKey(orDefault(o.header, defaultHeader)) {
			return nil, errors.New("hmac: header and timestamp_header are the same")
		}
		d.Time = &scheme.Time{At: "header:" + o.timeHeader, Format: scheme.Unix, Tolerance: defaultTolerance}
	}
	with := scheme.Options{Name: name, Secrets: o.secrets, Tolerance: o.tolerance}
	s, err := scheme.Compile([]scheme.Alternative{d}, with)
	if err != nil {
		return nil, errors.New("hmac: " + err.Error())
	}
	v := &verifier{scheme: s, given: d, with: with}
	if o.once {
		if o.timeHeader == "" {
			return nil, errors.New("hmac: once needs timestamp_header")
		}
		v.once, v.keep = textproto.CanonicalMIMEHeaderKey(o.timeHeader), o.tolerance
		if v.keep == 0 {
			v.keep = defaultTolerance
		}
	}
	return v, nil
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// Verify compares the signature with that of every secret.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	id, err := v.scheme.Verify(r)
	if err != nil || v.once == "" {
		return id, err
	}
	// What is signed and not how the signature is written: hex has two cases.
	at := r.Header.Get(v.once)
	sum := sha256.New()
	sum.Write([]byte(at + "\x00"))
	sum.Write(r.Body)
	sent, err := strconv.ParseInt(at, 10, 64)
	if err != nil { // the scheme has read it
		return auth.Identity{}, auth.Deny(name, auth.CodeMalformed)
	}
	id.Once = []auth.Once{{Key: name + ":" + string(sum.Sum(nil)), Until: time.Unix(sent, 0).Add(v.keep + time.Second)}}
	return id, nil
}

// Cost is that of the body.
func (v *verifier) Cost() auth.Cost { return auth.CostBody }

// Sign signs with the first secret, at r.Now.
func (v *verifier) Sign(_ context.Context, r *auth.Request) error { return v.scheme.Sign(r) }

// CredentialHeaders is the header with the signature.
func (v *verifier) CredentialHeaders() []string { return v.scheme.CredentialHeaders() }

// CredentialParams is empty.
func (v *verifier) CredentialParams() []string { return nil }

// Explain says what is signed, and looks for the usual mistakes.
func (v *verifier) Explain(ctx context.Context, r *auth.Request) auth.Explanation {
	return mistakes.Explain(ctx, []scheme.Alternative{v.given}, v.with, r)
}

// Local is true: only the request is looked at.
func (v *verifier) Local() bool { return true }
