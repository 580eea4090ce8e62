package deliver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"

	"github.com/hookd/hookd/internal/jq"
)

// input reads a body as "." of filters and transforms: the JSON value; an
// object of a form's fields, a repeated one as an array, a file as its name;
// the text of a blob.
func input(kind DataType, contentType string, body []byte) (any, error) {
	switch kind {
	case Blob:
		return string(body), nil
	case Form:
		fields, err := formFields(contentType, body)
		if err != nil {
			return nil, fmt.Errorf("body is not a form: %w", err)
		}
		return fields, nil
	default:
		return jq.Decode(body)
	}
}

func formFields(contentType string, body []byte) (map[string]any, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any)
	add := func(name, value string) {
		switch old := out[name].(type) {
		case nil:
			out[name] = value
		case string:
			out[name] = []any{old, value}
		case []any:
			out[name] = append(old, value)
		}
	}
	if kind != "multipart/form-data" {
		values, err := url.ParseQuery(string(body))
		for name, vs := range values {
			for _, v := range vs {
				add(name, v)
			}
		}
		return out, err
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if p.FileName() != "" {
			add(p.FormName(), p.FileName())
			continue
		}
		v, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		add(p.FormName(), string(v))
	}
}
