package payload

import (
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charsetOf returns how to read a body as UTF-8, or nil where it is UTF-8. A
// charset that is not known counts as UTF-8, as in the original service.
func charsetOf(contentType string) func([]byte) ([]byte, error) {
	if !mentionsCharset(contentType) {
		return nil
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	switch strings.ToLower(params["charset"]) {
	case "iso-8859-1", "latin-1", "latin1", "iso8859-1", "l1":
		return fromLatin1
	case "windows-1252", "cp1252":
		return from1252
	case "utf-16", "utf16", "utf-16le", "utf16le":
		return fromUTF16LE
	case "utf-16be", "utf16be":
		return fromUTF16BE
	}
	return nil
}

func mentionsCharset(s string) bool {
	for i := 0; i+7 <= len(s); i++ {
		if s[i]|0x20 == 'c' && strings.EqualFold(s[i:i+7], "charset") {
			return true
		}
	}
	return false
}

func fromLatin1(b []byte) ([]byte, error) { return fromBytes(b, nil) }

func from1252(b []byte) ([]byte, error) { return fromBytes(b, &high1252) }

// fromBytes decodes one byte per character. high holds what 0x80 to 0x9f are,
// nil where they are the control characters of that number.
func fromBytes(b []byte, high *[32]rune) ([]byte, error) {
	out := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		r := rune(c)
		if high != nil && c >= 0x80 && c < 0xa0 {
			r = high[c-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}

// high1252 is 0x80 to 0x9f of windows-1252, with the five free places as in
// the WHATWG Encoding standard.
var high1252 = [32]rune{
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
}

func fromUTF16LE(b []byte) ([]byte, error) { return fromUTF16(b, 0, 1) }

func fromUTF16BE(b []byte) ([]byte, error) { return fromUTF16(b, 1, 0) }

// fromUTF16 decodes units with the low byte at lo and the high one at hi; a
// byte order mark of either kind decides (RFC 2781 section 3.2) and is dropped.
func fromUTF16(b []byte, lo, hi int) ([]byte, error) {
	if len(b)%2 != 0 {
		return nil, notUTF16
	}
	if len(b) >= 2 {
		switch [2]byte(b) {
		case [2]byte{0xff, 0xfe}:
			b, lo, hi = b[2:], 0, 1
		case [2]byte{0xfe, 0xff}:
			b, lo, hi = b[2:], 1, 0
		}
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i += 2 {
		r := rune(b[i+lo]) | rune(b[i+hi])<<8
		if utf16.IsSurrogate(r) {
			if i += 2; i == len(b) {
				return nil, notUTF16
			}
			r = utf16.DecodeRune(r, rune(b[i+lo])|rune(b[i+hi])<<8)
			if r == utf8.RuneError {
				return nil, notUTF16
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}

var notUTF16 = bad("invalid_charset", "Payload is not valid UTF-16")
