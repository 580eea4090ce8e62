package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/secret"
)

// answerLimit bounds what a client reads of one JSON answer, in bytes.
const answerLimit = 64 << 20

// Client talks to the admin API. It is safe for concurrent use. Calls are
// bounded by their context alone.
type Client struct {
	BaseURL string        // "http://127.0.0.1:8001"
	Token   secret.String // zero on loopback
	HTTP    *http.Client  // must not follow redirects to other hosts with the token; see NewHTTPClient
}

// NewHTTPClient makes the HTTP client for Client.HTTP: it follows no redirect
// and no proxy of the environment, so that a token goes where it was meant to.
// CloseIdleConnections ends its connections.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{ResponseHeaderTimeout: time.Minute, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// APIError is a refusal by the admin API.
type APIError struct {
	Status int
	Code   string // stable slug; "" where the answer was no problem document
	Detail string
}

// Error is the status, the detail and the code.
func (e *APIError) Error() string {
	s := "admin api: " + strconv.Itoa(e.Status)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	return s
}

// Version asks which build runs.
func (c *Client) Version(ctx context.Context) (Version, error) {
	return get[Version](ctx, c, "/api/v1/version", nil)
}

// Health asks whether the daemon is ready. An unready daemon is no error.
func (c *Client) Health(ctx context.Context) (Health, error) {
	h, err := get[Health](ctx, c, "/healthz", nil)
	if e := (*APIError)(nil); errors.As(err, &e) && e.Status == http.StatusServiceUnavailable {
		return Health{Status: "unready", Reason: e.Detail}, nil
	}
	return h, err
}

// Stats reads the counters.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	return get[Stats](ctx, c, "/api/v1/stats", nil)
}

// Hooks lists the configured hooks.
func (c *Client) Hooks(ctx context.Context) ([]Hook, error) {
	h, err := get[Hooks](ctx, c, "/api/v1/hooks", nil)
	return h.Hooks, err
}

// Lanes lists the lanes that are configured or hold anything.
func (c *Client) Lanes(ctx context.Context) ([]Lane, error) {
	l, err := get[Lanes](ctx, c, "/api/v1/lanes", nil)
	return l.Lanes, err
}

// PauseLane stops new attempts of a lane until ResumeLane. Attempts under way
// go on.
func (c *Client) PauseLane(ctx context.Context, lane string) (Lane, error) {
	return post[Lane](ctx, c, lanePath(lane, "pause"), struct{}{})
}

// ResumeLane ends a pause.
func (c *Client) ResumeLane(ctx context.Context, lane string) (Lane, error) {
	return post[Lane](ctx, c, lanePath(lane, "resume"), struct{}{})
}

// Events lists events, newest first. A limit of 0 is 50; the most is 1000.
func (c *Client) Events(ctx context.Context, f Filter, cursor string, limit int) (EventPage, error) {
	return get[EventPage](ctx, c, "/api/v1/events", f.values(cursor, limit))
}

// Event reads one event whole.
func (c *Client) Event(ctx context.Context, id event.ID) (EventDetail, error) {
	return get[EventDetail](ctx, c, "/api/v1/events/"+id.String(), nil)
}

// EventBody reads the body of an event, byte for byte.
func (c *Client) EventBody(ctx context.Context, id event.ID) ([]byte, error) {
	res, err := c.do(ctx, http.MethodGet, "/api/v1/events/"+id.String()+"/body", nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return io.ReadAll(res.Body)
}

// ReplayEvent makes the deliveries of an event due again; an empty lane is all
// lanes that it had at first.
func (c *Client) ReplayEvent(ctx context.Context, id event.ID, lane string) (Replayed, error) {
	return post[Replayed](ctx, c, "/api/v1/events/"+id.String()+"/replay", LaneRequest{Lane: lane})
}

// Replay makes the deliveries that match due again, or counts them.
func (c *Client) Replay(ctx context.Context, q ReplayRequest) (Replayed, error) {
	return post[Replayed](ctx, c, "/api/v1/replay", q)
}

// Dead lists events with dead letters, and of their deliveries the dead ones.
func (c *Client) Dead(ctx context.Context, f Filter, cursor string, limit int) (EventPage, error) {
	return get[EventPage](ctx, c, "/api/v1/dead", f.values(cursor, limit))
}

// DeadReplay revives the dead letters of one event; an empty lane is all.
func (c *Client) DeadReplay(ctx context.Context, id event.ID, lane string) (Replayed, error) {
	return post[Replayed](ctx, c, "/api/v1/dead/"+id.String()+"/replay", LaneRequest{Lane: lane})
}

// DeadReplayAll revives the dead letters that match, or counts them.
func (c *Client) DeadReplayAll(ctx context.Context, q ReplayRequest) (Replayed, error) {
	return post[Replayed](ctx, c, "/api/v1/dead/replay", q)
}

// DeadPurge removes the dead letters that match, or counts them.
func (c *Client) DeadPurge(ctx context.Context, q PurgeRequest) (Purged, error) {
	return post[Purged](ctx, c, "/api/v1/dead/purge", q)
}

// Config reads the configuration in force, redacted.
func (c *Client) Config(ctx context.Context) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "/api/v1/config", nil)
}

// Reload reads the files again. Files with errors are no error of the call:
// look at the result.
func (c *Client) Reload(ctx context.Context, q ReloadRequest) (ReloadResult, error) {
	return post[ReloadResult](ctx, c, "/api/v1/reload", q)
}

func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	return call[T](ctx, c, http.MethodGet, path, q, nil)
}

func post[T any](ctx context.Context, c *Client, path string, body any) (T, error) {
	b, err := json.Marshal(body)
	if err != nil {
		var zero T
		return zero, fmt.Errorf("admin api: %w", err)
	}
	return call[T](ctx, c, http.MethodPost, path, nil, b)
}

func call[T any](ctx context.Context, c *Client, method, path string, q url.Values, body []byte) (T, error) {
	var into T
	res, err := c.do(ctx, method, path, q, body)
	if err != nil {
		return into, err
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(res.Body, answerLimit)).Decode(&into); err != nil {
		return into, fmt.Errorf("admin api: read the answer of %s: %w", path, err)
	}
	return into, nil
}

// do sends a request and turns every status that is not a 2xx into an APIError.
// The one exception is the answer to a reload of files with errors.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, body []byte) (*http.Response, error) {
	u := strings.TrimRight(c.BaseURL, "/") + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("admin api: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !c.Token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.Token.Reveal())
	}
	hc := c.HTTP
	if hc == nil {
		hc = NewHTTPClient()
		req.Close = true // nobody could close the idle connection
	}
	res, err := hc.Do(req)
	if err != nil {
		return nil, fmt.Errorf("admin api: %w", err)
	}
	if res.StatusCode/100 == 2 || res.StatusCode == http.StatusUnprocessableEntity && path == "/api/v1/reload" {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	return nil, readError(res)
}

func readError(res *http.Response) error {
	e := &APIError{Status: res.StatusCode}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var p struct{ Code, Detail, Reason string }
	if json.Unmarshal(b, &p) == nil {
		e.Code, e.Detail = p.Code, p.Detail
		if e.Detail == "" {
			e.Detail = p.Reason
		}
	}
	if e.Detail == "" {
		e.Detail = strings.ToLower(http.StatusText(res.StatusCode))
	}
	return e
}

func lanePath(lane, verb string) string {
	hook, dest, _ := strings.Cut(lane, "/")
	return "/api/v1/lanes/" + url.PathEscape(hook) + "/" + url.PathEscape(dest) + "/" + verb
}

func (f Filter) values(cursor string, limit int) url.Values {
	q := url.Values{}
	set := func(name, v string) {
		if v != "" {
			q.Set(name, v)
		}
	}
	set("hook", f.Hook)
	set("lane", f.Lane)
	set("status", f.Status)
	set("type", f.Type)
	if !f.Since.IsZero() {
		q.Set("since", f.Since.Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		q.Set("until", f.Until.Format(time.RFC3339Nano))
	}
	set("cursor", cursor)
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return q
}
