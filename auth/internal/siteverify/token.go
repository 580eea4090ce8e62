package siteverify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
)

// maxParts bounds a multipart form, as the check of the payload does.
const maxParts = 1000

var errEncoded = errors.New("the body is compressed, so that no token can be found in it: send the token in a header")

// token returns the token of a request; the code is empty when there is one.
func (v *Verifier) token(r *auth.Request) (token, code string, err error) {
	if v.o.Source == FromBody {
		token, code, err = v.fromBody(r)
	} else {
		token, code = auth.OneHeader(r.Header, v.names[0])
	}
	switch {
	case code != "":
		return "", code, err
	case len(token) > v.service.MaxToken:
		return "", auth.CodeTooLong, nil
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		return "", auth.CodeMalformed, nil // tokens are plain ASCII; the service need not be asked
	}
	return token, "", nil
}

// fromBody looks into a form where the Content-Type says that there is one, and
// else for JSON.
func (v *Verifier) fromBody(r *auth.Request) (token, code string, err error) {
	if c := r.Header.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return "", auth.CodeMalformed, errEncoded
	}
	// A Content-Type that cannot be read is refused where the payload is checked.
	media, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/x-www-form-urlencoded":
		return fromForm(string(r.Body), v.names)
	case "multipart/form-data":
		return fromParts(r.Body, params["boundary"], v.names, v.service.MaxToken)
	}
	return fromJSON(r.Body, v.names)
}

func fromJSON(body []byte, names []string) (token, code string, err error) {
	found, err := members(body, names...)
	switch {
	case errors.Is(err, errDuplicate):
		return "", auth.CodeDoubled, err
	case err != nil:
		return "", auth.CodeMalformed, err
	}
	for _, raw := range found {
		if raw == nil {
			continue
		}
		if err := json.Unmarshal(raw, &token); err != nil {
			return "", auth.CodeMalformed, errors.New("the token is no string")
		}
		if token != "" { // null and "" are as if absent
			return token, "", nil
		}
	}
	return "", auth.CodeMissing, nil
}

func fromForm(body string, names []string) (token, code string, err error) {
	for _, name := range names {
		if token, code = auth.OneParam(body, name); code != auth.CodeMissing {
			return token, code, nil
		}
	}
	return "", auth.CodeMissing, nil
}

// fromParts reads a multipart form (RFC 7578). Files are passed over.
func fromParts(body []byte, boundary string, names []string, limit int) (token, code string, err error) {
	if boundary == "" {
		return "", auth.CodeMalformed, errors.New("the multipart form has no boundary")
	}
	found := make(map[string]string)
	form := multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 0; ; n++ {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n == maxParts {
			return "", auth.CodeMalformed, errors.New("the multipart form is malformed, or has too many parts")
		}
		name := part.FormName()
		if part.FileName() != "" || !slices.Contains(names, name) {
			continue
		}
		if _, twice := found[name]; twice {
			return "", auth.CodeDoubled, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(limit)+1))
		if err != nil {
			return "", auth.CodeMalformed, errors.New("the multipart form breaks off")
		}
		found[name] = string(value)
	}
	for _, name := range names {
		if found[name] != "" {
			return found[name], "", nil
		}
	}
	return "", auth.CodeMissing, nil
}
