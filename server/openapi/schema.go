package openapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// adapt makes the JSON Schema of a hook fit for the document that holds it at
// the pointer at. References within the schema point to its new place, and what
// older drafts wrote differently is written as in 2020-12. The original is not
// changed.
func adapt(schema map[string]any, at string) map[string]any {
	a := adapter{at: at, anchors: map[string]string{}}
	if id, ok := schema["$id"].(string); ok {
		a.id = strings.TrimSuffix(id, "#")
	}
	a.collect(schema, at)
	out := a.schema(schema)
	delete(out, "$id")
	delete(out, "id")
	delete(out, "$schema")
	return out
}

type adapter struct {
	at, id  string
	anchors map[string]string // name → pointer
}

// Keywords whose value is a schema, a list of schemas, or an object of schemas.
// In every other keyword a member called $ref is data.
var (
	ofSchema = []string{
		"additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
		"propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
	}
	ofList = []string{"allOf", "anyOf", "items", "oneOf", "prefixItems"}
	ofMap  = []string{"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)

// collect finds the named anchors.
func (a *adapter) collect(v any, at string) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	m = maps.Clone(m)
	place := a.at + moved(strings.TrimPrefix(at, a.at))
	for _, key := range []string{"$anchor", "$dynamicAnchor"} {
		if name, ok := m[key].(string); ok {
			a.anchors[name] = place
		}
	}
	for _, key := range []string{"$id", "id"} { // drafts up to 7
		if name, ok := m[key].(string); ok && len(name) > 1 && name[0] == '#' {
			a.anchors[name[1:]] = place
		}
	}
	a.each(m, func(child any, path string) any {
		a.collect(child, at+path)
		return child
	})
}

// each calls f for every schema within m and puts what f returns in its place.
// m itself is changed, what it holds is not.
func (a *adapter) each(m map[string]any, f func(v any, path string) any) {
	for _, key := range ofSchema {
		switch m[key].(type) {
		case map[string]any, bool:
			m[key] = f(m[key], "/"+key)
		}
	}
	for _, key := range ofList {
		if list, ok := m[key].([]any); ok {
			list = slices.Clone(list)
			for i := range list {
				list[i] = f(list[i], "/"+key+"/"+strconv.Itoa(i))
			}
			m[key] = list
		}
	}
	for _, key := range ofMap {
		if children, ok := m[key].(map[string]any); ok {
			children = maps.Clone(children)
			for name := range children {
				children[name] = f(children[name], "/"+key+"/"+escapePointer(name))
			}
			m[key] = children
		}
	}
}

func (a *adapter) schema(m map[string]any) map[string]any {
	m = maps.Clone(m)
	a.each(m, func(v any, _ string) any {
		if child, ok := v.(map[string]any); ok {
			return a.schema(child)
		}
		return v
	})
	for _, key := range []string{"$ref", "$dynamicRef", "$recursiveRef"} {
		if ref, ok := m[key].(string); ok {
			delete(m, key)
			m["$ref"] = a.ref(ref)
		}
	}
	for _, key := range []string{"$anchor", "$dynamicAnchor", "$recursiveAnchor"} {
		delete(m, key)
	}
	modernise(m)
	return m
}

// ref points a reference to the new place of the schema. One to another
// document stays as it is.
func (a *adapter) ref(ref string) string {
	if a.id != "" {
		ref = strings.TrimPrefix(ref, a.id)
	}
	switch {
	case ref == "" || ref == "#":
		return a.at
	case strings.HasPrefix(ref, "#/"):
		return a.at + moved(ref[1:])
	case strings.HasPrefix(ref, "#"):
		if at, ok := a.anchors[ref[1:]]; ok {
			return at
		}
	}
	return ref
}

// modernise rewrites what drafts 4 to 2019-09 had otherwise.
func modernise(m map[string]any) {
	for limit, exclusive := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
		if b, ok := m[exclusive].(bool); ok {
			delete(m, exclusive)
			if n, has := m[limit]; b && has {
				m[exclusive] = n
				delete(m, limit)
			}
		}
	}
	if list, ok := m["items"].([]any); ok {
		delete(m, "items")
		m["prefixItems"] = list
		if rest, ok := m["additionalItems"]; ok {
			m["items"] = rest
		}
	}
	if _, ok := m["prefixItems"]; ok {
		delete(m, "additionalItems")
	}
	if id, ok := m["$id"].(string); ok && strings.HasPrefix(id, "#") {
		delete(m, "$id")
	}
	if _, ok := m["id"].(string); ok {
		delete(m, "id") // of draft 4: a keyword here only as $id
	}
}

// moved follows modernise: the schemas of a list of items are prefixItems now.
func moved(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i := 1; i+1 < len(parts); i++ {
		if parts[i] == "items" && parts[i+1] != "" && strings.Trim(parts[i+1], "0123456789") == "" {
			parts[i] = "prefixItems"
		}
	}
	return strings.Join(parts, "/")
}

func escapePointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
