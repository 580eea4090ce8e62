package presets

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/auth"
)

const (
	certPath     = "/v1/notifications/certs/"
	issuerHost   = "cacerts.digicert.com" // where the issuers of PayPal's certificates are
	maxCertBytes = 64 << 10
	maxCerts     = 64               // kept at once
	maxFetches   = 20               // in a minute: anybody can make up the name of a certificate
	certTimeout  = 5 * time.Second  // of one fetch
	certWait     = 10 * time.Second // for others that are being fetched
	certKept     = 24 * time.Hour   // and no longer than it is valid
	certRefused  = time.Minute
)

var certHosts = []string{"api.paypal.com", "api.sandbox.paypal.com", "api-m.paypal.com", "api-m.sandbox.paypal.com"}

// paypalCerts fetches certificates and keeps their keys. It is safe for
// concurrent use; one certificate is fetched at a time.
type paypalCerts struct {
	client *http.Client
	roots  *x509.CertPool
	turn   chan struct{} // holds one while nobody fetches

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

func newPaypalCerts(rt http.RoundTripper, roots *x509.CertPool) *paypalCerts {
	c := &paypalCerts{roots: roots, turn: make(chan struct{}, 1), known: make(map[string]knownCert)}
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
func (c *paypalCerts) key(ctx context.Context, url string, now time.Time) (*rsa.PublicKey, *auth.Denial) {
	if err := checkCertURL(url); err != nil {
		return nil, paypalDeny(auth.CodeKey, err)
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
		return nil, certUnavailable(wait.Err())
	}
	if k, ok := c.lookup(url, now); ok { // fetched in the meantime
		return k.key, k.refused
	}
	if !c.mayFetch(now) {
		return nil, certUnavailable(errors.New("too many certificates were asked for in a minute"))
	}
	k := c.load(ctx, url, now)
	if k.refused == nil || !k.refused.Unavailable {
		c.keep(url, k, now)
	}
	return k.key, k.refused
}

// checkCertURL pins where a certificate may come from: the sender names it. Text
// is compared, so that there is one spelling of each URL.
func checkCertURL(text string) error {
	for _, host := range certHosts {
		if name, ok := strings.CutPrefix(text, "https://"+host+certPath); ok && certName(name) {
			return nil
		}
	}
	return fmt.Errorf("PAYPAL-CERT-URL is not https://%s%s…", certHosts[0], certPath)
}

func certName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
}

func (c *paypalCerts) lookup(url string, now time.Time) (knownCert, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[url]
	return k, ok && now.Before(k.until)
}

func (c *paypalCerts) mayFetch(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.minute).Abs() >= time.Minute {
		c.minute, c.fetch = now, 0
	}
	c.fetch++
	return c.fetch <= maxFetches
}

func (c *paypalCerts) keep(url string, k knownCert, now time.Time) {
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

func certUnavailable(err error) *auth.Denial {
	return &auth.Denial{Method: "paypal", Code: auth.CodeUnavailable, Unavailable: true, Err: fmt.Errorf("the certificate of PayPal: %w", err)}
}
