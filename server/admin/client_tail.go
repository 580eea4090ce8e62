package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// maxLine bounds one line of a tail, in bytes.
const maxLine = 256 << 10

// Tail follows what happens until ctx ends, the caller stops, or the connection
// breaks: then the last pair has the error. It does not reconnect; a caller that
// does passes the last Cursor as TailFilter.After.
func (c *Client) Tail(ctx context.Context, f TailFilter) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		res, err := c.do(ctx, http.MethodGet, "/api/v1/tail", f.values(), nil)
		if err != nil {
			yield(Fact{}, err)
			return
		}
		defer func() { _ = res.Body.Close() }()
		err = readFacts(res.Body, func(fact Fact) bool { return yield(fact, nil) })
		if err != nil && !errors.Is(err, errStopped) && ctx.Err() == nil {
			yield(Fact{}, err)
		}
	}
}

var errStopped = errors.New("stopped")

// readFacts reads server-sent events (HTML Living Standard, section 9.2.6) as
// far as this API uses them: data lines, ended by an empty line. Comments are
// heartbeats.
func readFacts(r io.Reader, take func(Fact) bool) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 4096), maxLine)
	var data strings.Builder
	for sc.Scan() {
		line := sc.Text()
		if v, ok := strings.CutPrefix(line, "data:"); ok {
			if data.Len()+len(v) > maxLine {
				return fmt.Errorf("admin api: tail: %w", bufio.ErrTooLong)
			}
			data.WriteString(strings.TrimPrefix(v, " "))
			continue
		}
		if line != "" || data.Len() == 0 {
			continue
		}
		var f Fact
		if err := json.Unmarshal([]byte(data.String()), &f); err != nil {
			return fmt.Errorf("admin api: tail: %w", err)
		}
		data.Reset()
		if !take(f) {
			return errStopped
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("admin api: tail: %w", err)
	}
	return fmt.Errorf("admin api: tail: %w", io.ErrUnexpectedEOF)
}

func (f TailFilter) values() url.Values {
	q := url.Values{}
	for name, v := range map[string]string{"hook": f.Hook, "lane": f.Lane, "type": f.Type, "kind": f.Kind, "after": f.After} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q
}
