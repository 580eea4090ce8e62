package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hookd/hookd/internal/event"
)

var placeholders = []string{"{uuid}", "{event}", "{hook}", "{type}"}

const (
	// maxText is the length in bytes of MQTT's strings: topics, names. The
	// library cuts a longer one off.
	maxText = 65535
	// maxPart is how much of a sender's text goes into a topic, in bytes.
	maxPart = 64
)

// pattern is the topic before the placeholders are filled in.
func (o *Options) pattern() string {
	topic := strings.TrimSpace(o.Topic)
	if o.tasmota() {
		device, command := strings.TrimSpace(o.DeviceName), strings.TrimSpace(o.Command)
		switch o.TasmotaType {
		case "cmnd":
			topic = "cmnd/" + device + "/" + command
		case "stat":
			topic = "stat/" + device + "/status"
		default:
			topic = "tele/" + device + "/telemetry"
		}
	}
	if prefix := strings.TrimRight(strings.TrimSpace(o.Prefix), "/"); prefix != "" {
		topic = prefix + "/" + strings.TrimPrefix(topic, "/")
	}
	return topic
}

// topic fills the placeholders in.
func (d *destination) topic(x *event.Delivery) string {
	return strings.NewReplacer(
		"{uuid}", x.ID.String(),
		"{event}", x.Event.ID.String(),
		"{hook}", part(x.Event.Hook),
		"{type}", part(x.Event.Type),
	).Replace(d.pattern)
}

// part makes a sender's text harmless in a topic: one level, without wildcards.
func part(s string) string {
	b := []byte(s[:min(len(s), maxPart)])
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "none"
	}
	return string(b)
}

// checkTopic refuses what no broker takes in a published topic, and what the
// original service refused: empty levels and double hyphens, which are slips.
func checkTopic(pattern string) error {
	text, longest := pattern, pattern
	for _, p := range placeholders {
		text = strings.ReplaceAll(text, p, "x")
		longest = strings.ReplaceAll(longest, p, strings.Repeat("x", maxPart))
	}
	switch {
	case strings.Trim(text, "/") == "":
		return errors.New("is empty")
	case len(longest) > maxText:
		return fmt.Errorf("can get longer than %d bytes", maxText)
	case strings.ContainsAny(text, "+#"):
		return errors.New("holds a wildcard (+ or #), which only a subscription may")
	case text[0] == '$':
		return errors.New("begins with $, which is the broker's own")
	case strings.Contains(text, "//"):
		return errors.New("has an empty level (//)")
	case strings.Contains(text, "--"):
		return errors.New("has a double hyphen (--)")
	case strings.ContainsAny(text, "{}"):
		return errors.New("has a brace that belongs to no placeholder: " + strings.Join(placeholders, ", "))
	}
	return checkText(text)
}

// checkText refuses what MQTT 3.1.1 (section 1.5.3) forbids in a string or lets
// a broker close the connection over.
func checkText(s string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("is longer than %d bytes", maxText)
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r) }):
		return errors.New("holds a control character")
	}
	return nil
}
