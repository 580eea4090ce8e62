package cmd

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hookd/hookd/internal/netguard"
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

// guard is the egress policy of the settings, or that of connections.json.
func (s *Settings) guard(operator bool) (*netguard.Guard, error) {
	p := netguard.Policy{AllowLoopback: s.Egress.AllowLoopback || s.Dev, Operator: operator, Allow: s.Egress.Allow}
	if s.Egress.AllowPrivate {
		p.Allow = append(p.Allow[:len(p.Allow):len(p.Allow)], netguard.Private()...)
	}
	return netguard.New(p)
}
