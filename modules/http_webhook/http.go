// Package httpwebhook sends deliveries on to a URL.
package httpwebhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/modules"
)

const doc = `
**What is sent.** The delivered bytes as the body; ` + "`Content-Type`" + `; the delivery headers ` + "`Hookd-Event-Id`, `Hookd-Delivery-Id`, `Hookd-Hook`, `Hookd-Attempt`" + `
and ` + "`traceparent`" + `; with ` + "`forward_headers`" + ` the sender's own, without hop-by-hop headers, Host, Content-Length and credentials; and the configured
` + "`headers`" + `, which win over forwarded ones. The delivery's id is the same on every attempt: drop what you have seen.

**What the answer means.**

| answer | outcome |
|---|---|
| 2xx | delivered |
| 3xx | tried again: redirects are never followed, they could lead anywhere. Write the new URL into the configuration |
| 408, 409, 425, 429, 5xx | tried again, after Retry-After where there is one (at most 24 h) |
| other 4xx, 410 among them | dead letter at once |
| no answer, or not HTTP | tried again |
| address refused by the egress policy | tried again: only the operator can lift it, and nothing is lost meanwhile |

**Signing.** With ` + "`signing.secret`" + ` requests carry ` + "`webhook-id`, `webhook-timestamp` and `webhook-signature`" + ` as of
[Standard Webhooks](https://www.standardwebhooks.com). A ` + "`whsec_`" + ` secret, which the far end knows too, makes a ` + "`v1`" + ` signature (HMAC-SHA256). A
` + "`whsk_`" + ` key makes a ` + "`v1a`" + ` signature (ed25519): the far end gets its public half, ` + "`whpk_`" + ` and base64, with which it can check but not sign. With several
there is one signature each, so that a key can be replaced, or v1a be added to v1, without a request that the far end refuses.
Receivers that know v1 only pass over the others.
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[modules.None, Options, *client]{
		Name:      "http_webhook",
		Title:     "HTTP webhook",
		Summary:   "Sends each event to a URL with POST, PUT or PATCH.",
		Doc:       doc,
		Guarantee: modules.Keyed,
		Open: func(context.Context, modules.Env, *modules.None) (*client, error) {
			return &client{}, nil
		},
		New: newEndpoint,
	})
}

// client stands for all destinations of the module. It knows the transports of
// those with TLS settings of their own; the others share Env.HTTP. It outlives
// destinations, so it holds transports weakly: one that is used no more is
// collected when its last idle connection has timed out.
type client struct {
	mu  sync.Mutex
	own []weak.Pointer[netguard.Transport]
}

func (c *client) add(t *netguard.Transport) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own = slices.DeleteFunc(c.own, func(p weak.Pointer[netguard.Transport]) bool { return p.Value() == nil })
	c.own = append(c.own, weak.Make(t))
}

// Close ends idle connections; the host calls it when no Send runs.
func (c *client) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.own {
		if t := p.Value(); t != nil {
			t.CloseIdleConnections()
		}
	}
	return nil
}

// endpoint is one destination.
type endpoint struct {
	o      *Options
	http   http.RoundTripper
	dial   netguard.Dial
	agent  string
	header fixed
	sign   *signer // nil: not signed
	hide   secret.Texts
}

var (
	_ modules.Destination = (*endpoint)(nil)
	_ modules.Checker     = (*endpoint)(nil)
)

func newEndpoint(env modules.Env, c *client, o *Options) (modules.Destination, error) {
	if err := netguard.CheckURL(&o.URL); err != nil {
		return nil, fmt.Errorf("http_webhook: url: %w", err)
	}
	// The far end learns the program, not the host that it runs on.
	agent, _, _ := strings.Cut(env.Owner, " ")
	e := &endpoint{o: o, http: env.HTTP, dial: env.Dial, agent: agent, header: o.fixedHeaders()}
	var err error
	if e.sign, err = newSigner(o.Signing.Secrets); err != nil {
		return nil, fmt.Errorf("http_webhook: signing.secret: %w", err)
	}
	if o.TLS != (TLS{}) {
		cfg, err := o.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("http_webhook: tls: %w", err)
		}
		t := netguard.NewTransport(env.Dial, netguard.TransportOptions{TLS: cfg})
		c.add(t)
		e.http = t
	}
	e.hide = o.secrets()
	return e, nil
}

func (t TLS) config() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.Insecure} // #nosec G402 -- an option that warns
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// Send makes one request and reads the answer. Requests do not pass through an
// http.Client: it would follow redirects and put the URL, which may hold a
// secret, into its errors.
func (e *endpoint) Send(ctx context.Context, d *event.Delivery) (event.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, e.o.timeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, e.o.method(), "", bytes.NewReader(d.Body))
	if err != nil {
		return event.Receipt{}, modules.Reject(modules.CodeRefused, fmt.Errorf("http_webhook: %w", err))
	}
	u := e.o.URL
	req.URL, req.Host = &u, u.Host
	req.Header = e.o.compose(d, e.header, e.agent)
	e.sign.sign(req.Header, d, time.Now())
	if _, set := req.Header["X-Idempotency-Key"]; !set {
		// A list without a value is not sent. It tells net/http that the request
		// may be sent once more when a kept connection turns out to be closed:
		// the delivery's id makes the repeat harmless.
		req.Header["X-Idempotency-Key"] = []string{}
	}

	resp, err := e.http.RoundTrip(req)
	if err != nil {
		return event.Receipt{}, sendFailure(ctx, e.o.URL.Host, err)
	}
	text := e.excerpt(resp)
	status := strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)
	if text != "" {
		text = ": " + text
	}
	if err := answerFailure(resp, e.o.URL.Host, text, time.Now()); err != nil {
		return event.Receipt{}, err
	}
	return event.Receipt{Status: status + text}, nil
}

// Check connects, with TLS where the URL says so, and sends no request: any
// request could be an event to the far end.
func (e *endpoint) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.o.timeout())
	defer cancel()
	conn, err := e.dial(ctx, "tcp", hostPort(&e.o.URL))
	if err != nil {
		return sendFailure(ctx, e.o.URL.Host, err)
	}
	defer conn.Close()
	if e.o.URL.Scheme != "https" {
		return nil
	}
	cfg, err := e.o.TLS.config()
	if err != nil {
		return err
	}
	if cfg.ServerName == "" {
		cfg.ServerName = e.o.URL.Hostname()
	}
	if err := tls.Client(conn, cfg).HandshakeContext(ctx); err != nil {
		return sendFailure(ctx, e.o.URL.Host, err)
	}
	return nil
}
