package cmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/event"
	why "github.com/hookd/hookd/server/explain"
	"github.com/hookd/hookd/server/plan"
)

type explainOptions struct {
	server serverOptions
	files  fileOptions
	what   string
	hook   string
	at     string
	from   string
	json   bool
}

func newExplainCmd(a *app, run func(context.Context, *explainOptions) error) *cobra.Command {
	o := &explainOptions{}
	if run == nil {
		run = func(ctx context.Context, o *explainOptions) error { return runExplain(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "explain {ID | FILE | -}", Short: "Say why a request is refused, and what would make it pass",
		Long: `Say why a request is refused: what each proof of the hook says, which bytes the
signature covers, and which of the usual mistakes would explain it: another
secret, a newline lost or added, JSON that was written anew, another encoding or
prefix, another header, the URL behind a proxy, a clock that is wrong.

ID is a request in the quarantine: it stands in the log line of the refusal, in
hookd events tail and in hookd quarantine list. The running hookd is asked.

FILE is a request as it is on the wire (request line, headers, blank line, body;
also as curl -v or tcpdump -A prints it), or what hookd quarantine show --json
printed. It is checked against the configuration files; hookd need not run. The
connection is taken for TLS.

No secret is printed, and no signature that would be right.`,
		Example: `  hookd explain 01936f3c-0000-7000-8000-000000000000
  hookd explain request.http --hook github --at 2026-01-31T12:00:00Z`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			o.what = args[0]
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	o.files.bind(c)
	f := c.Flags()
	f.StringVar(&o.hook, "hook", "", "with FILE: the `hook` that it was sent to (default: that of its path)")
	f.StringVar(&o.at, "at", "", "with FILE: `time` at which it came, or an age such as 2h (default: now)")
	f.StringVar(&o.from, "from", "", "with FILE: `address` that it came from")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runExplain(ctx context.Context, a *app, o *explainOptions) error {
	report, err := a.explained(ctx, o)
	if err != nil {
		return err
	}
	if o.json {
		return a.io.JSON(report)
	}
	a.showReport(report)
	return nil
}

// explained asks the running hookd about an id, and looks into a file itself.
func (a *app) explained(ctx context.Context, o *explainOptions) (why.Report, error) {
	id, err := event.ParseID(o.what)
	if err != nil {
		return a.explainFile(ctx, o)
	}
	if o.hook != "" || o.at != "" || o.from != "" {
		return why.Report{}, usagef("--hook, --at and --from go with a FILE: what is in the quarantine knows them")
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return why.Report{}, err
	}
	defer done()
	r, err := client.Explain(ctx, id)
	if err != nil {
		return r, explain(err, client)
	}
	return r, nil
}

func (a *app) explainFile(ctx context.Context, o *explainOptions) (why.Report, error) {
	in, notes, err := a.requestFile(o)
	if err != nil {
		return why.Report{}, err
	}
	if o.hook != "" {
		in.Hook = o.hook
	}
	if in.Hook == "" {
		return why.Report{}, usagef("the path of the request names no hook: say --hook")
	}
	if o.from != "" {
		addr, err := netip.ParseAddr(o.from)
		if err != nil {
			return why.Report{}, usagef("--from %q is no address", o.from)
		}
		in.Request.Peer, in.Request.Remote = addr, addr
	}
	in.Nowhere = !in.Request.Remote.IsValid()
	s, _, err := a.settings(o.files.source())
	if err != nil {
		return why.Report{}, err
	}
	cfg, problems, sources, err := a.load(ctx, s, false)
	if err != nil {
		return why.Report{}, err
	}
	if problems.HasErrors() {
		a.tell(problems, sources)
		return why.Report{}, errConfig
	}
	if err := chains(cfg, in); err != nil {
		return why.Report{}, err
	}
	r := why.Run(ctx, *in)
	r.Notes = append(notes, r.Notes...)
	return r, nil
}

// requestFile reads the request, with the time at which it came.
func (a *app) requestFile(o *explainOptions) (*why.Input, []string, error) {
	at, err := moment("--at", o.at, a.now())
	if err != nil {
		return nil, nil, err
	}
	from := a.io.In
	if o.what != "-" {
		f, err := os.Open(o.what)
		if err != nil {
			return nil, nil, fmt.Errorf("%s is no id, and no file that can be read: %s", o.what, reason(err))
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, why.MaxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", o.what, err)
	}
	if text := bytes.TrimSpace(b); len(text) > 0 && text[0] == '{' {
		in, err := shownInput(b)
		if err != nil {
			return nil, nil, fmt.Errorf("%s is not what hookd quarantine show --json prints: %w", o.what, err)
		}
		if !at.IsZero() {
			in.Request.Now = at
		}
		return in, nil, nil
	}
	if at.IsZero() {
		at = a.now()
	}
	f, err := why.ParseRequest(b, at)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.what, err)
	}
	return &why.Input{Hook: f.Hook, Request: f.Request, Unread: f.Unread}, f.Notes, nil
}

// shownInput is a request that was shown before: without its credentials.
func shownInput(b []byte) (*why.Input, error) {
	var q shownRequest
	if err := json.Unmarshal(b, &q); err != nil {
		return nil, err
	}
	if q.Method == "" || q.Path == "" || q.Received.IsZero() {
		return nil, errors.New("method, path or received is missing")
	}
	r := &auth.Request{
		Method: q.Method, URL: &url.URL{Path: q.Path, RawQuery: q.Query}, Host: q.Host,
		Header: make(http.Header), Body: []byte(q.Content), Now: q.Received,
	}
	if q.TLS {
		r.TLS = &tls.ConnectionState{}
	}
	for name, vs := range q.Headers {
		for _, v := range vs {
			r.Header.Add(name, v)
		}
	}
	if q.ContentEncoding == "base64" {
		body, err := base64.StdEncoding.DecodeString(q.Content)
		if err != nil {
			return nil, err
		}
		r.Body = body
	}
	if addr, err := netip.ParseAddr(q.Remote); err == nil {
		r.Peer, r.Remote = addr, addr
	}
	in := &why.Input{Hook: q.Hook, Request: r, Refused: q.Code, Unread: q.Body != bodyKept}
	for _, h := range q.Hidden {
		in.Hidden = append(in.Hidden, h.Name)
	}
	return in, nil
}

// chains makes the proofs of the hook, as serve does, and those of the others.
func chains(cfg *config.Config, in *why.Input) error {
	h, err := findHook(cfg, in.Hook)
	if err != nil {
		return err
	}
	r, err := newRegistries(io.Discard)
	if err != nil {
		return err
	}
	for i := range cfg.Hooks {
		other := &cfg.Hooks[i]
		proofs, problems := plan.Proofs(other, r.auth, auth.Env{Hook: other.ID})
		switch {
		case other.ID == h.ID && len(problems) > 0:
			return errors.New(problems[0].Message)
		case other.ID == h.ID:
			in.Hook, in.Chain = h.ID, auth.NewChain(proofs...)
		case other.Enabled && len(problems) == 0:
			in.Others = append(in.Others, why.Hook{ID: other.ID, Chain: auth.NewChain(proofs...)})
		}
	}
	return nil
}
