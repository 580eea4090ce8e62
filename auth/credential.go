package auth

import (
	"net/http"
	"net/url"
	"strings"
)

// MaxCredential is the length in bytes from which on a header value or query
// parameter is refused unread.
const MaxCredential = 8192

// OneHeader reads a header that carries a credential. name is canonical. The
// code is empty when there is exactly one value, not empty, of at most
// MaxCredential bytes and free of control characters (a tab is left to the
// caller). The value is not trimmed.
func OneHeader(h http.Header, name string) (value, code string) {
	vs := h[name]
	switch {
	case len(vs) == 0:
		return "", CodeMissing
	case len(vs) > 1:
		return "", CodeDoubled
	}
	return checked(vs[0])
}

// OneParam reads a query parameter that carries a credential, under the rules
// of OneHeader and without a tab. Names are compared after decoding, so that
// "api%5Fkey" doubles "api_key". Parameters are separated by "&" only.
func OneParam(rawQuery, name string) (value, code string) {
	found := false
	for pair := range strings.SplitSeq(rawQuery, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if !isParam(k, name) {
			continue
		}
		if found {
			return "", CodeDoubled
		}
		found, value = true, v
	}
	if !found {
		return "", CodeMissing
	}
	if len(value) > 3*MaxCredential {
		return "", CodeTooLong
	}
	value, err := url.QueryUnescape(value)
	if err != nil || strings.IndexByte(value, '\t') >= 0 {
		return "", CodeMalformed
	}
	return checked(value)
}

// isParam reports whether the raw name k is the parameter called name.
func isParam(k, name string) bool {
	if k == name {
		return true
	}
	if len(k) > 3*len(name) || !strings.ContainsAny(k, "%+") {
		return false
	}
	k, err := url.QueryUnescape(k)
	return err == nil && k == name
}

func checked(value string) (string, string) {
	switch {
	case value == "":
		return "", CodeMissing
	case len(value) > MaxCredential:
		return "", CodeTooLong
	case HasControl(value):
		return "", CodeMalformed
	}
	return value, ""
}

// HasControl reports whether s holds an ASCII control character other than a
// tab.
func HasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
