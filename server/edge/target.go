package edge

import (
	"net/http"
	"strconv"
	"strings"
)

// maxHost is the longest Host: a DNS name and a port.
const maxHost = 255 + 6

// badTarget returns what is wrong with the request line or the Host, or "".
// The origin form is served, and the absolute form without oddities, as RFC
// 9112 section 3.2 has it; "*" and the authority form name nothing here.
func badTarget(r *http.Request) string {
	if r.ProtoMajor == 2 && r.TLS == nil && r.Method == "PRI" {
		return "HTTP/2 needs TLS here"
	}
	if uri := r.RequestURI; !strings.HasPrefix(uri, "/") {
		scheme := r.URL.Scheme
		if scheme != "http" && scheme != "https" || r.URL.Host == "" || r.URL.User != nil || r.Method == http.MethodConnect {
			return "Request target is not a path"
		}
	}
	if strings.ContainsAny(r.RequestURI, "#\\") {
		return "Request target holds a character that a path cannot"
	}
	if !saneHost(r.Host) {
		return "Host is not a name or address with an optional port"
	}
	return ""
}

// saneHost refuses what net/http lets pass: over-long names and ports that are
// no numbers. No Host at all is an HTTP/1.0 client.
func saneHost(host string) bool {
	if len(host) > maxHost {
		return false
	}
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return true
	}
	if name := host[:colon]; strings.IndexByte(name, ':') >= 0 && !strings.HasPrefix(name, "[") {
		return false
	}
	port := host[colon+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}
