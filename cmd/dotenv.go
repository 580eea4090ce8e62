package cmd

import (
	"fmt"
	"strings"
)

// parseDotEnv reads the format of a .env file as the original service did:
// NAME=value lines, "export" before the name, # comments, values in single
// quotes as they are, in double quotes with \n, \t, \", \\ and \$ and over
// several lines. ${NAME} and ${NAME:-default} are replaced, except in single
// quotes, by variables of the process or of lines above; every other "$" stays
// as it is. An error begins with its line.
func parseDotEnv(text string, process Env) (map[string]string, error) {
	p := &dotEnv{rest: strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff"), line: 1, vars: make(map[string]string), process: process}
	for p.rest != "" {
		if err := p.statement(); err != nil {
			return nil, err
		}
	}
	return p.vars, nil
}

type dotEnv struct {
	rest    string
	line    int
	vars    map[string]string
	process Env
}

func (p *dotEnv) fail(message string) error {
	return fmt.Errorf("%d: %s", p.line, message)
}

func (p *dotEnv) statement() error {
	line, _, _ := strings.Cut(p.rest, "\n")
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		p.skip(len(line) + 1)
		return nil
	}
	name, _, ok := strings.Cut(line, "=")
	if !ok {
		return p.fail("not NAME=value")
	}
	start := len(name) + 1
	name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), "export "))
	if !validName(name) {
		return p.fail("a name has letters, digits and _ only")
	}
	p.skip(start)
	p.skip(len(p.rest) - len(strings.TrimLeft(p.rest, " \t")))
	value, err := p.value()
	if err != nil {
		return err
	}
	p.vars[name] = value
	return nil
}

// value reads the rest of a statement.
func (p *dotEnv) value() (string, error) {
	if p.rest == "" || p.rest[0] != '"' && p.rest[0] != '\'' {
		line, _, _ := strings.Cut(p.rest, "\n")
		p.skip(len(line) + 1)
		if strings.HasPrefix(line, "#") {
			return "", nil
		}
		for _, mark := range []string{" #", "\t#"} {
			line, _, _ = strings.Cut(line, mark)
		}
		return p.expand(strings.TrimSpace(line)), nil
	}
	quote := p.rest[0]
	end := 1
	for end < len(p.rest) && p.rest[end] != quote {
		if p.rest[end] == '\\' && quote == '"' {
			end++
		}
		end++
	}
	if end >= len(p.rest) {
		return "", p.fail("the quote is not closed")
	}
	raw := p.rest[1:end]
	after, _, _ := strings.Cut(p.rest[end+1:], "\n")
	if s := strings.TrimSpace(after); s != "" && s[0] != '#' {
		return "", p.fail("text behind the closing quote")
	}
	p.skip(end + 1 + len(after) + 1)
	if quote == '\'' {
		return raw, nil
	}
	return p.unescape(raw), nil
}

// unescape replaces what a backslash stands before, and expands the pieces
// between.
func (p *dotEnv) unescape(raw string) string {
	var out, plain strings.Builder
	flush := func() {
		out.WriteString(p.expand(plain.String()))
		plain.Reset()
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			plain.WriteByte(raw[i])
			continue
		}
		i++
		flush()
		switch raw[i] {
		case 'n':
			out.WriteByte('\n')
		case 't':
			out.WriteByte('\t')
		case 'r':
			out.WriteByte('\r')
		case '"', '\\', '$':
			out.WriteByte(raw[i])
		default:
			out.WriteByte('\\')
			out.WriteByte(raw[i])
		}
	}
	flush()
	return out.String()
}

// expand replaces ${NAME} and ${NAME:-default}; what has not this form stays.
func (p *dotEnv) expand(s string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "${")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		ref, after, closed := strings.Cut(rest, "}")
		name, def, _ := strings.Cut(ref, ":-")
		if !closed || !validName(name) {
			out.WriteString("${")
			s = rest
			continue
		}
		value, found := p.process.Lookup(name)
		if !found {
			value, found = p.vars[name]
		}
		if !found {
			value = def
		}
		out.WriteString(value)
		s = after
	}
}

// skip consumes n bytes, or all there are.
func (p *dotEnv) skip(n int) {
	n = min(n, len(p.rest))
	p.line += strings.Count(p.rest[:n], "\n")
	p.rest = p.rest[n:]
}

func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '.' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}
