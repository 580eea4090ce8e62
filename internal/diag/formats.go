package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

type jsonProblem struct {
	Severity string `json:"severity"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Col      int    `json:"col,omitempty"`
	Path     string `json:"path,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// WriteJSON writes {"problems": [...], "errors": n, "warnings": n}.
func WriteJSON(w io.Writer, list List) error {
	out := struct {
		Problems []jsonProblem `json:"problems"`
		Errors   int           `json:"errors"`
		Warnings int           `json:"warnings"`
	}{Problems: []jsonProblem{}}
	for _, p := range list {
		switch p.Severity {
		case Error:
			out.Errors++
		case Warning:
			out.Warnings++
		case Note:
		}
		out.Problems = append(out.Problems, jsonProblem{
			p.Severity.String(), p.Pos.File, p.Pos.Line, p.Pos.Col, p.Path, p.Code, p.Message, p.Hint,
		})
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// text is a problem in one line, without its place.
func (p Problem) text(hint string) string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Hint != "" {
		s += hint + p.Hint
	}
	return s
}

// WriteGitHub writes workflow commands that annotate the files of a pull
// request.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
func WriteGitHub(w io.Writer, list List) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, p := range list {
		word := map[Severity]string{Error: "error", Warning: "warning", Note: "notice"}[p.Severity]
		var props []string
		if p.Pos.File != "" {
			props = append(props, "file="+property.Replace(filepath.ToSlash(p.Pos.File)))
		}
		if p.Pos.Line > 0 {
			props = append(props, fmt.Sprintf("line=%d", p.Pos.Line), fmt.Sprintf("col=%d", p.Pos.Col))
		}
		if p.Width > 0 && p.Pos.Line > 0 {
			props = append(props, fmt.Sprintf("endColumn=%d", p.Pos.Col+p.Width))
		}
		if p.Code != "" {
			props = append(props, "title="+property.Replace(p.Code))
		}
		at := ""
		if len(props) > 0 {
			at = " " + strings.Join(props, ",")
		}
		if _, err := fmt.Fprintf(w, "::%s%s::%s\n", word, at, data.Replace(p.text("; "))); err != nil {
			return err
		}
	}
	return nil
}

// WriteSARIF writes a SARIF 2.1.0 log, which code scanning services read. It
// counts columns in characters, for which it needs the files; without sources,
// a line before whose mark is more than ASCII has a column too far right.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
func WriteSARIF(w io.Writer, sources func(file string) []byte, list List, tool, version string) error {
	var rules []map[string]any
	var codes []string
	results := []map[string]any{}
	for _, p := range list {
		code := p.Code
		if code == "" {
			code = "problem"
		}
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
			rules = append(rules, map[string]any{"id": code})
		}
		r := map[string]any{
			"ruleId": code, "ruleIndex": slices.Index(codes, code), "message": map[string]string{"text": p.text("; ")},
			"level": map[Severity]string{Error: "error", Warning: "warning", Note: "note"}[p.Severity],
		}
		if p.Pos.File != "" {
			r["locations"] = []any{sarifLocation(sources, p)}
		}
		results = append(results, r)
	}
	driver := map[string]any{"name": tool, "version": version}
	if rules != nil {
		driver["rules"] = rules
	}
	return indented(w, map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs":    []any{map[string]any{"tool": map[string]any{"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}},
	})
}

func sarifLocation(sources func(string) []byte, p Problem) map[string]any {
	physical := map[string]any{"artifactLocation": map[string]string{"uri": sarifURI(p.Pos.File)}}
	if p.Pos.Line > 0 {
		from, to := p.Pos.Col, p.Pos.Col+p.Width
		if line, _, ok := lineOf(sources, p.Pos); ok {
			from, to = characters(line, from), characters(line, to)
		}
		region := map[string]int{"startLine": p.Pos.Line, "startColumn": from}
		if p.Width > 0 {
			region["endColumn"] = to
		}
		physical["region"] = region
	}
	location := map[string]any{"physicalLocation": physical}
	if p.Path != "" {
		location["logicalLocations"] = []any{map[string]string{"fullyQualifiedName": p.Path}}
	}
	return location
}

// characters is the column of the character at a column in bytes.
func characters(line string, col int) int {
	cut := min(max(col-1, 0), len(line))
	return utf8.RuneCountInString(line[:cut]) + col - cut
}

// sarifURI is a file name as a URI reference (RFC 3986).
func sarifURI(file string) string {
	file = filepath.ToSlash(file)
	var b strings.Builder
	for i := range len(file) {
		switch c := file[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if strings.HasPrefix(file, "/") {
		return "file://" + b.String()
	}
	return b.String()
}
