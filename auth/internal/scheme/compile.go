package scheme

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// CheckSecrets refuses a list that is empty, too long, or holds an empty one.
func CheckSecrets(secrets []secret.String) error {
	switch n := len(secrets); {
	case n == 0:
		return errors.New("needs a secret")
	case n > MaxSecrets:
		return fmt.Errorf("%d secrets at once are too many: at most %d", n, MaxSecrets)
	case slices.ContainsFunc(secrets, secret.String.IsZero):
		return errors.New("a secret is empty")
	}
	return nil
}

type alternative struct {
	kind    Kind
	hash    Hash
	at      []Source
	sig     Sig
	signed  template
	require []pair
	items   *Source // the array; nil: the request is one
	clock   *clock
	when    *Source
	literal string
	cascade bool
	least   int          // bytes of the signed text
	keys    []*key       // of HMAC and Digest
	public  []*publicKey // of Ed25519, ECDSA and RSA
	tokens  auth.Tokens  // of Token and Basic
	token   secret.String
}

// Compile makes the alternatives ready for use with the given secrets. Its
// errors never hold a secret.
func Compile(alts []Alternative, o Options) (*Scheme, error) {
	if err := CheckSecrets(o.Secrets); err != nil {
		return nil, err
	}
	switch {
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
		if err := alts[i].known(); err != nil {
			return nil, err
		}
		a, err := compile(&alts[i], &o)
		if err != nil {
			return nil, err
		}
		s.alts = append(s.alts, a)
	}
	return s, nil
}

func compile(d *Alternative, o *Options) (alternative, error) {
	a, err := parse(d)
	if err != nil {
		return a, err
	}
	if a.clock != nil && o.Tolerance != 0 {
		a.clock.past, a.clock.future = o.Tolerance, o.Tolerance
	}
	if name, ok := strings.CutPrefix(a.sig.Pick, "{param:"); ok {
		name = strings.TrimSuffix(name, "}")
		if a.sig.Pick = o.Params[name]; a.sig.Pick == "" {
			return a, needsParam(name)
		}
	}
	if err := a.sound(o); err != nil {
		return a, err
	}
	return a, a.setKeys(d, o)
}

func needsParam(name string) error { return fmt.Errorf("needs the setting %q under \"params\"", name) }

func (a *alternative) setKeys(d *Alternative, o *Options) error {
	switch a.kind {
	case Token:
		a.tokens, a.token = auth.NewTokens(false, o.Secrets...), o.Secrets[0]
		return nil
	case Basic:
		a.tokens, a.token = auth.NewTokens(false, o.Secrets...), o.Secrets[0]
		return checkBasic(o.Secrets)
	case HMAC, Digest, Ed25519, ECDSA, RSA:
	}
	for _, s := range o.Secrets {
		if a.asymmetric() {
			k, err := d.Key.public(a.kind, a.hash, s)
			if err != nil {
				return err
			}
			a.public = append(a.public, k)
			continue
		}
		material, err := d.Key.material(s)
		if err != nil {
			return err
		}
		a.keys = append(a.keys, newKey(a.kind, a.hash, material))
	}
	return nil
}

func (a *alternative) asymmetric() bool { return a.kind == Ed25519 || a.kind == ECDSA || a.kind == RSA }

// bare: the credential is sent as it is and signs nothing.
func (a *alternative) bare() bool { return a.kind == Token || a.kind == Basic }
