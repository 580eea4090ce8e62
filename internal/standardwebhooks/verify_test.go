package standardwebhooks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/standardwebhooks"
)

func TestLists(t *testing.T) {
	t.Parallel()
	const (
		other   = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		foreign = "v2,anything v9,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	otherA := "v1a," + strings.Repeat("A", 86) + "=="
	sym, pub, priv, old := key(t, whsec), key(t, whpk), key(t, whsk), key(t, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
	type keys = []standardwebhooks.Key
	for _, c := range []struct {
		name string
		keys keys
		list string
		who  int
		err  error
	}{
		{"v1", keys{sym}, byWhsec, 0, nil},
		{"v1a", keys{pub}, byWhsk, 0, nil},
		{"v1a by the private key", keys{priv}, byWhsk, 0, nil},
		{"second key", keys{old, sym}, byWhsec, 1, nil},
		{"second key of the other kind", keys{sym, pub}, byWhsk, 1, nil},
		{"second signature", keys{sym}, other + " " + byWhsec, 0, nil},
		{"second signature of the other kind", keys{pub}, byWhsec + " " + byWhsk, 0, nil},
		{"one of the two is enough", keys{sym, pub}, other + " " + byWhsk, 1, nil},
		{"the other of the two is enough", keys{pub, sym}, otherA + " " + byWhsec, 1, nil},
		{"unknown versions are ignored", keys{sym}, foreign + " " + byWhsec, 0, nil},
		{"runs of blanks", keys{sym}, "  " + other + "   " + byWhsec + " ", 0, nil},
		{"one that does not decode beside one that is right", keys{sym}, "v1,?? " + byWhsec, 0, nil},
		{"as many as are looked at", keys{sym}, strings.Repeat(other+" ", 7) + byWhsec, 0, nil},
		{"of other versions any number", keys{sym}, strings.Repeat(otherA+" ", 70) + byWhsec, 0, nil},

		{"one more than is looked at", keys{sym}, strings.Repeat(other+" ", 8) + byWhsec, -1, standardwebhooks.ErrTooMany},
		{"too many of both", keys{sym, pub}, strings.Repeat(other+" "+otherA+" ", 4) + byWhsec, -1, standardwebhooks.ErrTooMany},
		{"wrong key", keys{old}, byWhsec, -1, standardwebhooks.ErrMismatch},
		{"wrong signature", keys{sym}, other, -1, standardwebhooks.ErrMismatch},
		{"wrong public signature", keys{pub}, otherA, -1, standardwebhooks.ErrMismatch},
		{"v1 for v1a", keys{pub}, byWhsec, -1, standardwebhooks.ErrVersion},
		{"v1a for v1", keys{sym}, byWhsk, -1, standardwebhooks.ErrVersion},
		{"v1 called v1a", keys{sym, pub}, "v1a" + byWhsec[2:], -1, standardwebhooks.ErrMalformed},
		{"v1a called v1", keys{sym, pub}, "v1" + byWhsk[3:], -1, standardwebhooks.ErrMalformed},
		{"version in upper case", keys{sym}, "V1" + byWhsec[2:], -1, standardwebhooks.ErrVersion},
		{"unknown versions only", keys{sym}, foreign, -1, standardwebhooks.ErrVersion},
		{"nothing", keys{sym}, "", -1, standardwebhooks.ErrVersion},
		{"blanks", keys{sym}, "   ", -1, standardwebhooks.ErrVersion},
		{"no comma", keys{sym}, byWhsec + " v1", -1, standardwebhooks.ErrMalformed},
		{"no version", keys{sym}, byWhsec[3:], -1, standardwebhooks.ErrMalformed},
		{"comma between", keys{sym}, other + "," + byWhsec, -1, standardwebhooks.ErrMalformed},
		{"tab between", keys{sym}, other + "\t" + byWhsec, -1, standardwebhooks.ErrMalformed},
		{"empty", keys{sym}, "v1,", -1, standardwebhooks.ErrMalformed},
		{"hex", keys{sym}, "v1,834f4cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1", -1, standardwebhooks.ErrMalformed},
		{"without padding", keys{sym}, strings.TrimSuffix(byWhsec, "="), -1, standardwebhooks.ErrMalformed},
		{"stray bits", keys{sym}, byWhsec[:45] + "F=", -1, standardwebhooks.ErrMalformed},
		{"line break", keys{sym}, byWhsec[:9] + "\n" + byWhsec[9:], -1, standardwebhooks.ErrMalformed},
		{"cut", keys{sym}, byWhsec[:len(byWhsec)-4], -1, standardwebhooks.ErrMalformed},
	} {
		who, err := standardwebhooks.Verify(c.keys, published, c.list)
		if who != c.who || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v, want %d, %v", c.name, who, err, c.who, c.err)
		}
	}
}

// TestMessageIsCovered: every part of it.
func TestMessageIsCovered(t *testing.T) {
	t.Parallel()
	keys := []standardwebhooks.Key{key(t, whsec), key(t, whpk)}
	for _, list := range []string{byWhsec, byWhsk} {
		for name, change := range map[string]func(*standardwebhooks.Message){
			"id":         func(m *standardwebhooks.Message) { m.ID += "x" },
			"timestamp":  func(m *standardwebhooks.Message) { m.Timestamp = "1614265331" },
			"leading 0":  func(m *standardwebhooks.Message) { m.Timestamp = "0" + m.Timestamp },
			"body":       func(m *standardwebhooks.Message) { m.Body = append([]byte(" "), m.Body...) },
			"body's end": func(m *standardwebhooks.Message) { m.Body = append([]byte(nil), m.Body[1:]...) },
			"no body":    func(m *standardwebhooks.Message) { m.Body = nil },
		} {
			m := published
			change(&m)
			if who, err := standardwebhooks.Verify(keys, m, list); !errors.Is(err, standardwebhooks.ErrMismatch) {
				t.Errorf("%s: %d, %v", name, who, err)
			}
		}
	}
}

// FuzzVerify: a list passes when one of its elements is a signature to the
// letter, none lacks a comma, and there are not too many.
func FuzzVerify(f *testing.F) {
	for _, seed := range []string{
		byWhsec, byWhsk, byWhsec + " " + byWhsk, "v2,x " + byWhsec, " " + byWhsk + "  ", "v1", "v1,", ",", "v1a,v1," + byWhsec,
		strings.Repeat("v1, ", 8) + byWhsec, byWhsec + "\x00", byWhsec + " x", byWhsec[:45] + "F=",
	} {
		f.Add(seed)
	}
	keys := []standardwebhooks.Key{key(f, whsec), key(f, whpk)}
	f.Fuzz(func(t *testing.T, list string) {
		want, known, bare := -1, 0, false
		for _, e := range strings.FieldsFunc(list, func(c rune) bool { return c == ' ' }) {
			if strings.HasPrefix(e, "v1,") || strings.HasPrefix(e, "v1a,") {
				known++
			}
			bare = bare || !strings.Contains(e, ",")
			if e == byWhsec {
				want = 0
			} else if e == byWhsk && want < 0 {
				want = 1
			}
		}
		if bare || known > standardwebhooks.MaxSignatures {
			want = -1
		}
		who, err := standardwebhooks.Verify(keys, published, list)
		if who != want || (err == nil) != (want >= 0) {
			t.Errorf("%q: %d, %v, want %d", list, who, err, want)
		}
	})
}
