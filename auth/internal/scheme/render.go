package scheme

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
)

// write puts the covered bytes into the hash. A source that the request lacks
// refuses it.
func (t template) write(st *state, in *input) (code string) {
	for i := range t {
		switch seg := &t[i]; seg.atom {
		case literal:
			st.string(seg.text)
		case atBody:
			_, _ = st.w.Write(in.r.Body)
		case atTime:
			st.string(in.time)
		case atMethod:
			st.string(in.r.Method)
		case atURL:
			st.string(in.url)
		case atURLQuery:
			st.string(in.urlQuery())
		case atURLDecoded:
			st.string(someDecoded.Replace(in.urlQuery()))
		case atPath:
			st.string(in.r.URL.EscapedPath())
		case atSecret:
			_, _ = st.w.Write(st.key)
		case atForm, atFormUniq:
			text, err := SortedForm(in.r.Body, seg.atom == atFormUniq)
			if err != nil {
				return auth.CodeMalformed
			}
			st.string(text)
		case atFormPHP:
			text, code := phpForm(in.r.Body, in.own)
			if code != "" {
				return code
			}
			st.string(text)
		case atCRC:
			st.string(strconv.FormatUint(uint64(crc32.ChecksumIEEE(in.r.Body)), 10))
		case atBodyHash:
			sum := sha256.Sum256(in.r.Body)
			st.string(hex.EncodeToString(sum[:]))
		case atSource:
			v, code := seg.from.read(in)
			if code == auth.CodeMissing && seg.optional && !seg.from.misshapen(in) {
				continue
			}
			if code != "" {
				return code
			}
			st.string(v)
		}
	}
	return ""
}

// render is the covered bytes themselves.
func (t template) render(in *input) (b []byte, code string) {
	var buf bytes.Buffer
	code = t.write(&state{w: &buf}, in)
	return buf.Bytes(), code
}

// someDecoded undoes the escapes that HubSpot signs undone: those of
// ":/?@!$'()*,;".
var someDecoded = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
)

// urlQuery is the public URL with the query as it was received.
func (in *input) urlQuery() string {
	base, _, _ := strings.Cut(in.url, "?")
	if in.r.URL == nil || in.r.URL.RawQuery == "" {
		return base
	}
	return base + "?" + in.r.URL.RawQuery
}
