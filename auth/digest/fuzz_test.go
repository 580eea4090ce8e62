package digest_test

import (
	"strings"
	"testing"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/digest"
)

// FuzzHeader: nothing panics, and nothing passes but what says the same as the
// one right answer.
func FuzzHeader(f *testing.F) {
	v := newVerifier(f, conf)
	s := answer(v, authtest.Request(), "SHA-256")
	s.nonce = digest.FixedNonce(v, authtest.Now)
	good := s.header()
	for _, seed := range []string{
		good, strings.ToUpper(good), strings.ReplaceAll(good, `"`, ``), good + ",", good + `, x="y\"z"`, strings.Replace(good, "auth,", `"auth",`, 1),
		`Digest username="ci", realm="a, b=c", nonce="n", uri="/", response="r", opaque="o"`, `Digest username*=UTF-8''ci`, `Digest a="\`, "Digest nc=00000000",
		`Digest username="ci",realm="r",nonce="n",uri="/",response="r",opaque="",qop=auth,nc=ffffffff,cnonce="\\"`,
	} {
		f.Add(seed)
	}
	right, err := digest.Parse(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		code := codeOf(v, authtest.Header("Authorization", header))
		got, err := digest.Parse(header)
		if err != nil {
			if code == "" || code == auth.CodeInternal {
				t.Errorf("%q cannot be read and passes: %v", header, err)
			}
			return
		}
		same := true
		for k, want := range right {
			same = same && (got[k] == want || k == "algorithm" && strings.EqualFold(got[k], want) || k == "qop" && strings.EqualFold(got[k], want))
		}
		if (code == "") != (same && len(header) <= auth.MaxCredential && !auth.HasControl(header)) {
			t.Errorf("%q: code %q", header, code)
		}
	})
}
