package deliver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

// form cleans an urlencoded or multipart body; one of another type is left.
func (c *Cleanup) form(body []byte, contentType string) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return body, nil //nolint:nilerr // accepted as a form, but none that has fields
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		return c.urlencoded(body), nil
	case "multipart/form-data":
		return c.multipart(body, params["boundary"])
	default:
		return body, nil
	}
}

// urlencoded keeps the text and order of all other pairs.
func (c *Cleanup) urlencoded(body []byte) []byte {
	pairs, kept := strings.Split(string(body), "&"), []string(nil)
	changed := false
	for _, p := range pairs {
		key, _, _ := strings.Cut(p, "=")
		name, err := url.QueryUnescape(key)
		if err != nil {
			name = key
		}
		if !c.secretName(name) {
			kept = append(kept, p)
			continue
		}
		changed = true
		if !c.remove {
			kept = append(kept, key+"="+url.QueryEscape(Mask))
		}
	}
	if !changed {
		return body
	}
	return []byte(strings.Join(kept, "&"))
}

func (c *Cleanup) multipart(body []byte, boundary string) ([]byte, error) {
	var (
		in      = multipart.NewReader(bytes.NewReader(body), boundary)
		out     bytes.Buffer
		w       = multipart.NewWriter(&out)
		changed bool
	)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, fmt.Errorf("clean up credentials: %w", err)
	}
	for {
		p, err := in.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("clean up credentials: %w", err)
		}
		var content io.Reader = p
		if p.FileName() == "" && c.secretName(p.FormName()) {
			changed = true
			if c.remove {
				continue
			}
			content = strings.NewReader(Mask)
		}
		part, err := w.CreatePart(p.Header)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err != nil {
			return nil, fmt.Errorf("clean up credentials: %w", err)
		}
	}
	if err := w.Close(); err != nil || !changed {
		return body, err
	}
	return out.Bytes(), nil
}
