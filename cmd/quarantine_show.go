package cmd

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server/admin"
)

// shownRequest is what `quarantine show --json` prints and `explain` reads.
type shownRequest struct {
	admin.QuarantineDetail
	Content         string `json:"body"`
	ContentEncoding string `json:"body_encoding"` // text or base64
}

func newQuarantineShowCmd(a *app, run func(context.Context, *showOptions) error) *cobra.Command {
	o := &showOptions{}
	if run == nil {
		run = func(ctx context.Context, o *showOptions) error { return runQuarantineShow(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "show ID", Short: "Show a refused request: why, headers, body",
		Long: `Show a refused request: why it was refused, its headers, its body. Values of
headers and parameters that are, or may be, credentials are not shown.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			o.id = args[0]
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	c.Flags().BoolVar(&o.body, "body", false, "print the body only, byte for byte")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runQuarantineShow(ctx context.Context, a *app, o *showOptions) error {
	id, err := parseID(o.id)
	if err != nil {
		return err
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	if o.body {
		b, err := client.QuarantinedBody(ctx, id)
		if err != nil {
			return explain(err, client)
		}
		_, err = a.io.Out.Write(b)
		return err
	}
	d, err := client.Quarantined(ctx, id)
	if err != nil {
		return explain(err, client)
	}
	out := shownRequest{QuarantineDetail: d, ContentEncoding: "text"}
	if d.Body == bodyKept {
		b, err := client.QuarantinedBody(ctx, id)
		if err != nil {
			return explain(err, client)
		}
		if out.Content = string(b); !utf8.Valid(b) {
			out.Content, out.ContentEncoding = base64.StdEncoding.EncodeToString(b), "base64"
		}
	}
	if o.json {
		return a.io.JSON(out)
	}
	a.showRequest(out)
	return nil
}

// bodyKept is the state of a body that is there.
const bodyKept = "kept"

func (a *app) showRequest(q shownRequest) {
	p := a.io.style()
	line := func(name, value string) {
		if value != "" {
			a.io.Printf("%s %s\n", p.bold.Render(fmt.Sprintf("%-10s", name)), printable(value))
		}
	}
	line("id", q.ID.String())
	line("hook", q.Hook)
	line("refused", strconv.Itoa(q.Status)+" "+q.Code)
	line("received", a.clock(q.Received))
	line("from", q.Remote)
	line("request", q.Request)
	line("why", "hookd explain "+q.ID.String())
	target := q.Path
	if q.Query != "" {
		target += "?" + q.Query
	}
	a.io.Printf("\n%s %s\nHost: %s\n", printable(q.Method), printable(target), printable(q.Host))
	for _, name := range slices.Sorted(maps.Keys(q.Headers)) {
		for _, v := range q.Headers[name] {
			a.io.Printf("%s: %s\n", printable(name), printable(v))
		}
	}
	for _, h := range q.Hidden {
		for _, n := range h.Bytes {
			a.io.Printf("%s: %s\n", printable(h.Name), p.faint.Render(fmt.Sprintf("(%d bytes, not shown)", n)))
		}
	}
	switch {
	case q.Body != bodyKept:
		a.io.Printf("\n(%s, not kept: %s)\n", size(int64(q.Size)), strings.ReplaceAll(q.Body, "_", " "))
	case q.ContentEncoding == "base64":
		a.io.Printf("\n(%s, not text: hookd quarantine show --body %s)\n", size(int64(q.Size)), q.ID)
	default:
		a.io.Printf("\n%s\n", strings.Join(mapLines(q.Content, printable), "\n"))
	}
}

type quarantinePurgeOptions struct {
	server serverOptions
	filter quarantineFilter
	ids    []string
	all    bool
	yes    bool
	json   bool
}

func newQuarantinePurgeCmd(a *app, run func(context.Context, *quarantinePurgeOptions) error) *cobra.Command {
	o := &quarantinePurgeOptions{}
	if run == nil {
		run = func(ctx context.Context, o *quarantinePurgeOptions) error { return runQuarantinePurge(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "purge {ID… | --FILTER… | --all}", Short: "Remove refused requests for good",
		Example: "  hookd quarantine purge --hook github --until 1d --yes",
		RunE: func(c *cobra.Command, args []string) error {
			o.ids = args
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	o.filter.bind(c)
	f := c.Flags()
	f.BoolVar(&o.all, "all", false, "all there are")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runQuarantinePurge(ctx context.Context, a *app, o *quarantinePurgeOptions) error {
	ids, err := o.filter.selection(o.ids, o.all)
	if err != nil {
		return err
	}
	f, err := o.filter.filter(a)
	if err != nil {
		return err
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	if !o.yes {
		if !a.io.InTTY || !a.io.ErrTTY {
			return usagef("this removes refused requests for good: say --yes")
		}
		if err := a.ask("remove these requests for good?"); err != nil {
			return err
		}
	}
	got, err := client.QuarantinePurge(ctx, admin.QuarantinePurge{QuarantineFilter: f, IDs: ids, All: o.all})
	if err != nil {
		return explain(err, client)
	}
	if o.json {
		return a.io.JSON(got)
	}
	a.io.Printf("%s removed\n", count(got.Requests, "refused request", "refused requests"))
	return nil
}
