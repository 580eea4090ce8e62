package diag

import (
	"regexp"
	"slices"
	"strings"
)

// Span is a part of a file in bytes, Start included, End not. A byte order mark
// at the start of the file does not count.
type Span struct{ Start, End int }

var (
	secretWords = []string{
		"secret", "password", "passwd", "passphrase", "token", "credential", "authorization", "bearer", "apikey", "privatekey",
		"accesskey", "signingkey", "sslkey", "keyfile", "connectionstring", "dsn", "cookie",
	}
	secretNames = []string{"pass", "pwd", "auth", "pw"}
	punctuation = strings.NewReplacer("-", "", "_", "", ".", "", " ", "")
)

// LooksSecret reports whether the value of a key with this name may well be a
// secret. It errs on the side of yes, and serves where no description tells.
func LooksSecret(key string) bool {
	k := punctuation.Replace(strings.ToLower(key))
	return slices.Contains(secretNames, k) || slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(k, w) })
}

var (
	userinfo  = regexp.MustCompile(`://([^/\s"'@]*:[^\s"']*)@`)
	scheme    = regexp.MustCompile(`(?i)\b(?:bearer|basic|digest|token)\s+([A-Za-z0-9+/=._~-]{6,})`)
	keyValue  = regexp.MustCompile(`["']?([A-Za-z_][A-Za-z0-9_.$-]*)["']?\s*[:=]\s*`)
	quoted    = regexp.MustCompile(`"((?:[^"\\]|\\.)*)("|$)|'([^']*)('|$)`)
	wordOfKey = regexp.MustCompile(`[^\s{}\[\],:"']{8,}`)
	onlyRef   = regexp.MustCompile(`^\{\$[\p{L}\p{Nd}_]+\}$`)
)

// alwaysMasked finds what is secret in any line: passwords in URLs, and
// credentials behind the name of an HTTP authentication scheme.
func alwaysMasked(line string) []Span {
	var out []Span
	for _, re := range []*regexp.Regexp{userinfo, scheme} {
		for _, m := range re.FindAllStringSubmatchIndex(line, -1) {
			if !onlyRef.MatchString(line[m[2]:m[3]]) {
				out = append(out, Span{m[2], m[3]})
			}
		}
	}
	return out
}

// guessed finds what may be secret in a line of a file that could not be read:
// the values of keys with telling names, and everything that has no key on its
// line, as it may belong to such a key above.
func guessed(line string) []Span {
	keys := keyValue.FindAllStringSubmatchIndex(line, -1)
	var out []Span
	if len(keys) == 0 {
		for _, m := range wordOfKey.FindAllStringIndex(line, -1) {
			out = append(out, Span{m[0], m[1]})
		}
		return append(out, insideQuotes(line, 0)...)
	}
	if before := line[:keys[0][0]]; strings.TrimSpace(before) != "" {
		out = append(out, insideQuotes(before, 0)...)
	}
	for i, k := range keys {
		if !LooksSecret(line[k[2]:k[3]]) {
			continue
		}
		// A value may hold what looks like a key. Where it is quoted, the quotes
		// say where it ends; else everything up to the end of the line goes.
		rest := line[k[1]:]
		end := len(line)
		if spans := insideQuotes(rest, k[1]); len(spans) > 0 && strings.IndexAny(rest, `"'`) == 0 {
			out = append(out, spans[0])
			continue
		}
		if i+1 < len(keys) && strings.ContainsAny(line[k[1]:keys[i+1][0]], "{") {
			continue // an object: its keys are looked at on their own
		}
		out = append(out, Span{k[1], end})
		break
	}
	return out
}

func insideQuotes(s string, at int) []Span {
	var out []Span
	for _, m := range quoted.FindAllStringSubmatchIndex(s, -1) {
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[6], m[7]
		}
		if to > from && !onlyRef.MatchString(s[from:to]) {
			out = append(out, Span{at + from, at + to})
		}
	}
	return out
}
