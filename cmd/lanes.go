package cmd

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server/admin"
)

func newLanesCmd(a *app) *cobra.Command {
	return group("lanes", "Look at what waits for each destination; pause and resume it",
		newLanesListCmd(a, nil),
		newLaneCmd(a, "pause", "Stop new attempts; what comes in waits", nil),
		newLaneCmd(a, "resume", "End a pause", nil))
}

type lanesOptions struct {
	server serverOptions
	lanes  []string
	json   bool
}

func newLanesListCmd(a *app, run func(context.Context, *lanesOptions) error) *cobra.Command {
	o := &lanesOptions{}
	if run == nil {
		run = func(ctx context.Context, o *lanesOptions) error { return runLanes(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "list", Short: "List lanes: one destination of one hook each",
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.server.bind(c)
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runLanes(ctx context.Context, a *app, o *lanesOptions) error {
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	lanes, err := client.Lanes(ctx)
	if err != nil {
		return explain(err, client)
	}
	if o.json {
		return a.io.JSON(admin.Lanes{Lanes: lanes})
	}
	a.io.table(a.laneTable(lanes))
	return nil
}

func (a *app) laneTable(lanes []admin.Lane) tableOf {
	t := tableOf{head: []string{"LANE", "STATE", "READY", "DELAYED", "UNDER WAY", "DEAD", "OLDEST"}}
	for _, l := range lanes {
		t.add(l.Name, laneState(l), strconv.Itoa(l.Ready), strconv.Itoa(l.Delayed), strconv.Itoa(l.Leased), strconv.Itoa(l.Dead), a.since(l.Oldest))
	}
	return t
}

// laneState is the one word that a person looks for.
func laneState(l admin.Lane) string {
	switch {
	case l.Module == "":
		return "removed"
	case l.Paused:
		return "paused"
	case l.Breaker != "" && l.Breaker != "closed":
		return "breaker " + l.Breaker
	}
	return "ok"
}

// since is how long ago t was.
func (a *app) since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := max(a.now().Sub(t), 0)
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return d.Round(time.Minute).String()[:len(d.Round(time.Minute).String())-2]
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d"
}

func newLaneCmd(a *app, verb, short string, run func(context.Context, *lanesOptions) error) *cobra.Command {
	o := &lanesOptions{}
	if run == nil {
		run = func(ctx context.Context, o *lanesOptions) error { return runLane(ctx, a, o, verb) }
	}
	c := &cobra.Command{
		Use: verb + " LANE…", Short: short,
		Example: "  hookd lanes " + verb + " github/http_webhook-1",
		Args:    args(cobra.MinimumNArgs(1)),

		ValidArgsFunction: a.completeLanes,
		RunE: func(c *cobra.Command, args []string) error {
			o.lanes = args
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runLane(ctx context.Context, a *app, o *lanesOptions, verb string) error {
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	do := client.PauseLane
	if verb == "resume" {
		do = client.ResumeLane
	}
	var changed []admin.Lane
	for _, name := range o.lanes {
		l, err := do(ctx, name)
		if err != nil {
			return explain(err, client)
		}
		changed = append(changed, l)
	}
	if o.json {
		return a.io.JSON(admin.Lanes{Lanes: changed})
	}
	for _, l := range changed {
		a.io.Printf("%s: %s, %s waiting\n", l.Name, laneState(l), count(l.Ready+l.Delayed, "delivery", "deliveries"))
	}
	return nil
}
