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

// canonical is the request as Contentful signs it.
func (c *contentful) canonical(r *auth.Request) (text, code string, err error) {
	list, code := auth.OneHeader(r.Header, contentfulSigned)
	if code != "" {
		return "", code, errors.New(contentfulSigned + " is needed once")
	}
	names, err := signedHeaders(list)
	if err != nil {
		return "", auth.CodeMalformed, err
	}
	headers := make([]string, 0, len(names))
	for _, name := range names {
		value := strings.Join(names, ",")
		if http.CanonicalHeaderKey(name) != contentfulSigned {
			if value, code = oneHeader(r, name); code != "" {
				return "", code, fmt.Errorf("the signed header %s is needed once", name)
			}
		}
		headers = append(headers, name+":"+strings.TrimSpace(value))
	}
	uri, err := c.uri(r)
	if err != nil {
		return "", auth.CodeMalformed, err
	}
	return r.Method + "\n" + uri + "\n" + strings.Join(headers, ";") + "\n" + string(r.Body), "", nil
}

// oneHeader knows that the server takes Host out of the headers. A signed
// header may be empty.
func oneHeader(r *auth.Request, name string) (value, code string) {
	key := http.CanonicalHeaderKey(name)
	if vs := r.Header[key]; len(vs) == 1 && vs[0] == "" {
		return "", ""
	} else if len(vs) == 0 && key == "Host" {
		return r.Host, ""
	}
	return auth.OneHeader(r.Header, key)
}

// signedHeaders reads the list: names in lower case, sorted. The time and the
// list itself must be on it, or anybody could change them.
func signedHeaders(list string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		names = append(names, strings.TrimSpace(name))
	}
	slices.Sort(names)
	switch {
	case len(names) > maxSignedHeaders:
		return nil, fmt.Errorf("%s lists more than %d", contentfulSigned, maxSignedHeaders)
	case names[0] == "" || len(slices.Compact(slices.Clone(names))) != len(names):
		return nil, errors.New(contentfulSigned + " lists a header twice, or none")
	case !slices.Contains(names, strings.ToLower(contentfulTime)) || !slices.Contains(names, strings.ToLower(contentfulSigned)):
		return nil, errors.New(contentfulSigned + " lacks " + contentfulTime + " or itself")
	}
	return names, nil
}

// uri is the path with the query, as Contentful's library escapes it: the query
// as a whole once, and path and query once more.
func (c *contentful) uri(r *auth.Request) (string, error) {
	path, query := c.path, rawQuery(r)
	if path == "" && r.URL != nil {
		path = r.URL.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	if strings.Contains(query, "?") {
		return "", errors.New("the query holds a second question mark, and what is behind it is not covered")
	}
	if query != "" {
		path += "?" + escape(query, "-_.!~*'()")
	}
	return escape(path, "-_.!~*'();,/?:@&=+$#"), nil
}

// escape writes all bytes but letters, digits and those in keep as %XX.
func escape(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
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
