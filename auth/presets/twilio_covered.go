package presets

import (
	hashsha1 "crypto/sha1" //nolint:gosec // what Twilio signs with by default
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"mime"
	"net/http"
	neturl "net/url"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// withPorts is the URL without its query, and the same with its port taken off
// or the default one put on: Twilio's own libraries try both.
func withPorts(text string) ([]string, error) {
	u, err := neturl.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("public_url is no http or https URL")
	}
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "?")
	head, rest, _ := strings.Cut(text, "://")
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	other := authority + map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	if u.Port() != "" {
		other = strings.TrimSuffix(authority, ":"+u.Port())
	}
	return []string{text, head + "://" + other + path}, nil
}

// twilioHash is the hash that the settings name; without settings, SHA-1.
func twilioHash(h http.Header) (sum func() hash.Hash, code string) {
	value, code := auth.OneHeader(h, twilioSettings)
	if code == auth.CodeMissing {
		return hashsha1.New, ""
	}
	if code != "" {
		return nil, code
	}
	algorithm := ""
	for pair := range strings.SplitSeq(value, ",") {
		if k, v, _ := strings.Cut(strings.TrimSpace(pair), "="); k == "algorithm" {
			if algorithm != "" {
				return nil, auth.CodeDoubled
			}
			algorithm = v
		}
	}
	switch algorithm {
	case "HMAC_SHA1":
		return hashsha1.New, ""
	case "HMAC_SHA256":
		return sha256.New, ""
	}
	return nil, auth.CodeAlgorithm
}

// twilioTail is what is signed behind the URL: its query, and the form. Where
// the query has a hash of the body, the body must have it.
func twilioTail(r *auth.Request) (tail, code string, err error) {
	query := rawQuery(r)
	if query != "" {
		tail = "?" + query
	}
	value, code := auth.OneParam(query, twilioBodyHash)
	switch code {
	case auth.CodeMissing:
	case "":
		sum := sha256.Sum256(r.Body)
		want, err := hex.DecodeString(value)
		if err != nil || len(want) != len(sum) {
			return "", auth.CodeMalformed, errors.New(twilioBodyHash + " is no SHA-256 in hex")
		}
		if subtle.ConstantTimeCompare(sum[:], want) != 1 {
			return "", auth.CodeSignatureMismatch, errors.New("the body is not the one that " + twilioBodyHash + " is of")
		}
		return tail, "", nil
	default:
		return "", code, nil
	}
	if !isForm(r.Header) {
		return "", auth.CodeMissing, errors.New("nothing covers the body: it is no form, and the query has no " + twilioBodyHash)
	}
	form, err := scheme.SortedForm(r.Body, true)
	if err != nil {
		return "", auth.CodeMalformed, errors.New("the body is no form")
	}
	return tail + form, "", nil
}

func isForm(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

func rawQuery(r *auth.Request) string {
	if r.URL == nil {
		return ""
	}
	return r.URL.RawQuery
}
