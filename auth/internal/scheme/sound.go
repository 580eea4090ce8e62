package scheme

import (
	"errors"
	"fmt"
	"slices"
)

// known refuses values that no constant stands for.
func (d *Alternative) known() error {
	switch {
	case d.Kind > RSA:
		return errors.New("unknown kind")
	case d.Hash > SHA512:
		return errors.New("unknown hash")
	case d.Sig.Enc > Base64URL || d.Key.Enc > Base64URL:
		return errors.New("unknown encoding")
	case d.Time != nil && d.Time.Format > RFC3339:
		return errors.New("unknown form of the time")
	}
	return d.keySound()
}

func (d *Alternative) keySound() error {
	switch d.Kind {
	case Ed25519:
		if d.Key.Enc == Plain {
			return errors.New("the encoding of an Ed25519 key is not said")
		}
	case ECDSA, RSA:
		if d.Key.Enc != Plain {
			return errors.New("keys of ECDSA and RSA are PEM or base64 of DER and have no other encoding")
		}
	case Token, Basic:
		if d.Key != (Key{}) {
			return errors.New("a token is no key: it is compared as it is")
		}
	case HMAC, Digest:
	}
	switch {
	case d.Key.SHA1 && d.Kind != HMAC && d.Kind != Digest:
		return errors.New("a public key is not hashed")
	case d.Key.Private != "" && d.Kind != Ed25519:
		return errors.New("a prefix of private keys is for Ed25519 only")
	}
	return nil
}

// sound refuses a description that would not protect what it seems to.
func (a *alternative) sound(o *Options) error {
	for _, check := range []func() error{
		a.soundSig, a.soundSigned, a.soundClock, a.soundPlaces, a.soundItems, a.soundPairs,
		func() error { return a.soundOptions(o) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *alternative) soundSig() error {
	form := a.sig
	form.At, form.Repeat = nil, false
	if a.kind == Token {
		form.Prefix = ""
	}
	switch {
	case len(a.at) == 0:
		return errors.New("no source of the signature")
	case a.bare() && !isZero(form):
		return errors.New("a token is neither encoded nor in a list")
	case a.kind == Basic && (len(a.at) != 1 || a.at[0].String() != authorization.String() || a.sig.Repeat):
		return errors.New("credentials of Basic are in the header Authorization, once")
	case !a.bare() && a.sig.Enc == Plain:
		return errors.New("a signature has an encoding")
	case a.sig.KV != "" && a.sig.Pick == "":
		return errors.New("a list of keys without the one to pick")
	case a.sig.KV == "" && a.sig.Pick != "":
		return errors.New("a key to pick, but no separator of keys and values")
	case a.kind == Ed25519 && a.hash != SHA256:
		return errors.New("Ed25519 has no other hash than its own")
	case a.kind == ECDSA && a.hash != SHA256:
		return errors.New("ECDSA with P-256 goes with SHA-256")
	case a.asymmetric() && a.sig.HashPrefix:
		return errors.New("the name of the hash is before keyed hashes only")
	}
	return nil
}

// isZero: Sig cannot be compared because of At, which is nil here.
func isZero(s Sig) bool {
	return s.Split+s.KV+s.Pick+s.Prefix == "" && !s.HashPrefix && s.Enc == Plain
}

func (a *alternative) soundSigned() error {
	switch {
	case a.bare() && (len(a.signed) > 0 || a.clock != nil):
		return errors.New("a token signs nothing")
	case a.bare():
		return nil
	case len(a.signed) == 0:
		return errors.New("no template of the signed bytes")
	case !slices.ContainsFunc(a.signed, segment.fromSender):
		return errors.New("a signature over nothing that the request holds is as good as a token")
	case a.kind == Digest && !a.signed.has(atSecret):
		return errors.New("a digest without {secret} proves nothing")
	case a.kind != Digest && a.signed.has(atSecret):
		return errors.New("{secret} is for digests only")
	case a.clock == nil && a.signed.has(atTime):
		return errors.New("{time} without a clock")
	case a.signed.has(atFormPHP) && (len(a.at) != 1 || a.at[0].kind != fromForm):
		return errors.New("{php_form} is without the field of the signature, which is elsewhere")
	}
	for _, src := range a.at {
		if src.kind != fromHeader && a.covers(src) || a.names(src) {
			return fmt.Errorf("the signature at %s would cover itself", src)
		}
	}
	return nil
}
