package explain

import "github.com/hookd/hookd/auth"

// meanings are the codes of auth in plain words.
var meanings = map[string]string{
	auth.CodeMissing:           "What this proof reads is not in the request: the sender does not send it, sends it elsewhere, or a proxy takes it off.",
	auth.CodeDoubled:           "What this proof reads comes more than once, so that nobody can tell which one is meant.",
	auth.CodeMalformed:         "What this proof reads is there, but not in the form that it has to have.",
	auth.CodeTooLong:           "What this proof reads is longer than any real one.",
	auth.CodeMismatch:          "The credential is in the right place and form, but it is not the configured one.",
	auth.CodeSignatureMismatch: "The signature is in the right place and form, but it was made with another secret or over other bytes.",
	auth.CodeTimestampMissing:  "The time of sending is not in the request, or cannot be read.",
	auth.CodeTimestampTooOld:   "The request was signed too long before it came: it was held up or replayed, or a clock is wrong.",
	auth.CodeTimestampInFuture: "The request was signed in the future: a clock is wrong.",
	auth.CodeAddress:           "The client's address is not one of those that may send. Behind a proxy, `trusted_proxies` says which address is the client's.",
	auth.CodeReplayed:          "The request, or another one with the same mark, was accepted before.",
	auth.CodeAlgorithm:         "The credential names an algorithm that this proof does not allow.",
	auth.CodeKey:               "The key that the credential names is not known.",
	auth.CodeExpired:           "The token had run out when it came.",
	auth.CodeNotYetValid:       "The token was not valid yet when it came: a clock is wrong.",
	auth.CodeClaim:             "The token is genuine, but a claim (issuer, audience, or another one) is not the one that is wanted.",
	auth.CodeScope:             "The token is genuine, but lacks a scope that is wanted.",
	auth.CodeInactive:          "The service that issued the token says that it is not active.",
	auth.CodeStale:             "The nonce is too old: the client has to ask for a new one.",
	auth.CodeTarget:            "It was signed for another method or another URI. Behind a proxy, the path or the host may have changed.",
	auth.CodeScore:             "The score is below the one that is wanted.",
	auth.CodeCertificate:       "The client's certificate is missing, or not issued by a trusted authority.",
	auth.CodeInsecure:          "This proof needs TLS, and the request came without.",
	auth.CodeNotCaptured:       "The secret of this hook comes with the sender's handshake, which has not happened yet.",
	auth.CodeUnavailable:       "The service that decides could not be asked.",
	auth.CodeInternal:          "The proof failed by itself: the log has the reason.",
}

// Meaning is a code in plain words; "" for one that is not known.
func Meaning(code string) string { return meanings[code] }
