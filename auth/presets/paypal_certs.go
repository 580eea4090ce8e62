package presets

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"slices"
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

// checkCertURL pins where a certificate may come from: the sender names it.
func checkCertURL(text string) error {
	u, err := neturl.Parse(text)
	if err != nil {
		return errors.New("PAYPAL-CERT-URL is no URL")
	}
	name, ok := strings.CutPrefix(u.EscapedPath(), certPath)
	if u.Scheme != "https" || !slices.Contains(certHosts, u.Host) || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery || !ok || !certName(name) {
		return fmt.Errorf("PAYPAL-CERT-URL is not https://%s%s…", certHosts[0], certPath)
	}
	return nil
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

// load fetches, parses and checks a certificate.
func (c *paypalCerts) load(ctx context.Context, url string, now time.Time) knownCert {
	refuse := func(code string, err error) knownCert {
		return knownCert{refused: paypalDeny(code, err), until: now.Add(certRefused)}
	}
	b, err := c.get(ctx, url)
	if gone := (*notThere)(nil); errors.As(err, &gone) {
		return refuse(auth.CodeKey, fmt.Errorf("no certificate: %w", err))
	} else if err != nil {
		return knownCert{refused: certUnavailable(err)}
	}
	chain, err := parseChain(b)
	if err != nil {
		return refuse(auth.CodeCertificate, err)
	}
	leaf := chain[0]
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 2048 {
		return refuse(auth.CodeCertificate, errors.New("the certificate has no RSA key of 2048 bits or more"))
	}
	if !ofPaypal(leaf) {
		return refuse(auth.CodeCertificate, errors.New("the certificate is not of a name below paypal.com"))
	}
	err = c.verify(leaf, chain[1:], now)
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		var issuers []*x509.Certificate
		if issuers, err = c.issuers(ctx, chain[len(chain)-1]); err != nil {
			return knownCert{refused: certUnavailable(err)}
		}
		err = c.verify(leaf, append(chain[1:], issuers...), now)
	}
	if err != nil {
		return refuse(auth.CodeCertificate, err)
	}
	until := now.Add(certKept)
	if leaf.NotAfter.Before(until) {
		until = leaf.NotAfter
	}
	return knownCert{key: key, until: until}
}

func (c *paypalCerts) verify(leaf *x509.Certificate, between []*x509.Certificate, now time.Time) error {
	o := x509.VerifyOptions{Roots: c.roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, cert := range between {
		o.Intermediates.AddCert(cert)
	}
	_, err := leaf.Verify(o)
	return err
}

// issuers are those that the certificate says were above it, which PayPal does
// not send along. That they come without TLS does not matter: the chain is
// verified.
func (c *paypalCerts) issuers(ctx context.Context, cert *x509.Certificate) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for range 2 {
		i := slices.IndexFunc(cert.IssuingCertificateURL, func(text string) bool {
			u, err := neturl.Parse(text)
			return err == nil && u.Host == issuerHost && (u.Scheme == "http" || u.Scheme == "https")
		})
		if i < 0 || bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			break
		}
		b, err := c.get(ctx, cert.IssuingCertificateURL[i])
		if err != nil {
			return nil, err
		}
		next, err := x509.ParseCertificate(b)
		if err != nil {
			return nil, fmt.Errorf("the issuer from %s: %w", issuerHost, err)
		}
		all = append(all, next)
		cert = next
	}
	return all, nil
}

// notThere is an answer that will not change soon.
type notThere struct{ status int }

func (e *notThere) Error() string { return fmt.Sprintf("answered with %d", e.status) }

func (c *paypalCerts) get(ctx context.Context, url string) ([]byte, error) {
	if c.client == nil {
		return nil, errors.New("there is no network here")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return nil, fmt.Errorf("answered with %d", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, &notThere{resp.StatusCode}
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxCertBytes+1))
	if err == nil && len(b) > maxCertBytes {
		err = &notThere{http.StatusRequestEntityTooLarge}
	}
	return b, err
}

// parseChain reads certificates in PEM, that of PayPal first.
func parseChain(b []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for len(bytes.TrimSpace(b)) > 0 {
		block, rest := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" || len(chain) == 5 {
			return nil, errors.New("the answer is not one to five certificates in PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate: %w", err)
		}
		chain, b = append(chain, cert), rest
	}
	if len(chain) == 0 {
		return nil, errors.New("the answer holds no certificate")
	}
	return chain, nil
}

// ofPaypal looks at the names, and at the common name as PayPal's own libraries
// do.
func ofPaypal(cert *x509.Certificate) bool {
	return slices.ContainsFunc(append(cert.DNSNames, cert.Subject.CommonName), func(name string) bool {
		return strings.HasSuffix(strings.ToLower(name), ".paypal.com")
	})
}

func certUnavailable(err error) *auth.Denial {
	return &auth.Denial{Method: "paypal", Code: auth.CodeUnavailable, Unavailable: true, Err: fmt.Errorf("the certificate of PayPal: %w", err)}
}
