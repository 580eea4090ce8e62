package admin

import (
	"bytes"
	"mime"
	"strconv"
	"strings"
)

// Content types of the two forms: Prometheus text format 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0.
const (
	textMetrics = "text/plain; version=0.0.4; charset=utf-8"
	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// exposition writes families of metrics. The samples of a family follow each
// other, as both forms demand.
type exposition struct {
	buf  bytes.Buffer
	open bool // OpenMetrics
	name string
}

// label is a name and its value; any text may be a value.
type label struct{ name, value string }

// wantsOpenMetrics picks the form that the Accept header prefers. A scraper
// that understands OpenMetrics lists it with a higher weight.
func wantsOpenMetrics(accept string) bool {
	var open, text float64
	for part := range strings.SplitSeq(accept, ",") {
		t, p, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if v, err := strconv.ParseFloat(p["q"], 64); err == nil {
			q = v
		}
		switch t {
		case "application/openmetrics-text":
			if v := p["version"]; v == "" || v == "1.0.0" || v == "0.0.1" {
				open = max(open, q)
			}
		case "text/plain", "text/*", "*/*":
			text = max(text, q)
		}
	}
	return open > 0 && open >= text
}

// family begins a family. A counter's name has no _total; its samples get it.
func (e *exposition) family(name, kind, help string) {
	e.name = name
	if kind == "counter" {
		e.name += "_total"
	}
	shown := e.name
	if e.open {
		shown = name // OpenMetrics names the family, the text form the sample
	}
	e.buf.WriteString("# HELP " + shown + " " + escapeHelp(help) + "\n# TYPE " + shown + " " + kind + "\n")
}

func (e *exposition) sample(v float64, labels ...label) {
	e.line(e.name, formatFloat(v), labels)
}

func (e *exposition) count(n int64, labels ...label) {
	e.line(e.name, strconv.FormatInt(n, 10), labels)
}

// histogram writes the cumulative buckets, the sum (seconds) and the count.
// bounds are seconds; counts are not cumulative and have one more for +Inf.
func (e *exposition) histogram(bounds []float64, counts []int64, sum float64, labels ...label) {
	var n int64
	for i, k := range counts {
		n += k
		le := "+Inf"
		if i < len(bounds) {
			le = formatFloat(bounds[i])
			if e.open && !strings.ContainsAny(le, ".e") {
				le += ".0" // the canonical form of OpenMetrics
			}
		}
		e.line(e.name+"_bucket", strconv.FormatInt(n, 10), append(labels[:len(labels):len(labels)], label{"le", le}))
	}
	e.line(e.name+"_sum", formatFloat(sum), labels)
	e.line(e.name+"_count", strconv.FormatInt(n, 10), labels)
}

func (e *exposition) line(name, value string, labels []label) {
	e.buf.WriteString(name)
	for i, l := range labels {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		e.buf.WriteString(sep + l.name + `="` + escapeLabel(l.value) + `"`)
	}
	if len(labels) > 0 {
		e.buf.WriteByte('}')
	}
	e.buf.WriteString(" " + value + "\n")
}

// finish ends the exposition.
func (e *exposition) finish() []byte {
	if e.open {
		e.buf.WriteString("# EOF\n")
	}
	return e.buf.Bytes()
}

func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

func escapeHelp(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s)
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
