// Package link is what modules with connections of their own have in common:
// TLS settings, dialling through the guard, what an error of that means, and
// how to get back from a client that knows no context.
package link

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/hookd/hookd/internal/spec"
)

// TLS settings of a connection.
type TLS struct {
	Written    bool // the settings are there at all
	Enabled    bool
	CAFile     string
	CertFile   string
	KeyFile    string
	ServerName string
	Insecure   bool
}

// Field is the field of a connection that holds the settings: an object, or
// just true.
func (t *TLS) Field(name string) *spec.Group {
	return spec.Object(t, name).Set(&t.Written).
		Doc("Connect with TLS, version 1.2 or newer: `true` to trust the system's authorities, or an object with the settings below.")
}

// Fields lists the settings.
func (t *TLS) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&t.Enabled, "enabled").Default(true).Doc("Whether TLS is used; `false` keeps the other settings for later."),
		spec.String(&t.CAFile, "ca_file").Doc("PEM file with the authorities to trust, instead of the system's."),
		spec.String(&t.CertFile, "cert_file").Doc("PEM file with the certificate that hookd shows."),
		spec.String(&t.KeyFile, "key_file").Doc("PEM file with the key of `cert_file`."),
		spec.String(&t.ServerName, "server_name").Advanced().Doc("Name to expect in the certificate, instead of the host."),
		spec.Bool(&t.Insecure, "insecure_skip_verify").Default(false).Advanced().
			Doc("Accept any certificate. Anybody on the way can then read and change events."),
	}
}

// Inline takes true and false for the whole.
func (t *TLS) Inline() spec.Field { return spec.Bool(&t.Enabled, "enabled") }

// Validate warns about what undoes TLS.
func (t *TLS) Validate() []spec.Issue {
	var issues []spec.Issue
	if t.Insecure {
		issues = append(issues, spec.Issue{Field: "insecure_skip_verify", Warning: true, Message: "accepts any certificate", Hint: "set ca_file instead"})
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		issues = append(issues, spec.Issue{Field: "cert_file", Message: "cert_file and key_file go together"})
	}
	return issues
}

// On reports whether TLS is wanted.
func (t *TLS) On() bool { return t.Written && t.Enabled }

// Client is the configuration for a connection to host, read from the files
// anew, so that a renewed certificate needs no restart; nil when TLS is off.
func (t *TLS) Client(host string) (*tls.Config, error) {
	if !t.On() {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, InsecureSkipVerify: t.Insecure} // #nosec G402 -- an option that warns
	if t.ServerName != "" {
		cfg.ServerName = t.ServerName
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca_file: %s holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert_file: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
