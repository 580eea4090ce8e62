package cmd

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
)

// table writes rows for a person on a terminal, and with tabs between the cells
// for everything else. Cells are plain text: what a stranger sent is cleaned of
// control characters.
type tableOf struct {
	head  []string
	rows  [][]string
	color func(row, col int) lipgloss.Style // nil: none
}

func (t *tableOf) add(cells ...string) {
	for i, c := range cells {
		cells[i] = printable(c)
	}
	t.rows = append(t.rows, cells)
}

func (s IO) table(t tableOf) {
	if !s.OutTTY {
		s.Printf("%s\n", strings.Join(t.head, "\t"))
		for _, r := range t.rows {
			s.Printf("%s\n", strings.Join(r, "\t"))
		}
		return
	}
	p := s.style()
	out := table.New().
		Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderColumn(false).BorderHeader(false).BorderRow(false).
		Headers(t.head...).Rows(t.rows...).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := p.renderer.NewStyle()
			switch {
			case row == table.HeaderRow:
				style = p.bold
			case t.color != nil:
				style = t.color(row, col)
			}
			if col < len(t.head)-1 {
				style = style.PaddingRight(2)
			}
			return style
		})
	if w := lipgloss.Width(out.String()); w > s.Width {
		out = out.Width(s.Width)
	}
	for line := range strings.Lines(out.String()) {
		s.Printf("%s\n", strings.TrimRight(line, " \n"))
	}
}

// printable shows control characters instead of sending them to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
