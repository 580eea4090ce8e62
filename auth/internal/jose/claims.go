package jose

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Claims are what a token says, RFC 7519 section 4.1. Names are exact.
type Claims struct {
	Issuer, Subject, ID          string
	Audience                     []string
	Expires, NotBefore, IssuedAt time.Time // zero where absent
	Scopes                       []string  // of scope and scp
	members                      map[string]json.RawMessage
}

// NewClaims reads the members of a token or of an introspection reply. A
// registered claim of the wrong type is an error, whether it is checked or not.
func NewClaims(members map[string]json.RawMessage) (*Claims, error) {
	c := &Claims{members: members}
	for name, into := range map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.ID} {
		if raw, there := members[name]; there {
			s, ok := text(raw)
			if !ok {
				return nil, errors.New("has a claim " + name + " that is no text")
			}
			*into = s
		}
	}
	for name, into := range map[string]*time.Time{"exp": &c.Expires, "nbf": &c.NotBefore, "iat": &c.IssuedAt} {
		if raw, there := members[name]; there {
			t, ok := numericDate(raw)
			if !ok {
				return nil, errors.New("has a claim " + name + " that is no time")
			}
			*into = t
		}
	}
	if raw, there := members["aud"]; there {
		var ok bool
		if c.Audience, ok = texts(raw); !ok {
			return nil, errors.New("has a claim aud that is neither a text nor a list of texts")
		}
	}
	for _, name := range []string{"scope", "scp"} {
		if raw, there := members[name]; there {
			list, ok := texts(raw)
			if !ok {
				return nil, errors.New("has a claim " + name + " that is neither a text nor a list of texts")
			}
			for _, s := range list {
				c.Scopes = append(c.Scopes, strings.Fields(s)...)
			}
		}
	}
	return c, nil
}

// maxDate is the last second of the year 9999.
const maxDate = 253402300799

// numericDate reads seconds since 1970: a JSON number, with a fraction or
// without, that a calendar can hold. The bounds are looked at before the number
// becomes an integer, where 1e30 would wrap around into the past.
func numericDate(raw json.RawMessage) (time.Time, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return time.Time{}, false
	}
	n, err := json.Number(raw).Float64()
	if err != nil || n < 0 || n > maxDate {
		return time.Time{}, false
	}
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// Text is another claim that is a text.
func (c *Claims) Text(name string) (string, bool) { return text(c.members[name]) }

// True reports whether another claim is the JSON value true.
func (c *Claims) True(name string) bool { return string(c.members[name]) == "true" }

// has reports whether the claims name one of the audiences.
func (c *Claims) has(audiences []string) bool {
	return slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(c.Audience, a) })
}

// maxSubject is the length in bytes of the longest subject that is shown whole.
const maxSubject = 128

// Subject is a name of the token's owner for the log: the method alone where
// none of the names is set. It is printable, and cut at 128 bytes.
func Subject(method string, names ...string) string {
	for _, s := range names {
		if s == "" {
			continue
		}
		for cut := min(len(s), maxSubject); ; cut-- {
			if cut == len(s) || utf8.RuneStart(s[cut]) {
				s = s[:cut]
				break
			}
		}
		return method + ":" + strings.Map(func(c rune) rune {
			if !unicode.IsPrint(c) {
				return unicode.ReplacementChar
			}
			return c
		}, s)
	}
	return method
}
