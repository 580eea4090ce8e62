package plan

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
)

// lanes makes the right half of a hook: one lane for each destination. It
// returns the lanes that an accepted event owes a delivery to at once, and the
// credential-looking headers that any destination names.
func (c *compiler) lanes(ctx context.Context, h *config.Hook) (first, forward []string) {
	names := make([]string, len(h.Destinations))
	own := make([][]string, len(h.Destinations))
	for i := range h.Destinations {
		d := &h.Destinations[i]
		names[i] = config.LaneName(h.ID, d.Name)
		if f, ok := d.Options.(modules.HeaderForwarder); ok {
			own[i] = canonical(f.ForwardedHeaders())
			forward = append(forward, own[i]...)
		}
	}
	slices.Sort(forward)
	forward = slices.Compact(forward)
	for i := range h.Destinations {
		next := ""
		if h.Execution != config.Parallel && i+1 < len(names) {
			next = names[i+1]
		}
		strip := slices.DeleteFunc(slices.Clone(forward), func(n string) bool { return slices.Contains(own[i], n) })
		if l := c.lane(ctx, h, &h.Destinations[i], names[i], next, strip); l != nil {
			c.plan.Lanes = append(c.plan.Lanes, l)
		}
	}
	if h.Execution == config.Parallel || len(names) == 0 {
		return names, forward
	}
	return names[:1], forward
}

func canonical(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = http.CanonicalHeaderKey(n)
	}
	return out
}

// lane compiles one destination; nil when it is wrong, or when there is no pool
// and the compiling is a check.
func (c *compiler) lane(ctx context.Context, h *config.Hook, d *config.Destination, name, next string, strip []string) *deliver.Lane {
	path := "hooks." + h.ID + "." + d.Name
	m, ok := c.deps.Modules.Lookup(d.Module)
	if !ok {
		c.fail(d.Pos, path, fmt.Errorf("no such module: %q", d.Module))
		return nil
	}
	l := &deliver.Lane{
		Name: name, Hook: h.ID, Module: m, Options: d.Options,
		Policy: policy(d.Retry, h.Retry), Concurrency: d.Concurrency, Timeout: accepted(d.Timeout, c.deps.Timeout),
		DataType: deliver.DataType(h.DataType), Format: deliver.Format(d.Format),
		Filter: c.program(h.ID, d.Name+".filter", d.Filter), Transform: c.program(h.ID, d.Name+".transform", d.Transform),
		Cleanup: c.cleanup(h), Strip: strip, Next: next, ContinueOnError: h.ContinueOnError,
	}
	if d.Filter == nil {
		l.Filter = c.program(h.ID, "filter", h.Filter)
	}
	if d.Transform == nil {
		l.Transform = c.program(h.ID, "transform", h.Transform)
	}
	if l.Concurrency == 0 {
		l.Concurrency = c.deps.Concurrency
	}
	if h.Execution == config.Parallel && d.Timeout == 0 && h.ChainTimeout > 0 {
		l.Timeout = h.ChainTimeout
	}
	if c.deps.Pool == nil {
		// A check: the destination is made, so that it can find what is wrong,
		// where it needs no connection.
		c.try(ctx, m, d, path)
		return nil
	}
	l.Env = c.env(name, d.Options, c.deps.Egress)
	l.Conn = c.connection(m, d.Connection)
	c.plan.leases = append(c.plan.leases, l.Conn)
	l.Fingerprint = c.fingerprint(l, h, d)
	return l
}

// try makes a destination without a connection to see whether its options hold.
func (c *compiler) try(ctx context.Context, m modules.Module, d *config.Destination, path string) {
	if len(m.ConnectionTypes()) > 0 {
		return
	}
	env := c.env(d.Name, d.Options, c.deps.Egress)
	k, err := m.Open(ctx, env, nil)
	if err == nil {
		_, err = m.New(env, k, d.Options)
		err = errors.Join(err, k.Close(ctx))
	}
	if err != nil {
		c.fail(d.Pos, path, err)
	}
}

// env is what a module may reach for, with the allow-list of its own options.
func (c *compiler) env(name string, o spec.Described, g *netguard.Guard) modules.Env {
	env := modules.Env{Log: c.deps.Log.With("lane", name), Owner: c.deps.Owner}
	if g == nil {
		return env
	}
	var hosts []string
	if e, ok := o.(modules.Egress); ok {
		hosts = e.AllowedHosts()
	}
	env.Dial = g.With(hosts).DialContext
	env.HTTP = c.deps.transports.get(g, hosts)
	return env
}

// connection leases the connection that a destination names. Destinations of
// modules that need none share one per module. What a hook brought along itself
// has a hook's rights, not those of the operator's connections.json.
func (c *compiler) connection(m modules.Module, name string) *conn.Lease {
	k := c.cfg.Connection(name, m.Name())
	if k == nil {
		env := c.env(m.Name(), nil, c.deps.Egress)
		return c.deps.Pool.Acquire("none/"+m.Name(), func(ctx context.Context) (modules.Conn, error) {
			return m.Open(ctx, env, nil)
		})
	}
	guard, rights := c.deps.Operator, "operator"
	if k.Hook != "" {
		guard, rights = c.deps.Egress, "hook"
	}
	env := c.env(name, k.Options, guard)
	sum := spec.Fingerprint(c.deps.Key, k.Options)
	return c.deps.Pool.Acquire(m.Name()+"/"+rights+"/"+hex.EncodeToString(sum[:]), func(ctx context.Context) (modules.Conn, error) {
		return m.Open(ctx, env, k.Options)
	})
}

// fingerprint covers what the lane is made from: equal ones keep the breaker
// and the destination across a reload.
func (c *compiler) fingerprint(l *deliver.Lane, h *config.Hook, d *config.Destination) string {
	mac := hmac.New(sha256.New, c.deps.Key)
	options := spec.Fingerprint(c.deps.Key, d.Options)
	mac.Write(options[:])
	if k := c.cfg.Connection(d.Connection, l.Module.Name()); k != nil {
		sum := spec.Fingerprint(c.deps.Key, k.Options)
		mac.Write(sum[:])
		mac.Write([]byte(k.Hook))
	}
	fmt.Fprintf(mac, "%q %q %v %d %s %q %q %+v %q %q %q %v", l.Name, d.Module, l.Policy, l.Concurrency, l.Timeout,
		source(d.Filter, h.Filter), source(d.Transform, h.Transform), c.wanted(h), l.Format, l.Strip, l.Next, l.ContinueOnError)
	return hex.EncodeToString(mac.Sum(nil))
}

func source(es ...*config.Expr) string {
	for _, e := range es {
		if e != nil {
			return e.Source
		}
	}
	return ""
}

// policy is the destination's own retry block, else the hook's, else the
// default.
func policy(rs ...*config.Retry) deliver.Policy {
	for _, r := range rs {
		switch {
		case r == nil:
		case !r.Enabled:
			return deliver.NoRetry()
		default:
			return deliver.Policy{Attempts: r.MaxAttempts, Initial: r.InitialDelay, Max: r.MaxDelay, Multiplier: r.Multiplier}.Clamped()
		}
	}
	return deliver.DefaultPolicy()
}

// wanted is the cleanup of a hook: its own, or the daemon's default.
func (c *compiler) wanted(h *config.Hook) config.Cleanup {
	switch {
	case h.Cleanup != nil:
		return *h.Cleanup
	case c.deps.CleanupDefault:
		return config.Cleanup{Enabled: true}
	}
	return config.Cleanup{}
}

func (c *compiler) cleanup(h *config.Hook) *deliver.Cleanup {
	w := c.wanted(h)
	if !w.Enabled {
		return nil
	}
	return deliver.NewCleanup(w.Remove, w.Fields)
}
