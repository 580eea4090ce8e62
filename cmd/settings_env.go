package cmd

import (
	"net/netip"
	"strings"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// originalVariables are those of the original service that mean a setting.
var originalVariables = []struct{ name, key string }{
	{"WEBHOOKS_CONFIG_FILE", "webhooks"},
	{"CONNECTIONS_CONFIG_FILE", "connections"},
	{"CONFIG_FILE_WATCHING_ENABLED", "reload.watch"},
	{"CONFIG_RELOAD_DEBOUNCE_SECONDS", "reload.debounce"},
	{"CONFIG_RELOAD_ADMIN_TOKEN", "reload.token"},
	{"ROOT_PATH", "openapi.base_url"},
	{"DISABLE_OPENAPI_DOCS", "openapi.disabled"},
	{"CORS_ALLOWED_ORIGINS", "http.cors_origins"},
	{"FORCE_HTTPS", "http.force_https"},
	{"HSTS_MAX_AGE", "http.hsts_max_age"},
	{"HSTS_INCLUDE_SUBDOMAINS", "http.hsts_include_subdomains"},
	{"HSTS_PRELOAD", "http.hsts_preload"},
	{"CSP_POLICY", "http.csp"},
	{"DEFAULT_ENDPOINT_RATE_LIMIT", "http.root_rate_limit"},
	{"TRUSTED_PROXY_IPS", "http.trusted_proxies"},
	{"STATS_AUTH_TOKEN", "stats.token"},
	{"STATS_ALLOWED_IPS", "stats.allowed_ips"},
	{"STATS_RATE_LIMIT", "stats.rate_limit"},
	{"STATS_SANITIZE_IDS", "stats.sanitize_ids"},
	{"MAX_CONCURRENT_TASKS", "delivery.global"},
	{"TASK_TIMEOUT", "delivery.timeout"},
	{"ALLOW_LOCALHOST_FOR_TESTS", "egress.allow_loopback"},
	{"ALLOW_PRIVATE_IP_CONNECTIONS", "egress.allow_private"},
}

// originalLayer reads the environment of the original service. An empty
// variable is one that is not set, as it was there. What cannot be honoured and
// must not be overlooked is refused.
func originalLayer(env Env) (map[string]any, diag.List) {
	layer := make(map[string]any)
	keys := settingKeys()
	for _, v := range originalVariables {
		if text := strings.TrimSpace(env[v.name]); text != "" {
			layer[v.key] = textNode(v.name, text, keys[v.key].Kind)
		}
	}
	if n := originalListen(env); n != nil {
		layer["listen"] = n
	}
	if n, ok := layer["http.cors_origins"].(*spec.Node); ok {
		layer["http.cors_origins"] = usableOrigins(n)
	}
	var problems diag.List
	refuse := func(severity diag.Severity, name, message, hint string) {
		problems.Add(diag.Problem{Severity: severity, Pos: diag.Pos{File: name}, Code: "unsupported", Message: message, Hint: hint})
	}
	if v := env["CONFIG_BACKEND"]; v != "" && !strings.EqualFold(v, "file") {
		refuse(diag.Error, "CONFIG_BACKEND", "hookd reads its configuration from files only", "unset it, and set WEBHOOKS_CONFIG_FILE")
	}
	if truthy(env["WEBHOOK_CONNECT_ENABLED"]) {
		refuse(diag.Warning, "WEBHOOK_CONNECT_ENABLED", "hookd has no relay: the variable does nothing", "")
	}
	return layer, problems
}

// originalListen joins HOST and PORT. Some shells export their machine's name
// as HOST, so only an address counts.
func originalListen(env Env) *spec.Node {
	host, port := env["HOST"], env["PORT"]
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
		host = ""
	}
	if host == "" && port == "" {
		return nil
	}
	name := "PORT"
	if port == "" {
		name, port = "HOST", "8000"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return textNode(name, host+":"+port, spec.KindString)
}

// usableOrigins drops what the original service dropped: "*", "null", and what
// is no origin. An empty list stays empty; nobody is let in by a mistake.
func usableOrigins(list *spec.Node) *spec.Node {
	out := *list
	out.Items = nil
	for _, n := range list.Items {
		if origin(n.Text) == nil {
			out.Items = append(out.Items, n)
		}
	}
	return &out
}

func truthy(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}
