package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/server/admin"
)

type statsOptions struct {
	server   serverOptions
	hooks    []string
	watch    bool
	interval time.Duration
	json     bool
}

func newStatsCmd(a *app, run func(context.Context, *statsOptions) error) *cobra.Command {
	o := &statsOptions{}
	if run == nil {
		run = func(ctx context.Context, o *statsOptions) error { return runStats(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "stats [HOOK…]", Short: "Show what was accepted, refused and delivered",
		Example:           "  hookd stats\n  hookd stats --watch github",
		ValidArgsFunction: a.completeHooks,
		RunE: func(c *cobra.Command, args []string) error {
			o.hooks = args
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	f := c.Flags()
	f.BoolVar(&o.watch, "watch", false, "repeat until interrupted")
	f.DurationVar(&o.interval, "interval", 2*time.Second, "how often with --watch")
	f.BoolVar(&o.json, "json", false, "print JSON; with --watch one object per line")
	return c
}

func runStats(ctx context.Context, a *app, o *statsOptions) error {
	if o.interval < 100*time.Millisecond {
		return usagef("--interval must be at least 100ms")
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	tick := time.NewTicker(o.interval)
	defer tick.Stop()
	for {
		s, err := readStats(ctx, client, o.hooks)
		if err != nil {
			return explain(err, client)
		}
		if err := a.showStats(s, o); err != nil || !o.watch {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// statsNow is what one look at the server gives.
type statsNow struct {
	admin.Stats
	Depth []admin.Lane `json:"depth"`
}

// readStats asks for the counters and the depths, of all hooks or of those
// named. A name that the server does not know is an error.
func readStats(ctx context.Context, client *admin.Client, hooks []string) (statsNow, error) {
	s, err := client.Stats(ctx)
	if err != nil {
		return statsNow{}, err
	}
	lanes, err := client.Lanes(ctx)
	if err != nil {
		return statsNow{}, err
	}
	if len(hooks) == 0 {
		return statsNow{s, lanes}, nil
	}
	configured, err := client.Hooks(ctx)
	if err != nil {
		return statsNow{}, err
	}
	var known []string
	for _, h := range configured {
		known = append(known, h.ID)
	}
	for _, h := range hooks {
		if !slices.Contains(known, h) {
			return statsNow{}, usagef("there is no hook %q%s", h, hint(h, known))
		}
	}
	s.Hooks = slices.DeleteFunc(s.Hooks, func(h admin.HookStats) bool { return !slices.Contains(hooks, h.Hook) })
	s.Lanes = slices.DeleteFunc(s.Lanes, func(l admin.LaneStats) bool { return !slices.Contains(hooks, hookOf(l.Lane)) })
	lanes = slices.DeleteFunc(lanes, func(l admin.Lane) bool { return !slices.Contains(hooks, hookOf(l.Name)) })
	return statsNow{s, lanes}, nil
}

func hookOf(lane string) string {
	hook, _, _ := strings.Cut(lane, "/")
	return hook
}

func (a *app) showStats(s statsNow, o *statsOptions) error {
	if o.json {
		if o.watch {
			return a.io.jsonLine(s)
		}
		return a.io.JSON(s)
	}
	if o.watch && a.io.OutTTY {
		a.io.Printf("\x1b[H\x1b[2J")
	}
	hooks := tableOf{head: []string{"HOOK", "ACCEPTED", "DUPLICATE", "REFUSED", "LAST MIN", "LAST HOUR", "LAST DAY", "P50", "P99"}}
	for _, h := range s.Hooks {
		hooks.add(h.Hook, number(h.Accepted), number(h.Duplicates), refusals(h), number(h.Windows.Minute), number(h.Windows.Hour), number(h.Windows.Day), millis(h.Accept.P50), millis(h.Accept.P99))
	}
	a.io.table(hooks)
	a.io.Printf("\n")
	a.io.table(destinationTable(a, s))
	if l := s.EventLog; l != nil && len(o.hooks) == 0 {
		t := tableOf{head: []string{"EVENT LOG", "WRITTEN", "DROPPED", "WAITING"}}
		t.add("rows", number(l.Written), number(l.Dropped), number(l.Waiting))
		a.io.Printf("\n")
		a.io.table(t)
	}
	return nil
}

func destinationTable(a *app, s statsNow) tableOf {
	t := tableOf{head: []string{"LANE", "STATE", "DELIVERED", "FILTERED", "FAILED", "WAITING", "DEAD", "OLDEST", "P50", "P99"}}
	counted := make(map[string]admin.LaneStats)
	for _, l := range s.Lanes {
		counted[l.Lane] = l
	}
	for _, l := range s.Depth {
		c := counted[l.Name]
		t.add(l.Name, laneState(l), number(c.Delivered), number(c.Filtered), number(c.Failed), strconv.Itoa(l.Ready+l.Delayed+l.Leased),
			strconv.Itoa(l.Dead), a.since(l.Oldest), millis(c.Delivery.P50), millis(c.Delivery.P99))
	}
	return t
}

// refusals is the number with the most frequent reason.
func refusals(h admin.HookStats) string {
	most, reason := int64(0), ""
	for code, n := range h.RefusedBy {
		if n > most || n == most && code < reason {
			most, reason = n, code
		}
	}
	if reason == "" {
		return number(h.Refused)
	}
	return number(h.Refused) + " (" + reason + ")"
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// millis is a number of seconds as milliseconds.
func millis(s float64) string {
	if s == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", s*1000)
}
