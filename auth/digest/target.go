package digest

import (
	"net/url"
	"strings"
)

// target is the path and the query as they were sent; url.URL keeps the
// sender's own escapes.
func target(u *url.URL) string {
	if u == nil {
		return "/"
	}
	path := u.RawPath
	if path == "" {
		path = u.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" || u.ForceQuery {
		return path + "?" + u.RawQuery
	}
	return path
}

// sameTarget reports whether uri names what was asked for: the path and query
// byte by byte, alone or behind the scheme and the host of the request. Which of
// the two schemes it is cannot be told behind a proxy that ends TLS.
func sameTarget(uri, host string, u *url.URL) bool {
	want := target(u)
	if uri == want {
		return true
	}
	lower := strings.ToLower(uri[:min(len(uri), len("https://"))])
	port := ""
	switch {
	case strings.HasPrefix(lower, "http://"):
		uri, port = uri[len("http://"):], ":80"
	case strings.HasPrefix(lower, "https://"):
		uri, port = uri[len("https://"):], ":443"
	default:
		return false
	}
	i := strings.IndexAny(uri, "/?")
	if i < 0 {
		i = len(uri)
	}
	authority, rest := uri[:i], uri[i:]
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	bare := func(s string) string { return strings.TrimSuffix(s, port) }
	return host != "" && strings.EqualFold(bare(authority), bare(host)) && rest == want
}
