package presets

import (
	"crypto/x509"
	"errors"
	"fmt"
	neturl "net/url"
	"slices"
	"strings"
)

const certPath = "/v1/notifications/certs/"

var certHosts = []string{"api.paypal.com", "api.sandbox.paypal.com", "api-m.paypal.com", "api-m.sandbox.paypal.com"}

// paypalOwner is who PayPal's certificates are of.
func paypalOwner() *certOwner {
	return &certOwner{
		method: "paypal", title: "PayPal",
		check:  checkCertURL,
		owns:   func(_ string, cert *x509.Certificate) bool { return ofPaypal(cert) },
		issuer: func(host string) bool { return host == "cacerts.digicert.com" },
	}
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

// ofPaypal looks at the names, and at the common name as PayPal's own libraries
// do.
func ofPaypal(cert *x509.Certificate) bool {
	return slices.ContainsFunc(append(cert.DNSNames, cert.Subject.CommonName), func(name string) bool {
		return strings.HasSuffix(strings.ToLower(name), ".paypal.com")
	})
}
