package modules

import (
	"slices"
	"strings"
	"unicode"
)

// words are sensitive wherever they stand in a name, pairs where they stand
// side by side. The original service matched them inside words, and hid
// "author" and "monkey".
var (
	words = []string{
		"password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "token", "tokens",
		"apikey", "privatekey", "accesskey", "secretkey", "credential", "credentials", "auth", "authorization", "bearer",
		"jwt", "cookie", "cookies", "session", "sessionid", "csrf", "xsrf", "otp", "ssn", "cvv", "cvc", "creditcard", "cardnumber",
	}
	pairs = []string{
		"api key", "api keys", "private key", "access key", "signing key", "encryption key", "client key",
		"credit card", "card number", "social security",
	}
)

// Sensitive tells whether the name of a field or header speaks of a password,
// token, key, session or card. It looks at the whole words of the name, in any
// of the usual spellings: api_key, API-Key, apiKey. more are further words, in
// lower case.
func Sensitive(name string, more ...string) bool {
	var prev string
	for _, w := range split(name) {
		if slices.Contains(words, w) || slices.Contains(more, w) || prev != "" && slices.Contains(pairs, prev+" "+w) {
			return true
		}
		prev = w
	}
	return false
}

// split cuts a name at what is no letter or digit, and before an upper-case
// letter that follows a lower-case one or begins a word ("HTTPToken").
func split(name string) []string {
	runes := []rune(name)
	var all []string
	start := -1
	flush := func(end int) {
		if start >= 0 {
			all = append(all, strings.ToLower(string(runes[start:end])))
		}
		start = -1
	}
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush(i)
			continue
		}
		if start >= 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			flush(i)
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(runes))
	return all
}
