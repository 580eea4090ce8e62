package testinfra

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Certs are files in PEM form: an authority, a certificate of it for localhost,
// 127.0.0.1 and ::1, one for a client, and an authority that signed neither.
type Certs struct {
	CA                    string
	ServerCert, ServerKey string
	ClientCert, ClientKey string
	OtherCA               string
}

// certs are made once and shared by all servers.
var certs = sync.OnceValues(func() (*Certs, error) {
	root, err := base()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "tls")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	return makeCerts(dir)
})

// Certificates are those of all servers, for a server that a test starts itself.
func Certificates(t testing.TB) *Certs {
	t.Helper()
	c, err := certs()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func makeCerts(dir string) (*Certs, error) {
	at := func(name string) string { return filepath.Join(dir, name) }
	c := &Certs{
		CA: at("ca.crt"), OtherCA: at("other-ca.crt"),
		ServerCert: at("server.crt"), ServerKey: at("server.key"), ClientCert: at("client.crt"), ClientKey: at("client.key"),
	}
	ca, err := issue(nil, "hookd test CA", c.CA, "")
	if err != nil {
		return nil, err
	}
	_, err = issue(nil, "another CA", c.OtherCA, "")
	_, err1 := issue(ca, "localhost", c.ServerCert, c.ServerKey)
	_, err2 := issue(ca, account, c.ClientCert, c.ClientKey)
	return c, errors.Join(err, err1, err2)
}

// pair is a certificate and its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate signed by the authority; by itself, as an authority,
// when that is nil.
func issue(by *pair, name, certFile, keyFile string) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
		BasicConstraintsValid: true,
	}
	if by == nil {
		cert.IsCA, cert.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		by = &pair{cert, key}
	} else {
		cert.DNSNames, cert.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
		cert.KeyUsage = x509.KeyUsageDigitalSignature
		cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, by.cert, &key.PublicKey, by.key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(certFile, "CERTIFICATE", der); err != nil {
		return nil, err
	}
	if keyFile != "" {
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		if err := writePEM(keyFile, "PRIVATE KEY", pkcs8); err != nil {
			return nil, err
		}
	}
	parsed, err := x509.ParseCertificate(der)
	return &pair{parsed, key}, err
}

// writePEM writes a file that each server's user can read: the keys protect
// nothing.
func writePEM(file, kind string, der []byte) error {
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return os.WriteFile(file, b, 0o644)
}

// Client is a TLS configuration that trusts the authority.
func (c *Certs) Client() (*tls.Config, error) {
	b, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, errors.New("the authority's file holds no certificate")
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}, nil
}
