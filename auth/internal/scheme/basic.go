package scheme

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

// authorization is where Basic travels.
var authorization = Source{kind: fromHeader, name: "Authorization"}

const basicScheme = "Basic "

// maxBasic is the length of the longest "user:password" whose header is within
// auth.MaxCredential.
const maxBasic = 6000

// ParseBasic reads the value of Authorization: "Basic" in any case, one blank,
// and strict base64 of name:password (RFC 7617 section 2). Bytes that are not
// UTF-8 are read as Latin-1, as older clients send them.
func ParseBasic(value string) (user, password string, ok bool) {
	if len(value) < len(basicScheme) || !strings.EqualFold(value[:len(basicScheme)], basicScheme) {
		return "", "", false
	}
	value = value[len(basicScheme):]
	if strings.ContainsAny(value, "\r\n") { // the decoder would skip them
		return "", "", false
	}
	b, err := stdB64.DecodeString(value)
	if err != nil {
		return "", "", false
	}
	text := string(b)
	if !utf8.Valid(b) {
		text = fromLatin1(b)
	}
	user, password, ok = strings.Cut(text, ":")
	return user, password, ok && !hasControl(text)
}

func fromLatin1(b []byte) string {
	rs := make([]rune, len(b))
	for i, c := range b {
		rs[i] = rune(c)
	}
	return string(rs)
}

// FormatBasic is the value that ParseBasic reads; credentials are
// "user:password".
func FormatBasic(credentials string) string {
	return basicScheme + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// hasControl reports any control character; RFC 7617 section 2 forbids all.
func hasControl(s string) bool { return auth.HasControl(s) || strings.Contains(s, "\t") }

func checkBasic(secrets []secret.String) error {
	for _, s := range secrets {
		user, _, ok := strings.Cut(s.Reveal(), ":")
		switch {
		case !ok || user == "":
			return errors.New("the secret is not user:password")
		case len(s.Reveal()) > maxBasic:
			return errors.New("the user and the password are too long")
		case hasControl(s.Reveal()):
			return errors.New("the secret holds control characters")
		}
	}
	return nil
}

// verifyBasic compares name and password at once: the first colon ends the
// name, so that no other pair makes the same text.
func (a *alternative) verifyBasic(value string) (int, string) {
	user, password, ok := ParseBasic(value)
	if !ok {
		return 0, auth.CodeMalformed
	}
	if who, ok := a.tokens.Find(user + ":" + password); ok {
		return who, ""
	}
	return 0, auth.CodeMismatch
}

// Challenge is that of RFC 7617 section 2.1 where a way to verify is Basic.
func (s *Scheme) Challenge() string {
	for i := range s.alts {
		if s.alts[i].kind == Basic {
			return `Basic realm="Webhook API", charset="UTF-8"`
		}
	}
	return ""
}
