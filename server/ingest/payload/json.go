package payload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/hookd/hookd/server/ingest"
)

var badNumber = bad("number_out_of_range", "A JSON number is too long or too large")

// checkJSON checks a body that should be JSON. Its Content-Type does not
// matter, as it did not to the original service (`curl -d` says that it sends a
// form), save for the charset parameter, and that a body which is no JSON and
// does not claim to be is answered with 415.
func (o *Options) checkJSON(_ context.Context, contentType string, body []byte) error {
	text, err := body, error(nil)
	charset := charsetOf(contentType)
	if charset != nil {
		text, err = charset(body)
	}
	if err == nil {
		err = checkJSON(text, o.limits())
	}
	if err != nil && charset != nil && checkJSON(body, o.limits()) == nil {
		text, err = body, nil // the label is wrong, the body is UTF-8
	}
	if err != nil {
		if errors.Is(err, malformed) && foreign(contentType) {
			return &ingest.Refusal{
				Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
				Public: "This hook takes JSON",
			}
		}
		return err
	}
	if o.Schema == nil {
		return nil
	}
	doc, err := parse(text)
	if err != nil {
		return err
	}
	return o.checkSchema(doc)
}

// foreign reports a media type that is not JSON, nor one that people use for
// it out of habit.
func foreign(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	switch {
	case t == "", strings.HasPrefix(t, "text/plain"), strings.HasSuffix(t, "json"):
		return false
	case t == formType, t == "application/octet-stream":
		return false // what curl and many libraries say by default
	}
	return true
}

// maxNumber bounds the digits of a number that is compared with a schema: the
// work grows with their square.
const maxNumber = 1024

// parse builds the tree of a text that CheckJSON let pass.
func parse(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, malformed
	}
	if err := tame(&doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// tame makes numbers with an exponent float64, since 1e999999999 as an exact
// number would take gigabytes.
func tame(v *any) error {
	switch x := (*v).(type) {
	case json.Number:
		if len(x) > maxNumber {
			return badNumber
		}
		if !strings.ContainsAny(string(x), "eE") {
			return nil
		}
		f, err := x.Float64()
		if err != nil {
			return badNumber
		}
		*v = f
	case []any:
		for i := range x {
			if err := tame(&x[i]); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, e := range x {
			switch e.(type) {
			case json.Number, []any, map[string]any:
				if err := tame(&e); err != nil {
					return err
				}
				x[k] = e
			}
		}
	}
	return nil
}
