package cmd

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

type limitSettings struct {
	Body, Header, String, MinBodyRate         int64
	Depth, ConnsPerIP                         int
	HeaderTime, BodyTime, IdleTime, WriteTime time.Duration
}

// Fields describes the limits of requests.
func (s *limitSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Size(&s.Body, "body").Default(10<<20).Range(1, 1<<30).Doc("Size of a body, as sent and after decompression. A hook may set its own `max_body_size`."),
		spec.Size(&s.Header, "header").Default(64<<10).Range(4096, 16<<20).Doc("Size of the header section."),
		spec.Int(&s.Depth, "depth").Default(50).Range(1, 10000).Doc("Nested containers in a JSON body."),
		spec.Size(&s.String, "string").Default(1<<20).Range(1, 1<<30).Doc("Size of one string or key in a JSON body."),
		spec.Int(&s.ConnsPerIP, "connections_per_ip").Range(0, 1<<20).Doc("Open connections from one address; 0 is no limit. Leave it at 0 behind a proxy."),
		spec.Duration(&s.HeaderTime, "header_timeout").Default(5*time.Second).Range(0.1, 3600).Doc("Time to send the header section."),
		spec.Duration(&s.BodyTime, "body_timeout").Default(30*time.Second).Range(0.1, 3600).Doc("Time to send the body; longer only for a body that arrives at `min_body_rate`."),
		spec.Duration(&s.IdleTime, "idle_timeout").Default(60*time.Second).Range(0.1, 86400).Doc("How long an idle connection is kept."),
		spec.Duration(&s.WriteTime, "write_timeout").Default(30*time.Second).Range(0.1, 3600).Doc("Time to read our answer."),
		spec.Size(&s.MinBodyRate, "min_body_rate").Default(1024).Range(0, 1<<30).Advanced().Doc("Bytes per second below which a body that is late is given up."),
	}
}

type httpSettings struct {
	CORSOrigins    []string
	CSP            string
	ForceHTTPS     bool
	HSTSMaxAge     int
	HSTSSubdomains bool
	HSTSPreload    bool
	TrustedProxies []string
	RootRateLimit  int
}

// Fields describes the answers of the public listener.
func (s *httpSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Strings(&s.CORSOrigins, "cors_origins").Check(each(origin)).Example([]string{"https://app.example.com"}).
			Doc("Origins whose pages may send webhooks from a browser."),
		spec.String(&s.CSP, "csp").Doc("Content-Security-Policy instead of the usual one."),
		spec.Bool(&s.ForceHTTPS, "force_https").Doc("Send Strict-Transport-Security also on plain connections."),
		spec.Int(&s.HSTSMaxAge, "hsts_max_age").Default(31536000).Range(0, 63072000).Doc("Seconds."),
		spec.Bool(&s.HSTSSubdomains, "hsts_include_subdomains").Default(true).Doc("Include subdomains."),
		spec.Bool(&s.HSTSPreload, "hsts_preload").Doc("Ask for the browsers' preload lists."),
		spec.Strings(&s.TrustedProxies, "trusted_proxies").Check(each(prefix)).Example([]string{"10.0.0.0/8"}).
			Doc("Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed for `/`, `/stats` and HSTS. A hook has its own `trusted_proxies`."),
		spec.Int(&s.RootRateLimit, "root_rate_limit").Default(120).Range(0, 1<<30).Doc("Requests of `GET /` per minute and address."),
	}
}

// proxies are the trusted proxies, which Fields has checked.
func (s *httpSettings) proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range s.TrustedProxies {
		if p, err := parsePrefix(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

type statsSettings struct {
	Token       secret.String
	AllowedIPs  []string
	RateLimit   int
	SanitizeIDs bool
}

// Fields describes GET /stats.
func (s *statsSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Secret(&s.Token, "token").Doc("Token that `/stats` asks for; without it anybody may read it."),
		spec.Strings(&s.AllowedIPs, "allowed_ips").Check(each(prefix)).Doc("Addresses and CIDRs that may read it; empty is all."),
		spec.Int(&s.RateLimit, "rate_limit").Default(60).Range(0, 1<<30).Doc("Requests per minute and address."),
		spec.Bool(&s.SanitizeIDs, "sanitize_ids").Doc("Show hashes instead of the ids of hooks."),
	}
}

type openAPISettings struct {
	Disabled bool
	BaseURL  string
}

// Fields describes the public description of the hooks.
func (s *openAPISettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&s.Disabled, "disabled").Doc("Answer 404 on all of them."),
		spec.String(&s.BaseURL, "base_url").Example("https://hooks.example.com").Doc("Where senders find hookd: an URL, or a path on this host."),
	}
}

type cleanupSettings struct{ Default bool }

// Fields describes what holds for a hook without credential_cleanup.
func (s *cleanupSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&s.Default, "default").
			Doc("Mask credentials in the bodies of hooks that have no `credential_cleanup`, as the original service did. Otherwise bodies are delivered byte for byte."),
	}
}

type compatSettings struct{ StatusCodes string }

// Fields describes the compatibility settings.
func (s *compatSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Enum(&s.StatusCodes, "status_codes", "hookd", "original").Default("hookd").
			Doc("`original` answers 400 instead of 422 where a JSON Schema is violated."),
		spec.Ignored("oauth1_path_only", "`path_only` of a hook's oauth1 says it for that hook alone"),
		spec.Ignored("digest_without_nonce", "digest_auth takes no nonce but its own"),
		spec.Ignored("disk_format", "save_to_disk writes the body as it came"),
	}
}

type logSettings struct{ Level, Format string }

// Fields describes the log.
func (s *logSettings) Fields() spec.Fields {
	return spec.Fields{
		spec.Enum(&s.Level, "level", "debug", "info", "warn", "error").Default("info").Doc("The least that is logged."),
		spec.Enum(&s.Format, "format", "auto", "text", "json").Default("auto").Doc("`auto` is text on a terminal and JSON elsewhere."),
	}
}

func each(check func(string) error) func([]string) error {
	return func(all []string) error {
		for _, s := range all {
			if err := check(s); err != nil {
				return err
			}
		}
		return nil
	}
}

func prefix(s string) error {
	_, err := parsePrefix(s)
	return err
}

// parsePrefix reads an address or a CIDR.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an address or CIDR", s)
	}
	return p.Masked(), nil
}

// origin is the form that browsers send (RFC 6454 section 6.2); "*" would let
// every page send with the visitor's credentials.
func origin(s string) error {
	u, err := url.Parse(s)
	if err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" || s != u.Scheme+"://"+u.Host || strings.ContainsAny(s, " *") {
		return fmt.Errorf("%q is not an origin such as https://app.example.com", s)
	}
	return nil
}
