package scheme

import (
	neturl "net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth"
)

// SortedForm is name and value of each field, one after the other, sorted by
// name and then by value; with uniq, a field that comes twice with one value
// counts once.
func SortedForm(body []byte, uniq bool) (string, error) {
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

// phpForm is PHP's serialize() of the fields of a form, sorted by name, but for
// the one called without: `a:1:{s:3:"key";s:5:"value";}`. Lengths are in bytes.
// A field that comes twice is refused: PHP takes the last, others the first.
func phpForm(body []byte, without string) (text, code string) {
	form, err := neturl.ParseQuery(string(body))
	if err != nil {
		return "", auth.CodeMalformed
	}
	delete(form, without)
	names := make([]string, 0, len(form))
	for name, values := range form {
		if len(values) > 1 {
			return "", auth.CodeDoubled
		}
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	phpString := func(s string) { b.WriteString("s:" + strconv.Itoa(len(s)) + `:"` + s + `";`) }
	b.WriteString("a:" + strconv.Itoa(len(names)) + ":{")
	for _, name := range names {
		phpString(name)
		phpString(form[name][0])
	}
	b.WriteString("}")
	return b.String(), ""
}
