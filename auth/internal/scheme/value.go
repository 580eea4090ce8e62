package scheme

import (
	"crypto/hmac"
	"errors"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/secret"
)

// Value reads what a request, or the operator's params, have at s, outside of a
// signature. The code is as of auth.OneHeader, and empty when there is a value,
// which may hold control characters where it comes from a body.
func (s Source) Value(r *auth.Request, params map[string]string) (value, code string) {
	if s.kind == fromSig { // there is no list without a signature
		return "", auth.CodeMissing
	}
	return s.read(&input{r: r, params: params})
}

// MAC is the HMAC of text under the key that the secret becomes.
func MAC(h Hash, k Key, s secret.String, text string) ([]byte, error) {
	if s.IsZero() {
		return nil, errors.New("needs a secret")
	}
	material, err := k.material(s)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(h.new(), material)
	_, _ = mac.Write([]byte(text))
	return mac.Sum(nil), nil
}
