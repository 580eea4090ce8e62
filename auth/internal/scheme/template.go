package scheme

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	neturl "net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
)

// template is what a signature covers: literals and atoms in order.
type template []segment

type segment struct {
	atom atom
	text string // of a literal
	from Source // of a source
}

type atom uint8

const (
	literal atom = iota
	atBody
	atTime
	atMethod
	atURL  // the public URL, as configured
	atPath // as received, without the query
	atSecret
	atForm     // sorted name+value pairs of the form
	atFormUniq // the same, equal pairs once
	atCRC      // CRC-32 of the body as an unsigned decimal
	atBodyHash // hex of the SHA-256 of the body
	atSource
)

var atoms = map[string]atom{
	"body": atBody, "time": atTime, "method": atMethod, "url": atURL, "path": atPath, "secret": atSecret,
	"sorted_form": atForm, "sorted_form_uniq": atFormUniq, "crc32:body": atCRC, "hex:sha256:body": atBodyHash,
}

// parseTemplate reads "v0:{time}:{body}".
func parseTemplate(text string) (template, error) {
	var t template
	for text != "" {
		lit, rest, found := strings.Cut(text, "{")
		if lit != "" {
			t = append(t, segment{text: lit})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New("a brace is not closed")
		}
		text = after
		if a, ok := atoms[name]; ok {
			t = append(t, segment{atom: a})
			continue
		}
		src, err := ParseSource(name)
		if err != nil {
			return nil, fmt.Errorf("{%s} is neither an atom nor a source", name)
		}
		t = append(t, segment{atom: atSource, from: src})
	}
	return t, nil
}

func (t template) has(a atom) bool {
	return slices.ContainsFunc(t, func(s segment) bool { return s.atom == a })
}

// write puts the covered bytes into the hash. A source that the request lacks
// refuses it.
func (t template) write(st *state, in *input) (code string) {
	for i := range t {
		switch seg := &t[i]; seg.atom {
		case literal:
			st.string(seg.text)
		case atBody:
			_, _ = st.h.Write(in.r.Body)
		case atTime:
			st.string(in.time)
		case atMethod:
			st.string(in.r.Method)
		case atURL:
			st.string(in.url)
		case atPath:
			st.string(in.r.URL.EscapedPath())
		case atSecret:
			_, _ = st.h.Write(st.key)
		case atForm, atFormUniq:
			text, err := sortedForm(in.r.Body, seg.atom == atFormUniq)
			if err != nil {
				return auth.CodeMalformed
			}
			st.string(text)
		case atCRC:
			st.string(strconv.FormatUint(uint64(crc32.ChecksumIEEE(in.r.Body)), 10))
		case atBodyHash:
			sum := sha256.Sum256(in.r.Body)
			st.string(hex.EncodeToString(sum[:]))
		case atSource:
			v, code := seg.from.read(in)
			if code != "" {
				return code
			}
			st.string(v)
		}
	}
	return ""
}

// sortedForm is name and value of each field, one after the other, sorted by
// name and then by value.
func sortedForm(body []byte, uniq bool) (string, error) {
	form, err := neturl.ParseQuery(string(body))
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(form))
	for name, values := range form {
		names = append(names, name)
		slices.Sort(values)
		if uniq {
			form[name] = slices.Compact(values)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		for _, v := range form[name] {
			b.WriteString(name)
			b.WriteString(v)
		}
	}
	return b.String(), nil
}
