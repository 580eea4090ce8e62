package scheme

import (
	"crypto/subtle"

	"github.com/hookd/hookd/auth"
)

// matcher compares every signature of the request with every secret's, and
// never stops early.
type matcher struct {
	a       *alternative
	sums    []digest
	message []byte // of asymmetric keys, in place of sums
	who     int
	decoded bool // at least one was in the right form
	picked  bool // at least one was there
	tried   int  // by asymmetric keys
}

func (m *matcher) match(lists []string) (who int, code string) {
	for _, list := range lists {
		if code := m.values(list); code != "" {
			return 0, code
		}
	}
	return m.verdict()
}

func (m *matcher) values(list string) (code string) {
	sig := &m.a.sig
	for {
		k, v, rest, more, ok := sig.next(list)
		if !ok {
			return auth.CodeMalformed
		}
		if !more {
			return ""
		}
		if sig.KV == "" || k == sig.Pick {
			m.one(v)
		}
		if m.tried > maxPublic {
			return auth.CodeTooLong
		}
		list = rest
	}
}

func (m *matcher) one(v string) {
	m.picked = true
	v, ok := m.a.sig.strip(v, m.a.hash)
	if !ok {
		return
	}
	if m.a.public != nil {
		m.onePublic(v)
		return
	}
	var got digest
	n, ok := m.a.sig.Enc.decode(got[:], v)
	if !ok || n != m.a.hash.Size() {
		return
	}
	m.decoded = true
	for i := range m.sums {
		same := subtle.ConstantTimeCompare(m.sums[i][:n], got[:n])
		m.who = subtle.ConstantTimeSelect(same, i, m.who)
	}
}

func (m *matcher) verdict() (int, string) {
	switch {
	case m.who >= 0:
		return m.who, ""
	case !m.picked:
		return 0, auth.CodeMissing
	case !m.decoded:
		return 0, auth.CodeMalformed
	}
	return 0, auth.CodeSignatureMismatch
}
