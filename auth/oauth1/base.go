package oauth1

import (
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// base is what the configuration says of the URL that senders sign. Empty parts
// are those of the request.
type base struct{ scheme, host, path string }

func baseOf(u *url.URL) base {
	b := base{scheme: u.Scheme, host: u.Host, path: rawPath(u)}
	if u.Path == "" || u.Path == "/" {
		b.path = ""
	}
	return b
}

// rawPath is the path as it was sent.
func rawPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// uri is the base string URI (RFC 5849 section 3.4.1.2): scheme and host in
// lower case, without the scheme's own port, and the path as it was sent.
func (b base) uri(r *auth.Request) string {
	if b.scheme == "" {
		b.scheme = "http"
		if secure(r) {
			b.scheme = "https"
		}
		b.host = r.Host
	}
	if b.path == "" {
		b.path = pathOf(r)
	}
	port := ":80"
	if b.scheme == "https" {
		port = ":443"
	}
	return b.scheme + "://" + strings.TrimSuffix(strings.ToLower(b.host), port) + b.path
}

// pathOf is the path of a request; it is never empty.
func pathOf(r *auth.Request) string {
	if r.URL == nil {
		return "/"
	}
	if p := rawPath(r.URL); p != "" {
		return p
	}
	return "/"
}

// secure reports whether the sender used TLS: up to here, or up to a trusted
// proxy that says so. A proxy is trusted where the client is not the peer.
func secure(r *auth.Request) bool {
	if r.TLS != nil {
		return true
	}
	proto := r.Header["X-Forwarded-Proto"]
	return r.Remote.IsValid() && r.Remote != r.Peer && len(proto) == 1 && strings.EqualFold(proto[0], "https")
}

// pair is a parameter, decoded.
type pair struct{ name, value string }

// writeBase writes the signature base string (RFC 5849 section 3.4.1.1). The
// parameters are sorted by their encoded names, then values; ps is not changed.
func writeBase(w io.Writer, method, uri string, ps []pair) {
	encoded := make([]pair, len(ps))
	for i, p := range ps {
		encoded[i] = pair{escape(p.name), escape(p.value)}
	}
	slices.SortFunc(encoded, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	_, _ = io.WriteString(w, escape(strings.ToUpper(method))+"&"+escape(uri)+"&")
	for i, p := range encoded {
		if i > 0 {
			_, _ = io.WriteString(w, "%26")
		}
		_, _ = io.WriteString(w, escape(p.name)+"%3D"+escape(p.value))
	}
}

// escape is RFC 5849 section 3.6: all but letters, digits, "-", ".", "_" and "~".
func escape(s string) string {
	n := 0
	for i := range len(s) {
		if !unreserved(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
