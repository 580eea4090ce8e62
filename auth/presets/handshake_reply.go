package presets

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

const jsonType = "application/json"

// reply is a compiled Reply of a handshake.
type reply struct {
	status  int
	kind    string // Content-Type
	body    []part
	headers []replyHeader
}

type replyHeader struct {
	name  string
	value []part
}

// part is a literal, or a value that is read from the request.
type part struct {
	text string
	from *scheme.Source
	mac  func(text string) string // nil: the value itself
}

// parseReply reads the templates. {source} stands for a value of the request or
// of the params, {hmac-hex:source} and {hmac-base64:source} for its HMAC under
// the hook's first secret, {rate} for the requests that the hook takes in a
// minute. A brace that no letter follows stands for itself, so that JSON can be
// written as it is; in JSON, values are escaped and belong into quotes.
func parseReply(d *Step, o Options) (reply, error) {
	out := reply{status: d.Reply.Status, kind: d.Reply.ContentType}
	var err error
	if out.body, err = parseParts(d.Reply.Body, d, o); err != nil {
		return out, err
	}
	for _, h := range d.Reply.Headers {
		parts, err := parseParts(h.Value, d, o)
		if err != nil {
			return out, err
		}
		out.headers = append(out.headers, replyHeader{h.Name, parts})
	}
	return out, nil
}

func parseParts(text string, d *Step, o Options) ([]part, error) {
	var parts []part
	literal := func(s string) {
		if s != "" {
			parts = append(parts, part{text: s})
		}
	}
	for {
		i := atomStart(text)
		if i < 0 {
			literal(text)
			return parts, nil
		}
		name, rest, closed := strings.Cut(text[i+1:], "}")
		if !closed {
			return nil, fmt.Errorf("reply %q: a brace is not closed", text)
		}
		literal(text[:i])
		text = rest
		if name == "rate" {
			literal(rate(o.Rate))
			continue
		}
		p, err := parsePart(name, d, o)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
}

// atomStart is the index of the next brace that a small letter follows.
func atomStart(text string) int {
	for i := range len(text) - 1 {
		if c := text[i+1]; text[i] == '{' && c >= 'a' && c <= 'z' {
			return i
		}
	}
	return -1
}

func rate(perMinute int) string {
	if perMinute <= 0 {
		return "*"
	}
	return strconv.Itoa(perMinute)
}

func parsePart(name string, d *Step, o Options) (part, error) {
	kind, rest, _ := strings.Cut(name, ":")
	encode := map[string]func([]byte) string{"hmac-hex": hex.EncodeToString, "hmac-base64": base64.StdEncoding.EncodeToString}[kind]
	if encode != nil {
		name = rest
	}
	src, err := scheme.ParseSource(name)
	if err != nil {
		return part{}, err
	}
	p := part{from: &src}
	if encode == nil {
		return p, nil
	}
	var key secret.String
	if len(o.Secrets) > 0 {
		key = o.Secrets[0]
	}
	if _, err := scheme.MAC(d.Hash, d.Key, key, ""); err != nil {
		return p, err
	}
	p.mac = func(text string) string {
		sum, err := scheme.MAC(d.Hash, d.Key, key, text)
		if err != nil {
			return "" // not after the check above
		}
		return encode(sum)
	}
	return p, nil
}
