package authtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
)

func (s *suite) signed(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	r := s.sign(t, v)
	id := s.accept(t, v, r)
	if id.Method == "" || id.Subject == "" {
		t.Errorf("identity %+v: want method and subject", id)
	}
	src, ok := v.(auth.Sourced)
	if !ok {
		t.Fatal("does not tell where its credentials travel")
	}
	if s.Header != "" && !slices.Contains(src.CredentialHeaders(), s.Header) {
		t.Errorf("credential headers %q lack %s", src.CredentialHeaders(), s.Header)
	}
	if s.Param != "" && !slices.Contains(src.CredentialParams(), s.Param) {
		t.Errorf("credential parameters %q lack %s", src.CredentialParams(), s.Param)
	}
	if (s.CoversBody || s.ReadsBody) != (v.Cost() == auth.CostBody) {
		t.Errorf("cost %d does not fit a proof that covers the body: %v", v.Cost(), s.CoversBody)
	}
}

// credentialChanged flips every single bit.
func (s *suite) credentialChanged(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	good := s.credential(s.sign(t, v))
	for i := range len(good) * 8 {
		bad := flip(good, i)
		if s.Same(good, bad) {
			continue
		}
		r := s.sign(t, v)
		s.set(r, bad)
		s.refuse(t, v, r, fmt.Sprintf("bit %d of the credential flipped: %q", i, bad))
	}
	for i := range len(good) {
		r := s.sign(t, v)
		s.set(r, good[:i])
		s.refuse(t, v, r, fmt.Sprintf("credential cut to %d bytes", i))
	}
	r := s.sign(t, v)
	s.set(r, good+"0")
	s.refuse(t, v, r, "a character added at the end")
}

func (s *suite) credentialMissing(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	r := Request()
	if code := s.refuse(t, v, r, "missing"); code != auth.CodeMissing {
		t.Errorf("missing: code %s", code)
	}
	r.Header, r.URL.RawQuery = nil, ""
	s.refuse(t, v, r, "no headers at all")
	for _, blank := range []string{"", " ", "\t"} {
		r := s.sign(t, v)
		s.set(r, blank)
		s.refuse(t, v, r, fmt.Sprintf("blank %q", blank))
	}
}

func (s *suite) credentialDoubled(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	for _, second := range []func(good string) string{
		func(good string) string { return good },
		func(string) string { return "other" },
		func(string) string { return "" },
	} {
		for _, first := range []bool{true, false} {
			r := s.sign(t, v)
			s.double(r, second(s.credential(r)), first)
			if s.Repeats {
				s.accept(t, v, r)
				continue
			}
			if code := s.refuse(t, v, r, "doubled"); code != auth.CodeDoubled {
				t.Errorf("doubled: code %s", code)
			}
		}
	}
}

func (s *suite) credentialLong(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	for _, n := range []int{auth.MaxCredential + 1, 1 << 20} {
		r := s.sign(t, v)
		s.set(r, strings.Repeat("a", n))
		if code := s.refuse(t, v, r, "over-long"); code != auth.CodeTooLong {
			t.Errorf("%d bytes: code %s", n, code)
		}
		r = s.sign(t, v)
		s.set(r, s.credential(r)+strings.Repeat(" ", n))
		s.refuse(t, v, r, "padded with blanks beyond the limit")
	}
}

func (s *suite) credentialJunk(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	for _, junk := range []string{"\x00", "\n", "\r\n", "\x1b", "\x7f", "\xff", "\u202e", "=", ","} {
		r := s.sign(t, v)
		good := s.credential(r)
		for _, bad := range []string{junk, junk + good, good + junk, good[:len(good)/2] + junk + good[len(good)/2:]} {
			if s.Same(good, bad) {
				continue
			}
			s.set(r, bad)
			s.refuse(t, v, r, fmt.Sprintf("junk %q", bad))
		}
	}
}

// bodyChanged flips every single bit, and adds and takes a byte.
func (s *suite) bodyChanged(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	if !s.CoversBody {
		r := s.sign(t, v)
		r.Body = nil
		s.accept(t, v, r) // such a proof must not look at it, or not mind
		return
	}
	for i := range len(Body) * 8 {
		r := s.sign(t, v)
		r.Body = []byte(flip(Body, i))
		s.refuse(t, v, r, fmt.Sprintf("bit %d of the body flipped", i))
	}
	for _, body := range []string{"", Body[1:], Body[:len(Body)-1], Body + "\n", "\n" + Body} {
		r := s.sign(t, v)
		r.Body = []byte(body)
		s.refuse(t, v, r, "body cut or extended")
	}
	r := Request()
	r.Body = nil
	s.accept(t, v, s.signRequest(t, v, r)) // an empty body can be signed too
}

func (s *suite) secretChanged(t *testing.T) {
	r := s.sign(t, s.make(t, s.Secrets[0]))
	for i := range len(s.Secrets[0]) * 8 {
		other := flip(s.Secrets[0], i)
		if s.SameSecret(s.Secrets[0], other) {
			continue
		}
		v, err := s.New(other)
		if err != nil { // not every text is a secret
			s.silent(t, err.Error())
			continue
		}
		s.refuse(t, v, r, fmt.Sprintf("bit %d of the secret flipped", i))
	}
	for _, none := range [][]string{{}, {""}} {
		if _, err := s.New(none...); err == nil {
			t.Errorf("made with the secrets %q", none)
		}
	}
}

// rotated: the old and the new one work together; then the old one is gone.
func (s *suite) rotated(t *testing.T) {
	both := s.make(t, s.Secrets[0], s.Secrets[1])
	byFirst, bySecond := s.sign(t, s.make(t, s.Secrets[0])), s.sign(t, s.make(t, s.Secrets[1]))
	first, second := s.accept(t, both, byFirst), s.accept(t, both, bySecond)
	if first.Method != second.Method {
		t.Errorf("the method is %q and %q", first.Method, second.Method)
	}
	s.refuse(t, both, s.sign(t, s.make(t, s.Secrets[2])), "a third secret")
	s.refuse(t, s.make(t, s.Secrets[1]), byFirst, "the old secret after the rotation")
}

// clock: the last second within the tolerance passes and the next does not.
func (s *suite) clock(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	if s.Clock != nil {
		for shift, want := range s.Clock {
			r := s.sign(t, v)
			r.Now = r.Now.Add(shift)
			if want == "" {
				s.accept(t, v, r)
			} else if code := s.refuse(t, v, r, shift.String()+" later"); code != want {
				t.Errorf("%s later: code %s, want %s", shift, code, want)
			}
		}
		return
	}
	if s.Tolerance == 0 {
		r := s.sign(t, v)
		r.Now = r.Now.AddDate(20, 0, 0)
		s.accept(t, v, r)
		return
	}
	for _, c := range []struct {
		shift time.Duration
		code  string
	}{
		{0, ""},
		{s.Tolerance, ""},
		{s.Tolerance + time.Second, auth.CodeTimestampTooOld},
		{-s.Tolerance, ""},
		{-s.Tolerance - time.Second, auth.CodeTimestampInFuture},
		{290 * 365 * 24 * time.Hour, auth.CodeTimestampTooOld},
	} {
		r := s.sign(t, v)
		r.Now = r.Now.Add(c.shift)
		if c.code == "" {
			s.accept(t, v, r)
		} else if code := s.refuse(t, v, r, c.shift.String()+" later"); code != c.code {
			t.Errorf("%s later: code %s, want %s", c.shift, code, c.code)
		}
	}
}

func (s *suite) concurrent(t *testing.T) {
	v := s.make(t, s.Secrets[0], s.Secrets[1])
	other := s.make(t, s.Secrets[2])
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				good, bad := s.sign(t, v), s.sign(t, other)
				if _, err := v.Verify(context.Background(), good); err != nil {
					t.Errorf("refused: %v", err)
				}
				if _, err := v.Verify(context.Background(), bad); err == nil {
					t.Error("accepted a foreign secret")
				}
			}
		})
	}
	wg.Wait()
}

// untouched: Verify changes nothing and can be repeated.
func (s *suite) untouched(t *testing.T) {
	v := s.make(t, s.Secrets[0])
	r := s.sign(t, v)
	before := fmt.Sprintf("%+v %s %s", r.Header, r.URL, r.Body)
	for range 3 {
		s.accept(t, v, r)
	}
	if after := fmt.Sprintf("%+v %s %s", r.Header, r.URL, r.Body); after != before {
		t.Errorf("the request was changed from %s to %s", before, after)
	}
	// Signing again replaces the proof instead of doubling it.
	s.accept(t, v, s.signRequest(t, v, r))
}

func (s *suite) notPrinted(t *testing.T) {
	v := s.make(t, s.Secrets[0], s.Secrets[1])
	s.accept(t, v, s.sign(t, v)) // warm what is pooled
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		s.silent(t, fmt.Sprintf(format, v))
	}
	if ch, ok := v.(auth.Challenger); ok {
		s.silent(t, ch.Challenge(Request()))
	}
}
