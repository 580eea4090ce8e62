package deliver

import (
	"strings"
	"unicode"
)

// secretWords give a field away wherever they stand in its name as a whole
// word: "db_password", "accessToken", "X-Auth". A name is cut into words at
// anything but letters and digits and where the case changes, so "author",
// "monkey" and "keyboard" are no secrets.
var secretWords = set("password passwords passwd pwd passphrase secret secrets token tokens credential credentials " +
	"auth authorization oauth bearer apikey apikeys privatekey csrf xsrf sessionid accesstoken refreshtoken")

// secretKeys are the words that make a secret of a "key" or "id" behind them:
// an API key is one, a primary key is none.
var (
	secretKeys = set("api private access secret signing encryption shared master auth")
	secretIDs  = set("session")
)

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// secretName reports whether a field of that name holds a credential, by the
// names and words above or by those of the operator.
func (c *Cleanup) secretName(name string) bool {
	name = strings.TrimSpace(name)
	if c.fields[strings.ToLower(name)] {
		return true
	}
	before := ""
	for _, w := range words(name) {
		switch {
		case secretWords[w],
			(w == "key" || w == "keys") && secretKeys[before],
			w == "id" && secretIDs[before]:
			return true
		}
		before = w
	}
	return false
}

// words cuts a name into lower-case words: "X-APIKey2" is x, api, key2.
func words(name string) []string {
	var (
		out   []string
		word  []rune
		runes = []rune(name)
	)
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			lowerBefore := unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])
			lowerAfter := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if lowerBefore || unicode.IsUpper(runes[i-1]) && lowerAfter {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return out
}
