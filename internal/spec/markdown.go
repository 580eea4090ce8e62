package spec

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Markdown is the table of options for the reference pages: name, type,
// default, whether it must be there, and what it does. Advanced fields come
// last; the fields of objects follow their object as object.field. It is empty
// when there are no fields.
func Markdown(d Described) string {
	var b strings.Builder
	fields := d.Fields()
	if len(fields) == 0 {
		return ""
	}
	b.WriteString("| Key | Type | Default | Required | What it does |\n|---|---|---|---|---|\n")
	rows(&b, "", fields)
	if in, ok := d.(Inline); ok {
		fmt.Fprintf(&b, "\nIt may also be written as one plain value, which is then `%s`.\n", in.Inline().Info().Name)
	}
	return b.String()
}

func rows(b *strings.Builder, prefix string, fields Fields) {
	fields = slices.Clone(fields)
	rank := func(i Info) int {
		switch {
		case i.Ignored != "":
			return 3
		case i.Deprecated != "":
			return 2
		case i.Advanced:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return rank(a.Info()) - rank(b.Info()) })
	for _, f := range fields {
		info := f.Info()
		required := ""
		if info.Required {
			required = "yes"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s | %s |\n", prefix, info.Name, typeName(info), defaultText(info), required, cell(about(info)))
		switch info.Kind {
		case KindObject:
			rows(b, prefix+info.Name+".", info.Children)
		case KindList:
			rows(b, prefix+info.Name+"[].", info.Children)
		case KindMap:
			rows(b, prefix+info.Name+".<name>.", info.Children)
		case KindString, KindInt, KindFloat, KindBool, KindDuration, KindSize, KindURL, KindSecret, KindAny:
		}
	}
}

// about is the doc with everything else there is to know.
func about(info Info) string {
	if info.Ignored != "" {
		return info.Doc
	}
	out := strings.TrimSpace(info.Doc)
	if len(info.Enum) > 0 {
		out += " One of " + code(info.Enum...) + "."
	}
	if info.Min != nil {
		out += fmt.Sprintf(" From %s to %s.", bound(info, *info.Min), bound(info, *info.Max))
	}
	if len(info.Aliases) > 0 {
		out += " Also written " + code(info.Aliases...) + "."
	}
	for i, e := range info.Examples {
		if i == 0 {
			out += " Example:"
		} else {
			out += ","
		}
		out += " " + code(show(info, e))
	}
	if len(info.Examples) > 0 {
		out += "."
	}
	if info.Deprecated != "" {
		out += " **Deprecated**: use " + strings.TrimPrefix(info.Deprecated, "use ") + "."
	}
	return out
}

func bound(info Info, x float64) string {
	v := Value[float64]{info: info}
	return v.bound(x)
}

func typeName(info Info) string {
	names := map[Kind]string{
		KindString: "string", KindInt: "integer", KindFloat: "number", KindBool: "boolean", KindDuration: "duration",
		KindSize: "size", KindURL: "URL", KindSecret: "secret", KindObject: "object", KindAny: "any",
	}
	switch {
	case info.Kind == KindList && info.Children != nil:
		return "list of objects"
	case info.Kind == KindList && info.Item == KindSecret:
		return "secret, or a list of them"
	case info.Kind == KindList:
		return "list of " + names[info.Item] + "s"
	case info.Kind == KindMap && info.Children != nil:
		return "object of objects"
	case info.Kind == KindMap:
		return "object of " + names[info.Item] + "s"
	case info.Inline != nil:
		return names[info.Inline.Kind] + " or object"
	}
	return names[info.Kind]
}

func defaultText(info Info) string {
	if info.Default == nil || info.Secret {
		return ""
	}
	return code(show(info, info.Default))
}

// show is a default or an example as a user would write it.
func show(info Info, v any) string {
	if n, ok := v.(int64); ok && info.Kind == KindSize {
		return formatSize(n)
	}
	switch v := jsonValue(v).(type) {
	case string:
		if v == "" {
			return `""`
		}
		return v
	default:
		if b, err := json.Marshal(v); err == nil {
			if s := string(b); !strings.HasPrefix(s, `"`) {
				return s
			}
		}
		return fmt.Sprint(v)
	}
}

func code(texts ...string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = "`" + cmp.Or(t, `""`) + "`"
	}
	return strings.Join(out, ", ")
}

func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ")
}
