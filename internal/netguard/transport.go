package netguard

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// Dial is the shape of a guarded dial: Guard.DialContext, or Env.Dial of a
// module.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// TransportOptions tune a transport; the zero value is right for most.
type TransportOptions struct {
	TLS *tls.Config // nil is the system's roots, TLS 1.2 and up
	// MaxIdlePerHost is how many idle connections are kept to one host; 0 is
	// 64, the concurrency of four busy lanes.
	MaxIdlePerHost int
	// HeaderTimeout bounds the wait for the answer's header after the request
	// was written; 0 leaves it to the request's context.
	HeaderTimeout time.Duration
}

// maxHeaderBytes is far above what an answer to a webhook has in its header.
const maxHeaderBytes = 64 << 10

// ErrSwitched is the failure of a request whose answer is 101: the connection
// then speaks another protocol, for which nobody asked.
var ErrSwitched = errors.New("the answer is 101: the far end switches to another protocol")

// Transport is an http.Transport that takes no answer of 101: its body would be
// the connection itself, and a read of it is ended by no context.
type Transport struct{ *http.Transport }

// RoundTrip makes a request. It returns ErrSwitched besides the errors of
// net/http.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusSwitchingProtocols {
		_ = resp.Body.Close()
		return nil, ErrSwitched
	}
	return resp, err
}

// Transport is an HTTP transport behind the guard.
func (g *Guard) Transport(o TransportOptions) *Transport {
	return NewTransport(g.DialContext, o)
}

// NewTransport is an HTTP transport on a guarded dial. It knows no proxy, as
// one would resolve names out of the guard's sight; it asks for no
// compression; HTTP/2 is on. It does not follow redirects: that is a client's
// doing, and each hop would pass the guard again.
func NewTransport(dial Dial, o TransportOptions) *Transport {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		cfg = o.TLS.Clone()
	}
	idle := o.MaxIdlePerHost
	if idle <= 0 {
		idle = 64
	}
	return &Transport{&http.Transport{
		Proxy:                  nil,
		DialContext:            dial,
		TLSClientConfig:        cfg,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true, // a dial of our own would turn it off
		DisableCompression:     true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		ResponseHeaderTimeout:  o.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}}
}
