package presets

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	snsCertPath = regexp.MustCompile(`^/[A-Za-z0-9_-]+\.pem$`)
	snsIssuer   = regexp.MustCompile(`^(?:crt\.[a-z0-9]+\.amazontrust\.com|cacerts\.digicert\.com)$`)
)

// snsOwner is who AWS's certificates are of. Their files hold the leaf only; its
// issuers are Amazon's, and DigiCert's in China.
func snsOwner() *certOwner {
	return &certOwner{
		method: "sns", title: "Amazon SNS",
		check:  checkSNSCert,
		owns:   ofSNS,
		issuer: snsIssuer.MatchString,
	}
}

func checkSNSCert(url string) error {
	u, err := parseSNSURL(url)
	if err == nil && (!snsCertPath.MatchString(u.EscapedPath()) || u.RawQuery != "" || u.ForceQuery) {
		err = errors.New("not the path of a certificate")
	}
	if err != nil {
		return fmt.Errorf("SigningCertURL: %w", err)
	}
	return nil
}

// ofSNS looks for the names that certificates of a region have, as AWS's own SDK
// for Java lists them.
func ofSNS(host string, cert *x509.Certificate) bool {
	names := []string{"sns.amazonaws.com", host}
	if m := snsHost.FindStringSubmatch(host); m != nil {
		region, domain := m[1], m[2]
		names = append(names, "sns-signing."+region+"."+domain, "sns-"+region+"."+domain)
		if strings.HasPrefix(region, "us-gov-") {
			names = append(names, "sns-us-gov-west-1.amazonaws.com")
		}
	}
	return !cert.IsCA && slices.ContainsFunc(names, func(n string) bool { return cert.VerifyHostname(n) == nil })
}
