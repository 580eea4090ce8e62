package spec

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// refKind is where a reference points.
type refKind uint8

const (
	refVariable refKind = iota // {$NAME} or {$NAME:default}
	refFile                    // {$file:/run/secrets/name}
	refVault                   // {$vault:path#field} or {$vault:path#field:default}
)

// reference is one reference inside a string.
type reference struct {
	kind       refKind
	name       string // variable, file, or path#field
	def        string
	hasDefault bool
	start, end int // bytes of the string
}

// piece is a part of a string: text that stands for itself, or a reference.
type piece struct {
	text string
	ref  *reference
}

// splitReferences reads the grammar of references. A text that only resembles
// one ("{$ VAR}", "{$VAR" without an end) stands for itself; doubtful holds the
// offsets of those. `\{$` is the text "{$".
func splitReferences(s string) (pieces []piece, doubtful []int) {
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			pieces = append(pieces, piece{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], `\{$`):
			text.WriteString("{$")
			i += 3
		case strings.HasPrefix(s[i:], "{$"):
			ref, ok := readReference(s, i)
			if !ok {
				doubtful = append(doubtful, i)
				text.WriteString("{$")
				i += 2
				continue
			}
			flush()
			pieces = append(pieces, piece{ref: ref})
			i = ref.end
		default:
			text.WriteByte(s[i])
			i++
		}
	}
	flush()
	return pieces, doubtful
}

// readReference reads the reference that starts at s[at:].
func readReference(s string, at int) (*reference, bool) {
	i := at + len("{$")
	begin := i
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += n
	}
	name := s[begin:i]
	if name == "" || i == len(s) {
		return nil, false
	}
	if s[i] == '}' {
		return &reference{name: name, start: at, end: i + 1}, true
	}
	if s[i] != ':' {
		return nil, false
	}
	end := closing(s, i+1)
	if end < 0 {
		return nil, false
	}
	ref := &reference{name: name, def: s[i+1 : end], hasDefault: true, start: at, end: end + 1}
	switch name {
	case "file":
		ref.kind, ref.name, ref.def, ref.hasDefault = refFile, ref.def, "", false
	case "vault":
		ref.kind = refVault
		path, field, _ := strings.Cut(ref.def, "#")
		field, def, has := strings.Cut(field, ":")
		ref.name, ref.def, ref.hasDefault = path+"#"+field, def, has
	}
	return ref, true
}

// closing finds the brace that ends a default that starts at from: the one that
// balances, so that a default may be JSON; where none balances, the first.
func closing(s string, from int) int {
	open := 0
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open == 0 {
				return i
			}
			open--
		}
	}
	if i := strings.IndexByte(s[from:], '}'); i >= 0 {
		return from + i
	}
	return -1
}

// vaultName reports whether name is path#field as the original service reads
// it.
func vaultName(name string) bool {
	path, field, ok := strings.Cut(name, "#")
	return ok && within(path, "_./-", 512) && within(field, "_.-", 128) && !strings.Contains(path, "..")
}

func within(s, more string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(more, r)
	}) < 0
}
