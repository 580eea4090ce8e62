package netguard

import (
	"context"
	"crypto/tls"
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

// Transport is an HTTP transport behind the guard.
func (g *Guard) Transport(o TransportOptions) *http.Transport {
	return NewTransport(g.DialContext, o)
}

// NewTransport is an HTTP transport on a guarded dial. It knows no proxy, as
// one would resolve names out of the guard's sight; it asks for no
// compression; HTTP/2 is on. It does not follow redirects: that is a client's
// doing, and each hop would pass the guard again.
func NewTransport(dial Dial, o TransportOptions) *http.Transport {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		cfg = o.TLS.Clone()
	}
	idle := o.MaxIdlePerHost
	if idle <= 0 {
		idle = 64
	}
	return &http.Transport{
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
	}
}
