package scheme

import (
	"encoding/base64"
	"encoding/hex"
)

var (
	stdB64    = base64.StdEncoding.Strict()
	urlB64    = base64.URLEncoding.Strict()
	rawURLB64 = base64.RawURLEncoding.Strict()
)

func (e Encoding) name() string {
	return [...]string{"text", "hex", "base64", "base64url"}[e]
}

// decode writes the bytes of s to dst and returns how many; ok is false when s
// is not in strict form or does not fit. dst must hold len(s) bytes, or the
// decoded length where that is known.
func (e Encoding) decode(dst []byte, s string) (n int, ok bool) {
	if e == Plain {
		return copy(dst, s), len(s) <= len(dst)
	}
	if e == Hex {
		if len(s)%2 != 0 || len(s)/2 > len(dst) {
			return 0, false
		}
		return unhex(dst, s)
	}
	enc := stdB64
	if e == Base64URL {
		enc = rawURLB64
		if len(s) > 0 && s[len(s)-1] == '=' {
			enc = urlB64
		}
	}
	for i := range len(s) {
		if s[i] == '\r' || s[i] == '\n' { // the decoder would skip them
			return 0, false
		}
	}
	if enc.DecodedLen(len(s)) > len(dst)+2 { // padding counts as up to two bytes
		return 0, false
	}
	return debase(enc, dst, s)
}

// unhex is hex.Decode for a string, without a copy of it.
func unhex(dst []byte, s string) (int, bool) {
	for i := 0; i < len(s); i += 2 {
		hi, lo := nibble(s[i]), nibble(s[i+1])
		if hi > 15 || lo > 15 {
			return 0, false
		}
		dst[i/2] = hi<<4 | lo
	}
	return len(s) / 2, true
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// debase decodes through a buffer on the stack where s is as short as a
// signature is.
func debase(enc *base64.Encoding, dst []byte, s string) (int, bool) {
	var in, out [128]byte
	if len(s) > len(in) {
		b, err := enc.DecodeString(s)
		return copy(dst, b), err == nil && len(b) <= len(dst)
	}
	n, err := enc.Decode(out[:], in[:copy(in[:], s)])
	return copy(dst, out[:n]), err == nil && n <= len(dst)
}

// encode is the text form that decode reads; base64url is not padded.
func (e Encoding) encode(b []byte) string {
	switch e {
	case Hex:
		return hex.EncodeToString(b)
	case Base64:
		return stdB64.EncodeToString(b)
	case Base64URL:
		return rawURLB64.EncodeToString(b)
	case Plain:
	}
	return string(b)
}
