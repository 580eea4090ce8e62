package diag

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Suggest is a hint that names the entry of known closest to word, or "" when
// none is close. Case and the difference between "-", "_" and " " do not count.
func Suggest(word string, known []string) string {
	best, at := "", 1<<30
	w := fold(word)
	if w == "" || len(w) > 64 {
		return ""
	}
	for _, k := range known {
		f := fold(k)
		limit := min(3, max(1, utf8.RuneCountInString(f)/3))
		if d := distance(w, f, limit); d <= limit && d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// distance counts insertions, deletions, substitutions and swaps of neighbours
// between a and b. A result above limit only says that there are more.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit {
		return limit + 1
	}
	older, old, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(old[j]+1, cur[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, old, cur = old, cur, older
	}
	return old[len(y)]
}
