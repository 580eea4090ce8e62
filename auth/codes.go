package auth

// Codes are the stable slugs of why a request was refused. They go to the log
// and the event log, never to the caller.
const (
	CodeMissing           = "credential_missing"
	CodeDoubled           = "credential_doubled" // the header or parameter came twice
	CodeMalformed         = "credential_malformed"
	CodeTooLong           = "credential_too_long"
	CodeMismatch          = "credential_mismatch"
	CodeSignatureMismatch = "signature_mismatch"
	CodeTimestampMissing  = "timestamp_missing"
	CodeTimestampTooOld   = "timestamp_too_old"
	CodeTimestampInFuture = "timestamp_in_future"
	CodeAddress           = "address_not_allowed"
	CodeReplayed          = "replayed"
	CodeAlgorithm         = "algorithm_not_allowed"
	CodeKey               = "key_unknown" // the key that the credential names
	CodeExpired           = "token_expired"
	CodeNotYetValid       = "token_not_yet_valid"
	CodeClaim             = "claim_mismatch" // issuer, audience, or another claim
	CodeScope             = "scope_missing"
	CodeInactive          = "token_inactive" // by the word of the service that issued it
	CodeStale             = "nonce_stale"
	CodeTarget            = "target_mismatch" // signed for another method or URI
	CodeScore             = "score_too_low"
	CodeCertificate       = "certificate_not_trusted"
	CodeInsecure          = "transport_not_secure" // the proof needs TLS
	CodeNotCaptured       = "secret_not_captured"  // the handshake is still to come
	CodeUnavailable       = "service_unavailable"  // that decides
	CodeInternal          = "internal"
)

// Codes returns all codes.
func Codes() []string {
	return []string{
		CodeMissing, CodeDoubled, CodeMalformed, CodeTooLong, CodeMismatch, CodeSignatureMismatch, CodeTimestampMissing,
		CodeTimestampTooOld, CodeTimestampInFuture, CodeAddress, CodeReplayed, CodeAlgorithm, CodeKey, CodeExpired,
		CodeNotYetValid, CodeClaim, CodeScope, CodeInactive, CodeStale, CodeTarget, CodeScore, CodeCertificate, CodeInsecure,
		CodeNotCaptured, CodeUnavailable, CodeInternal,
	}
}
