package cmd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/admin"
)

func newEventsCmd(a *app) *cobra.Command {
	return group("events", "Look at what came in, and deliver it again",
		newEventsListCmd(a, nil), newEventsShowCmd(a, nil), newEventsTailCmd(a, nil), newEventsReplayCmd(a, nil))
}

type listOptions struct {
	server serverOptions
	filter filterOptions
	limit  int
	dead   bool
	json   bool
}

func newEventsListCmd(a *app, run func(context.Context, *listOptions) error) *cobra.Command {
	o := &listOptions{}
	if run == nil {
		run = func(ctx context.Context, o *listOptions) error { return runList(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "list", Short: "List events, newest first",
		Example: "  hookd events list --hook github --since 2h\n  hookd events list --status dead --json",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.server.bind(c)
	o.filter.bind(c, true)
	o.bind(c)
	return c
}

func (o *listOptions) bind(c *cobra.Command) {
	c.Flags().IntVar(&o.limit, "limit", 50, "most `events` to list")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
}

// runList pages through events or dead letters until the limit is reached.
func runList(ctx context.Context, a *app, o *listOptions) error {
	f, err := o.filter.filter(a.now())
	if err != nil {
		return err
	}
	if o.limit < 1 {
		return usagef("--limit must be at least 1")
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	fetch := client.Events
	if o.dead {
		fetch = client.Dead
	}
	events := []admin.Event{}
	cursor := ""
	for {
		page, err := fetch(ctx, f, cursor, min(o.limit-len(events), 1000))
		if err != nil {
			return explain(err, client)
		}
		events, cursor = append(events, page.Events...), page.Next
		if cursor == "" || len(events) >= o.limit {
			break
		}
	}
	if o.json {
		return a.io.JSON(admin.EventPage{Events: events, Next: cursor})
	}
	if o.dead {
		a.io.table(deadTable(a, events))
	} else {
		a.io.table(eventTable(a, events))
	}
	if cursor != "" && a.io.ErrTTY {
		a.io.Errorf("there are more: raise --limit\n")
	}
	return nil
}

func eventTable(a *app, events []admin.Event) tableOf {
	t := tableOf{head: []string{"ID", "RECEIVED", "HOOK", "TYPE", "SIZE", "DELIVERIES"}}
	for _, e := range events {
		t.add(e.ID.String(), a.clock(e.Received), e.Hook, orDash(e.Type), size(int64(e.Size)), summary(e.Deliveries))
	}
	return t
}

func deadTable(a *app, events []admin.Event) tableOf {
	t := tableOf{head: []string{"ID", "RECEIVED", "LANE", "TYPE", "ATTEMPTS", "CODE", "REASON"}}
	for _, e := range events {
		for _, d := range e.Deliveries {
			t.add(e.ID.String(), a.clock(e.Received), d.Lane, orDash(e.Type), strconv.Itoa(d.Attempts), orDash(d.Code), orDash(cut(d.Note, 80)))
		}
	}
	return t
}

// summary is "2 delivered, 1 dead".
func summary(ds []admin.Delivery) string {
	count := make(map[string]int)
	for _, d := range ds {
		count[d.Status]++
	}
	var parts []string
	for _, s := range statuses {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	return orDash(strings.Join(parts, ", "))
}

// clock is a time for a person, in the zone of the machine.
func (a *app) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(a.now().Location()).Format("2006-01-02 15:04:05.000")
}

type showOptions struct {
	server serverOptions
	id     string
	body   bool
	json   bool
}

func newEventsShowCmd(a *app, run func(context.Context, *showOptions) error) *cobra.Command {
	return showCmd(a, "Show an event: headers, body, and where its deliveries stand", run)
}

func showCmd(a *app, short string, run func(context.Context, *showOptions) error) *cobra.Command {
	o := &showOptions{}
	if run == nil {
		run = func(ctx context.Context, o *showOptions) error { return runShow(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "show ID", Short: short,
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

func runShow(ctx context.Context, a *app, o *showOptions) error {
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
		b, err := client.EventBody(ctx, id)
		if err != nil {
			return explain(err, client)
		}
		_, err = a.io.Out.Write(b)
		return err
	}
	e, err := client.Event(ctx, id)
	if err != nil {
		return explain(err, client)
	}
	if o.json {
		return a.io.JSON(e)
	}
	a.showEvent(e)
	return nil
}

func (a *app) showEvent(e admin.EventDetail) {
	p := a.io.style()
	line := func(name, value string) {
		if value != "" {
			a.io.Printf("%s %s\n", p.bold.Render(fmt.Sprintf("%-10s", name)), printable(value))
		}
	}
	line("id", e.ID.String())
	line("hook", e.Hook)
	line("type", e.Type)
	line("received", a.clock(e.Received))
	line("from", e.Remote)
	line("proved by", e.Subject)
	line("query", e.Query)
	a.io.Printf("\n")
	t := tableOf{head: []string{"LANE", "STATUS", "ATTEMPTS", "UPDATED", "NEXT TRY", "CODE", "NOTE"}}
	for _, d := range e.Deliveries {
		t.add(d.Lane, d.Status, strconv.Itoa(d.Attempts), a.clock(d.Updated), a.clock(d.NextTry), orDash(d.Code), orDash(d.Note))
	}
	a.io.table(t)
	a.io.Printf("\n")
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		for _, v := range e.Headers[name] {
			a.io.Printf("%s: %s\n", printable(name), printable(v))
		}
	}
	a.io.Printf("\n%s\n", bodyText(e))
}

// bodyText is the body as a terminal can bear it.
func bodyText(e admin.EventDetail) string {
	switch {
	case e.BodyOmitted:
		return fmt.Sprintf("(%s: hookd events show --body %s)", size(int64(e.Size)), e.ID)
	case e.BodyEncoding == "base64":
		if _, err := base64.StdEncoding.DecodeString(e.Body); err == nil {
			return fmt.Sprintf("(%s, not text: hookd events show --body %s)", size(int64(e.Size)), e.ID)
		}
	}
	return strings.Join(mapLines(e.Body, printable), "\n")
}

func mapLines(s string, f func(string) string) []string {
	lines := strings.Split(strings.ReplaceAll(s, "\t", "    "), "\n")
	for i, l := range lines {
		lines[i] = f(strings.TrimSuffix(l, "\r"))
	}
	return lines
}

func parseID(s string) (event.ID, error) {
	id, err := event.ParseID(s)
	if err != nil {
		return id, &usageError{fmt.Errorf("%q: %w", s, err)}
	}
	return id, nil
}

// size is a number of bytes for a person.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, u := float64(n), 0
	for f >= 1024 && u < len(units)-1 {
		f, u = f/1024, u+1
	}
	if u == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}

var errNothingChosen = errors.New("name events by id or with a filter, or say --all")
