// Package pattern makes short texts of deliveries: a group, a key, a name. What
// stands in braces is replaced by what the delivery says:
//
//	{hook}         the hook's id
//	{type}         the sender's name for what happened
//	{event}        the event's id
//	{delivery}     the delivery's id
//	{header:NAME}  the sender's header of that name
//	{body.a.b}     the value at a path of object keys in a JSON body
//
// What is not there is replaced by nothing.
package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/event"
)

// Doc lists the placeholders for the description of an option.
const Doc = "`{hook}`, `{type}`, `{event}`, `{delivery}`, `{header:NAME}` and `{body.path}` are replaced by what the delivery says."

// Check says what is wrong with a pattern.
func Check(p string) error { return CheckWith(p) }

// CheckWith is Check for a caller that has more placeholders beside those above.
func CheckWith(p string, more ...string) error {
	_, err := expand(p, func(name string) (string, bool) {
		switch name {
		case "hook", "type", "event", "delivery":
			return "", true
		}
		kind, rest := split(name)
		return "", kind != "" && rest != "" || slices.Contains(more, name)
	})
	if err != nil && len(more) > 0 {
		return fmt.Errorf("%w, and {%s}", err, strings.Join(more, "}, {"))
	}
	return err
}

// Expand is the text for a delivery, of a pattern that passed Check.
func Expand(p string, d *event.Delivery) string {
	return ExpandWith(p, func(name string) string { return Value(name, d) })
}

// ExpandWith is a pattern that passed Check with each placeholder replaced by
// what value says.
func ExpandWith(p string, value func(name string) string) string {
	if !strings.Contains(p, "{") {
		return p
	}
	text, _ := expand(p, func(name string) (string, bool) { return value(name), true })
	return text
}

func expand(p string, value func(name string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(p, "{")
		if strings.Contains(before, "}") {
			return "", fmt.Errorf(`has a "}" without a "{"`)
		}
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf(`has a "{" without a "}"`)
		}
		v, known := value(name)
		if !known {
			return "", fmt.Errorf("has {%s}, which is not known: {hook}, {type}, {event}, {delivery}, {header:NAME} and {body.path} are", name)
		}
		b.WriteString(v)
		p = rest
	}
}

// split finds the placeholders that have a name of the user's choice in them.
func split(name string) (kind, rest string) {
	if h, ok := strings.CutPrefix(name, "header:"); ok {
		return "header", h
	}
	if p, ok := strings.CutPrefix(name, "body."); ok {
		return "body", p
	}
	return "", ""
}

// Value is what a delivery says for a placeholder.
func Value(name string, d *event.Delivery) string {
	switch name {
	case "hook":
		return d.Event.Hook
	case "type":
		return d.Event.Type
	case "event":
		return d.Event.ID.String()
	case "delivery":
		return d.ID.String()
	}
	if kind, rest := split(name); kind == "header" {
		return d.Event.Header.Get(rest)
	} else if kind == "body" {
		return at(d.Body, strings.Split(rest, "."))
	}
	return ""
}

// at is the text, number or boolean at a path; "" for anything else.
func at(body []byte, path []string) string {
	for _, key := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(body, &object) != nil {
			return ""
		}
		body = object[key]
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return ""
	}
	switch body[0] {
	case '"':
		var s string
		if json.Unmarshal(body, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(body)
}
