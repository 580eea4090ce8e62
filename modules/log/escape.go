package log

import (
	"fmt"
	"unicode/utf8"
)

// escape makes the control characters of text visible, so that a payload can
// neither forge a line nor drive a terminal. It returns b itself when there is
// nothing to do. With keepLines a line feed stays one.
func escape(b []byte, keepLines bool) []byte {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if !printable(r, n) && (!keepLines || r != '\n') {
			break
		}
		at += n
	}
	if at == len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)+64), b[:at]...)
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		switch {
		case keepLines && r == '\n', printable(r, n):
			out = append(out, b[at:at+n]...)
		case r == '\r' && at+1 < len(b) && b[at+1] == '\n':
			// The line feed that follows speaks for both.
		case r == '\n', r == '\r', r == 0x85, r == 0x2028, r == 0x2029:
			out = append(out, "[NL]"...)
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, "[0x%02x]", b[at])
		default:
			out = append(out, "[CTRL]"...)
		}
		at += n
	}
	return out
}

// printable refuses C0 but for the tab, DEL, C1, line and paragraph separators,
// the controls of writing direction, and what is no UTF-8.
func printable(r rune, size int) bool {
	switch {
	case r == '\t':
		return true
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return false
	case r == 0x2028, r == 0x2029, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return false
	}
	return r != utf8.RuneError || size != 1
}

// truncate cuts b after limit characters and says how many are gone; a limit
// of 0 or less is none.
func truncate(b []byte, limit int) ([]byte, int) {
	if limit <= 0 || len(b) <= limit {
		return b, 0
	}
	at := 0
	for range limit {
		if at == len(b) {
			return b, 0
		}
		_, n := utf8.DecodeRune(b[at:])
		at += n
	}
	return b[:at], utf8.RuneCount(b[at:])
}
