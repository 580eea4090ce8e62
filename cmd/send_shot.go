package cmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/netguard"
)

// shooter sends test events.
type shooter struct {
	a      *app
	o      *sendOptions
	t      *target
	p      *payload
	client *http.Client
}

func newShooter(a *app, o *sendOptions, t *target, p *payload) *shooter {
	return &shooter{a: a, o: o, t: t, p: p, client: &http.Client{
		Timeout: o.timeout,
		Transport: &netguard.Transport{Transport: &http.Transport{
			MaxIdleConnsPerHost: o.concurrency, MaxIdleConns: o.concurrency, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// shot is the outcome of one request.
type shot struct {
	Status    int     `json:"status"`
	ID        string  `json:"id,omitempty"`
	Duplicate bool    `json:"duplicate,omitempty"`
	Delivery  string  `json:"delivery_id"`
	LatencyMS float64 `json:"latency_ms"`
	Body      string  `json:"body"`

	detail  string
	latency time.Duration
}

func (s shot) ok() bool { return s.Status/100 == 2 }

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// shoot signs and sends one event. The error is one of the way, not of the
// receiver.
func (s *shooter) shoot(ctx context.Context) (shot, error) {
	id, p := cmp.Or(s.o.deliveryID, newDeliveryID()), *s.p
	if s.t.asks() {
		challenges, err := s.ask(ctx, id)
		if err != nil {
			return shot{}, err
		}
		p.challenges = challenges
	}
	var r *auth.Request
	var err error
	if s.o.tamper != "" {
		r, err = s.t.tampered(ctx, s.o.tamper, &p, id, s.a.now())
	} else {
		r, err = s.t.request(ctx, &p, id, s.a.now())
	}
	if err != nil {
		return shot{}, err
	}
	req, err := s.http(ctx, r)
	if err != nil {
		return shot{}, err
	}
	start := time.Now()
	res, err := s.client.Do(req)
	if err != nil {
		return shot{}, s.unreached(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	out := shot{Status: res.StatusCode, Delivery: id, Body: string(body), latency: time.Since(start)}
	out.LatencyMS = float64(out.latency.Microseconds()) / 1000
	if err != nil {
		return out, fmt.Errorf("read the answer: %w", err)
	}
	var answer struct {
		ID, Detail string
		Duplicate  bool
	}
	if json.Unmarshal(body, &answer) == nil {
		out.Duplicate, out.detail = answer.Duplicate, answer.Detail
	}
	out.ID = cmp.Or(res.Header.Get("Hookd-Event-Id"), answer.ID)
	return out, nil
}

// http is r as net/http sends it.
func (s *shooter) http(ctx context.Context, r *auth.Request) (*http.Request, error) {
	u := *s.t.url
	u.RawQuery = r.URL.RawQuery
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header
	req.Host = cmp.Or(r.Header.Get("Host"), r.Host)
	return req, nil
}

// ask sends the request without a proof, for the challenges in the answer.
func (s *shooter) ask(ctx context.Context, id string) ([]string, error) {
	req, err := s.http(ctx, s.t.unsignedRequest(s.p, id, s.a.now()))
	if err != nil {
		return nil, err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, s.unreached(err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // the connection is used again
	challenges := res.Header.Values("WWW-Authenticate")
	if res.StatusCode != http.StatusUnauthorized || len(challenges) == 0 {
		return nil, fmt.Errorf("the receiver did not ask for a proof: %s without a challenge", res.Status)
	}
	return challenges, nil
}

// unreached makes the error of a connection readable, without the URL, which
// may hold a secret.
func (s *shooter) unreached(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("nobody answers at %s: is hookd running? (%w)", s.t.url.Host, op.Err)
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Errorf("%s: %w", s.t.url.Host, err)
		}
		err = inner
	}
}

// single sends one event and shows the answer.
func (s *shooter) single(ctx context.Context) error {
	got, err := s.shoot(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	if s.o.json {
		if err := s.a.io.JSON(got); err != nil {
			return err
		}
	} else {
		s.show(got)
	}
	if !got.ok() {
		return errRefused
	}
	return s.o.believed()
}

func (s *shooter) show(got shot) {
	p := s.a.io.style()
	status, style := fmt.Sprintf("%d %s", got.Status, http.StatusText(got.Status)), p.good
	if !got.ok() {
		style = p.bad
	}
	s.a.io.Printf("%s", style.Render(status))
	if got.ID != "" {
		s.a.io.Printf("  %s", printable(got.ID))
	}
	if got.Duplicate {
		s.a.io.Printf("  duplicate")
	}
	s.a.io.Printf("  %.1f ms\n", got.LatencyMS)
	if !got.ok() && got.Body != "" {
		s.a.io.Errorf("%s\n", printable(cut(cmp.Or(got.detail, got.Body), 500)))
	}
}
