package edge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// rawErrors rewrites the answers that net/http gives to what it cannot parse:
// 400, 417, 431, 501 and 505 as plain text without any of our headers.
type rawErrors struct{ headers string }

func newRawErrors(s Security) *rawErrors {
	h := http.Header{}
	sec := newSecurityHeaders(s)
	sec.set(h, false)
	var b strings.Builder
	_ = h.Write(&b) // a Builder takes everything
	return &rawErrors{headers: b.String()}
}

// What marks them: a handler's answer always has more headers.
var (
	rawStart  = []byte("HTTP/1.1 ")
	rawExpect = []byte("HTTP/1.1 417 ")
	rawMark   = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")
)

// replace returns what to write instead of p, or nil.
func (e *rawErrors) replace(p []byte) []byte {
	if len(p) > 512 || !bytes.HasPrefix(p, rawStart) {
		return nil
	}
	if bytes.HasPrefix(p, rawExpect) && !bytes.Contains(p, []byte("\r\nX-Frame-Options:")) {
		return e.render(http.StatusExpectationFailed, "Expect is not 100-continue")
	}
	line, text, found := bytes.Cut(p[len(rawStart):], rawMark)
	if !found || bytes.IndexByte(line, '\n') >= 0 || len(line) < 3 {
		return nil
	}
	status, err := strconv.Atoi(string(line[:3]))
	if err != nil || status < 400 {
		return nil
	}
	detail := string(text)
	if _, more, ok := strings.Cut(detail, ": "); ok {
		detail = more
	}
	return e.render(status, detail)
}

func (e *rawErrors) render(status int, detail string) []byte {
	code := "bad_request"
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		code, detail = "headers_too_large", "Request header section is too large"
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		code = "not_supported"
	}
	body, err := json.Marshal(problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code})
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n%sContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), e.headers, len(body), body)
}
