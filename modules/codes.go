package modules

import (
	"slices"
	"strings"
)

// Codes are the stable slugs of why an attempt failed, used in the history, in
// logs and in metrics. A module may add its own with its name as the prefix
// ("http_404"); moduletest refuses any other.
//
// A failure with CodeAuthFailed is tried again, in every module and for every
// reason: a wrong password, a right that is missing, credentials that have run
// out. An operator mends those, and with some services what was mended holds only
// minutes later. The message is not at fault, so that a dead letter at once would
// cost a replay and win nothing; when the attempts are used up it is one.
const (
	CodeUnknown        = "unknown"
	CodeConnectionLost = "connection_lost"
	CodeTimeout        = "timeout"
	CodePanic          = "panic"
	CodeRefused        = "refused"       // the far end said no, for good
	CodeAuthFailed     = "auth_failed"   // credentials or rights at the far end, see below
	CodeTooLarge       = "too_large"     // the far end takes no message of this size
	CodeThrottled      = "throttled"     // the far end asked for time
	CodeUnavailable    = "unavailable"   // cannot be reached now
	CodeEgressDenied   = "egress_denied" // the network guard refused the address
	CodeTLS            = "tls"           // a certificate or a handshake was refused
	CodeNotFound       = "not_found"     // queue, topic, table or path is missing
	CodeDiskFull       = "disk_full"
	CodeUnsafePath     = "unsafe_path"
	CodeBadAnswer      = "bad_answer" // the far end did not speak its protocol
	CodeRemoved        = "destination_removed"
	CodeFilterError    = "filter_error"
	CodeTransformError = "transform_error"
	CodeShutdown       = "shutdown"
)

var codes = []string{
	CodeUnknown, CodeConnectionLost, CodeTimeout, CodePanic, CodeRefused, CodeAuthFailed, CodeTooLarge, CodeThrottled,
	CodeUnavailable, CodeEgressDenied, CodeTLS, CodeNotFound, CodeDiskFull, CodeUnsafePath, CodeBadAnswer, CodeRemoved,
	CodeFilterError, CodeTransformError, CodeShutdown,
}

// KnownCode reports whether a module may use code: it is in the list, or begins
// with the first word of the module's name, as "http_404" of http_webhook does.
func KnownCode(module, code string) bool {
	family, _, _ := strings.Cut(module, "_")
	return slices.Contains(codes, code) || strings.HasPrefix(code, family+"_") && len(code) > len(family)+1
}
