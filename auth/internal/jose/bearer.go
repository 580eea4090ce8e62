package jose

import (
	"net/http"
	"strings"

	"github.com/hookd/hookd/auth"
)

// Place is where a token travels.
type Place struct {
	Header string // canonical
	Scheme string // before the token; "" is none. In another header than Authorization it may be left out
}

const authorization = "Authorization"

// Token reads the token. The code is as of auth.OneHeader. The scheme may have
// either case (RFC 9110 section 11.1); one blank follows it.
func (p Place) Token(h http.Header) (token, code string) {
	value, code := auth.OneHeader(h, p.Header)
	if code != "" {
		return "", code
	}
	scheme, token, ok := strings.Cut(value, " ")
	switch {
	case ok && p.Scheme != "" && strings.EqualFold(scheme, p.Scheme):
	case !ok && (p.Scheme == "" || p.Header != authorization):
		token = value
	default:
		return "", auth.CodeMalformed
	}
	if !isToken68(token) {
		return "", auth.CodeMalformed
	}
	return token, ""
}

// isToken68 is the syntax of RFC 9110 section 11.2, which RFC 6750 calls
// b64token.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~+/", rune(c)) {
			return false
		}
	}
	return s != ""
}

// Set puts a token into its place.
func (p Place) Set(r *auth.Request, token string) {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if p.Header == authorization && p.Scheme != "" {
		token = p.Scheme + " " + token
	}
	r.Header.Set(p.Header, token)
}

// Challenge is that of RFC 6750 section 3; empty without a scheme and in another
// header than Authorization, which HTTP has no challenge for.
func (p Place) Challenge() string {
	if p.Header != authorization || p.Scheme == "" {
		return ""
	}
	return p.Scheme + ` realm="Webhook API"`
}
