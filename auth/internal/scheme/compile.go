package scheme

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

// MaxSecrets is how many secrets may be valid at once.
const MaxSecrets = 8

// Options are what an operator sets.
type Options struct {
	Name    string // for denials and the subject: "github"
	Secrets []secret.String
	// URL is the hook as the sender sees it; needed by schemes that sign it.
	URL       string
	Tolerance time.Duration // 0 is the scheme's own
	Params    map[string]string
}

// Scheme verifies and signs. It is immutable and safe for concurrent use.
type Scheme struct {
	name     string
	url      string
	params   map[string]string
	alts     []alternative
	subjects []string
}

type alternative struct {
	kind    Kind
	hash    Hash
	at      []Source
	sig     Sig
	signed  template
	clock   *clock
	when    *Source
	literal string
	cascade bool
	keys    []*key      // of HMAC and Digest
	tokens  auth.Tokens // of Token
	token   secret.String
}

// Compile makes the alternatives ready for use with the given secrets. Its
// errors never hold a secret.
func Compile(alts []Alternative, o Options) (*Scheme, error) {
	switch n := len(o.Secrets); {
	case n == 0:
		return nil, errors.New("needs a secret")
	case n > MaxSecrets:
		return nil, fmt.Errorf("%d secrets at once are too many: at most %d", n, MaxSecrets)
	case slices.ContainsFunc(o.Secrets, secret.String.IsZero):
		return nil, errors.New("a secret is empty")
	case o.Tolerance < 0:
		return nil, errors.New("a negative tolerance refuses everything")
	case len(alts) == 0:
		return nil, errors.New("has no way to verify")
	}
	s := &Scheme{name: o.Name, url: o.URL, params: o.Params}
	for i := range o.Secrets {
		s.subjects = append(s.subjects, o.Name+":"+strconv.Itoa(i))
	}
	for i := range alts {
		a, err := compile(&alts[i], &o)
		if err != nil {
			return nil, err
		}
		s.alts = append(s.alts, a)
	}
	return s, nil
}

func compile(d *Alternative, o *Options) (alternative, error) {
	a := alternative{kind: d.Kind, hash: d.Hash, sig: d.Sig, cascade: d.Fallthrough}
	var err error
	if a.at, err = ParseSources(d.Sig.At); err != nil {
		return a, err
	}
	if a.signed, err = parseTemplate(d.Signed); err != nil {
		return a, fmt.Errorf("signed template %q: %w", d.Signed, err)
	}
	if d.When[0] != "" {
		src, err := ParseSource(d.When[0])
		if err != nil {
			return a, err
		}
		a.when, a.literal = &src, d.When[1]
	}
	if d.Time != nil {
		if a.clock, err = compileClock(d.Time, o.Tolerance); err != nil {
			return a, err
		}
	}
	if err := a.sound(o); err != nil {
		return a, err
	}
	return a, a.setKeys(d, o)
}

func compileClock(d *Time, tolerance time.Duration) (*clock, error) {
	at, err := ParseSource(d.At)
	if err != nil {
		return nil, err
	}
	c := &clock{at: at, format: d.Format, past: d.Tolerance, future: d.Future}
	if tolerance != 0 {
		c.past, c.future = tolerance, 0
	}
	if c.future == 0 {
		c.future = c.past
	}
	return c, nil
}

// sound refuses a description that would not protect what it seems to.
func (a *alternative) sound(o *Options) error {
	switch {
	case len(a.at) == 0:
		return errors.New("no source of the signature")
	case a.kind == Token && (len(a.signed) > 0 || a.clock != nil):
		return errors.New("a token signs nothing")
	case a.kind != Token && len(a.signed) == 0:
		return errors.New("no template of the signed bytes")
	case a.kind == Digest && !a.signed.has(atSecret):
		return errors.New("a digest without {secret} proves nothing")
	case a.kind != Digest && a.signed.has(atSecret):
		return errors.New("{secret} is for digests only")
	case a.clock == nil && a.signed.has(atTime):
		return errors.New("{time} without a clock")
	case a.signed.has(atURL) && o.URL == "":
		return errors.New("needs public_url: the signature covers the URL as the sender sees it")
	case a.sig.KV != "" && a.sig.Pick == "":
		return errors.New("a list of keys without the one to pick")
	}
	return nil
}

func (a *alternative) setKeys(d *Alternative, o *Options) error {
	if a.kind == Token {
		a.tokens, a.token = auth.NewTokens(false, o.Secrets...), o.Secrets[0]
		return nil
	}
	for _, s := range o.Secrets {
		material, err := d.Key.material(s)
		if err != nil {
			return err
		}
		a.keys = append(a.keys, newKey(a.kind, a.hash, material))
	}
	return nil
}
