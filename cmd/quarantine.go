package cmd

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/admin"
)

func newQuarantineCmd(a *app) *cobra.Command {
	c := group("quarantine", "Look at requests that a proof refused, and accept them after all",
		newQuarantineListCmd(a, nil), newQuarantineShowCmd(a, nil), newQuarantineRetryCmd(a, nil), newQuarantinePurgeCmd(a, nil))
	c.Long = `Look at requests that a proof refused, and accept them after all.

hookd keeps what a signature, a token or an address refused, encrypted and for a
while (quarantine.* in hookd.yaml). hookd explain says what is wrong with one;
when that is put right and the files are read again, retry accepts it.`
	return c
}

// quarantineFilter narrows a list of refused requests.
type quarantineFilter struct{ hook, code, since, until string }

func (o *quarantineFilter) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.hook, "hook", "", "only of this `hook`")
	f.StringVar(&o.code, "code", "", "only refused for this `reason`: hmac:signature_mismatch, or what is behind the colon")
	f.StringVar(&o.since, "since", "", "refused since: a `time`, or an age such as 2h")
	f.StringVar(&o.until, "until", "", "refused before: a `time`, or an age")
}

func (o *quarantineFilter) empty() bool { return *o == quarantineFilter{} }

func (o *quarantineFilter) filter(a *app) (admin.QuarantineFilter, error) {
	times := filterOptions{since: o.since, until: o.until}
	f, err := times.filter(a.now())
	return admin.QuarantineFilter{Hook: o.hook, Code: o.code, Since: f.Since, Until: f.Until}, err
}

type quarantineListOptions struct {
	server serverOptions
	filter quarantineFilter
	limit  int
	json   bool
}

func newQuarantineListCmd(a *app, run func(context.Context, *quarantineListOptions) error) *cobra.Command {
	o := &quarantineListOptions{}
	if run == nil {
		run = func(ctx context.Context, o *quarantineListOptions) error { return runQuarantineList(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "list", Short: "List refused requests, newest first",
		Example: "  hookd quarantine list --hook github --since 2h\n  hookd quarantine list --code signature_mismatch --json",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
	o.server.bind(c)
	o.filter.bind(c)
	c.Flags().IntVar(&o.limit, "limit", 50, "most `requests` to list")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

func runQuarantineList(ctx context.Context, a *app, o *quarantineListOptions) error {
	f, err := o.filter.filter(a)
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
	out := admin.QuarantinePage{Requests: []admin.Quarantined{}}
	for {
		page, err := client.Quarantine(ctx, f, out.Next, min(o.limit-len(out.Requests), 1000))
		if err != nil {
			return explain(err, client)
		}
		out.Requests, out.Next = append(out.Requests, page.Requests...), page.Next
		if out.Next == "" || len(out.Requests) >= o.limit {
			break
		}
	}
	if o.json {
		return a.io.JSON(out)
	}
	t := tableOf{head: []string{"ID", "RECEIVED", "HOOK", "STATUS", "REASON", "FROM", "SIZE"}}
	for _, q := range out.Requests {
		t.add(q.ID.String(), a.clock(q.Received), q.Hook, strconv.Itoa(q.Status), q.Code, orDash(q.Remote), size(int64(q.Size)))
	}
	a.io.table(t)
	if out.Next != "" && a.io.ErrTTY {
		a.io.Errorf("there are more: raise --limit\n")
	}
	return nil
}

type quarantineRetryOptions struct {
	server    serverOptions
	filter    quarantineFilter
	ids       []string
	all       bool
	unguarded bool
	json      bool
}

func newQuarantineRetryCmd(a *app, run func(context.Context, *quarantineRetryOptions) error) *cobra.Command {
	o := &quarantineRetryOptions{}
	if run == nil {
		run = func(ctx context.Context, o *quarantineRetryOptions) error { return runQuarantineRetry(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "retry {ID… | --FILTER… | --all}", Short: "Check refused requests again, and accept those that hold",
		Long: `Check refused requests again with the configuration in force, oldest first, and
accept those that hold: they become events and are delivered. Put the secret
right and have the files read (SIGHUP) before.

Everything is checked as for a request that comes now, but for the clock: the
time of a signature is compared with the time at which the request came. A
request that can be accepted once (a nonce, the id of a token) is refused where
nobody remembers any more whether it was; --unguarded accepts it.

It ends with 5 when a request is refused again.`,
		Example: `  hookd quarantine retry 01936f3c-0000-7000-8000-000000000000
  hookd quarantine retry --hook github --since 2h`,
		RunE: func(c *cobra.Command, args []string) error {
			o.ids = args
			return run(c.Context(), o)
		},
	}
	o.server.bind(c)
	o.filter.bind(c)
	f := c.Flags()
	f.BoolVar(&o.all, "all", false, "all there are")
	f.BoolVar(&o.unguarded, "unguarded", false, "also what may have been accepted before, for all that is remembered")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return c
}

// selection reads the ids, and refuses to take everything by mistake.
func (o *quarantineFilter) selection(ids []string, all bool) ([]event.ID, error) {
	switch {
	case len(ids) == 0 && o.empty() && !all:
		return nil, usagef("name requests by id or with a filter, or say --all")
	case len(ids) > 0 && (!o.empty() || all):
		return nil, usagef("ids and a filter exclude each other")
	}
	var out []event.ID
	for _, text := range ids {
		id, err := parseID(text)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

func runQuarantineRetry(ctx context.Context, a *app, o *quarantineRetryOptions) error {
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
	q := admin.QuarantineRetry{QuarantineFilter: f, IDs: ids, All: o.all, Unguarded: o.unguarded}
	total := admin.QuarantineRetried{Results: []admin.QuarantineResult{}}
	for {
		got, err := client.QuarantineRetry(ctx, q)
		if err != nil {
			return explain(err, client)
		}
		total.Accepted, total.Refused = total.Accepted+got.Accepted, total.Refused+got.Refused
		total.Results = append(total.Results, got.Results...)
		if q.Cursor = got.Next; q.Cursor == "" {
			break
		}
	}
	if o.json {
		err = a.io.JSON(total)
	} else {
		a.showRetried(total)
	}
	if total.Refused > 0 {
		return errors.Join(errRefused, err)
	}
	return err
}

func (a *app) showRetried(total admin.QuarantineRetried) {
	t := tableOf{head: []string{"ID", "EVENT", "OUTCOME"}}
	for _, r := range total.Results {
		outcome, ev := "accepted", "-"
		switch {
		case r.Code != "":
			outcome = r.Code
		case r.Duplicate:
			outcome = "duplicate of an event that is there"
		}
		if !r.Event.IsZero() {
			ev = r.Event.String()
		}
		t.add(r.ID.String(), ev, outcome)
	}
	if len(t.rows) > 0 {
		a.io.table(t)
	}
	a.io.Printf("%s accepted, %d refused again\n", count(total.Accepted, "request", "requests"), total.Refused)
}
