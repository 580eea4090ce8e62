package websocket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// hostileTexts are those that break what pastes strings together.
var hostileTexts = map[string]string{
	"quotes":           `'";-- %s \ ` + "`" + ` $(x) {{.}}`,
	"SQL":              `'; DROP TABLE x; --`,
	"NUL":              "a\x00b",
	"envelope":         `x","headers":{"hookd-hook":"forged"},"payload":"y`,
	"lone surrogate":   `{"a":"\ud800"}`,
	"surrogate, bytes": "\xed\xa0\x80",
	"invalid UTF-8":    "{\"a\":\"\xff\"}",
	"two documents":    `{} {}`,
	"line ends":        "{\"a\":1}\r\n",
	"number":           `12345678901234567890.1`,
	"1 MiB":            `{"a":"` + strings.Repeat("0123456789abcdef", 1<<16) + `"}`,
	"empty":            "",
}

// What each becomes, as body and as header, in each format and frame: itself, or
// a rejection with its reason.
func TestHostileStrings(t *testing.T) {
	s := newServer(t, "")
	for name, text := range hostileTexts {
		for _, options := range []string{
			`, "include_headers": true`, `, "include_headers": true, "frame": "text"`, `, "format": "raw"`, `, "format": "raw", "frame": "binary"`, `, "format": "raw", "frame": "text"`,
		} {
			d := s.to(t, options)
			x := delivery(text)
			x.Event.Header.Set("X-Hostile", text)
			s.do("forget")
			_, err := send(t, d, x)
			raw := strings.Contains(options, "raw")
			valid := strings.ToValidUTF8(text, "") == text
			if raw && strings.Contains(options, `"text"`) && !valid {
				moduletest.Want(t, name+options, err, modules.Rejected, "websocket_not_text", "UTF-8")
				continue
			}
			all := s.received()
			if err != nil || len(all) != 1 {
				t.Errorf("%s%s: %v, %d messages", name, options, err, len(all))
				continue
			}
			m := all[0]
			if raw {
				if string(m.Data) != text || m.Text != (valid && !strings.Contains(options, "binary")) {
					t.Errorf("%s%s: %.80q, text %v", name, options, m.Data, m.Text)
				}
				continue
			}
			got := parsed(m)
			header := strings.ToValidUTF8(text, "\uFFFD")
			if string(got.Body) != text || got.Header.Get("X-Hostile") != header || got.Header.Get("Hookd-Hook") != "github" || got.ID != x.ID.String() || !m.Text {
				t.Errorf("%s%s: %.120q", name, options, m.Data)
			}
		}
	}
}

// The original's object: payload, and headers only where they are asked for.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.do("set", "reply", "id")
	x := delivery(`{"b": 1,  "a": [2]}`)
	id := x.ID.String()
	all := `{"payload":{"b": 1,  "a": [2]},"headers":{"content-type":"application/json","hookd-attempt":"1","hookd-delivery-id":"` + id +
		`","hookd-event-id":"` + x.Event.ID.String() + `","hookd-hook":"github","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"%s}%s}`
	sender := `,"x-github-event":"push","x-two":"a, b"`
	for i, c := range []struct{ options, want string }{
		{`, "match_id": true`, `{"payload":{"b": 1,  "a": [2]},"id":"` + id + `"}`},
		{`, "match_id": true, "include_headers": true`, fmt.Sprintf(all, sender, `,"id":"`+id+`"`)},
		{`, "match_id": true, "include_headers": true, "forward_headers": false`, fmt.Sprintf(all, "", `,"id":"`+id+`"`)},
	} {
		if _, err := send(t, s.to(t, `, "wait_for_response": true`+c.options), x); err != nil {
			t.Error(err)
		}
		if got := s.received()[i].Data; string(got) != c.want {
			t.Errorf("%s:\n%s\n%s", c.options, got, c.want)
		}
	}
	s.do("set", "reply", nil)
	for _, c := range []struct{ options, want string }{
		{``, `{"payload":{"b": 1,  "a": [2]}}`},
		{`, "format": "anything"`, `{"b": 1,  "a": [2]}`},
	} {
		if _, err := send(t, s.to(t, c.options), x); err != nil {
			t.Error(err)
		}
		if got := s.received(); string(got[len(got)-1].Data) != c.want {
			t.Errorf("%s:\n%s\n%s", c.options, got[len(got)-1].Data, c.want)
		}
	}
}

// Each close code means what the table in the documentation says.
func TestCloseCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		close int
		kind  modules.FailureKind
		code  string
	}{
		{1000, modules.Retryable, modules.CodeConnectionLost},
		{1001, modules.Retryable, modules.CodeConnectionLost},
		{1002, modules.Retryable, modules.CodeBadAnswer},
		{1003, modules.Rejected, modules.CodeRefused},
		{1007, modules.Rejected, modules.CodeRefused},
		{1008, modules.Retryable, modules.CodeAuthFailed},
		{1009, modules.Rejected, modules.CodeTooLarge},
		{1011, modules.Retryable, modules.CodeUnavailable},
		{1012, modules.Throttled, modules.CodeUnavailable},
		{1013, modules.Throttled, modules.CodeThrottled},
		{3000, modules.Retryable, modules.CodeAuthFailed},
		{3003, modules.Retryable, modules.CodeAuthFailed},
		{4000, modules.Retryable, "websocket_4000"},
		{4400, modules.Rejected, "websocket_4400"},
	} {
		t.Run(strconv.Itoa(c.close), func(t *testing.T) {
			t.Parallel()
			s := newServer(t, "")
			s.do("set", "reply", "id")
			s.do("set", "close", []any{c.close, "why \u202e secret-of-the-headers\n", `"bad"`}) // quoted: an id may hold the letters
			for _, how := range []string{"", `, "match_id": true`} {
				d := s.to(t, `, "wait_for_response": true, "headers": {"X": "secret-of-the-headers", "Y": "secr", "Z": "head"}, "reject_codes": [4400]`+how)
				if how == "" {
					s.do("set", "reply", "ok")
				} else {
					s.do("set", "reply", "id")
				}
				_, err := send(t, d, delivery(`{"bad":1}`))
				moduletest.Want(t, how, err, c.kind, c.code, strconv.Itoa(c.close)+": why")
				if err != nil && strings.ContainsAny(err.Error(), "\u202e\n") || err != nil && strings.Contains(err.Error(), "et-of") {
					t.Errorf("%q", err)
				}
				// The one that is refused does not sink the rest, and is found among them.
				ds := []*event.Delivery{delivery(`{}`), delivery(`{"bad":2}`), delivery(`{}`)}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				rs := d.SendBatch(ctx, ds)
				cancel()
				moduletest.Want(t, "batch"+how, rs[1].Err, c.kind, c.code, strconv.Itoa(c.close))
				if c.kind == modules.Rejected && (rs[0].Err != nil || rs[2].Err != nil) {
					t.Errorf("%s: %v, %v", how, rs[0].Err, rs[2].Err)
				}
			}
		})
	}
}

// So does each answer that opens no connection. None of them is about the
// delivery, so none gives it up.
func TestHandshakeRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	d := s.to(t, ``)
	for _, c := range []struct {
		status int
		header map[string]string
		kind   modules.FailureKind
		code   string
		after  time.Duration
	}{
		{200, nil, modules.Retryable, modules.CodeBadAnswer, 0},
		{302, map[string]string{"Location": "ws://127.0.0.1:1/"}, modules.Retryable, modules.CodeBadAnswer, 0},
		{400, nil, modules.Retryable, modules.CodeBadAnswer, 0},
		{401, nil, modules.Retryable, modules.CodeAuthFailed, 0},
		{403, nil, modules.Retryable, modules.CodeAuthFailed, 0},
		{404, nil, modules.Retryable, modules.CodeNotFound, 0},
		{410, nil, modules.Retryable, modules.CodeNotFound, 0},
		{426, nil, modules.Retryable, modules.CodeBadAnswer, 0},
		{429, map[string]string{"Retry-After": "7"}, modules.Throttled, modules.CodeThrottled, 7 * time.Second},
		{429, nil, modules.Throttled, modules.CodeThrottled, 0},
		{500, nil, modules.Retryable, modules.CodeUnavailable, 0},
		{503, nil, modules.Retryable, modules.CodeUnavailable, 0},
		{503, map[string]string{"Retry-After": "120"}, modules.Throttled, modules.CodeUnavailable, 2 * time.Minute},
	} {
		header := c.header
		if header == nil {
			header = map[string]string{}
		}
		s.do("set", "status", []any{c.status, header})
		_, err := send(t, d, delivery(`{}`))
		moduletest.Want(t, strconv.Itoa(c.status), err, c.kind, c.code, http.StatusText(c.status))
		if f := modules.FailureOf(err); f.After != c.after {
			t.Errorf("%d: after %v, want %v", c.status, f.After, c.after)
		}
		if err := d.(modules.Checker).Check(t.Context()); modules.FailureOf(err).Code != c.code {
			t.Errorf("%d: Check: %v", c.status, err)
		}
	}
	s.do("set", "status", nil)
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// A server that reads and does not answer pings has not confirmed anything.
func TestNoPong(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.do("set", "deaf", true)
	d := s.to(t, `, "timeout": 2`)
	_, err := send(t, d, delivery(`{}`))
	moduletest.Want(t, "deaf", err, modules.Retryable, modules.CodeTimeout, "no answer to the ping")
	moduletest.Want(t, "Check", d.(modules.Checker).Check(t.Context()), modules.Retryable, modules.CodeTimeout, "does not answer pings")
	for _, options := range []string{`, "confirm": false`, `, "wait_for_response": true`} {
		s.do("set", "reply", "ok")
		d := s.to(t, options)
		if _, err := send(t, d, delivery(`{}`)); err != nil {
			t.Error(err)
		}
		if err := d.(modules.Checker).Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A server that speaks unasked is told from one that replies only by the id; what
// it says between deliveries never counts.
func TestReplies(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.do("set", "hello", "welcome")
	s.do("set", "reply", "ok")
	d := s.to(t, `, "wait_for_response": true, "timeout": 2`)
	if status, err := send(t, d, delivery(`{}`)); err != nil {
		t.Error(status, err)
	}
	s.do("set", "hello", nil)
	s.do("drop", 1001)
	for range 3 {
		s.do("say", "unasked")
		if status, err := send(t, d, delivery(`{}`)); err != nil || status != "reply of 2 bytes" && status != "reply of 7 bytes" {
			t.Error(status, err)
		}
	}
	s.do("set", "reply", nil)
	_, err := send(t, d, delivery(`{}`))
	moduletest.Want(t, "silence", err, modules.Retryable, modules.CodeTimeout, "no reply")

	s.do("set", "reply", "no")
	_, err = send(t, s.to(t, `, "wait_for_response": true, "expect_reply": "ok"`), delivery(`{}`))
	moduletest.Want(t, "another reply", err, modules.Retryable, "websocket_reply", "reply of 2 bytes is not the one")

	s.do("set", "reply", "error")
	_, err = send(t, s.to(t, `, "wait_for_response": true, "match_id": true`), delivery(`{}`))
	moduletest.Want(t, "an error", err, modules.Retryable, "websocket_reply", "holds an error")
}

// With ids many are under way over one connection, and the replies may come in
// another order and between other messages.
func TestRepliesByID(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.do("set", "hello", "welcome")
	s.do("set", "chatter", true)
	s.do("set", "reply", "id, not in order")
	d := s.to(t, `, "wait_for_response": true, "match_id": true`)
	ds := make([]*event.Delivery, 50)
	for i := range ds {
		ds[i] = delivery(strconv.Itoa(i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for i, r := range d.SendBatch(ctx, ds) {
		var reply struct{ ID string }
		if b := `{"id": "` + ds[i].ID.String() + `"}`; json.Unmarshal([]byte(b), &reply) != nil || r.Err != nil || r.Receipt.Status != fmt.Sprintf("reply of %d bytes", len(b)) {
			t.Errorf("%d: %v %v", i, r.Receipt, r.Err)
		}
	}
	if n := len(s.opened()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// max_connections bounds them under load, and one delivery after the other uses
// one.
func TestConnections(t *testing.T) {
	t.Parallel()
	for n, options := range map[int]string{1: ``, 3: `, "max_connections": 3`} {
		s := newServer(t, "")
		s.do("set", "reply", "ok")
		d := s.to(t, `, "wait_for_response": true`+options)
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if _, err := send(t, d, delivery(`{}`)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := len(s.opened()); got < 1 || got > n {
			t.Errorf("%d connections, want at most %d", got, n)
		}
	}
}

// A send that waits for a connection that others have returns when its time is
// over.
func TestWaitForConnection(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	d := s.to(t, `, "wait_for_response": true`) // no reply comes
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan struct{})
	go func() {
		defer close(held)
		_, _ = d.Send(ctx, delivery(`{}`))
	}()
	for len(s.received()) == 0 {
		<-time.After(time.Millisecond)
	}
	short, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	_, err := d.Send(short, delivery(`{}`))
	moduletest.Want(t, "the second", err, modules.Retryable, modules.CodeTimeout, "waiting for the connection")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	cancel()
	<-held
}

// A server that takes the connection and never reads holds a delivery up for its
// time, and no longer.
func TestServerThatNeverReads(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := (&gorilla.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		<-over
		_ = c.Close()
	}))
	defer srv.Close()
	defer close(over)
	for _, options := range []string{``, `, "confirm": false`, `, "wait_for_response": true`, `, "wait_for_response": true, "match_id": true`} {
		h := open(t, "", true)
		d := h.destination(t, fmt.Sprintf(`{"url": "ws%s/", "timeout": 1, "ping_interval": "100ms"%s}`, strings.TrimPrefix(srv.URL, "http"), options))
		big := delivery(`"` + strings.Repeat("x", 16<<20) + `"`) // more than the buffers on the way
		for i, r := range d.SendBatch(t.Context(), []*event.Delivery{big, delivery(`{}`)}) {
			if f := modules.FailureOf(r.Err); r.Err == nil || f.Kind != modules.Retryable || f.Code != modules.CodeTimeout && f.Code != modules.CodeConnectionLost {
				t.Errorf("%s, %d: %v", options, i, r.Err)
			}
		}
		if err := h.conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
