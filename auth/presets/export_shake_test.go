package presets

import (
	"crypto/x509"
	"maps"
	"slices"

	"github.com/hookd/hookd/auth"
)

// SNSTrusting is the preset that trusts these roots in place of the system's.
func SNSTrusting(roots *x509.CertPool) *Preset {
	p := *snsPresets()[0]
	p.attach(snsHandshake())
	p.Window = week
	p.Code = func(env auth.Env, o Options) (Checker, error) { return newSNS(env, o, roots) }
	return &p
}

// CanonicalSNS is what the signature of a message covers; the error says why it
// is none.
func CanonicalSNS(body []byte) (typ, text string, members map[string]string, err error) {
	m, err := parseSNS(body)
	if err != nil {
		return "", "", nil, err
	}
	members = make(map[string]string)
	for _, k := range snsKeys[m.Type] {
		if k != "Subject" || m.subject {
			members[k] = *m.field(k)
		}
	}
	return m.Type, string(m.canonical(snsKeys[m.Type])), members, nil
}

// Shakes are the handshakes that data describes, each of a preset that has
// nothing else.
func Shakes(env auth.Env, o Options) (map[string]auth.Handshake, error) {
	all := make(map[string]auth.Handshake)
	for name, a := range handshakes() {
		if a.Code != nil {
			continue
		}
		p := &Preset{Name: name}
		p.attach(a)
		h, err := p.handshake(env, o, nil)
		if err != nil {
			return nil, err
		}
		all[name] = h
	}
	return all, nil
}

// NewShake is a handshake of its own.
func NewShake(h *Handshake, env auth.Env, o Options) (auth.Handshake, error) {
	return (&Preset{Name: "test", Handshake: h}).handshake(env, o, nil)
}

// Shaking are the names of all senders with a handshake.
func Shaking() []string { return slices.Sorted(maps.Keys(handshakes())) }
