package presets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	neturl "net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

const (
	contentfulSignature = "X-Contentful-Signature"
	contentfulSigned    = "X-Contentful-Signed-Headers"
	contentfulTime      = "X-Contentful-Timestamp"
	contentfulSecret    = 64 // length of a secret, in characters
	maxSignedHeaders    = 100
)

func contentfulPreset() *Preset {
	return &Preset{
		Name:    "contentful",
		Title:   "Contentful",
		Summary: "Webhooks and app events of Contentful that are signed.",
		Doc: "The secret is the space's signing secret of 64 characters, from *Settings → Webhooks → Settings*. " +
			"While it is rotated, give both.\n\n" +
			"The signature covers the method, the path with the query, the headers that the sender lists, and the body. " +
			"Behind a proxy that changes the path, set `public_url`.\n\n" +
			"Timestamps more than 30 seconds off are refused, as Contentful's own library does; `tolerance` changes that.",
		Source: "https://www.contentful.com/developers/docs/extensibility/app-framework/request-verification/",
		Code:   newContentful,
		Signing: "header X-Contentful-Signature, HMAC-SHA256 in hex over method, path, the headers that " +
			"X-Contentful-Signed-Headers lists, and body; X-Contentful-Timestamp is one of them",
		Type:  at("header:X-Contentful-Topic"),
		Retry: "Reported: a few times within minutes, on 429 and 5xx and without an answer.",
		Headers: []Header{
			{"Content-Type", "application/vnd.contentful.management.v1+json"},
			{"X-Contentful-Topic", "{event}"},
			{"X-Contentful-Webhook-Name", "Test"},
		},
		DefaultEvent: "ContentManagement.Entry.publish",
		Sample:       `{"sys":{"type":"Entry","id":"{delivery}","revision":1},"fields":{"title":{"en-US":"Hello"}}}`,
	}
}

type contentful struct {
	signers
	path  string // of the public URL; "" is that of the request
	clock scheme.Time
}

func newContentful(_ auth.Env, o Options) (Checker, error) {
	if err := scheme.CheckSecrets(o.Secrets); err != nil {
		return nil, err
	}
	for _, s := range o.Secrets {
		if n := len(s.Reveal()); n != contentfulSecret {
			return nil, fmt.Errorf("the secret has %d characters, and those of Contentful have %d", n, contentfulSecret)
		}
	}
	if o.Tolerance < 0 {
		return nil, errors.New("a negative tolerance refuses everything")
	}
	c := &contentful{signers: signers{"contentful", o.Secrets}, clock: scheme.Time{Format: scheme.UnixMilli, Tolerance: 30 * time.Second}}
	if o.Tolerance != 0 {
		c.clock.Tolerance = o.Tolerance
	}
	if o.PublicURL != "" {
		u, err := neturl.Parse(o.PublicURL)
		if err != nil {
			return nil, errors.New("public_url is no URL")
		}
		c.path = u.EscapedPath()
	}
	return c, nil
}

// Verify checks the time, and then the signature.
func (c *contentful) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	value, code := auth.OneHeader(r.Header, contentfulSignature)
	if code != "" {
		return auth.Identity{}, c.deny(code, nil)
	}
	got, err := hex.DecodeString(value)
	if err != nil || len(got) != sha256.Size {
		return auth.Identity{}, c.deny(auth.CodeMalformed, nil)
	}
	at, code := auth.OneHeader(r.Header, contentfulTime)
	if code == auth.CodeMissing {
		code = auth.CodeTimestampMissing
	}
	if code == "" {
		code = c.clock.Check(r.Now, at)
	}
	if code != "" {
		return auth.Identity{}, c.deny(code, nil)
	}
	text, code, err := c.canonical(r)
	if code != "" {
		return auth.Identity{}, c.deny(code, err)
	}
	return c.find(sha256.New, got, text)
}

// Sign signs with the first secret what Contentful signs: its own headers and
// the type of the content.
func (c *contentful) Sign(_ context.Context, r *auth.Request) error {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set(contentfulTime, fmt.Sprint(r.Now.UnixMilli()))
	names := []string{strings.ToLower(contentfulSigned)}
	for name, values := range r.Header {
		if own := strings.HasPrefix(name, "X-Contentful-") && name != contentfulSignature && name != contentfulSigned; (own || name == "Content-Type") && len(values) == 1 {
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names)
	r.Header.Set(contentfulSigned, strings.Join(names, ","))
	text, _, err := c.canonical(r)
	if err != nil {
		return fmt.Errorf("contentful: cannot sign: %w", err)
	}
	r.Header.Set(contentfulSignature, hex.EncodeToString(c.sum(sha256.New, 0, text)))
	return nil
}

// Covers is true for the body and the query; which headers are covered, only
// the request says.
func (c *contentful) Covers(src scheme.Source) bool {
	return src.InBody() || strings.HasPrefix(src.String(), "query:")
}

// CredentialHeaders is the signature's.
func (c *contentful) CredentialHeaders() []string { return []string{contentfulSignature} }

// CredentialParams is empty.
func (c *contentful) CredentialParams() []string { return nil }
