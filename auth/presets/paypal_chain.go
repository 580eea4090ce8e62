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
	"time"

	"github.com/hookd/hookd/auth"
)

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
