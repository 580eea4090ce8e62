package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/plan"
)

// checkDestinations opens what the configuration names and asks whether it can
// be used. Nothing is sent.
func checkDestinations(ctx context.Context, p *patient) []finding {
	quiet := *p.a
	quiet.io.Err = discard{}
	cfg, _, _, err := quiet.load(ctx, p.settings, false)
	if err != nil || cfg == nil {
		if _, statErr := os.Stat(p.settings.Webhooks); statErr != nil || p.o.only == "" {
			return nil // the check of files has said why
		}
		return []finding{fail("destinations", "hookd validate-config", "the files have errors")}
	}
	r, err := newRegistries(io.Discard)
	if err != nil {
		return []finding{fail("destinations", "", "%v", err)}
	}
	egress, err := p.settings.guard(false)
	if err != nil {
		return []finding{fail("destinations", "", "%v", err)}
	}
	operator, err := p.settings.guard(true)
	if err != nil {
		return []finding{fail("destinations", "", "%v", err)}
	}
	var out []finding
	for _, e := range farEnds(cfg, r.modules, p.settings.EventLog.settings()) {
		e.guard, e.egress = egress, egress
		if e.connection != nil && e.connection.Hook == "" {
			e.guard = operator
		}
		bounded, cancel := context.WithTimeout(ctx, p.o.timeout)
		if f := e.examine(bounded, p.a); f.Status != "ok" || len(f.Steps) > 0 { // there was something to ask
			out = append(out, f)
		}
		cancel()
	}
	return out
}

// farEnd is a connection with all destinations that share it, or a destination
// that needs none.
type farEnd struct {
	module       modules.Module
	connection   *config.Connection // nil: the module needs none
	destinations []*config.Destination
	lanes        []string
	guard        *netguard.Guard // of the connection
	egress       *netguard.Guard // of the destinations
}

// farEnds lists what there is to open, in the order of the files, the event log
// last. Connections that neither it nor a hook uses are not opened.
func farEnds(cfg *config.Config, reg *modules.Registry, log plan.EventLogSettings) []*farEnd {
	var out []*farEnd
	shared := map[*config.Connection]*farEnd{}
	add := func(d *config.Destination, lane string) {
		m, found := reg.Lookup(d.Module)
		if !found {
			return
		}
		c := cfg.Connection(d.Connection, m.Name())
		e := shared[c]
		if c == nil || e == nil {
			e = &farEnd{module: m, connection: c}
			out = append(out, e)
		}
		if c != nil {
			shared[c] = e
		}
		e.destinations = append(e.destinations, d)
		e.lanes = append(e.lanes, lane)
	}
	for i := range cfg.Hooks {
		h := &cfg.Hooks[i]
		for j := range h.Destinations {
			add(&h.Destinations[j], config.LaneName(h.ID, h.Destinations[j].Name))
		}
	}
	if d, _ := log.Destination(cfg, reg); d != nil { // else the check of files says why
		add(d, plan.EventLogUser)
	}
	return out
}

// name is what a person calls it.
func (e *farEnd) name() string {
	if e.connection == nil || strings.HasPrefix(e.connection.Name, "/") {
		return fmt.Sprintf("%s (%s)", e.lanes[0], e.module.Name())
	}
	return fmt.Sprintf("%s (%s, used by %s)", e.connection.Name, e.module.Name(), strings.Join(e.lanes, ", "))
}

// examine opens the far end, makes every destination, and asks each for its
// rights.
func (e *farEnd) examine(ctx context.Context, a *app) finding {
	t := &trace{now: a.now}
	err := e.open(ctx, t)
	var parts []string
	for _, s := range t.steps {
		if s.Error == "" {
			parts = append(parts, s.String())
		}
	}
	way := strings.Join(parts, ", ")
	f := ok("destinations", "%s", e.name())
	if way != "" {
		f = ok("destinations", "%s: %s", e.name(), way)
	}
	if err != nil {
		f = fail("destinations", remedy(t.steps, err), "%s: %s%s", e.name(), failedAt(t.steps), oneLine(err))
		if way != "" {
			f.Detail += "; before that: " + way
		}
	}
	f.Steps, f.UsedBy = t.steps, e.lanes
	return f
}

// failedAt is the name of the step that failed, as the beginning of a sentence.
func failedAt(steps []step) string {
	if len(steps) == 0 || steps[len(steps)-1].Error == "" {
		return ""
	}
	return steps[len(steps)-1].Name + ": "
}

// oneLine is the text of joined errors, each once.
func oneLine(err error) string {
	var parts []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(p, line) }) {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// remedy is what to do about a failure.
func remedy(steps []step, err error) string {
	const wrongTLS = "set tls.ca_file to the authority that signed the server's certificate, and check that the port is the one for TLS"
	switch failedAt(steps) {
	case "resolve: ":
		return "correct the host name, or ask why it is not known here"
	case "tls: ":
		return wrongTLS
	}
	switch modules.FailureOf(err).Code {
	case modules.CodeEgressDenied:
		return "" // the error names the line to add
	case modules.CodeUnavailable, modules.CodeConnectionLost:
		return "check the host and the port, and that the server listens there"
	case modules.CodeTimeout:
		return "check that a firewall lets hookd through, or give it more time with --timeout"
	case modules.CodeTLS:
		return wrongTLS
	case modules.CodeBadAnswer:
		return "check that the port is that of this protocol, and whether it asks for TLS"
	case modules.CodeAuthFailed:
		if strings.HasPrefix(failedAt(steps), "check") { // it was let in before
			return "give the user the right to write there"
		}
		return "check the user of the connection, its password and its rights"
	case modules.CodeNotFound:
		return "create it, or correct its name"
	}
	return ""
}

// env is what the daemon would give to what has the options.
func (t *trace) env(g *netguard.Guard, o spec.Described) (modules.Env, *netguard.Transport) {
	if e, ok := o.(modules.Egress); ok {
		g = g.With(e.AllowedHosts())
	}
	dial := t.dialer(g)
	transport := netguard.NewTransport(dial, netguard.TransportOptions{})
	return modules.Env{Log: slog.New(slog.DiscardHandler), Dial: dial, HTTP: transport, Owner: "hookd-doctor"}, transport
}

func (e *farEnd) open(ctx context.Context, t *trace) (err error) {
	var options spec.Described
	if e.connection != nil {
		options = e.connection.Options
	}
	env, transport := t.env(e.guard, options)
	defer transport.CloseIdleConnections()
	start := t.now()
	conn, err := e.module.Open(ctx, env, options)
	if e.connection != nil {
		t.rest("open", start, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := t.ask(ctx, conn, "check"); err != nil {
		return err
	}
	for i, d := range e.destinations {
		name := "check"
		if len(e.destinations) > 1 {
			name += " " + e.lanes[i]
		}
		env, transport := t.env(e.egress, d.Options)
		defer transport.CloseIdleConnections()
		dest, err := e.module.New(env, conn, d.Options)
		if err == nil {
			err = t.ask(ctx, dest, name)
		}
		if err != nil && len(e.destinations) > 1 {
			return fmt.Errorf("%s: %w", e.lanes[i], err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// ask calls Check where there is one.
func (t *trace) ask(ctx context.Context, v any, name string) error {
	c, ok := v.(modules.Checker)
	if !ok {
		return nil
	}
	start := t.now()
	err := c.Check(ctx)
	t.rest(name, start, err)
	return err
}
