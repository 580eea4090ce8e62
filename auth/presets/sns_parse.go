package presets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/auth"
)

// errNoSNS is returned for a body that carries no signature at all.
var errNoSNS = errors.New("not a signed message of SNS; is raw message delivery on?")

// parseSNS reads a message. What another parser could take for a signed member
// is refused: one that comes twice, or in other letters than AWS's.
func parseSNS(body []byte) (*snsMessage, error) {
	if !utf8.Valid(body) {
		return nil, errNoSNS
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoSNS
	}
	m := &snsMessage{}
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errNoSNS
		}
		name, _ := t.(string) //nolint:errcheck // keys are strings
		if err := m.member(d, name, seen); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, errNoSNS
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the message")
	}
	if m.Signature == "" || m.SigningCertURL == "" {
		return nil, errNoSNS
	}
	return m, m.sound()
}

func (m *snsMessage) member(d *json.Decoder, name string, seen map[string]bool) error {
	to := m.field(name)
	if to == nil {
		if slices.ContainsFunc(snsNames, func(n string) bool { return strings.EqualFold(n, name) }) {
			return fmt.Errorf("a member is called %q", name)
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return errNoSNS
		}
		return nil
	}
	if seen[name] {
		return fmt.Errorf("%s comes twice", name)
	}
	seen[name] = true
	var v any
	if err := d.Decode(&v); err != nil {
		return errNoSNS
	}
	text, ok := v.(string)
	if !ok && (v != nil || name != "Subject") {
		return fmt.Errorf("%s is not a string", name)
	}
	if *to = text; name == "Subject" {
		m.subject = ok
	}
	return nil
}

// sound checks the form. No value but the message's own text may have more than
// one line: the signed text has a line for each, so that otherwise one part of
// it could be passed off for another.
func (m *snsMessage) sound() error {
	keys, known := snsKeys[m.Type]
	if !known {
		return errors.New("the type of the message is not known")
	}
	for _, k := range keys {
		v := *m.field(k)
		if v == "" && k != "Subject" && k != "Message" {
			return fmt.Errorf("there is no %s", k)
		}
		if k != "Message" && (auth.HasControl(v) || len(v) > auth.MaxCredential) {
			return fmt.Errorf("%s is too long or holds control characters", k)
		}
	}
	if m.SignatureVersion != "1" && m.SignatureVersion != "2" {
		return errors.New("the version of the signature is neither 1 nor 2")
	}
	var err error
	if m.at, err = time.Parse(time.RFC3339, m.Timestamp); err != nil {
		return errors.New("the timestamp is not in RFC 3339")
	}
	if len(m.Signature) > auth.MaxCredential {
		return errors.New("the signature is too long")
	}
	if m.signature, err = base64.StdEncoding.Strict().DecodeString(m.Signature); err != nil || strings.ContainsAny(m.Signature, "\r\n") {
		return errors.New("the signature is not base64")
	}
	return nil
}
