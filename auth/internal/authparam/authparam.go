// Package authparam reads what Authorization and WWW-Authenticate carry behind
// the name of a scheme: the auth-params of RFC 9110 section 11.2.
package authparam

import (
	"errors"
	"fmt"
	"strings"
)

// MaxParams is how many parameters one credential or challenge may have.
const MaxParams = 64

// Param is a parameter. Name is as it was sent, though its case does not
// matter; Value is without quotes and escapes.
type Param struct{ Name, Value string }

// Params are the parameters of one credential or challenge, in their order. No
// two have one name.
type Params []Param

// Get returns the parameter called name, in any case.
func (ps Params) Get(name string) (value string, ok bool) {
	for _, p := range ps {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// Challenge is one challenge of WWW-Authenticate. Token68 stands instead of
// Params in schemes that have it, such as Negotiate.
type Challenge struct {
	Scheme  string
	Token68 string
	Params  Params
}

// Parse reads the value of Authorization: a scheme, blanks, and parameters that
// are separated by commas. Errors name a place and never quote.
func Parse(value string) (scheme string, ps Params, err error) {
	s := scanner{text: value}
	if scheme = s.token(); scheme == "" {
		return "", nil, errors.New("no scheme")
	}
	if s.end() {
		return scheme, nil, nil
	}
	if s.next() != ' ' {
		return "", nil, s.want("a blank after the scheme")
	}
	for {
		s.separators()
		if s.end() {
			return scheme, ps, nil
		}
		if ps, err = s.param(ps, s.token()); err != nil {
			return "", nil, err
		}
		if err = s.separated(); err != nil {
			return "", nil, err
		}
	}
}

// ParseChallenges reads the values of WWW-Authenticate. Each may hold several
// challenges; the commas between them look like those within.
func ParseChallenges(values []string) ([]Challenge, error) {
	var all []Challenge
	for _, v := range values {
		s := scanner{text: v}
		for {
			s.separators()
			if s.end() {
				break
			}
			c, err := s.challenge()
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// Quote is s as a quoted-string (RFC 9110 section 5.6.4).
func Quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (s *scanner) want(what string) error { return fmt.Errorf("byte %d: expected %s", s.at, what) }
