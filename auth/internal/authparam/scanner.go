package authparam

import "strings"

// scanner walks over one header value. Control characters are not its matter:
// auth.OneHeader refuses them.
type scanner struct {
	text string
	at   int
}

func (s *scanner) end() bool { return s.at >= len(s.text) }

// next is the byte at hand; 0 at the end.
func (s *scanner) next() byte {
	if s.end() {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) blanks() {
	for s.next() == ' ' || s.next() == '\t' {
		s.at++
	}
}

// separators skips blanks and commas: empty elements of a list are to be
// ignored (RFC 9110 section 5.6.1.2).
func (s *scanner) separators() {
	for s.next() == ' ' || s.next() == '\t' || s.next() == ',' {
		s.at++
	}
}

// separated wants a comma or the end.
func (s *scanner) separated() error {
	s.blanks()
	if !s.end() && s.next() != ',' {
		return s.want("a comma")
	}
	return nil
}

// token is the longest token at hand; empty where there is none.
func (s *scanner) token() string {
	start := s.at
	for !s.end() && isToken(s.text[s.at]) {
		s.at++
	}
	return s.text[start:s.at]
}

// isToken is tchar of RFC 9110 section 5.6.2.
func isToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// param reads what follows a parameter's name, and adds it.
func (s *scanner) param(ps Params, name string) (Params, error) {
	if name == "" {
		return nil, s.want("the name of a parameter")
	}
	if _, twice := ps.Get(name); twice {
		return nil, s.want("each parameter once")
	}
	if len(ps) == MaxParams {
		return nil, s.want("fewer parameters")
	}
	s.blanks()
	if s.next() != '=' {
		return nil, s.want("an equals sign")
	}
	s.at++
	s.blanks()
	value, err := s.value()
	if err != nil {
		return nil, err
	}
	return append(ps, Param{name, value}), nil
}

func (s *scanner) value() (string, error) {
	if s.next() == '"' {
		return s.quoted()
	}
	if v := s.token(); v != "" {
		return v, nil
	}
	return "", s.want("a value")
}

// quoted reads a quoted-string, in which a backslash takes the next byte as it
// is.
func (s *scanner) quoted() (string, error) {
	s.at++
	rest := s.text[s.at:]
	if i := strings.IndexAny(rest, `"\`); i >= 0 && rest[i] == '"' {
		s.at += i + 1
		return rest[:i], nil
	}
	var b strings.Builder
	for ; !s.end(); s.at++ {
		switch c := s.next(); c {
		case '"':
			s.at++
			return b.String(), nil
		case '\\':
			if s.at++; s.end() {
				return "", s.want("a character after the backslash")
			}
			b.WriteByte(s.next())
		default:
			b.WriteByte(c)
		}
	}
	return "", s.want("a closing quote")
}

// challenge reads a scheme and what belongs to it: all that follows up to a
// token with no equals sign behind it, which is the next scheme.
func (s *scanner) challenge() (Challenge, error) {
	c := Challenge{Scheme: s.token()}
	if c.Scheme == "" {
		return c, s.want("a scheme")
	}
	if s.next() != ' ' {
		return c, s.separated()
	}
	s.blanks()
	if t := s.token68(); t != "" {
		c.Token68 = t
		return c, nil
	}
	for {
		s.separators()
		start := s.at
		name := s.token()
		s.blanks()
		if s.next() != '=' && (name != "" || s.end()) {
			s.at = start
			return c, nil
		}
		var err error
		if c.Params, err = s.param(c.Params, name); err != nil {
			return c, err
		}
		if err = s.separated(); err != nil {
			return c, err
		}
	}
}

// token68 reads a lone value, such as base64; nothing where a parameter or a
// scheme stands.
func (s *scanner) token68() string {
	start := s.at
	for !s.end() && (isToken(s.text[s.at]) || s.text[s.at] == '/') {
		s.at++
	}
	for s.next() == '=' {
		s.at++
	}
	if t := s.text[start:s.at]; t != "" && s.separated() == nil {
		return t
	}
	s.at = start
	return ""
}
