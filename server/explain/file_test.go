package explain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/server/explain"
)

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, body, notes string
		unread            bool
	}{
		"as on the wire": {"POST /webhook/in?a=%20 HTTP/1.1\r\nHost: h.example\r\nX-A:  1\r\nx-a: 2\r\n\r\n{\"a\":1}\r\n", "{\"a\":1}\r\n", "", false},
		"with LF":        {"POST /webhook/in?a=%20 HTTP/1.1\nHost: h.example\nX-A: 1\nX-A: 2\n\n{}", "{}", "", false},
		"no body":        {"POST /webhook/in?a=%20 HTTP/1.1\nHost: h.example\nX-A: 1\nX-A: 2\n", "", "", false},
		"absolute":       {"POST http://h.example/webhook/in?a=%20 HTTP/1.1\nX-A: 1\nX-A: 2\n\n{}", "{}", "", false},
		"HTTP/2":         {"POST /webhook/in?a=%20 HTTP/2\nhost: h.example\nx-a: 1\nx-a: 2\n\n{}", "{}", "", false},
		"too long":       {"POST /webhook/in?a=%20 HTTP/1.1\nHost: h.example\nX-A: 1\nX-A: 2\nContent-Length: 2\n\n{}\n", "{}", "cut to the 2 bytes", false},
		"too short":      {"POST /webhook/in?a=%20 HTTP/1.1\nHost: h.example\nX-A: 1\nX-A: 2\nContent-Length: 3\n\n{}", "{}", "not the body as it was sent", false},
		"chunked":        {"POST /webhook/in?a=%20 HTTP/1.1\nHost: h.example\nX-A: 1\nX-A: 2\nTransfer-Encoding: chunked\n\n2\r\n{}\r\n0\r\n\r\n", "{}", "", false},
		"not chunked":    {"POST /webhook/in?a=%20 HTTP/1.1\nHost: h.example\nX-A: 1\nX-A: 2\nTransfer-Encoding: chunked\n\n{}", "{}", "it is taken as it is", false},
		"curl":           {"* Connected\n> POST /webhook/in?a=%20 HTTP/1.1\n> Host: h.example\n> X-A: 1\n> X-A: 2\n> Content-Length: 2\n> \n* upload done\n< HTTP/1.1 401\n<\nno", "", "", true},
		"curl with body": {"> POST /webhook/in?a=%20 HTTP/1.1\n> Host: h.example\n> X-A: 1\n> X-A: 2\n> Content-Length: 2\n>\n{}\n< HTTP/1.1 401\n", "{}", "cut", false},
		"tcpdump":        {"12:00:00.1 IP a.1 > b.2: Flags [P.]\nE..4..@.@.....P.POST /webhook/in?a=%20 HTTP/1.1\r\nHost: h.example\r\nX-A: 1\r\nX-A: 2\r\n\r\n{}", "{}", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := explain.ParseRequest([]byte(c.text), now)
			if err != nil {
				t.Fatal(err)
			}
			r := f.Request
			if r.Method != "POST" || r.URL.Path != "/webhook/in" || r.URL.RawQuery != "a=%20" || r.Host != "h.example" || f.Hook != "in" ||
				fmt.Sprint(r.Header["X-A"]) != "[1 2]" || !r.Now.Equal(now) || r.Header.Get("Host") != "" {
				t.Errorf("request %+v, hook %q", r, f.Hook)
			}
			if string(r.Body) != c.body || f.Unread != c.unread || !strings.Contains(strings.Join(f.Notes, " "), c.notes) || (c.notes == "") != (len(f.Notes) == 0) {
				t.Errorf("body %q, unread %v, notes %q", r.Body, f.Unread, f.Notes)
			}
		})
	}
	for text, want := range map[string]string{
		"":             "no request line",
		"hello\nworld": "no request line",
		"POST /a HTTP/1.1\nHost: x\nnonsense\n\n":     "line 3 is no header",
		"x\nPOST /a HTTP/1.1\nA B: x\n\n":             "line 3 is no header",
		"POST /a HTTP/1.1\nA: x\x00\n\n":              "line 2 is no header",
		"POST /%zz HTTP/1.1\n\n":                      "request line",
		strings.Repeat("x", explain.MaxFile+1):        "more than 16 MiB",
		"POST /a HTTP/1.1\nHost: x\n folded: 1\n\n{}": "line 3 is no header",
	} {
		if _, err := explain.ParseRequest([]byte(text), now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	for path, want := range map[string]string{"/webhook/a": "a", "/webhook/ns/a": "a", "/webhook/": "", "/other/a": "", "/webhook/a/b/c": "", "/": ""} {
		f, err := explain.ParseRequest([]byte("POST "+path+" HTTP/1.1\n\n"), now)
		if err != nil || f.Hook != want {
			t.Errorf("%s: %+v, %v", path, f, err)
		}
	}
}

// FuzzParseRequest: no file takes the reader down, and what it takes is whole.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("POST /webhook/in?a=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}\n"))
	f.Add([]byte("> POST /webhook/in HTTP/1.1\n> A: b\n>\n{}\n< HTTP/1.1 401\n"))
	f.Add([]byte("E..4 POST http://h/webhook/in HTTP/2\nTransfer-Encoding: chunked\n\n1\r\nx\r\n0\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\n: x\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := explain.ParseRequest(b, now)
		if err != nil {
			return
		}
		r := got.Request
		if r.URL == nil || r.Header == nil || r.Method == "" || len(r.Body) > len(b) || strings.ContainsAny(got.Hook, "/") {
			t.Errorf("%q: %+v", b, r)
		}
		for name := range r.Header {
			if strings.ContainsAny(name, " \r\n:") {
				t.Errorf("header %q", name)
			}
		}
	})
}
