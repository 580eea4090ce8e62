package ingest

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// cleanHeader removes from h, in place, what must not be stored: credentials,
// unless the hook forwards them, and what concerned the connection only.
func cleanHeader(h http.Header, hook *Hook) http.Header {
	for _, v := range h["Connection"] {
		for name := range strings.SplitSeq(v, ",") {
			delete(h, textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)))
		}
	}
	creds := hook.Auth.CredentialHeaders()
	for name := range h {
		if isHop(name) {
			delete(h, name)
			continue
		}
		if (IsCredential(name) || slices.Contains(creds, name)) && !forwards(hook, name) {
			delete(h, name)
		}
	}
	return h
}

func forwards(hook *Hook, name string) bool {
	for _, f := range hook.Forward {
		if strings.EqualFold(f, name) {
			return true
		}
	}
	return false
}

// isHop reports the headers of one connection (RFC 9110 section 7.6.1), and
// those that describe the message on the wire.
func isHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Http2-Settings", "Content-Length", "Expect":
		return true
	}
	return false
}

func cleanQuery(raw string, hook *Hook) string { return CleanQuery(raw, hook.Auth.CredentialParams()) }

// CleanQuery removes the parameters that carry credentials, by their names or
// by the look of them, and leaves the rest as it was sent.
func CleanQuery(raw string, params []string) string {
	if raw == "" {
		return ""
	}
	kept := make([]string, 0, 8)
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(name, "%+") {
			plain, err := url.QueryUnescape(name)
			if err != nil {
				continue // cannot be shown to be harmless
			}
			name = plain
		}
		if !slices.Contains(params, name) && !IsCredential(name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// IsCredential reports whether a header or parameter carries a credential by
// the look of its name. Whole words count, so that Idempotency-Key and
// X-Author stay.
func IsCredential(name string) bool {
	prev := ""
	for rest := name; rest != ""; {
		end := 0
		for end < len(rest) && rest[end] != '-' && rest[end] != '_' && rest[end] != '.' {
			end++
		}
		word := rest[:end]
		rest = rest[min(end+1, len(rest)):]
		if isCredentialWord(word) || strings.EqualFold(word, "key") && isKeyKind(prev) {
			return true
		}
		prev = word
	}
	return false
}

// The words are grouped by length, so that most names cost no comparison.
func isCredentialWord(w string) bool {
	for _, c := range credentialWords[min(len(w), len(credentialWords)-1)] {
		if strings.EqualFold(w, c) {
			return true
		}
	}
	return false
}

var credentialWords = [16][]string{
	3:  {"sig", "jwt", "pwd"},
	4:  {"hmac"},
	5:  {"token"},
	6:  {"cookie", "secret", "apikey", "passwd", "bearer"},
	7:  {"cookie2", "session"},
	8:  {"password"},
	9:  {"signature"},
	10: {"credential", "signatures", "signature2", "accesskey"},
	11: {"credentials", "accesstoken"},
	13: {"authorization"},
}

func isKeyKind(w string) bool {
	for _, k := range [...]string{"api", "access", "auth", "secret", "private"} {
		if strings.EqualFold(w, k) {
			return true
		}
	}
	return false
}

// eventType is the sender's name for what happened, fit for a list: at most
// 200 bytes, without control characters.
func eventType(t string) string {
	if len(t) > 200 || auth.HasControl(t) {
		return ""
	}
	return t
}
