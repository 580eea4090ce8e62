package config

import (
	"encoding/json"
	"fmt"

	"github.com/hookd/hookd/internal/spec"
)

// Schema is the JSON Schema (draft 2020-12) of a file, for editors and for
// `hookd schema`. kind is "webhooks" or "connections". The options of a module
// and the keys of a connection are offered once its name or type is written.
func Schema(c Catalog, kind string) (json.RawMessage, error) {
	var s object
	switch kind {
	case "webhooks":
		s = webhooksSchema(c)
	case "connections":
		s = connectionsSchema(c)
	default:
		return nil, fmt.Errorf("there is no schema %q: webhooks or connections", kind)
	}
	s["$schema"] = spec.Dialect
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", kind, err)
	}
	return append(b, '\n'), nil
}

type object = map[string]any

// described is the schema of a description, ready to be changed.
func described(d spec.Described) object {
	var s object
	if json.Unmarshal(spec.JSONSchema(d), &s) != nil || s == nil {
		return object{}
	}
	delete(s, "$schema")
	return s
}

// file is an object of entries with names of the user's choice.
func file(title string, entry object) object {
	return object{
		"title": title, "type": "object",
		"patternProperties":    object{`^(_|\$schema$)`: true},
		"additionalProperties": entry,
	}
}

func webhooksSchema(c Catalog) object {
	e := &entry{proofEntry: proofEntry{names: newNames(c)}}
	hook, set := described(e), described(&proofEntry{names: e.names})
	properties := propertiesOf(hook)
	step := described(&step{})
	defs := object{"step": step, "proofs": set}
	for _, p := range []object{properties, propertiesOf(set)} {
		for _, a := range c.Auth {
			defs["auth."+a.Name] = described(a.Options())
			p[a.Name] = object{"anyOf": []any{object{"$ref": "#/$defs/auth." + a.Name}, object{"type": "null"}}}
		}
		if len(c.Providers) > 0 {
			p["provider"] = object{"anyOf": []any{object{"enum": c.Providers}, object{"type": "string", "pattern": `\{\$`}}}
		}
		for _, key := range []string{"all_of", "any_of"} {
			p[key] = object{"type": "array", "minItems": 1, "maxItems": maxProofSets, "items": object{"$ref": "#/$defs/proofs"}}
		}
	}
	for _, m := range c.Modules {
		options := described(m.Options())
		// What is required may stand elsewhere: in the hook for all steps of a
		// chain, or in one of the older keys beside module-config.
		delete(options, "required")
		delete(options, "allOf")
		defs["options."+m.Name] = options
		for _, s := range []object{hook, stepObject(step)} {
			conditional(s, "module", append([]string{m.Name}, m.Aliases...), object{
				"properties": object{"module-config": object{"$ref": "#/$defs/options." + m.Name}},
			})
		}
	}
	moduleNames := object{"anyOf": []any{object{"enum": e.names.known.modules}, object{"type": "string", "pattern": `\{\$`}}}
	properties["module"] = moduleNames
	properties["chain"] = object{"type": "array", "minItems": 1, "maxItems": maxChain, "items": object{"$ref": "#/$defs/step"}}
	properties["connection"] = object{"type": "string"}
	properties["json_schema"] = object{"type": "object", "minProperties": 1}
	properties["module-config"] = object{"type": "object"}
	stepProperties := propertiesOf(stepObject(step))
	stepProperties["module"] = moduleNames
	stepProperties["connection"] = object{"type": "string"}
	stepProperties["module-config"] = object{"type": "object"}
	hook["anyOf"] = []any{object{"required": []string{"module"}}, object{"required": []string{"chain"}}}
	out := file("hookd: webhooks", object{"$ref": "#/$defs/hook"})
	defs["hook"] = hook
	out["$defs"] = defs
	return out
}

// stepObject is the form of a step that is an object.
func stepObject(step object) object {
	forms, _ := step["anyOf"].([]any)
	for _, f := range forms {
		if o, ok := f.(object); ok && o["properties"] != nil {
			return o
		}
	}
	return step
}

func connectionsSchema(c Catalog) object {
	n := newNames(c)
	entry := object{
		"type": "object", "required": []string{"type"},
		"properties": object{"type": object{"enum": n.known.types, "description": "What is connected to."}},
	}
	defs := object{"connection": entry}
	for _, t := range n.known.types {
		var forms []any
		for _, m := range n.types[t] {
			s := described(m.Connection())
			propertiesOf(s)["type"] = true
			defs["connection."+m.Name] = s
			forms = append(forms, object{"$ref": "#/$defs/connection." + m.Name})
		}
		conditional(entry, "type", []string{t}, object{"anyOf": forms})
	}
	out := file("hookd: connections", object{"$ref": "#/$defs/connection"})
	out["$defs"] = defs
	return out
}

// conditional adds to s what holds when key is one of values.
func conditional(s object, key string, values []string, then object) {
	all, _ := s["allOf"].([]any)
	s["allOf"] = append(all, object{
		"if":   object{"required": []string{key}, "properties": object{key: object{"enum": values}}},
		"then": then,
	})
}

// propertiesOf are the properties of a schema, made where they are missing.
func propertiesOf(s object) object {
	o, ok := s["properties"].(object)
	if !ok {
		o = object{}
		s["properties"] = o
	}
	return o
}
