package presets

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hookd/hookd/auth"
)

const (
	maxCertBytes = 64 << 10
	maxCerts     = 64               // kept at once
	maxFetches   = 20               // in a minute: anybody can make up the name of a certificate
	certTimeout  = 5 * time.Second  // of one fetch
	certWait     = 10 * time.Second // for others that are being fetched
	certKept     = 24 * time.Hour   // and no longer than it is valid
	certRefused  = time.Minute
)

// certOwner is a sender that signs with the key of a certificate which it names
// in the request.
type certOwner struct {
	method, title string
	// check pins where a certificate may come from.
	check func(url string) error
	// owns reports whether the certificate, which host has served, is the
	// sender's.
	owns func(host string, cert *x509.Certificate) bool
	// issuer reports whether the issuers of its certificates are at the host.
	issuer func(host string) bool
}

// certs fetches certificates and keeps their keys. It is safe for concurrent
// use; one certificate is fetched at a time.
type certs struct {
	owner  *certOwner
	client *http.Client
	roots  *x509.CertPool // nil are those of the system
	turn   chan struct{}  // holds one while nobody fetches

	mu     sync.Mutex
	known  map[string]knownCert
	minute time.Time // when fetches was 0
	fetch  int
}

// knownCert is a key, or why there is none.
type knownCert struct {
	key     *rsa.PublicKey
	refused *auth.Denial
	until   time.Time
}

func newCerts(owner *certOwner, rt http.RoundTripper, roots *x509.CertPool) *certs {
	c := &certs{owner: owner, roots: roots, turn: make(chan struct{}, 1), known: make(map[string]knownCert)}
	if rt != nil {
		c.client = &http.Client{
			Transport:     rt,
			Timeout:       certTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	c.turn <- struct{}{}
	return c
}

// key is that of the certificate at url.
func (c *certs) key(ctx context.Context, url string, now time.Time) (*rsa.PublicKey, *auth.Denial) {
	if err := c.owner.check(url); err != nil {
		return nil, c.deny(auth.CodeKey, err)
	}
	if k, ok := c.lookup(url, now); ok {
		return k.key, k.refused
	}
	wait, cancel := context.WithTimeout(ctx, certWait)
	defer cancel()
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-wait.Done():
		return nil, c.unavailable(wait.Err())
	}
	if k, ok := c.lookup(url, now); ok { // fetched in the meantime
		return k.key, k.refused
	}
	if !c.mayFetch(now) {
		return nil, c.unavailable(errors.New("too many certificates were asked for in a minute"))
	}
	k := c.load(ctx, url, now)
	if k.refused == nil || !k.refused.Unavailable {
		c.keep(url, k, now)
	}
	return k.key, k.refused
}

func (c *certs) lookup(url string, now time.Time) (knownCert, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[url]
	return k, ok && now.Before(k.until)
}

func (c *certs) mayFetch(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.minute).Abs() >= time.Minute {
		c.minute, c.fetch = now, 0
	}
	c.fetch++
	return c.fetch <= maxFetches
}

func (c *certs) keep(url string, k knownCert, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for old, have := range c.known {
		full := len(c.known) >= maxCerts
		if !now.Before(have.until) || full && have.refused != nil {
			delete(c.known, old)
		}
	}
	if len(c.known) < maxCerts {
		c.known[url] = k
	}
}

func (c *certs) deny(code string, err error) *auth.Denial {
	return &auth.Denial{Method: c.owner.method, Code: code, Err: err}
}

func (c *certs) unavailable(err error) *auth.Denial {
	return &auth.Denial{
		Method: c.owner.method, Code: auth.CodeUnavailable, Unavailable: true,
		Err: fmt.Errorf("the certificate of %s: %w", c.owner.title, err),
	}
}
