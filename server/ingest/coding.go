package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// decodeBody undoes the content coding (RFC 9110 section 8.4), under the limit
// of the body. From here on the decoded bytes are the body: they are checked,
// stored and delivered, and Content-Encoding is dropped. One coding is
// understood; a list of several is refused.
func (c *call) decodeBody() error {
	values := c.req.Header["Content-Encoding"]
	if len(values) == 0 {
		return nil
	}
	coding := strings.ToLower(strings.TrimSpace(strings.Join(values, ",")))
	if coding == "" || coding == "identity" {
		return nil
	}
	r, err := open(coding, c.raw)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if err := c.inflate(r); err != nil {
		return err
	}
	delete(c.req.Header, "Content-Encoding")
	c.decoded = true
	return nil
}

func open(coding string, raw []byte) (io.ReadCloser, error) {
	switch coding {
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, badCoding(err)
		}
		return r, nil
	case "deflate":
		// RFC 9110 section 8.4.1.2: zlib, but some send the bare stream.
		b := bufio.NewReader(bytes.NewReader(raw))
		if head, err := b.Peek(2); err == nil && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
			r, err := zlib.NewReader(b)
			if err != nil {
				return nil, badCoding(err)
			}
			return r, nil
		}
		return flate.NewReader(b), nil
	}
	return nil, unknownCoding
}

func (c *call) inflate(r io.Reader) error {
	limit := c.maxBody()
	n := min(4*int64(len(c.raw))+512, limit+1)
	out := make([]byte, 0, n)
	if err := c.reserve(n); err != nil {
		return err
	}
	for {
		if len(out) == cap(out) {
			n := min(2*int64(cap(out)), limit+1)
			if err := c.reserve(n - int64(cap(out))); err != nil {
				return err
			}
			out = append(make([]byte, 0, n), out...)
		}
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if int64(len(out)) > limit {
			return tooLarge
		}
		if errors.Is(err, io.EOF) {
			c.body = out
			return nil
		}
		if err != nil {
			return badCoding(err)
		}
	}
}

func badCoding(err error) error {
	return &Refusal{
		Status: http.StatusBadRequest, Code: "malformed_encoding",
		Public: "Request body does not match its Content-Encoding", Err: err,
	}
}

var unknownCoding = &Refusal{
	Status: http.StatusUnsupportedMediaType, Code: "unsupported_encoding",
	Public: "Content-Encoding is none of gzip, deflate, identity",
}
