package spec

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Dialect is the JSON Schema dialect of what JSONSchema returns.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// holdsReference lets an editor accept {$VAR} wherever hookd does.
const holdsReference = `\{\$.+\}`

// JSONSchema is the description as JSON Schema, for editors. It is a little
// stricter than Decode about spelling, and never stricter about meaning:
// references are allowed everywhere, and so are comment keys.
func JSONSchema(d Described) json.RawMessage {
	s := schemaOfDescribed(d)
	s["$schema"] = Dialect
	b, err := json.Marshal(s)
	if err != nil { // a default that JSON cannot hold; Verify's suites find it
		return json.RawMessage(`true`)
	}
	return b
}

func schemaOfDescribed(d Described) map[string]any {
	s := schemaOfFields(d.Fields())
	if in, ok := d.(Inline); ok {
		return map[string]any{"anyOf": []any{schemaOf(in.Inline().Info()), s}}
	}
	return s
}

func schemaOfFields(fields Fields) map[string]any {
	properties := map[string]any{}
	var required, all []any
	for _, f := range fields {
		info := f.Info()
		s := schemaOf(info)
		properties[info.Name] = s
		either := []any{map[string]any{"required": []string{info.Name}}}
		for _, alias := range info.Aliases {
			a := map[string]any{}
			for k, v := range s {
				a[k] = v
			}
			a["description"] = "Another name for " + info.Name + "."
			properties[alias] = a
			either = append(either, map[string]any{"required": []string{alias}})
		}
		switch {
		case info.Required && len(info.Aliases) == 0:
			required = append(required, info.Name)
		case info.Required:
			all = append(all, map[string]any{"anyOf": either})
		}
	}
	s := map[string]any{
		"type": "object", "properties": properties, "additionalProperties": false,
		"patternProperties": map[string]any{`^(_|\$schema$)`: true},
	}
	if required != nil {
		s["required"] = required
	}
	if all != nil {
		s["allOf"] = all
	}
	return s
}

func schemaOf(info Info) map[string]any {
	s := typeSchema(info)
	if info.Inline != nil {
		s = map[string]any{"anyOf": []any{typeSchema(*info.Inline), s}}
	}
	if info.Doc != "" {
		s["description"] = info.Doc
	}
	if info.Deprecated != "" || info.Ignored != "" {
		s["deprecated"] = true
	}
	if v := jsonValue(info.Default); v != nil && !info.Secret {
		s["default"] = v
	}
	if len(info.Examples) > 0 && !info.Secret {
		ex := make([]any, len(info.Examples))
		for i, e := range info.Examples {
			ex[i] = jsonValue(e)
		}
		s["examples"] = ex
	}
	return s
}

func typeSchema(info Info) map[string]any {
	switch info.Kind {
	case KindString:
		if len(info.Enum) > 0 {
			return anyOf(map[string]any{"enum": info.Enum}, textual(anyCase(info.Enum)))
		}
		return map[string]any{"type": []string{"string", "number"}}
	case KindSecret:
		return map[string]any{"type": "string", "minLength": 1, "writeOnly": true}
	case KindURL:
		return map[string]any{"type": "string", "pattern": `^[A-Za-z][A-Za-z0-9+.-]*://|` + holdsReference}
	case KindInt:
		return anyOf(bounded(info, "integer"), textual(`^[-+]?[0-9]+$`))
	case KindFloat:
		return anyOf(bounded(info, "number"), textual(`^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`))
	case KindBool:
		return anyOf(map[string]any{"type": "boolean"}, textual(`^([Tt]rue|[Ff]alse|yes|no|on|off|0|1)$`))
	case KindDuration:
		return anyOf(bounded(info, "number"), textual(`^[0-9][0-9.a-zµ]*$`))
	case KindSize:
		return anyOf(bounded(info, "integer"), textual(`^[0-9]+(\.[0-9]+)? *([KkMmGgTt]i?)?[Bb]?$`))
	case KindObject:
		return schemaOfFields(info.Children)
	case KindList:
		if info.Children == nil {
			item := typeSchema(Info{Kind: info.Item})
			return anyOf(map[string]any{"type": "array", "items": item}, map[string]any{"type": "string"})
		}
		return map[string]any{"type": "array", "items": itemSchema(info)}
	case KindMap:
		values := itemSchema(info)
		return map[string]any{
			"type": "object", "additionalProperties": values,
			"patternProperties": map[string]any{`^(_|\$schema$)`: true},
		}
	case KindAny:
	}
	return map[string]any{}
}

func itemSchema(info Info) map[string]any {
	switch {
	case info.Children == nil && info.Item == KindSecret:
		return typeSchema(Info{Kind: KindSecret})
	case info.Children == nil:
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	}
	return schemaOfFields(info.Children)
}

func anyOf(schemas ...any) map[string]any { return map[string]any{"anyOf": schemas} }

// anyCase is a pattern for the words without regard to case: patterns in JSON
// Schema have no flags.
func anyCase(words []string) string {
	var b strings.Builder
	b.WriteString("^(")
	for i, w := range words {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, r := range w {
			if lower, upper := unicode.ToLower(r), unicode.ToUpper(r); lower != upper {
				b.WriteString("[" + string(lower) + string(upper) + "]")
			} else {
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
	}
	b.WriteString(")$")
	return b.String()
}

func textual(pattern string) map[string]any {
	return map[string]any{"type": "string", "pattern": pattern + "|" + holdsReference}
}

func bounded(info Info, kind string) map[string]any {
	s := map[string]any{"type": kind}
	switch {
	case info.Min != nil:
		s["minimum"], s["maximum"] = *info.Min, *info.Max
	case info.Kind == KindDuration || info.Kind == KindSize:
		s["minimum"] = 0
	}
	return s
}

// jsonValue is a default or an example as a user would write it.
func jsonValue(v any) any {
	switch v := v.(type) {
	case time.Duration:
		return formatDuration(v)
	case url.URL:
		return v.String()
	}
	return v
}
