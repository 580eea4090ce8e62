package presets

import (
	"crypto/x509"

	"github.com/hookd/hookd/auth"
)

// PaypalTrusting is the preset that trusts these roots in place of the
// system's.
func PaypalTrusting(roots *x509.CertPool) *Preset {
	p := *paypalPreset()
	p.Code = func(env auth.Env, o Options) (Checker, error) { return newPaypal(env, o, roots) }
	return &p
}
