package mistakes

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"

	"github.com/hookd/hookd/auth"
)

const rewritten = "Something between the sender and hookd rewrites the body (a proxy, a function, a middleware that parses it): pass the bytes on as they came."

// bodies are what the body may have been when it was signed.
func bodies(t *trial) []mistake {
	if !strings.Contains(t.alt.Signed, "body") && !strings.Contains(t.alt.Signed, "form") && t.alt.ForEach == "" {
		return nil
	}
	b := t.r.Body
	var all []mistake
	seen := [][]byte{b}
	add := func(text, advice string, body []byte, ok bool) {
		if !ok {
			return
		}
		for _, s := range seen {
			if bytes.Equal(s, body) {
				return
			}
		}
		seen = append(seen, body)
		all = append(all, mistake{auth.Mistake{Kind: "body", Text: text, Advice: advice}, func(t *trial) bool {
			c := *t.r
			c.Body, t.r = body, &c
			return true
		}})
	}
	const lost, added = "What sends the request takes the end of the line off: send the file as it is (curl: --data-binary).",
		"What sends the request adds an end of line: send what was signed (echo -n, printf)."
	add("a newline is added to the end of the body", lost, append(bytes.Clone(b), '\n'), true)
	add("CR and LF are added to the end of the body", lost, append(bytes.Clone(b), '\r', '\n'), true)
	add("the newline at the end of the body is removed", added, bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")), true)
	add("blanks at the end of the body are removed", added, bytes.TrimRight(b, " \t\r\n"), true)
	add("blanks at both ends of the body are removed", added, bytes.TrimSpace(b), true)
	add("the body is empty", "The sender signs no body, or a body of another request.", []byte{}, true)
	add("line ends are LF instead of CRLF", rewritten, bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), true)
	add("line ends are CRLF instead of LF", rewritten, bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")), true)
	add("the byte order mark is removed", rewritten, bytes.TrimPrefix(b, []byte("\ufeff")), true)
	plain, zipped := gunzip(b)
	add("the body is decompressed (gzip)", "The sender signs before it compresses, but the signature must cover the bytes as sent: switch compression off at the sender or the proxy.", plain, zipped)
	if doc, ok := parseJSON(b); ok {
		for _, s := range jsonStyles {
			add(s.text, rewritten, doc.write(s), true)
		}
	}
	return all
}

// gunzip undoes gzip, up to the largest body that is searched.
func gunzip(b []byte) ([]byte, bool) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, false
	}
	out, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	return out, err == nil && len(out) <= maxBody
}
