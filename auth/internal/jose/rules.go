package jose

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/auth"
)

// MaxLeeway is the most that clocks may differ.
const MaxLeeway = 5 * time.Minute

// Rules say which claims are good. The zero value takes tokens that never
// expire and ignores exp: set VerifyExpiry.
type Rules struct {
	Issuers   []string // one of them; empty is any
	Audiences []string // one of them; empty is any
	Scopes    []string // all of them; a text with blanks is several
	// VerifyExpiry refuses a token from its exp on; RequireExpiry also one
	// without.
	VerifyExpiry, RequireExpiry bool
	Leeway                      time.Duration // between the clocks
	MaxAge                      time.Duration // since iat, which must be there; 0 is any
	// Once accepts each token once: it needs jti and exp.
	Once bool
}

// Validate says which rules contradict each other.
func (r *Rules) Validate() error {
	switch {
	case r.RequireExpiry && !r.VerifyExpiry:
		return errors.New("require_exp needs verify_exp: an exp that is not looked at protects nothing")
	case r.Once && !r.VerifyExpiry:
		return errors.New("once needs verify_exp: a token is remembered until it expires")
	case r.Leeway < 0 || r.Leeway > MaxLeeway:
		return fmt.Errorf("the clocks may differ by 0 to %s (leeway, or tolerance of a provider)", MaxLeeway)
	case r.MaxAge < 0:
		return errors.New("max_age must not be negative")
	}
	return nil
}

// CheckTexts refuses blank texts in a list: no claim could match them.
func CheckTexts(list []string) error {
	if slices.ContainsFunc(list, func(s string) bool { return strings.TrimSpace(s) == "" }) {
		return errors.New("must not be blank")
	}
	return nil
}

// refusal is why claims are not good.
type refusal struct{ code, text string }

// check holds claims against the rules; nil is good. The order does not matter
// to the caller, who learns nothing of it, except that a missing scope is told
// only of a token that is good otherwise.
func (r *Rules) check(c *Claims, now time.Time) *refusal {
	if bad := r.checkTimes(c, now); bad != nil {
		return bad
	}
	switch {
	case len(r.Issuers) > 0 && (c.Issuer == "" || !slices.Contains(r.Issuers, c.Issuer)):
		return &refusal{auth.CodeClaim, "iss is not the issuer"}
	case len(r.Audiences) > 0 && !c.has(r.Audiences):
		return &refusal{auth.CodeClaim, "aud does not name the audience"}
	case r.Once && c.ID == "":
		return &refusal{auth.CodeClaim, "there is no jti, and each token counts once"}
	}
	for s := range strings.FieldsSeq(strings.Join(r.Scopes, " ")) {
		if !slices.Contains(c.Scopes, s) {
			return &refusal{auth.CodeScope, fmt.Sprintf("the scope %q is missing", s)}
		}
	}
	return nil
}

// checkTimes is RFC 7519 sections 4.1.4 to 4.1.6: a token is bad from its exp
// on, and good from its nbf on.
func (r *Rules) checkTimes(c *Claims, now time.Time) *refusal {
	switch {
	case r.VerifyExpiry && c.Expires.IsZero() && (r.RequireExpiry || r.Once):
		return &refusal{auth.CodeClaim, "there is no exp"}
	case r.VerifyExpiry && !c.Expires.IsZero() && !now.Before(c.Expires.Add(r.Leeway)):
		return &refusal{auth.CodeExpired, "exp is " + now.Sub(c.Expires).Truncate(time.Second).String() + " ago"}
	case now.Before(c.NotBefore.Add(-r.Leeway)):
		return &refusal{auth.CodeNotYetValid, "nbf is in " + c.NotBefore.Sub(now).String()}
	case now.Before(c.IssuedAt.Add(-r.Leeway)):
		return &refusal{auth.CodeNotYetValid, "iat is in " + c.IssuedAt.Sub(now).String()}
	case r.MaxAge > 0 && c.IssuedAt.IsZero():
		return &refusal{auth.CodeTimestampMissing, "there is no iat, and max_age needs it"}
	case r.MaxAge > 0 && now.After(c.IssuedAt.Add(r.MaxAge+r.Leeway)):
		return &refusal{auth.CodeTimestampTooOld, "iat is " + now.Sub(c.IssuedAt).Truncate(time.Second).String() + " ago"}
	}
	return nil
}

// Check is a *auth.Denial where the claims are not good.
func (r *Rules) Check(method string, c *Claims, now time.Time) error {
	bad := r.check(c, now)
	if bad == nil {
		return nil
	}
	return &auth.Denial{Method: method, Code: bad.code, Forbidden: bad.code == auth.CodeScope, Err: errors.New(bad.text)}
}

// Marks are what makes a token count once. The id is hashed, together with its
// issuer: an id is one issuer's own, and may have any length.
func (r *Rules) Marks(method string, c *Claims) []auth.Once {
	if !r.Once {
		return nil
	}
	sum := sha256.Sum256([]byte(c.Issuer + "\x00" + c.ID))
	return []auth.Once{{
		Key:   method + ":" + base64.RawURLEncoding.EncodeToString(sum[:]),
		Until: c.Expires.Add(r.Leeway),
	}}
}
