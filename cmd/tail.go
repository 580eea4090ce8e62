package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/admin"
)

type tailOptions struct {
	server serverOptions
	filter admin.TailFilter
	json   bool
}

func newEventsTailCmd(a *app, run func(context.Context, *tailOptions) error) *cobra.Command {
	o := &tailOptions{}
	if run == nil {
		run = func(ctx context.Context, o *tailOptions) error { return runTail(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "tail", Short: "Follow what happens",
		Example: "  hookd events tail --hook github\n  hookd events tail --kind refused --json",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.server.bind(c)
	f := c.Flags()
	f.StringVar(&o.filter.Hook, "hook", "", "only of this `hook`")
	f.StringVar(&o.filter.Lane, "lane", "", "only of this `lane`")
	f.StringVar(&o.filter.Type, "type", "", "only of this event `type`")
	f.StringVar(&o.filter.Kind, "kind", "", "only this `kind`: "+strings.Join(kinds(), ", "))
	f.BoolVar(&o.json, "json", false, "print one JSON object per line")
	_ = c.RegisterFlagCompletionFunc("kind", completeFlag(kinds))
	return c
}

func kinds() []string {
	var all []string
	for k := record.Accepted; k.String() != "unknown"; k++ {
		all = append(all, k.String())
	}
	return all
}

// runTail follows until the command is interrupted. A connection that breaks is
// made again and goes on behind the last fact seen.
func runTail(ctx context.Context, a *app, o *tailOptions) error {
	if err := oneOf("--kind", o.filter.Kind, kinds()); err != nil {
		return err
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	print := a.factPrinter(o.json)
	filter := o.filter
	begun := false // somebody has answered once
	for {
		var broken error
		for fact, err := range client.Tail(ctx, filter) {
			if err != nil {
				broken = err
				break
			}
			filter.After = fact.Cursor
			if err := print(fact); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var api *admin.APIError
		var op *net.OpError
		dialed := !errors.As(broken, &op) || op.Op != "dial"
		if begun = begun || dialed; errors.As(broken, &api) || !begun {
			return explain(broken, client)
		}
		a.io.Errorf("hookd: %v; trying again\n", explain(broken, client))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// factPrinter writes one line per fact.
func (a *app) factPrinter(asJSON bool) func(admin.Fact) error {
	if asJSON {
		return func(f admin.Fact) error { return a.io.jsonLine(f) }
	}
	p := a.io.style()
	return func(f admin.Fact) error {
		_, err := fmt.Fprintln(a.io.Out, factLine(a, p, f))
		return err
	}
}

// factLine is a fact for a person.
func factLine(a *app, p palette, f admin.Fact) string {
	kind := p.renderer.NewStyle()
	switch f.Kind {
	case record.Accepted.String(), record.Delivered.String():
		kind = p.good
	case record.Refused.String(), record.Died.String():
		kind = p.bad
	case record.Retried.String(), record.Breaker.String():
		kind = p.warn
	}
	subject := f.Lane
	if subject == "" {
		subject = f.Hook
	}
	parts := []string{
		p.faint.Render(f.Time.In(a.now().Location()).Format("15:04:05.000")),
		kind.Render(fmt.Sprintf("%-9s", printable(f.Kind))),
		fmt.Sprintf("%-24s", printable(subject)),
	}
	add := func(format string, arg any, there bool) {
		if there {
			parts = append(parts, printable(fmt.Sprintf(format, arg)))
		}
	}
	add("%s", f.Type, f.Type != "")
	add("%d", f.Status, f.Status != 0)
	add("#%d", f.Attempt, f.Attempt != 0)
	add("%s", f.Code, f.Code != "")
	add("%s", cut(f.Note, 80), f.Note != "")
	add("%s", size(int64(f.Bytes)), f.Bytes > 0)
	add("%.1f ms", f.DurationMS, f.DurationMS > 0)
	if !f.NextTry.IsZero() {
		add("again in %s", max(f.NextTry.Sub(f.Time), 0).Round(100*time.Millisecond), true)
	}
	add("%s", f.Event, !f.Event.IsZero())
	return strings.TrimRight(strings.Join(parts, "  "), " ")
}
