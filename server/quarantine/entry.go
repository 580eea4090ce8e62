package quarantine

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/ingest"
)

// Facts are what a list shows of a request.
type Facts struct {
	ID       event.ID
	Hook     string // that refused it
	Received time.Time
	Status   int
	Reason   string // "hmac:signature_mismatch"
	Method   string
	Path     string
	Remote   netip.Addr
	Size     int // bytes of the body
	Body     BodyState
}

// BodyState says whether the body is there.
type BodyState string

// The states. Only a request whose body is kept can be tried again.
const (
	BodyKept     BodyState = "kept"
	BodyTooLarge BodyState = "too_large" // larger than MaxBody
	BodyUnread   BodyState = "unread"    // refused by its address, before the body was read
)

// Entry is a request as it was received.
type Entry struct {
	Facts
	Request   string // its id in the log
	Namespace string
	Asked     string // the hook in its path
	RawPath   string
	Query     string
	Host      string
	Peer      netip.Addr
	Header    http.Header
	TLS       *Connection // nil for plain HTTP
	// Headers and Params are where the hook's proofs read credentials from.
	Headers []string
	Params  []string

	Content []byte // the body as sent

	waiting int64 // bytes counted for it until it is written
}

// Connection is what is kept of an encrypted connection.
type Connection struct {
	Version uint16   `json:"version"`
	Server  string   `json:"server,omitempty"`
	Certs   [][]byte `json:"certs,omitempty"` // of the client, DER; it proved to have the key of the first
}

// maxCerts bounds the certificates that are kept, in bytes.
const maxCerts = 64 << 10

// roughSize is about what an entry takes in memory.
func roughSize(u *ingest.Unproved, maxBody int64) int64 {
	n := int64(1024 + len(u.Request.URL.RawQuery) + len(u.Request.URL.Path))
	for name, vs := range u.Request.Header {
		for _, v := range vs {
			n += int64(len(name) + len(v) + 32)
		}
	}
	if body := int64(len(u.Body)); body <= maxBody {
		n += body
	}
	return n
}

// entryOf copies what is kept of u.
func entryOf(u *ingest.Unproved, maxBody int64) *Entry {
	r := u.Request
	e := &Entry{
		Facts: Facts{
			Hook: u.Hook.ID, Received: r.Received, Status: u.Status, Reason: u.Reason, Method: r.Method,
			Path: r.URL.Path, Remote: u.Remote, Size: len(u.Body), Body: BodyKept,
		},
		Request: r.ID, Namespace: r.Namespace, Asked: r.Hook, RawPath: r.URL.RawPath, Query: r.URL.RawQuery,
		Host: r.Host, Peer: r.Peer, Header: r.Header.Clone(), TLS: connectionOf(r.TLS),
		Headers: slices.Clone(u.Hook.Auth.CredentialHeaders()), Params: slices.Clone(u.Hook.Auth.CredentialParams()),
	}
	switch {
	case !u.Read:
		e.Body, e.Size = BodyUnread, int(max(r.Length, 0))
	case int64(len(u.Body)) > maxBody:
		e.Body = BodyTooLarge
	default:
		e.Content = bytes.Clone(u.Body)
	}
	return e
}

func connectionOf(s *tls.ConnectionState) *Connection {
	if s == nil {
		return nil
	}
	c := &Connection{Version: s.Version, Server: s.ServerName}
	n := 0
	for _, cert := range s.PeerCertificates {
		if n += len(cert.Raw); n > maxCerts {
			c.Certs = nil
			break
		}
		c.Certs = append(c.Certs, cert.Raw)
	}
	return c
}

// state is the connection as a proof looks at it.
func (c *Connection) state() *tls.ConnectionState {
	if c == nil {
		return nil
	}
	s := &tls.ConnectionState{Version: c.Version, ServerName: c.Server, HandshakeComplete: true}
	for _, der := range c.Certs {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			s.PeerCertificates = nil
			break
		}
		s.PeerCertificates = append(s.PeerCertificates, cert)
	}
	return s
}

func (e *Entry) url() *url.URL { return &url.URL{Path: e.Path, RawPath: e.RawPath, RawQuery: e.Query} }

// Proof is the request as a proof looks at it, at the time when it came.
func (e *Entry) Proof() *auth.Request {
	return &auth.Request{
		Method: e.Method, URL: e.url(), Host: e.Host, Header: e.Header.Clone(), Peer: e.Peer, Remote: e.Remote,
		TLS: e.TLS.state(), Body: bytes.Clone(e.Content), Now: e.Received,
	}
}

// Ingest is the request as the gate takes it.
func (e *Entry) Ingest() *ingest.Request {
	return &ingest.Request{
		ID: e.Request, Method: e.Method, Namespace: e.Namespace, Hook: e.Asked, URL: e.url(), Host: e.Host,
		Header: e.Header.Clone(), Peer: e.Peer, TLS: e.TLS.state(), Length: int64(len(e.Content)),
		Body: bytes.NewReader(e.Content), Received: e.Received,
	}
}
