package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server/admin"
)

// serverOptions say which hookd is asked.
type serverOptions struct {
	server, token string
}

func (o *serverOptions) bind(c *cobra.Command) {
	c.Flags().StringVar(&o.server, "server", "", "`URL` of the admin API (default: admin_listen of hookd.yaml)")
	c.Flags().StringVar(&o.token, "token", "", "`token` of the admin API, or @FILE (default: admin.token of hookd.yaml)")
}

// client makes a client of the admin API. close ends its connections.
func (a *app) client(o serverOptions) (client *admin.Client, done func(), err error) {
	token := o.token
	if token == "" {
		token = a.env["HOOKD_TOKEN"]
	}
	base := o.server
	if base == "" {
		base = a.env["HOOKD_SERVER"]
	}
	var known secret.String
	if base == "" {
		s, _, err := a.settings(settingsSource{})
		if err != nil {
			return nil, nil, err
		}
		if s.AdminListen == off {
			return nil, nil, errors.New("admin_listen is off in the settings; name the admin API with --server")
		}
		base, known = dialable(s.AdminListen), s.Admin.Token
	}
	if err := httpURL(base); err != nil {
		return nil, nil, usagef("--server %s: %w", base, err)
	}
	if token != "" {
		text, err := textOrFile(token)
		if err != nil {
			return nil, nil, err
		}
		known = secret.New(strings.TrimSpace(text))
	}
	hc := admin.NewHTTPClient()
	return &admin.Client{BaseURL: base, Token: known, HTTP: hc}, hc.CloseIdleConnections, nil
}

// dialable is the URL of a listener: one on all addresses is reached on
// loopback.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// explain adds what to do when nobody answers.
func explain(err error, c *admin.Client) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("nobody answers at %s: is hookd running? (%w)", c.BaseURL, op.Err)
	}
	var api *admin.APIError
	if errors.As(err, &api) && api.Status == http.StatusNotFound && (api.Code == "" || api.Detail == http.StatusText(api.Status)) {
		return fmt.Errorf("what answers at %s is not the admin API, which is at admin_listen of hookd.yaml (127.0.0.1:8001 unless set): %w", c.BaseURL, err)
	}
	return err
}
