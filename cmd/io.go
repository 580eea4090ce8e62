package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-isatty"
	"github.com/muesli/termenv"
)

// IO is where a command reads and writes: results to Out, everything else to
// Err.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool
	OutTTY   bool
	ErrTTY   bool
	Color    bool // on Out and Err
	Width    int  // columns of the terminal; 80 where there is none

	lost *lostOutput // nil: not noted
}

// lostOutput is the first error of writing results.
type lostOutput struct {
	mu  sync.Mutex
	err error
}

func (l *lostOutput) error() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *lostOutput) note(err error) {
	if l == nil || err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("write the result: %w", err)
	}
}

// systemIO looks at what the process was given.
func systemIO(in io.Reader, out, err io.Writer, env Env) IO {
	s := IO{In: in, Out: out, Err: err, InTTY: isTerminal(in), OutTTY: isTerminal(out), ErrTTY: isTerminal(err), Width: 80, lost: &lostOutput{}}
	s.Color = s.OutTTY && env["NO_COLOR"] == "" && env["TERM"] != "dumb"
	if f, ok := out.(*os.File); ok && s.OutTTY {
		if w, _, err := term.GetSize(f.Fd()); err == nil && w > 0 {
			s.Width = w
		}
	}
	return s
}

func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// Printf writes a result. A reader that went away is noticed by the process, as
// for every other command of a pipe; a disk that is full, when the command ends.
func (s IO) Printf(format string, args ...any) {
	_, err := fmt.Fprintf(s.Out, format, args...)
	s.lost.note(err)
}

// Errorf writes a diagnostic.
func (s IO) Errorf(format string, args ...any) { _, _ = fmt.Fprintf(s.Err, format, args...) }

// JSON writes a result for programs, indented.
func (s IO) JSON(v any) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// jsonLine writes a result for programs that read line by line.
func (s IO) jsonLine(v any) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// style makes text stand out where colour is wanted.
func (s IO) style() palette {
	r := lipgloss.NewRenderer(s.Out)
	r.SetColorProfile(termenv.Ascii)
	if s.Color {
		r.SetColorProfile(termenv.ANSI)
	}
	color := func(c string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(c)) }
	return palette{
		renderer: r, bold: r.NewStyle().Bold(true), faint: r.NewStyle().Faint(true),
		good: color("2"), bad: color("1"), warn: color("3"),
	}
}

// style is how a piece of text looks.
type style = lipgloss.Style

type palette struct {
	renderer        *lipgloss.Renderer
	bold, faint     lipgloss.Style
	good, bad, warn lipgloss.Style
}
