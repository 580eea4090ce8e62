package deliver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Mask stands where a credential was. It is the original service's text.
const Mask = "***REDACTED***"

// Cleanup masks or removes credentials in bodies, by the names of fields. A
// container under such a name is kept and searched; in an array under such a
// name every string and number is a credential.
type Cleanup struct {
	remove bool
	fields map[string]bool
}

// NewCleanup makes a cleanup. fields are added to the built-in names; their
// case does not matter.
func NewCleanup(remove bool, fields []string) *Cleanup {
	c := &Cleanup{remove: remove, fields: make(map[string]bool, len(fields))}
	for _, f := range fields {
		if f = strings.ToLower(strings.TrimSpace(f)); f != "" {
			c.fields[f] = true
		}
	}
	return c
}

// json cleans a JSON document. What is not a credential keeps its text to the
// byte, its order and its duplicates; a document without credentials comes back
// as it is, any other without insignificant white space.
func (c *Cleanup) json(body []byte) ([]byte, error) {
	w := &scrubber{c: c, src: body, dec: json.NewDecoder(bytes.NewReader(body))}
	w.dec.UseNumber()
	if _, err := w.value(false); err != nil {
		return nil, fmt.Errorf("clean up credentials: %w", err)
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("clean up credentials: more follows the JSON document")
	}
	if !w.changed {
		return body, nil
	}
	return w.out.Bytes(), nil
}

type scrubber struct {
	c       *Cleanup
	src     []byte
	dec     *json.Decoder
	out     bytes.Buffer
	changed bool
}

// next reads a token with its text as it stands in the source.
func (w *scrubber) next() (json.Token, []byte, error) {
	from := w.dec.InputOffset()
	tok, err := w.dec.Token()
	if err != nil {
		return nil, nil, err
	}
	return tok, bytes.TrimLeft(w.src[from:w.dec.InputOffset()], " \t\r\n,:"), nil
}

// value copies one value, and tells whether it was kept.
func (w *scrubber) value(secret bool) (kept bool, err error) {
	tok, text, err := w.next()
	if err != nil {
		return false, err
	}
	switch tok {
	case json.Delim('{'):
		return true, w.object()
	case json.Delim('['):
		return true, w.array(secret)
	}
	switch {
	case !secret:
		w.out.Write(text)
	case w.c.remove:
		w.changed = true
		return false, nil
	default:
		w.changed = true
		w.out.WriteString(`"` + Mask + `"`)
	}
	return true, nil
}

func (w *scrubber) object() error {
	w.out.WriteByte('{')
	for first := true; w.dec.More(); {
		key, text, err := w.next()
		if err != nil {
			return err
		}
		before := w.out.Len()
		if !first {
			w.out.WriteByte(',')
		}
		w.out.Write(text)
		w.out.WriteByte(':')
		name, _ := key.(string)
		kept, err := w.value(w.c.secretName(name))
		if err != nil {
			return err
		}
		if !kept {
			w.out.Truncate(before)
			continue
		}
		first = false
	}
	w.out.WriteByte('}')
	_, err := w.dec.Token()
	return err
}

func (w *scrubber) array(secret bool) error {
	w.out.WriteByte('[')
	for first := true; w.dec.More(); {
		before := w.out.Len()
		if !first {
			w.out.WriteByte(',')
		}
		kept, err := w.value(secret)
		if err != nil {
			return err
		}
		if !kept {
			w.out.Truncate(before)
			continue
		}
		first = false
	}
	w.out.WriteByte(']')
	_, err := w.dec.Token()
	return err
}
