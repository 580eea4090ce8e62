package ingest

import "strings"

// maxID is the length of the longest hook id and namespace, in bytes.
const maxID = 64

// The ids that would shadow a route or pretend to be one. The comparison is
// without case.
var (
	reservedIDs = [...]string{
		"stats", "health", "docs", "openapi.json", "redoc", "api", "admin",
		"root", "system", "internal", "favicon.ico", "robots.txt",
	}
	reservedPrefixes = [...]string{"internal_", "system_", "admin_"}
	reservedSuffixes = [...]string{"_internal", "_system", "_admin"}
)

// CheckID returns why id cannot be a hook's, in words fit for the caller, or
// "". The rules are those of the original service: at most 64 of A-Z a-z 0-9
// _ -, the first a letter or digit, no "--" or "__", and no reserved name.
func CheckID(id string) string {
	switch {
	case id == "":
		return "Webhook ID is empty"
	case len(id) > maxID:
		return "Webhook ID is longer than 64 characters"
	case isReserved(id):
		return "Webhook ID is reserved"
	case !isWord(id) || id[0] == '-' || id[0] == '_':
		return "Webhook ID may hold letters, digits, '-' and '_' only, and starts with a letter or digit"
	case strings.Contains(id, "--") || strings.Contains(id, "__"):
		return "Webhook ID must not hold '--' or '__'"
	}
	return ""
}

// CheckNamespace is CheckID for the namespace of a path.
func CheckNamespace(ns string) string {
	if ns == "" || len(ns) > maxID || !isWord(ns) {
		return "Invalid namespace: 1 to 64 letters, digits, '-' and '_'"
	}
	return ""
}

func isWord(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func isReserved(id string) bool {
	for _, r := range reservedIDs {
		if strings.EqualFold(id, r) {
			return true
		}
	}
	if strings.IndexByte(id, '_') < 0 {
		return false
	}
	for _, p := range reservedPrefixes {
		if len(id) >= len(p) && strings.EqualFold(id[:len(p)], p) {
			return true
		}
	}
	for _, p := range reservedSuffixes {
		if len(id) >= len(p) && strings.EqualFold(id[len(id)-len(p):], p) {
			return true
		}
	}
	return false
}
