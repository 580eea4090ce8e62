// Package ip lets only listed addresses pass, and finds the address of a client
// behind trusted proxies.
package ip

import (
	"context"
	"errors"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/spec"
)

const name = "ip_whitelist"

// Method is the declaration.
func Method() auth.Method {
	return auth.Define(auth.Definition[options]{
		Name:    name,
		Title:   "IP allow-list",
		Summary: "Only listed addresses and networks may call the hook.",
		Doc: "A list of addresses and CIDR networks: `\"ip_whitelist\": [\"192.0.2.7\", \"2001:db8::/32\"]`. An IPv4 address also stands for its IPv4-mapped IPv6 form. " +
			"Behind a proxy, name it in the hook's `trusted_proxies`; the client is then the right-most address of X-Forwarded-For that is no trusted proxy.",
		New: func(_ auth.Env, o *options) (auth.Verifier, error) { return newVerifier(o) },
	})
}

type options struct{ allow []string }

// Fields describes the object form.
func (o *options) Fields() spec.Fields { return spec.Fields{o.list().Required()} }

// Inline describes the plain list.
func (o *options) Inline() spec.Field { return o.list() }

func (o *options) list() *spec.Value[[]string] {
	return spec.Strings(&o.allow, "allow").Check(checkList).Doc("Addresses and CIDR networks, IPv4 and IPv6.")
}

// Validate refuses an empty list, which must never mean an open hook.
func (o *options) Validate() []spec.Issue {
	if len(o.allow) == 0 {
		return []spec.Issue{{Message: "needs at least one address; an empty list would refuse everyone"}}
	}
	return nil
}

func checkList(list []string) error {
	if len(list) == 0 {
		return errors.New("needs at least one address; an empty list would refuse everyone")
	}
	_, err := parseSet(list)
	return err
}

type verifier struct{ allow *set }

func newVerifier(o *options) (*verifier, error) {
	allow, err := parseSet(o.allow)
	if err != nil {
		return nil, errors.New("ip_whitelist: " + err.Error())
	}
	if allow.empty() {
		return nil, errors.New("ip_whitelist: empty list")
	}
	return &verifier{allow: allow}, nil
}

// Verify looks the client up. The refusal is a 403 and does not name the
// address; the log has it anyway.
func (v *verifier) Verify(_ context.Context, r *auth.Request) (auth.Identity, error) {
	if !v.allow.contains(r.Remote) {
		return auth.Identity{}, &auth.Denial{Method: name, Code: auth.CodeAddress, Forbidden: true}
	}
	return auth.Identity{Method: name, Subject: "ip"}, nil
}

// Cost is that of an address: it is checked before the body is read.
func (v *verifier) Cost() auth.Cost { return auth.CostAddress }
