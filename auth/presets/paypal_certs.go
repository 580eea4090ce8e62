package presets

import (
	"crypto/x509"
	"fmt"
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

// ofPaypal looks at the names, and at the common name as PayPal's own libraries
// do.
func ofPaypal(cert *x509.Certificate) bool {
	return slices.ContainsFunc(append(cert.DNSNames, cert.Subject.CommonName), func(name string) bool {
		return strings.HasSuffix(strings.ToLower(name), ".paypal.com")
	})
}
