// Package scheme is a small language for how senders sign webhooks, and the
// engine that verifies and signs from one description: which header holds the
// signature, in which form, over which bytes, with which clock. A sender is
// data; code is needed only for a new kind.
package scheme

import "time"

// Alternative is one way in which a sender proves a request. A sender may have
// several; the first whose signature is present decides, and there is no
// falling back to a weaker one behind it.
type Alternative struct {
	Kind   Kind
	Hash   Hash
	Key    Key
	Sig    Sig
	Signed string // template of the signed bytes: "v0:{time}:{body}"
	Time   *Time  // nil: no clock
	// When holds a source and the literal that it must be equal to for the
	// alternative to apply: {"header:X-HubSpot-Signature-Version", "v2"}.
	When [2]string
	// Fallthrough tries the next alternative when the signature does not match.
	Fallthrough bool
	// MinSigned is how many bytes the signed text must have at least. A handshake
	// that signs short challenges of anybody would else make proofs of them.
	MinSigned int
	// Require are pairs of templates that must be equal, besides the signature:
	// {"{query:bodySHA256}", "{hex:sha256:body}"}.
	Require [][2]string
	// ForEach is a JSON array, "json:notificationItems": each of its items has a
	// signature of its own, and sources and templates read "item:a.b" from it.
	// All must hold, and there must be at least one and at most 1000.
	ForEach string
}

// Kind is how a signature is made.
type Kind uint8

// The kinds. Digest hashes a template that holds {secret}; Token is the secret
// itself; Basic is the secret, "user:password", as RFC 7617 has it, in the
// header Authorization. The keys of Ed25519, ECDSA (P-256 and SHA-256, ASN.1)
// and RSA (PKCS #1 v1.5) are public keys, or private ones where hookd shall
// sign, too: see Key.
const (
	HMAC Kind = iota
	Digest
	Token
	Basic
	Ed25519
	ECDSA
	RSA
)

// Hash is a hash function. It is fixed by the description and never taken from
// the request.
type Hash uint8

// The hashes.
const (
	SHA256 Hash = iota
	SHA1
	SHA512
)

// Encoding is the text form of bytes; decoding is strict.
type Encoding uint8

// The encodings. Hex takes letters of either case; Base64URL takes padding or
// none; Plain is the text itself and is for keys only.
const (
	Plain Encoding = iota
	Hex
	Base64
	Base64URL
)

// Key is how the configured secret becomes the key.
//
// Every asymmetric key may be PEM: PUBLIC KEY (RFC 5280) or PRIVATE KEY (RFC
// 5958, PKCS #8). Else ECDSA and RSA take the base64 of the same DER, and
// Ed25519 takes the 32 bytes of the public key in Enc. A private Ed25519 key
// in Enc is the 32 bytes of the seed, or those and the public key (RFC 8032
// section 5.1.5); what tells it from a public key is the prefix Private.
type Key struct {
	Strip   string // literal prefix taken off first, where it is there: "whsec_"
	Private string // prefix of a private Ed25519 key: "whsk_"; "" is "seed:"
	Enc     Encoding
	SHA1    bool // the key is the SHA-1 of the secret
}

// Sig is where the signature is and in which form.
type Sig struct {
	// At lists sources. "header:X-DocuSign-Signature-*" is every header with
	// that prefix.
	At []string
	// Split separates the elements of a list; " " is any run of blanks; "" is
	// no list.
	Split string
	// KV separates an element's key from its value, and Pick is the key to
	// take, or "{param:x}" for a key that the operator sets; elements with
	// other keys are ignored.
	KV, Pick string
	Prefix   string // required before each value: "sha256="
	// HashPrefix takes the name of the hash and "=" before the value, in any
	// case, or nothing.
	HashPrefix bool
	Enc        Encoding
	// Repeat allows a header that comes more than once; any value may match.
	Repeat bool
}

// Time is the sender's clock. Tolerance is how old a request may be, Future how
// far ahead; 0 is the same as Tolerance. A Tolerance of 0 checks nothing.
type Time struct {
	At                string
	Format            TimeFormat
	Tolerance, Future time.Duration
}

// TimeFormat is how a time is written.
type TimeFormat uint8

// The formats: whole seconds or milliseconds since 1970, or RFC 3339.
const (
	Unix TimeFormat = iota
	UnixMilli
	RFC3339
)
