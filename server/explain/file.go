package explain

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/hookd/hookd/auth"
)

// MaxFile is the largest file with a request, in bytes.
const MaxFile = 16 << 20

// File is a request that was read from a file.
type File struct {
	Request *auth.Request // without addresses
	Hook    string        // from its path: /webhook/HOOK or /webhook/NAMESPACE/HOOK; may be empty
	Unread  bool          // the body is not in the file
	Notes   []string
}

// requestLine finds the start of a request, also behind the "> " of curl -v and
// what tcpdump -A prints of the headers of a packet.
var requestLine = regexp.MustCompile(`(?m)^[^\n]{0,200}?\b([A-Z]{3,10}) (/[^ \r\n]*|https?://[^ \r\n]+) HTTP/[0-9](?:\.[0-9])?\r?$`)

// ParseRequest reads a request as it is on the wire: request line, headers,
// blank line, body. Line ends may be LF. What stands before the request line is
// skipped, and "> " before each line of the head, as curl -v prints it. now is
// when the request was received.
func ParseRequest(b []byte, now time.Time) (*File, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("the file has more than %d MiB", MaxFile>>20)
	}
	at := requestLine.FindSubmatchIndex(b)
	if at == nil {
		return nil, errors.New("no request line such as: POST /webhook/github HTTP/1.1")
	}
	method, target := string(b[at[2]:at[3]]), string(b[at[4]:at[5]])
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("request line: %w", err)
	}
	mark := ""
	if before := string(b[at[0]:at[2]]); strings.HasSuffix(before, "> ") || strings.HasSuffix(before, ">") {
		mark = ">"
	}
	head, body, err := split(b[at[1]:], mark, bytes.Count(b[:at[1]], []byte("\n"))+1)
	if err != nil {
		return nil, err
	}
	f := &File{Request: &auth.Request{
		Method: method, URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery},
		Host: u.Host, Header: head, TLS: &tls.ConnectionState{}, Now: now,
	}}
	if host := head.Get("Host"); host != "" {
		f.Request.Host = host
		head.Del("Host") // as net/http does it
	}
	f.Hook = hookOf(u.Path)
	if mark != "" {
		body = curlBody(body)
		f.Unread = len(body) == 0 && head.Get("Content-Length") != "0"
	}
	f.body(body)
	return f, nil
}

// split reads the header lines; line is the number of the request line.
func split(b []byte, mark string, line int) (http.Header, []byte, error) {
	h := make(http.Header)
	b = bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("\r")), []byte("\n"))
	for len(b) > 0 {
		line++
		text, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		one := strings.TrimSuffix(string(text), "\r")
		if mark != "" {
			one = strings.TrimPrefix(strings.TrimPrefix(one, mark), " ")
		}
		if one == "" {
			return h, b, nil
		}
		name, value, ok := strings.Cut(one, ":")
		if value = strings.Trim(value, " \t"); !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, nil, fmt.Errorf("line %d is no header: want NAME: VALUE, or the blank line before the body", line)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		h[name] = append(h[name], value)
	}
	return h, nil, nil
}

// curlBody is what stands between the head and the answer. curl -v itself does
// not print the body.
func curlBody(b []byte) []byte {
	rest := b
	for len(rest) > 0 {
		line, next, _ := bytes.Cut(rest, []byte("\n"))
		for _, p := range []string{"* ", "< ", "{ [", "} ["} {
			if bytes.HasPrefix(line, []byte(p)) {
				return b[:len(b)-len(rest)]
			}
		}
		rest = next
	}
	return b
}

// body takes the transfer coding off, and what an editor added.
func (f *File) body(b []byte) {
	r := f.Request
	if strings.EqualFold(r.Header.Get("Transfer-Encoding"), "chunked") {
		plain, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b)))
		if err == nil {
			r.Body = plain
			return
		}
		f.Notes = append(f.Notes, "The header says chunked, but the body is not: it is taken as it is.")
	}
	n, err := strconv.Atoi(r.Header.Get("Content-Length"))
	switch {
	case err != nil || n < 0 || f.Unread:
	case len(b) > n:
		f.Notes = append(f.Notes, fmt.Sprintf("The body is cut to the %d bytes of Content-Length; the file has %d more.", n, len(b)-n))
		b = b[:n]
	case len(b) < n:
		f.Notes = append(f.Notes, fmt.Sprintf("Content-Length says %d bytes, but the file has %d: it is not the body as it was sent (line ends?).", n, len(b)))
	}
	r.Body = bytes.Clone(b)
}

// hookOf is the hook that a path names.
func hookOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "webhook" {
		return ""
	}
	return parts[len(parts)-1]
}
