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
	CodeInternal          = "internal"
)

// Codes returns all codes.
func Codes() []string {
	return []string{
		CodeMissing, CodeDoubled, CodeMalformed, CodeTooLong, CodeMismatch, CodeSignatureMismatch, CodeTimestampMissing,
		CodeTimestampTooOld, CodeTimestampInFuture, CodeAddress, CodeReplayed, CodeInternal,
	}
}
