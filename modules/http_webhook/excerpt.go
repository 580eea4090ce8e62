package httpwebhook

import (
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/secret"
)

const (
	maxAnswer  = 64 << 10 // bytes of an answer that are read
	maxExcerpt = 1 << 10  // bytes of it that are kept
)

// excerpt reads the body to its end, so that the connection can be used again,
// or to maxAnswer, and returns the beginning in printable form without what is
// secret. An answer that breaks off is cut there: its status counts.
func (e *endpoint) excerpt(resp *http.Response) string {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	// Secrets go before the cut: half of one would be left otherwise.
	text := e.hide.Hide(string(body))
	return printable(text[:min(len(text), maxExcerpt)])
}

// printable turns runs of white space and control characters into one blank and
// drops what is no UTF-8.
func printable(text string) string {
	var s strings.Builder
	blank := false
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			blank = s.Len() > 0
			continue
		}
		if blank {
			s.WriteByte(' ')
			blank = false
		}
		s.WriteRune(r)
	}
	return s.String()
}

// secrets are the texts that an answer must not repeat into the history:
// configured values, and the parts of the URL that are long enough to be a key.
// Error pages like to echo both.
func (o *Options) secrets() secret.Texts {
	var all []string
	add := func(text string, atLeast int) {
		if len(text) >= atLeast {
			all = append(all, text)
		}
	}
	for _, s := range o.Signing.Secrets {
		add(s.Reveal(), 1)
	}
	for _, h := range o.Headers {
		value := h.Reveal()
		add(value, 4)
		if _, credential, ok := strings.Cut(value, " "); ok {
			add(credential, 8) // "Bearer ..."
		}
	}
	for _, values := range o.URL.Query() {
		for _, v := range values {
			add(v, 8)
		}
	}
	add(o.URL.RawQuery, 8)
	for part := range strings.SplitSeq(o.URL.Path, "/") {
		add(part, 16)
	}
	return secret.NewTexts(all)
}
