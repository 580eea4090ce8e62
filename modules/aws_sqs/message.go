package awssqs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/pattern"
)

// Limits of SQS: developer guide, "Amazon SQS message quotas".
const (
	maxAttributes = 10
	maxName       = 256
	maxBytes      = 1 << 20 // body and attributes, and so has a whole request
	maxGroup      = 128

	// maxConfigured leaves room for hookd's own: six, the encoding, the rest.
	maxConfigured = 2

	encodingName = "hookd-body-encoding"
	restName     = "hookd-headers"
)

// message is an entry of a request and what it counts against the limit.
type message struct {
	entry types.SendMessageBatchRequestEntry
	size  int
}

// message makes what is sent of a delivery.
func (o *Options) message(i int, d *event.Delivery) (message, error) {
	body, encoding := encode(d.Body)
	m := message{entry: types.SendMessageBatchRequestEntry{
		Id:                aws.String(strconv.Itoa(i)),
		MessageBody:       aws.String(body),
		MessageAttributes: o.attributes(d, encoding),
		DelaySeconds:      int32(o.Delay), // #nosec G115 -- 0 to 900
	}}
	group := o.Group
	if o.fifo() {
		m.entry.MessageDeduplicationId = aws.String(d.ID.String())
		if group == "" {
			group = "{hook}"
		}
	}
	if group != "" {
		m.entry.MessageGroupId = aws.String(groupID(pattern.Expand(group, d)))
	}
	m.size = len(body)
	for name, a := range m.entry.MessageAttributes {
		m.size += len(name) + len(*a.DataType) + len(*a.StringValue)
	}
	if m.size > maxBytes {
		hint := ""
		if m.size-len(body) > maxBytes/4 {
			hint = `; "forward_headers": false leaves the sender's headers out`
		}
		return m, modules.Reject(modules.CodeTooLarge,
			fmt.Errorf("aws_sqs: the message has %d bytes with its attributes, more than the %d that SQS takes%s", m.size, maxBytes, hint))
	}
	return m, nil
}

// encode makes a body that SQS takes: it refuses what XML 1.0 cannot hold, and
// an empty one. What stands for none is a line feed, which is base64 for nothing.
func encode(body []byte) (text, encoding string) {
	switch {
	case len(body) == 0:
		return "\n", "base64"
	case textual(string(body)):
		return string(body), ""
	}
	return base64.StdEncoding.EncodeToString(body), "base64"
}

// textual reports what SQS takes as text: the characters of XML 1.0, section
// 2.2, in UTF-8.
func textual(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// carried reports a value that an attribute can have.
func carried(v string) bool { return v != "" && textual(v) }

// own reports a name that only hookd speaks under.
func own(name string) bool { return strings.HasPrefix(name, "hookd-") || name == "traceparent" }

var attributePattern = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func validName(name string) bool {
	low := strings.ToLower(name)
	return len(name) <= maxName && attributePattern.MatchString(name) && !strings.HasPrefix(low, "aws.") && !strings.HasPrefix(low, "amazon.")
}

// attributes are hookd's own, then those of the configuration, then the sender's
// headers, as many as SQS takes. Those that do not fit, or that it would refuse,
// are in one of them, as a JSON object.
func (o *Options) attributes(d *event.Delivery, encoding string) map[string]types.MessageAttributeValue {
	all := make(map[string]string, len(d.Header)+len(d.Event.Header))
	var order []string
	add := func(name, v string) {
		if _, taken := all[name]; !taken {
			order = append(order, name)
			all[name] = v
		}
	}
	if encoding != "" {
		add(encodingName, encoding)
	}
	each(d.Header, add)
	for _, name := range slices.Sorted(maps.Keys(o.Attributes)) {
		add(name, o.Attributes[name])
	}
	if o.Forward {
		each(d.Event.Header, func(name, v string) {
			if !own(name) { // only hookd speaks for itself
				add(name, v)
			}
		})
	}
	fits := func(name string) bool { return validName(name) && carried(all[name]) }
	room := maxAttributes
	if len(all) > maxAttributes || slices.ContainsFunc(order, func(name string) bool { return !fits(name) }) {
		room--
	}
	attributes, rest := make(map[string]types.MessageAttributeValue), make(map[string]string)
	for _, name := range order {
		if v := all[name]; fits(name) && len(attributes) < room {
			attributes[name] = text(v)
		} else {
			rest[name] = v
		}
	}
	if len(rest) > 0 {
		attributes[restName] = text(object(rest))
	}
	return attributes
}

func each(h http.Header, f func(name, v string)) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		f(strings.ToLower(name), strings.Join(h[name], ", "))
	}
}

func text(v string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
}

// object is JSON that SQS takes: two characters are in no XML and need no escape
// in JSON.
func object(m map[string]string) string {
	b, _ := json.Marshal(m) // a map of texts has a form
	return strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`).Replace(string(b))
}

// groupID is a text as SQS takes it for a group; another one is replaced by its
// hash, so that equal ones stay together.
func groupID(s string) string {
	plain := s != "" && len(s) <= maxGroup && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	if plain {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + hex.EncodeToString(sum[:])
}
