// Package diag holds what there is to say about a file: problems with their
// place, and how they are shown to a person.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Pos is a place in a file. Line and Col count from 1, Col in bytes as editors
// and compilers do; both 0 means the file as a whole.
type Pos struct {
	File string
	Line int
	Col  int
}

// String is the file:line:col form that editors make clickable.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Severity says whether a problem stops the load.
type Severity uint8

// An Error refuses the file; a Warning is legal but unwise; a Note informs.
const (
	Error Severity = iota
	Warning
	Note
)

// String is the word for the severity as it is printed.
func (s Severity) String() string { return [...]string{"error", "warning", "note"}[s] }

// Problem is one thing wrong at one place. No field ever holds a secret.
type Problem struct {
	Severity Severity
	Pos      Pos
	Width    int    // bytes to underline from Pos; 0 is one caret
	Path     string // "hooks.github.hmac.algorithm"
	Code     string // stable slug: "unknown_key", "bad_value", or a lint rule
	Message  string // `"md5" is not one of sha256, sha1, sha512`
	Hint     string // `did you mean "sha256"?`; may be empty
}

// List collects problems.
type List []Problem

// Add appends a problem.
func (l *List) Add(p Problem) { *l = append(*l, p) }

// HasErrors reports whether any problem refuses the load.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(p Problem) bool { return p.Severity == Error })
}

// Sort orders the problems by file, line and column and keeps the order of
// those at one place.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
}
