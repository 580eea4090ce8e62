package scheme

import (
	"errors"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// maxValues bounds the headers that a wildcard or a repeated header may bring.
const maxValues = 100

// Verify checks a request against all secrets; a refusal is a *auth.Denial.
func (s *Scheme) Verify(r *auth.Request) (auth.Identity, error) {
	in := input{r: r, url: s.url, params: s.params}
	code := auth.CodeMissing
	for i := range s.alts {
		a := &s.alts[i]
		if !a.applies(&in) {
			continue
		}
		var who int
		who, code = a.verify(&in)
		if code == "" {
			return auth.Identity{Method: s.name, Subject: s.subjects[who]}, nil
		}
		if !a.cascade || code != auth.CodeSignatureMismatch {
			break
		}
	}
	return auth.Identity{}, auth.Deny(s.name, code)
}

func (a *alternative) applies(in *input) bool {
	if a.when != nil {
		v, code := a.when.read(in)
		if code != "" || v != a.literal {
			return false
		}
	}
	if a.items != nil {
		at, err := locateJSON(in.r.Body, a.items.path)
		return errors.Is(err, ErrDuplicate) || err == nil && at != span{}
	}
	for i := range a.at {
		if a.at[i].has(in) {
			return true
		}
	}
	return false
}

// verify returns which secret the request was signed with. The code is empty
// when it was.
func (a *alternative) verify(in *input) (who int, code string) {
	if a.items != nil {
		return a.verifyItems(in)
	}
	who, code = a.verifyOne(in)
	if code == "" && len(a.require) > 0 {
		code = a.required(in)
	}
	return who, code
}

// verifyOne verifies one signature, be it the request's or that of in.item.
func (a *alternative) verifyOne(in *input) (who int, code string) {
	var one [1]string
	values, code := a.values(in, one[:0])
	if code != "" {
		return 0, code
	}
	in.sig, in.list, in.own = values[0], &a.sig, a.ownField()
	switch a.kind {
	case Token:
		return a.verifyToken(values)
	case Basic:
		return a.verifyBasic(values[0])
	case HMAC, Digest, Ed25519, ECDSA, RSA:
	}
	if code := a.readTime(in); code != "" {
		return 0, code
	}
	if code := a.long(in); code != "" {
		return 0, code
	}
	if a.asymmetric() {
		return a.verifyPublic(in, values)
	}
	var sums [MaxSecrets]digest
	for i, k := range a.keys {
		if code := k.sum(&sums[i], a.signed, in); code != "" {
			return 0, code
		}
	}
	m := matcher{a: a, sums: sums[:len(a.keys)], who: -1}
	return m.match(values)
}

// long refuses a signed text that is as short as the challenge of a handshake.
func (a *alternative) long(in *input) (code string) {
	if a.least == 0 {
		return ""
	}
	var n length
	if code := a.signed.write(&state{w: &n, key: nil}, in); code != "" {
		return code
	}
	if int(n) < a.least {
		return auth.CodeMalformed
	}
	return ""
}

// length counts what is written to it.
type length int

func (n *length) Write(p []byte) (int, error) {
	*n += length(len(p))
	return len(p), nil
}

// values reads what the signature's sources hold, into room where it is enough.
func (a *alternative) values(in *input, room []string) ([]string, string) {
	for i := range a.at {
		src := &a.at[i]
		if src.kind == fromHeader && (src.wild || a.sig.Repeat) {
			for name, vs := range in.r.Header {
				if name == src.name || src.wild && strings.HasPrefix(name, src.name) {
					room = append(room, vs...)
				}
			}
			continue
		}
		v, code := src.read(in)
		if code == auth.CodeMissing {
			continue
		}
		if code != "" {
			return nil, code
		}
		room = append(room, v)
	}
	if len(room) == 0 {
		return nil, auth.CodeMissing
	}
	if len(room) > maxValues {
		return nil, auth.CodeTooLong
	}
	if slices.ContainsFunc(room, func(v string) bool { return len(v) > auth.MaxCredential }) {
		return nil, auth.CodeTooLong
	}
	if slices.ContainsFunc(room, auth.HasControl) {
		return nil, auth.CodeMalformed
	}
	return room, ""
}

func (a *alternative) readTime(in *input) (code string) {
	if a.clock == nil {
		return ""
	}
	in.time, code = a.clock.at.read(in)
	if code == auth.CodeMissing {
		return auth.CodeTimestampMissing
	}
	if code != "" {
		return code
	}
	return a.clock.check(in.r.Now, in.time)
}

func (a *alternative) verifyToken(values []string) (int, string) {
	for _, v := range values {
		v, ok := a.sig.strip(v, a.hash)
		if !ok {
			return 0, auth.CodeMalformed
		}
		if who, ok := a.tokens.Find(v); ok {
			return who, ""
		}
	}
	return 0, auth.CodeMismatch
}
