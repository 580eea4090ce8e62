package spec

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape reads the \uXXXX at the start of raw, with its second half where it
// is a surrogate, and tells how many bytes of raw it takes.
func unescape(raw string) (r rune, n int) {
	hex := func(s string) rune {
		if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
			return -1
		}
		v, err := strconv.ParseUint(s[2:6], 16, 32)
		if err != nil {
			return -1
		}
		return rune(v)
	}
	r = hex(raw)
	if r < 0 {
		return utf8.RuneError, 6
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if pair := utf16.DecodeRune(r, hex(raw[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}
