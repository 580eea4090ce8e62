package payload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookd/hookd/server/ingest"
)

const (
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data"
)

var (
	badForm    = bad("malformed_form", "Malformed form payload")
	manyFields = bad("too_many_fields", "The form has too many fields")
	longField  = bad("string_too_long", "A form field is too long")

	notForm = &ingest.Refusal{
		Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
		Public: "This hook takes " + formType + " or " + multipartType,
	}
)

// checkForm checks a body that should be a form. Without a Content-Type it is
// taken for a urlencoded one. For a schema the fields are an object of
// strings, a name that comes more than once an array of them; uploaded files
// are left out.
func (o *Options) checkForm(_ context.Context, contentType string, body []byte) error {
	media, params := formType, map[string]string(nil)
	if contentType != "" {
		var err error
		if media, params, err = mime.ParseMediaType(contentType); err != nil {
			return notForm
		}
	}
	fields := map[string]any{}
	var err error
	switch {
	case media == formType:
		err = readURLEncoded(body, fields)
	case media == multipartType && params["boundary"] != "":
		err = readMultipart(body, params["boundary"], fields)
	default:
		err = notForm
	}
	if err != nil {
		return err
	}
	return o.checkSchema(fields)
}

func readURLEncoded(body []byte, fields map[string]any) error {
	n := 0
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		if n++; n > MaxFields {
			return manyFields
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err != nil {
			return badForm
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return badForm
		}
		if len(name) > MaxString || len(value) > MaxString {
			return longField
		}
		add(fields, name, value)
	}
	return nil
}

// readMultipart walks all parts (RFC 7578). The size of the whole is bounded
// already; the parts' headers are bounded by package multipart.
func readMultipart(body []byte, boundary string, fields map[string]any) error {
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 0; ; n++ {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			if n == 0 && !bytes.Contains(body, []byte("--"+boundary+"--")) {
				return badForm
			}
			return nil
		}
		if err != nil || p.FormName() == "" {
			return badForm
		}
		if n == MaxParts {
			return manyFields
		}
		if p.FileName() != "" {
			if _, err := io.Copy(io.Discard, p); err != nil {
				return badForm
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(p, MaxString+1))
		switch {
		case err != nil:
			return badForm
		case len(value) > MaxString:
			return longField
		}
		add(fields, p.FormName(), string(value))
	}
}

func add(fields map[string]any, name, value string) {
	switch old := fields[name].(type) {
	case nil:
		fields[name] = value
	case []any:
		fields[name] = append(old, value)
	default:
		fields[name] = []any{old, value}
	}
}
