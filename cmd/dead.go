package cmd

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server/admin"
)

func newDeadCmd(a *app) *cobra.Command {
	return group("dead", "Look at dead letters, revive or remove them",
		newDeadListCmd(a, nil), showCmd(a, "Show a dead letter: headers, body, and why it died", nil),
		newDeadReplayCmd(a, nil), newDeadPurgeCmd(a, nil))
}

func newDeadListCmd(a *app, run func(context.Context, *listOptions) error) *cobra.Command {
	o := &listOptions{dead: true}
	if run == nil {
		run = func(ctx context.Context, o *listOptions) error { return runList(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "list", Short: "List dead letters with the reason, newest first",
		Example: "  hookd dead list --lane github/http_webhook-1",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.server.bind(c)
	o.filter.bind(c, false)
	o.bind(c)
	return c
}

func newDeadReplayCmd(a *app, run func(context.Context, *replayOptions) error) *cobra.Command {
	o := &replayOptions{dead: true}
	if run == nil {
		run = func(ctx context.Context, o *replayOptions) error { return runReplay(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "replay {ID… | --FILTER… | --all}", Short: "Revive dead letters",
		Example: "  hookd dead replay --all --lane github/http_webhook-1",
		RunE: func(c *cobra.Command, args []string) error {
			o.ids = args
			return run(c.Context(), o)
		},
	}
	o.bind(c)
	o.filter.bind(c, false)
	return c
}

type purgeOptions struct {
	server serverOptions
	filter filterOptions
	ids    []string
	all    bool
	yes    bool
	dryRun bool
	json   bool
}

func newDeadPurgeCmd(a *app, run func(context.Context, *purgeOptions) error) *cobra.Command {
	o := &purgeOptions{}
	if run == nil {
		run = func(ctx context.Context, o *purgeOptions) error { return runPurge(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "purge {ID… | --FILTER… | --all}", Short: "Remove dead letters for good",
		Example: "  hookd dead purge --hook github --until 7d --dry-run",
		RunE: func(c *cobra.Command, args []string) error {
			o.ids = args
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	o.filter.bind(c, false)
	f := c.Flags()
	f.BoolVar(&o.all, "all", false, "all there are")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.dryRun, "dry-run", false, "count, and change nothing")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runPurge(ctx context.Context, a *app, o *purgeOptions) error {
	if len(o.ids) == 0 && o.filter.empty() && !o.all {
		return &usageError{errNothingChosen}
	}
	f, err := o.filter.filter(a.now())
	if err != nil {
		return err
	}
	q := admin.PurgeRequest{Filter: f, All: o.all, DryRun: o.dryRun}
	for _, text := range o.ids {
		id, err := parseID(text)
		if err != nil {
			return err
		}
		q.IDs = append(q.IDs, id)
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	if !o.dryRun && !o.yes {
		if err := a.confirmPurge(ctx, client, q); err != nil {
			return explain(err, client)
		}
	}
	got, err := client.DeadPurge(ctx, q)
	if err != nil {
		return explain(err, client)
	}
	if o.json {
		return a.io.JSON(got)
	}
	verb := "removed"
	if o.dryRun {
		verb = "would be removed"
	}
	a.io.Printf("%s %s\n", count(got.Deliveries, "dead letter", "dead letters"), verb)
	return nil
}

// confirmPurge counts first and asks, where there is somebody to ask.
func (a *app) confirmPurge(ctx context.Context, client *admin.Client, q admin.PurgeRequest) error {
	if !a.io.InTTY || !a.io.ErrTTY {
		return usagef("this removes dead letters for good: say --yes, or look first with --dry-run")
	}
	q.DryRun = true
	got, err := client.DeadPurge(ctx, q)
	if err != nil {
		return err
	}
	return a.ask("remove " + count(got.Deliveries, "dead letter", "dead letters") + " for good?")
}

// count is "1 event" or "5 events".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
