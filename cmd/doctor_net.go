package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/admin"
)

// checkPorts tries to listen. A port in use is fine when it is hookd that uses
// it.
func checkPorts(ctx context.Context, p *patient) []finding {
	var out []finding
	for _, l := range []struct{ setting, addr string }{{"listen", p.settings.Listen}, {"admin_listen", p.settings.AdminListen}} {
		if l.addr == off {
			continue
		}
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, "tcp", l.addr)
		switch {
		case err == nil:
			_ = ln.Close()
			out = append(out, ok("ports", "%s %s is free", l.setting, l.addr))
		case answersAsHookd(ctx, dialable(l.addr)):
			out = append(out, ok("ports", "%s %s is in use by hookd", l.setting, l.addr))
		default:
			var op *net.OpError
			if errors.As(err, &op) {
				err = op.Err
			}
			out = append(out, fail("ports", "stop what uses it, or set "+l.setting, "%s %s: %v", l.setting, l.addr, err))
		}
	}
	return out
}

// answersAsHookd asks for the health page that both listeners have.
func answersAsHookd(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client := admin.NewHTTPClient()
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK || res.StatusCode == http.StatusServiceUnavailable
}

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
	for i := range cfg.Hooks {
		for j := range cfg.Hooks[i].Destinations {
			d := &cfg.Hooks[i].Destinations[j]
			lane := config.LaneName(cfg.Hooks[i].ID, d.Name)
			m, found := r.modules.Lookup(d.Module)
			if !found {
				continue
			}
			bounded, cancel := context.WithTimeout(ctx, p.o.timeout)
			asked, err := checkDestination(bounded, m, d, cfg, egress, operator)
			cancel()
			switch {
			case err != nil:
				out = append(out, fail("destinations", "", "%s: %v", lane, err))
			case asked:
				out = append(out, ok("destinations", "%s (%s)", lane, d.Module))
			}
		}
	}
	return out
}

// checkDestination reports whether there was anything to ask.
func checkDestination(ctx context.Context, m modules.Module, d *config.Destination, cfg *config.Config, egress, operator *netguard.Guard) (asked bool, err error) {
	guard := egress
	var options spec.Described
	for i := range cfg.Connections {
		if c := &cfg.Connections[i]; c.Name == d.Connection && c.Module == d.Module {
			options = c.Options
			if c.Hook == "" {
				guard = operator
			}
		}
	}
	if e, ok := d.Options.(modules.Egress); ok {
		guard = guard.With(e.AllowedHosts())
	}
	transport := guard.Transport(netguard.TransportOptions{})
	defer transport.CloseIdleConnections()
	env := modules.Env{
		Log: slog.New(slog.DiscardHandler), Dial: guard.DialContext, HTTP: transport, Owner: "hookd-doctor",
	}
	conn, err := m.Open(ctx, env, options)
	if err != nil {
		return true, fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	dest, err := m.New(env, conn, d.Options)
	if err != nil {
		return true, err
	}
	for _, v := range []any{conn, dest} {
		if c, ok := v.(modules.Checker); ok {
			asked = true
			if err := c.Check(ctx); err != nil {
				return true, err
			}
		}
	}
	return asked, nil
}

// guard is the egress policy of the settings, or that of connections.json.
func (s *Settings) guard(operator bool) (*netguard.Guard, error) {
	p := netguard.Policy{AllowLoopback: s.Egress.AllowLoopback || s.Dev, Operator: operator, Allow: s.Egress.Allow}
	if s.Egress.AllowPrivate {
		p.Allow = append(p.Allow[:len(p.Allow):len(p.Allow)], netguard.Private()...)
	}
	return netguard.New(p)
}
