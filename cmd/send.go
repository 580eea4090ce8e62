package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type sendOptions struct {
	files       fileOptions
	server      serverOptions
	target      string
	to          string
	provider    string
	event       string
	data        string
	headers     []string
	secret      string
	replay      string
	deliveryID  string
	repeat      int
	rate        float64
	concurrency int
	timeout     time.Duration
	tamper      string
	dryRun      bool
	json        bool
}

// tampers are the ways to spoil a request that was signed well.
var tampers = []string{"body", "signature", "timestamp"}

func newTestSendCmd(a *app, run func(context.Context, *sendOptions) error) *cobra.Command {
	o := &sendOptions{}
	if run == nil {
		run = func(ctx context.Context, o *sendOptions) error { return runSend(ctx, a, o) }
	}
	c := &cobra.Command{
		Use: "test-send HOOK|URL", Short: "Send a signed test event",
		Long: `Send a test event to a hook, signed as its sender would, with every proof that the
configuration asks for. HOOK is the id of a hook, or the provider of one. Without
--data the body is a sample of the provider's.

Exit code 5 means that the receiver refused the request: with --tamper it should.`,
		Example: `  hookd test-send github --event push
  hookd test-send github --tamper body
  hookd test-send orders --data @order.json --repeat 1000 --concurrency 16
  hookd test-send https://hooks.example.com/in --provider stripe --secret @key.txt`,
		Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			hooks, _ := a.configured(c.Context(), o.files.source())
			return hooks, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.target = args[0]
			return run(c.Context(), o)
		},
	}
	o.files.bind(c)
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "send to this `URL` instead of the hook's own on this machine")
	f.StringVar(&o.provider, "provider", "", "sign as this `sender` does (hookd providers)")
	f.StringVar(&o.event, "event", "", "`name` of the event; with a provider also its sample body")
	f.StringVar(&o.data, "data", "", "body: `TEXT`, @FILE, or - for stdin")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "more headers, as `NAME:VALUE`")
	f.StringVar(&o.secret, "secret", "", "the provider's `secret` instead of the configured one, or @FILE")
	f.StringVar(&o.replay, "replay", "", "send headers and body of the stored event with this `id`")
	f.StringVar(&o.deliveryID, "delivery-id", "", "the sender's `id` of the delivery (default: a new one for each)")
	f.IntVar(&o.repeat, "repeat", 1, "how many `times`; prints a summary")
	f.Float64Var(&o.rate, "rate", 0, "requests per second at most (0: no limit)")
	f.IntVar(&o.concurrency, "concurrency", 1, "requests at once")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "for one request")
	f.StringVar(&o.tamper, "tamper", "", "spoil the signed request: "+strings.Join(tampers, ", "))
	f.BoolVar(&o.dryRun, "dry-run", false, "print the equivalent curl command, and send nothing")
	f.BoolVar(&o.json, "json", false, "print JSON")
	o.server.bind(c)
	_ = c.RegisterFlagCompletionFunc("provider", completeFlag(providerNames))
	_ = c.RegisterFlagCompletionFunc("tamper", completeFlag(func() []string { return tampers }))
	return c
}

func (o *sendOptions) check() error {
	switch {
	case o.repeat < 1:
		return usagef("--repeat must be at least 1")
	case o.concurrency < 1 || o.concurrency > 10000:
		return usagef("--concurrency must be from 1 to 10000")
	case o.rate < 0:
		return usagef("--rate must not be negative")
	case o.timeout <= 0:
		return usagef("--timeout must be more than 0")
	case o.data != "" && o.replay != "":
		return usagef("--data and --replay exclude each other")
	case o.dryRun && o.repeat > 1:
		return usagef("--dry-run and --repeat exclude each other")
	}
	for _, h := range o.headers {
		if name, _, ok := strings.Cut(h, ":"); !ok || strings.TrimSpace(name) == "" {
			return usagef("--header %q is not NAME:VALUE", h)
		}
	}
	return oneOf("--tamper", o.tamper, tampers)
}

func runSend(ctx context.Context, a *app, o *sendOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	t, err := a.sendTarget(ctx, o)
	if err != nil {
		return err
	}
	p, err := a.sendPayload(ctx, o, t)
	if err != nil {
		return err
	}
	if err := t.canTamper(ctx, o.tamper, p, a.now()); err != nil {
		return err
	}
	if o.dryRun {
		text, err := curl(ctx, t, p, o, a.now())
		if err != nil {
			return err
		}
		if o.json {
			return a.io.JSON(map[string]string{"curl": text})
		}
		a.io.Printf("%s\n", text)
		return nil
	}
	for _, name := range t.unsigned {
		a.io.Errorf("hookd: note: test-send does not make the proof %s\n", name)
	}
	s := newShooter(a, o, t, p)
	defer s.client.CloseIdleConnections()
	if o.repeat > 1 {
		return s.volley(ctx)
	}
	return s.single(ctx)
}

// accepted turns the outcome of a tampered request into an error when it was
// believed.
func (o *sendOptions) believed() error {
	if o.tamper == "" {
		return nil
	}
	return fmt.Errorf("the receiver accepted a request with a tampered %s", o.tamper)
}
