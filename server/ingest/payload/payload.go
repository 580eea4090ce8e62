// Package payload checks bodies: whether they are what the hook takes, are well
// formed, keep the limits and obey the hook's JSON Schema. The body itself is
// never changed.
package payload

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/server/ingest"
)

// Limits of one body, next to its size.
const (
	MaxDepth  = 50      // JSON: arrays and objects inside one another
	MaxString = 1 << 20 // JSON: characters of a string or key; form: bytes of a name or value
	MaxFields = 10_000  // form: fields of a urlencoded body
	MaxParts  = 1_000   // form: parts of a multipart body
)

// Options say what a hook takes.
type Options struct {
	Type   string  // "json", "form" or "blob"; "" is "json"
	Schema *Schema // nil is none; not with "blob"
	// SchemaStatus answers a body that breaks the schema; 0 is 422. The
	// original service's clients may expect 400.
	SchemaStatus int
	// Depth and String bound a JSON body; 0 is MaxDepth and MaxString.
	Depth, String int
}

func (o *Options) limits() limits {
	return limits{cmp.Or(o.Depth, MaxDepth), cmp.Or(o.String, MaxString)}
}

// Check tells what is wrong with a body as an *ingest.Refusal, or nil. It is
// safe for concurrent use and keeps nothing of body.
type Check = func(ctx context.Context, contentType string, body []byte) error

// New makes the check for a hook. It returns nil for a hook that takes
// anything.
func New(o Options) (Check, error) {
	if o.SchemaStatus == 0 {
		o.SchemaStatus = http.StatusUnprocessableEntity
	}
	switch o.Type {
	case "json", "":
		return o.checkJSON, nil
	case "form":
		return o.checkForm, nil
	case "blob":
		if o.Schema != nil {
			return nil, fmt.Errorf("json_schema needs data_type json or form, not %q", o.Type)
		}
		return nil, nil
	}
	return nil, fmt.Errorf("data_type %q is not one of json, form, blob", o.Type)
}

func (o *Options) checkSchema(doc any) error {
	if o.Schema == nil {
		return nil
	}
	broken := o.Schema.Validate(doc)
	if len(broken) == 0 {
		return nil
	}
	return &ingest.Refusal{
		Status: o.SchemaStatus, Code: "schema_violated",
		Public: "Payload does not match the JSON Schema", Violations: broken,
	}
}

func bad(code, public string) *ingest.Refusal {
	return &ingest.Refusal{Status: http.StatusBadRequest, Code: code, Public: public}
}
