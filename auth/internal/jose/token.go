package jose

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// The limits of a token's header, in bytes after decoding.
const (
	maxHeader = 4096
	maxKeyID  = 256
	maxName   = 64 // alg, typ, cty
)

// token is a compact JWS, RFC 7515 section 3.1, before anything is proved.
type token struct {
	alg     Algorithm
	kid     string
	signed  string // the first two segments, as they came
	payload []byte
	sig     []byte
}

// parse reads the container more strictly than the library does: that passes
// over "crit" (RFC 7515 section 4.1.11 forbids it), over members that come
// twice, and over line breaks inside base64.
//
// Keys that a token brings along (jwk, jku, x5c, x5u) are not looked at.
func parse(s string) (*token, error) {
	first, rest, _ := strings.Cut(s, ".")
	second, third, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(third, ".") {
		return nil, errors.New("has not three segments")
	}
	var parts [3][]byte
	for i, segment := range []string{first, second, third} {
		b, err := segmentBytes(segment)
		if err != nil {
			return nil, err
		}
		parts[i] = b
	}
	t := &token{signed: s[:len(s)-len(third)-1], payload: parts[1], sig: parts[2]}
	return t, t.header(parts[0])
}

var base64url = base64.RawURLEncoding.Strict()

// segmentBytes decodes base64url without padding; the standard decoder would
// skip line breaks.
func segmentBytes(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("holds a line break")
	}
	b, err := base64url.DecodeString(s)
	if err != nil {
		return nil, errors.New("is not base64url without padding")
	}
	return b, nil
}

func (t *token) header(b []byte) error {
	if len(b) > maxHeader {
		return errors.New("has a header that is too long")
	}
	h, err := Object(b)
	if err != nil {
		return errors.New("has a header that " + err.Error())
	}
	for _, name := range []string{"crit", "b64"} {
		if _, there := h[name]; there {
			return errors.New("has " + name + " in its header, which is not supported and may not be passed over")
		}
	}
	alg, ok := headerText(h, "alg", maxName)
	if !ok || alg == "" {
		return errors.New("has no alg in its header")
	}
	t.alg = Algorithm(alg)
	if t.kid, ok = headerText(h, "kid", maxKeyID); !ok {
		return errors.New("has a kid that is no text or too long")
	}
	for _, name := range []string{"typ", "cty"} {
		if _, ok := headerText(h, name, maxName); !ok {
			return errors.New("has a " + name + " that is no text or too long")
		}
	}
	return nil
}

// headerText is a text of the header; "" where it is absent.
func headerText(h map[string]json.RawMessage, name string, longest int) (string, bool) {
	raw, there := h[name]
	if !there {
		return "", true
	}
	s, ok := text(raw)
	return s, ok && len(s) <= longest
}
