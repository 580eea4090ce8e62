package httpwebhook

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// Method is how the request is made.
type Method string

// The methods.
const (
	Post  Method = http.MethodPost
	Put   Method = http.MethodPut
	Patch Method = http.MethodPatch
)

// Options describe one destination.
type Options struct {
	URL     url.URL
	Method  Method
	Headers map[string]secret.String
	Forward bool // the sender's headers
	// Allowed narrows Forward; AllowedSet tells an empty list, which forwards
	// nothing, from none, which forwards all.
	Allowed    []string
	AllowedSet bool
	Hosts      []string
	Timeout    time.Duration
	TLS        TLS
	Signing    Signing
}

// TLS settings of one destination.
type TLS struct {
	CAFile     string
	CertFile   string
	KeyFile    string
	ServerName string
	Insecure   bool
}

// Fields lists the settings.
func (t *TLS) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&t.CAFile, "ca_file").Doc("PEM file with the authorities to trust, instead of the system's."),
		spec.String(&t.CertFile, "cert_file").Doc("PEM file with the certificate that hookd shows."),
		spec.String(&t.KeyFile, "key_file").Doc("PEM file with the key of `cert_file`."),
		spec.String(&t.ServerName, "server_name").Advanced().Doc("Name to expect in the certificate, instead of the URL's host."),
		spec.Bool(&t.Insecure, "insecure_skip_verify").Default(false).Advanced().
			Doc("Accept any certificate. Anybody on the way can then read and change events."),
	}
}

// Validate warns about what undoes TLS.
func (t *TLS) Validate() []spec.Issue {
	var issues []spec.Issue
	if t.Insecure {
		issues = append(issues, spec.Issue{Field: "insecure_skip_verify", Warning: true, Message: "accepts any certificate", Hint: "set ca_file instead"})
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		issues = append(issues, spec.Issue{Field: "cert_file", Message: "cert_file and key_file go together"})
	}
	return issues
}

// Signing settings of one destination.
type Signing struct{ Secrets []secret.String }

// Fields lists the settings.
func (s *Signing) Fields() spec.Fields {
	return spec.Fields{
		spec.Secrets(&s.Secrets, "secret").Alias("secrets").Required().
			Check(func(all []secret.String) error { _, err := newSigner(all); return err }).
			Doc("`whsec_` and the base64 of 24 to 64 random bytes (HMAC-SHA256, sent as `v1`), or `whsk_` and the base64 of a private ed25519 key, " +
				"32 bytes or 64 with the public one (sent as `v1a`); or a list of up to 8 of both, while one replaces the other."),
	}
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.URL(&o.URL, "url").Required().Check(func(u url.URL) error { return netguard.CheckURL(&u) }).
			Doc("Where to send, http or https."),
		spec.Enum(&o.Method, "method", Post, Put, Patch).Default(Post).Doc("Request method."),
		spec.SecretHeaders(&o.Headers, "headers").Doc("Headers to add; they win over forwarded ones. Values are treated as secrets."),
		spec.Bool(&o.Forward, "forward_headers").Default(false).
			Doc("Send the sender's headers on: all but hop-by-hop headers, Host, Content-Length and credentials."),
		spec.Strings(&o.Allowed, "allowed_headers").Set(&o.AllowedSet).
			Doc("With `forward_headers`, only these; an empty list forwards none. A credential header that is named here is kept and sent on."),
		spec.Strings(&o.Hosts, "allowed_hosts").Check(checkHosts).
			Doc("Host names, addresses or CIDRs that this destination may reach although the egress policy would refuse them."),
		spec.Duration(&o.Timeout, "timeout").Default(30 * time.Second).Check(checkTimeout).
			Doc("How long one attempt may take, answer included."),
		spec.Object(&o.TLS, "tls").Doc("TLS settings; the system's authorities and TLS 1.2 or newer without."),
		spec.Object(&o.Signing, "signing").Doc("Signs requests as of Standard Webhooks."),
	}
}

// Validate looks at the options together.
func (o *Options) Validate() []spec.Issue {
	var issues []spec.Issue
	warn := func(field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: true})
	}
	for name, v := range o.Headers {
		switch key := http.CanonicalHeaderKey(name); {
		case strings.HasPrefix(key, "Hookd-"):
			issues = append(issues, spec.Issue{Field: "headers", Message: fmt.Sprintf("%s is set by hookd", key)})
		case !validName(name) || !validValue(v.Reveal()):
			warn("headers", fmt.Sprintf("header %q has a name or value that HTTP does not allow and is left out", name), "")
		case isHop(key):
			warn("headers", fmt.Sprintf("%s belongs to one connection and is left out", key), "")
		}
	}
	slices.SortFunc(issues, func(a, b spec.Issue) int { return strings.Compare(a.Message, b.Message) })
	if o.AllowedSet && !o.Forward {
		warn("allowed_headers", "does nothing without forward_headers", `add "forward_headers": true`)
	}
	if o.URL.Scheme == "http" && len(o.Headers) > 0 {
		warn("url", "is not https: configured headers travel in the clear", "")
	}
	return issues
}

// AllowedHosts is what the egress policy opens for this destination.
func (o *Options) AllowedHosts() []string { return o.Hosts }

// HTTPHeaders says that delivery headers arrive as HTTP headers, so that
// CloudEvents can travel in binary mode.
func (*Options) HTTPHeaders() bool { return true }

// ForwardedHeaders are the sender's headers that are named one by one.
func (o *Options) ForwardedHeaders() []string {
	if !o.Forward {
		return nil
	}
	return o.Allowed
}

var (
	_ modules.Egress          = (*Options)(nil)
	_ modules.HeaderForwarder = (*Options)(nil)
	_ spec.Validator          = (*Options)(nil)
)

func (o *Options) timeout() time.Duration {
	if o.Timeout <= 0 {
		return 30 * time.Second
	}
	return o.Timeout
}

func (o *Options) method() string {
	if o.Method == "" {
		return string(Post)
	}
	return string(o.Method)
}

func checkHosts(all []string) error {
	var errs []error
	for _, h := range all {
		errs = append(errs, netguard.CheckEntry(h))
	}
	return errors.Join(errs...)
}

func checkTimeout(d time.Duration) error {
	if d <= 0 || d > 10*time.Minute {
		return errors.New("is not above 0 and at most 10 minutes")
	}
	return nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
