package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/admin"
)

type replayOptions struct {
	server serverOptions
	filter filterOptions
	ids    []string
	all    bool
	to     string
	dryRun bool
	dead   bool
	json   bool
}

func newEventsReplayCmd(a *app, run func(context.Context, *replayOptions) error) *cobra.Command {
	o := &replayOptions{}
	if run == nil {
		run = func(ctx context.Context, o *replayOptions) error { return runReplay(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "replay {ID… | --FILTER… | --all}", Short: "Deliver events again",
		Long: `Deliver events again. The delivery ids stay the same, so that a far end that has
seen a delivery can drop it.`,
		Example: `  hookd events replay 01936f3c-0000-7000-8000-000000000000
  hookd events replay --hook github --status dead --since 2h --dry-run`,
		RunE: func(c *cobra.Command, args []string) error {
			o.ids = args
			return run(c.Context(), o)
		},
	}
	o.bind(c)
	o.filter.bind(c, true)
	c.Flags().StringVar(&o.to, "to", "", "deliver to this `lane` instead of those that they went to")
	return c
}

func (o *replayOptions) bind(c *cobra.Command) {
	o.server.bind(c)
	c.Flags().BoolVar(&o.all, "all", false, "all there are")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "count, and change nothing")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
}

// check says what is contradictory about the options.
func (o *replayOptions) check() error {
	filtered := o.filter
	filtered.lane = "" // beside ids it says which of their deliveries
	switch {
	case len(o.ids) == 0 && o.filter.empty() && !o.all:
		return &usageError{errNothingChosen}
	case len(o.ids) > 0 && (!filtered.empty() || o.all):
		return usagef("ids and a filter exclude each other")
	case len(o.ids) > 0 && (o.dryRun || o.to != ""):
		return usagef("--dry-run and --to go with a filter, not with ids")
	}
	return nil
}

func runReplay(ctx context.Context, a *app, o *replayOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	f, err := o.filter.filter(a.now())
	if err != nil {
		return err
	}
	ids := make([]event.ID, len(o.ids))
	for i, text := range o.ids {
		if ids[i], err = parseID(text); err != nil {
			return err
		}
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	var total admin.Replayed
	if len(ids) > 0 {
		total, err = replayIDs(ctx, client, ids, o)
	} else {
		total, err = a.replayFiltered(ctx, client, admin.ReplayRequest{Filter: f, All: o.all, To: o.to, DryRun: o.dryRun}, o.dead)
	}
	if err != nil {
		return explain(err, client)
	}
	if o.json {
		return a.io.JSON(total)
	}
	verb := "due again"
	if o.dryRun {
		verb = "would become due again; run without --dry-run to do it"
	}
	a.io.Printf("%s of %s %s\n", count(total.Deliveries, "delivery", "deliveries"), count(total.Events, "event", "events"), verb)
	return nil
}

func replayIDs(ctx context.Context, client *admin.Client, ids []event.ID, o *replayOptions) (total admin.Replayed, err error) {
	one := client.ReplayEvent
	if o.dead {
		one = client.DeadReplay
	}
	for _, id := range ids {
		r, err := one(ctx, id, o.filter.lane)
		if err != nil {
			return total, err
		}
		total.Events += r.Events
		total.Deliveries += r.Deliveries
	}
	return total, nil
}

// replayFiltered calls until nothing is left, with progress on a terminal.
func (a *app) replayFiltered(ctx context.Context, client *admin.Client, q admin.ReplayRequest, dead bool) (total admin.Replayed, err error) {
	call := client.Replay
	if dead {
		call = client.DeadReplayAll
	}
	total.DryRun = q.DryRun
	for {
		r, err := call(ctx, q)
		if err != nil {
			return total, err
		}
		total.Events += r.Events
		total.Deliveries += r.Deliveries
		if r.Next == "" {
			break
		}
		q.Cursor = r.Next
		if a.io.ErrTTY {
			a.io.Errorf("\r%d events…", total.Events)
		}
	}
	if a.io.ErrTTY && q.Cursor != "" {
		a.io.Errorf("\r\x1b[K")
	}
	return total, nil
}
