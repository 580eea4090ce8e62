package diag

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mask stands in an excerpt where a secret is in the file.
const mask = "[redacted]"

const tabWidth = 4

// cell is a piece of a line as it is shown.
type cell struct {
	text       string
	width      int // columns on a terminal
	start, end int // bytes of the line
}

// excerpt is one line of a file and the marks below it.
type excerpt struct{ line, marks string }

// newExcerpt shows line with marks below width bytes at col, which counts from
// 1. Tabs are spread, control characters replaced, hidden spans masked, and
// what is more than most columns is cut around the mark.
func newExcerpt(line string, col, width int, hidden []Span, most int) excerpt {
	cells := layout(line, hidden)
	from := min(max(col-1, 0), len(line))
	to := min(from+max(width, 1), max(len(line), from+1))
	first := sort.Search(len(cells), func(i int) bool { return cells[i].end > from })
	last := sort.Search(len(cells), func(i int) bool { return cells[i].end >= to })
	lo, hi := window(cells, first, most)
	var text, pad, under strings.Builder
	if lo > 0 {
		text.WriteString("…")
		pad.WriteString(" ")
	}
	for i := lo; i < hi; i++ {
		text.WriteString(cells[i].text)
		switch {
		case i < first:
			pad.WriteString(strings.Repeat(" ", cells[i].width))
		case i <= last:
			under.WriteString(strings.Repeat("^", cells[i].width))
		}
	}
	if hi < len(cells) {
		text.WriteString("…")
	}
	if under.Len() == 0 {
		under.WriteString("^")
	}
	return excerpt{strings.TrimRight(text.String(), " "), pad.String() + under.String()}
}

func layout(line string, hidden []Span) []cell {
	sort.Slice(hidden, func(i, j int) bool { return hidden[i].Start < hidden[j].Start })
	var cells []cell
	column := 0
	add := func(c cell) {
		column += c.width
		cells = append(cells, c)
	}
	for i := 0; i < len(line); {
		for len(hidden) > 0 && hidden[0].End <= i {
			hidden = hidden[1:]
		}
		if len(hidden) > 0 && hidden[0].Start <= i {
			end := min(hidden[0].End, len(line))
			for len(hidden) > 1 && hidden[1].Start <= end { // touching ones are one
				hidden = hidden[1:]
				end = max(end, min(hidden[0].End, len(line)))
			}
			add(cell{mask, len(mask), i, end})
			i = end
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		c := cell{string(r), runeWidth(r), i, i + n}
		switch {
		case r == '\t':
			c.width = tabWidth - column%tabWidth
			c.text = strings.Repeat(" ", c.width)
		case r == utf8.RuneError || !unicode.IsPrint(r) && c.width > 0:
			c.text, c.width = "�", 1
		}
		add(c)
		i += n
	}
	return cells
}

// window chooses the cells to show, so that the one marked is among them with
// some of what is before it.
func window(cells []cell, marked, most int) (lo, hi int) {
	total := 0
	for _, c := range cells {
		total += c.width
	}
	if total <= most {
		return 0, len(cells)
	}
	lo, hi = min(marked, len(cells)), min(marked, len(cells))
	for used := 0; lo > 0 && used+cells[lo-1].width <= most/3; lo-- {
		used += cells[lo-1].width
	}
	used := 0
	for i := lo; i < hi; i++ {
		used += cells[i].width
	}
	for hi < len(cells) && used+cells[hi].width <= most {
		used += cells[hi].width
		hi++
	}
	for lo > 0 && used+cells[lo-1].width <= most {
		lo--
		used += cells[lo].width
	}
	return lo, hi
}

// runeWidth is how many columns a terminal gives to r: none to what combines
// with the rune before, two to East Asian scripts and pictures.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me), r == 0x200d, r >= 0xfe00 && r <= 0xfe0f:
		return 0
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul),
		r >= 0x3000 && r <= 0x303e, r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	return 1
}
