package httpwebhook

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
)

// hop are the headers that speak of one connection (RFC 9110 section 7.6.1) or
// of the message's framing, and those that net/http sets itself.
var hop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Http2-Settings", "Expect", "Host", "Content-Length", "Accept-Encoding",
	"Content-Encoding", // a body is decoded before it is stored
}

func isHop(canonical string) bool { return slices.Contains(hop, canonical) }

// ours are the headers that a sender must not be able to set: hookd says them,
// or nobody does.
func ours(canonical string) bool {
	switch canonical {
	case "Traceparent", "Tracestate", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature":
		return true
	}
	return strings.HasPrefix(canonical, "Hookd-")
}

func validName(name string) bool   { return httpguts.ValidHeaderFieldName(name) }
func validValue(value string) bool { return httpguts.ValidHeaderFieldValue(value) }

// fixed are the configured headers, ready to be set.
type fixed map[string]string

func (o *Options) fixedHeaders() fixed {
	f := make(fixed, len(o.Headers))
	for name, v := range o.Headers {
		key, value := textproto.CanonicalMIMEHeaderKey(name), v.Reveal()
		if validName(name) && validValue(value) && !isHop(key) && !strings.HasPrefix(key, "Hookd-") {
			f[key] = value
		}
	}
	return f
}

// compose lays the sender's headers down first, hookd's over them, and the
// operator's on top; the operator cannot change what identifies a delivery.
func (o *Options) compose(d *event.Delivery, f fixed, agent string) http.Header {
	h := make(http.Header, len(d.Header)+len(f)+2)
	h.Set("User-Agent", agent)
	if o.Forward && d.Event != nil {
		o.forward(h, d)
	}
	for name, values := range d.Header {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if !validName(name) || isHop(key) {
			continue
		}
		delete(h, key)
		for _, v := range values {
			if validValue(v) {
				h[key] = append(h[key], v)
			}
		}
	}
	for key, value := range f {
		h[key] = []string{value}
	}
	return h
}

func (o *Options) forward(h http.Header, d *event.Delivery) {
	sent := d.Event.Header
	named := connectionTokens(sent)
	for name, values := range sent {
		key := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !validName(name), isHop(key), ours(key), slices.Contains(named, key), !o.forwards(key):
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !validValue(v) })
		if len(kept) > 0 {
			h[key] = kept
		}
	}
}

// forwards holds credentials back unless this destination names them: the event
// may have kept them for another one.
func (o *Options) forwards(canonical string) bool {
	if !o.AllowedSet && o.Allowed == nil {
		return !modules.Sensitive(canonical, "signature", "signatures", "sig", "hmac")
	}
	return slices.ContainsFunc(o.Allowed, func(a string) bool {
		return textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(a)) == canonical
	})
}

// connectionTokens are the headers that the sender's Connection header names.
func connectionTokens(h http.Header) []string {
	var all []string
	for _, v := range h["Connection"] {
		for token := range strings.SplitSeq(v, ",") {
			all = append(all, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(token)))
		}
	}
	return all
}
