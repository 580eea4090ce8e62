package config

import (
	"fmt"
	"slices"
	"strings"
)

const maxHookID = 64

var (
	reservedIDs = []string{
		"stats", "health", "docs", "openapi.json", "redoc", "api", "admin", "root", "system", "internal", "favicon.ico", "robots.txt",
	}
	reservedPrefixes = []string{"internal_", "system_", "admin_"}
	reservedSuffixes = []string{"_internal", "_system", "_admin"}
)

// badHookID says what is wrong with an ID, in the original service's rules: an
// ID that breaks one could never be reached, as they are checked on the URL.
func badHookID(id string) (message, hint string) {
	const shape = `an id starts with a letter or a digit and goes on with letters, digits, "-" and "_"`
	lower := strings.ToLower(id)
	switch {
	case id == "":
		return "the id of a hook is empty", shape
	case len(id) > maxHookID:
		return fmt.Sprintf("the id of a hook is longer than %d characters", maxHookID), ""
	case slices.Contains(reservedIDs, lower):
		return fmt.Sprintf("the id %q is reserved", id), ""
	case strings.IndexFunc(id, func(r rune) bool { return !letterOrDigit(r) && r != '-' && r != '_' }) >= 0, !letterOrDigit(rune(id[0])):
		return fmt.Sprintf("%q is no id of a hook", id), shape
	case strings.Contains(id, "--"), strings.Contains(id, "__"):
		return fmt.Sprintf(`%q is no id of a hook: it holds "--" or "__"`, id), ""
	}
	for _, p := range reservedPrefixes {
		if strings.HasPrefix(lower, p) {
			return fmt.Sprintf("ids that start with %q are reserved", p), ""
		}
	}
	for _, s := range reservedSuffixes {
		if strings.HasSuffix(lower, s) {
			return fmt.Sprintf("ids that end with %q are reserved", s), ""
		}
	}
	return "", ""
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
