package websocket

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// Server is where to connect, and how hookd shows itself.
type Server struct {
	URL       url.URL
	Query     map[string]secret.String
	Headers   map[string]secret.String
	Protocols []string
	TLS       link.TLS
}

func (s *Server) url() *spec.Value[url.URL] {
	return spec.URL(&s.URL, "url").Check(checkURL).
		Doc("Where to connect, ws or wss. Required, here or in a connection. Tokens belong into `headers` or `query`, which are not shown.")
}

func (s *Server) fields(url spec.Field) spec.Fields {
	return spec.Fields{
		url,
		spec.SecretMap(&s.Query, "query").
			Doc("Parameters to add to the URL, such as a token. Their values are treated as secrets."),
		spec.SecretHeaders(&s.Headers, "headers").
			Doc("Headers of the request that opens the connection, such as `Authorization`. Their values are treated as secrets."),
		spec.Strings(&s.Protocols, "subprotocols").Check(checkProtocols).
			Doc("Subprotocols to offer, the preferred one first."),
		s.TLS.Field("tls").Doc("TLS settings of a wss URL; without them the system's authorities are trusted. TLS 1.2 or newer."),
	}
}

// checkURL looks at what is written. A user and a password in it are sent as
// HTTP does, which the guard's check of a URL would refuse.
func checkURL(u url.URL) error {
	u.User = nil
	if u.Fragment != "" {
		return errors.New("has a fragment (#), which is never sent: write %23")
	}
	return netguard.CheckURL(&u, "ws", "wss")
}

func checkProtocols(all []string) error {
	for i, p := range all {
		if !httpguts.ValidHeaderFieldName(p) { // both are tokens of HTTP
			return errors.New("holds what is no name of a subprotocol")
		}
		if slices.Contains(all[:i], p) {
			return errors.New("names one twice")
		}
	}
	return nil
}

// taken are the headers that the opening of a connection sets itself, and those
// that speak of one connection or of a body.
var taken = []string{
	"Connection", "Upgrade", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Content-Length", "Host", "Expect", "Http2-Settings",
}

// headerIssue says what is wrong with a header; "" is nothing.
func headerIssue(name, value string) (message, hint string) {
	switch key := textproto.CanonicalMIMEHeaderKey(name); {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Sprintf("%q is no name of a header", name), ""
	case !httpguts.ValidHeaderFieldValue(value):
		return fmt.Sprintf("the value of %s holds what HTTP does not allow in a header", key), ""
	case key == "Sec-Websocket-Protocol":
		return key + " is set by hookd", "use subprotocols"
	case strings.HasPrefix(key, "Sec-Websocket-"), strings.HasPrefix(key, "Hookd-"):
		return key + " is set by hookd", ""
	case slices.Contains(taken, key):
		return key + " belongs to the connection itself", "remove it"
	}
	return "", ""
}

func (s *Server) issues() []spec.Issue {
	var issues []spec.Issue
	add := func(warning bool, field, message, hint string) {
		issues = append(issues, spec.Issue{Field: field, Message: message, Hint: hint, Warning: warning})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if message, hint := headerIssue(name, s.Headers[name].Reveal()); message != "" {
			add(false, "headers", message, hint)
		}
	}
	secure := s.URL.Scheme == "wss"
	if s.URL.Scheme == "ws" {
		if len(s.Headers)+len(s.Query) > 0 || s.URL.User != nil {
			add(true, "url", "is not wss: tokens and events travel in the clear", "")
		}
		if s.TLS.On() {
			add(false, "tls", "is on, and the url begins with ws", "write wss")
		}
	}
	if secure && s.TLS.Written && !s.TLS.Enabled {
		add(false, "tls", "is off, and the url begins with wss", "write ws")
	}
	if s.URL.User != nil {
		add(true, "url", "holds a user and a password", "write headers.Authorization")
	}
	for name := range s.URL.Query() {
		if modules.Sensitive(name) {
			add(true, "url", fmt.Sprintf("holds %q, which looks like a credential and is shown where the configuration is", name), "move it into query")
		}
	}
	return issues
}

// over is this server with what a destination adds to it. A destination with a
// url of its own gets nothing of the connection's, whose tokens are for another
// server.
func (s Server) over(base Server) Server {
	if s.URL != (url.URL{}) {
		return s
	}
	same := func(name string) string { return name }
	base.Query = merged(same, base.Query, s.Query)
	base.Headers = merged(textproto.CanonicalMIMEHeaderKey, base.Headers, s.Headers)
	if len(s.Protocols) > 0 {
		base.Protocols = s.Protocols
	}
	return base
}

// merged is a, and b over it, where names are the same if their keys are: those
// of headers know no case.
func merged(key func(string) string, a, b map[string]secret.String) map[string]secret.String {
	all := make(map[string]secret.String, len(a)+len(b))
	for _, m := range []map[string]secret.String{a, b} {
		for name, v := range m {
			all[key(name)] = v
		}
	}
	return all
}

// target is the URL with its secret parameters, without user and password.
func (s *Server) target() url.URL {
	u := s.URL
	u.User = nil
	if len(s.Query) > 0 {
		var more []string
		for _, name := range slices.Sorted(maps.Keys(s.Query)) {
			more = append(more, url.QueryEscape(name)+"="+url.QueryEscape(s.Query[name].Reveal()))
		}
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+strings.Join(more, "&"), "&")
	}
	return u
}

// header is that of the request that opens a connection.
func (s *Server) header(agent string) http.Header {
	h := http.Header{"User-Agent": {agent}}
	if u := s.URL.User; u != nil {
		password, _ := u.Password()
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	for name, v := range s.Headers {
		h.Set(name, v.Reveal())
	}
	return h
}

func (s *Server) addr() string {
	port := s.URL.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[s.URL.Scheme]
	}
	return net.JoinHostPort(s.URL.Hostname(), port)
}

// secrets are the texts that an error must not repeat.
func (s *Server) secrets() secret.Texts {
	var all []string
	for _, m := range []map[string]secret.String{s.Query, s.Headers} {
		for _, v := range m {
			value := v.Reveal()
			all = append(all, value)
			if _, credential, ok := strings.Cut(value, " "); ok {
				all = append(all, credential) // "Bearer ..."
			}
		}
	}
	for _, vs := range s.URL.Query() {
		all = append(all, vs...)
	}
	if password, ok := s.URL.User.Password(); ok {
		all = append(all, password)
	}
	return secret.NewTexts(slices.DeleteFunc(all, func(t string) bool { return len(t) < 4 }))
}
