package edge

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var (
	corsMethods = []string{"POST", "GET", "OPTIONS"}
	corsHeaders = []string{
		"Accept", "Accept-Language", "Authorization", "Content-Language", "Content-Type", "X-API-Key", "X-Auth-Token",
		"X-Forwarded-For", "X-HMAC-Signature", "X-HMAC-Signature-256", "X-Hub-Signature", "X-Hub-Signature-256",
		"X-Real-IP", "X-Recaptcha-Token", "X-Requested-With", "X-Turnstile-Token",
	}
	corsMethodList = []string{strings.Join(corsMethods, ", ")}
	corsHeaderList = []string{strings.Join(corsHeaders, ", ")}
	corsMaxAge     = []string{"600"}
	varyOrigin     = []string{"Origin"}
	yes            = []string{"true"}
)

// ParseOrigins reads a comma list of origins as CORS_ALLOWED_ORIGINS has it.
// Entries that would open more than one origin, or are none, are left out with
// a warning.
func ParseOrigins(list string) (origins, warnings []string) {
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if why := badOrigin(entry); why != "" {
			warnings = append(warnings, fmt.Sprintf("CORS origin %q is left out: %s", entry, why))
			continue
		}
		if u, err := url.Parse(entry); err == nil && u.Hostname() == "localhost" {
			warnings = append(warnings, fmt.Sprintf("CORS origin %q is for development only", entry))
		}
		if !slices.Contains(origins, entry) {
			origins = append(origins, entry)
		}
	}
	return origins, warnings
}

func badOrigin(s string) string {
	switch {
	case s == "*":
		return "a wildcard allows every site"
	case s == "null":
		return "every sandboxed page is \"null\""
	case strings.ContainsAny(s, " \t\r\n"):
		return "it holds a space"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "it is not scheme://host"
	case u.Scheme != "http" && u.Scheme != "https":
		return "it is neither http nor https"
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return "an origin ends with the host and port"
	}
	return ""
}

// cors sets what a browser may read, and answers preflights; done means that
// the answer is written.
func (e *edge) cors(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header["Origin"]
	if len(origin) == 0 {
		return false
	}
	h := w.Header()
	allowed := len(origin) == 1 && slices.Contains(e.o.Origins, origin[0])
	if allowed {
		h["Access-Control-Allow-Origin"] = origin
	}
	if len(e.o.Origins) > 0 {
		h["Access-Control-Allow-Credentials"] = yes
		h["Vary"] = varyOrigin
	}
	want := r.Header["Access-Control-Request-Method"]
	if r.Method != http.MethodOptions || len(want) == 0 {
		return false
	}
	h["Vary"] = varyOrigin
	h["Access-Control-Allow-Methods"] = corsMethodList
	h["Access-Control-Allow-Headers"] = corsHeaderList
	h["Access-Control-Max-Age"] = corsMaxAge
	var bad []string
	if !allowed {
		bad = append(bad, "origin")
	}
	if !slices.Contains(corsMethods, want[0]) {
		bad = append(bad, "method")
	}
	if !headersAllowed(r.Header["Access-Control-Request-Headers"]) {
		bad = append(bad, "headers")
	}
	if len(bad) > 0 {
		writeText(w, http.StatusBadRequest, "Disallowed CORS "+strings.Join(bad, ", "))
		return true
	}
	writeText(w, http.StatusOK, "OK")
	return true
}

func headersAllowed(lists []string) bool {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if name != "" && !slices.ContainsFunc(corsHeaders, func(h string) bool { return strings.EqualFold(h, name) }) {
				return false
			}
		}
	}
	return true
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header()["Content-Type"] = textPlain
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
