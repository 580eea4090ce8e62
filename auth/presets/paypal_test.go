package presets_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
)

const (
	paypalURL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
	webhookID = "3RN13029J36659323"
	issuerURL = "http://cacerts.digicert.com/Issuer.crt"
)

// authority issues certificates: a root, an issuer below it, and those of
// senders.
type authority struct {
	root, issuer       *x509.Certificate
	rootKey, issuerKey *ecdsa.PrivateKey
	leafKey            *rsa.PrivateKey
}

var theAuthority = sync.OnceValue(func() *authority {
	a := &authority{rootKey: newECDSA(), issuerKey: newECDSA(), leafKey: newRSA()}
	a.root = issue(&x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true}, nil, &a.rootKey.PublicKey, a.rootKey)
	a.issuer = issue(&x509.Certificate{Subject: pkix.Name{CommonName: "issuer"}, IsCA: true}, a.root, &a.issuerKey.PublicKey, a.rootKey)
	return a
})

func newRSA() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func newECDSA() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// issue makes a certificate that is valid in the year around the suite's time.
func issue(c, by *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = authtest.Now.AddDate(0, -6, 0), authtest.Now.AddDate(0, 6, 0)
	}
	c.BasicConstraintsValid, c.KeyUsage = true, x509.KeyUsageDigitalSignature
	if c.IsCA {
		c.KeyUsage = x509.KeyUsageCertSign
	}
	if by == nil {
		by = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, pub, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return cert
}

func (a *authority) leaf(change func(c *x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: "messageverificationcerts.paypal.com"}, IssuingCertificateURL: []string{"http://ocsp.example.com/x", issuerURL},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	return issue(c, a.issuer, &a.leafKey.PublicKey, a.issuerKey)
}

func pemChain(certs ...*x509.Certificate) []byte {
	var all []byte
	for _, c := range certs {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return all
}

// web answers what a test tells it, and counts.
type web struct {
	asked  atomic.Int32
	answer func(url string) (status int, body []byte, err error)
}

func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked.Add(1)
	status, body, err := w.answer(r.URL.String())
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Location": {"http://127.0.0.1/elsewhere"}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

// serving answers with the body at the URL of the certificate, and with the
// issuer at its own.
func serving(body []byte) *web {
	return &web{answer: func(url string) (int, []byte, error) {
		switch url {
		case paypalURL:
			return 200, body, nil
		case issuerURL:
			return 200, theAuthority().issuer.Raw, nil
		}
		return 0, nil, fmt.Errorf("nobody is at %s", url)
	}}
}

func paypalVerifier(t testing.TB, rt http.RoundTripper, tolerance time.Duration) *presets.Verifier {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(theAuthority().root)
	o := presets.Options{Params: map[string]string{"webhook_id": webhookID}, Tolerance: tolerance}
	v, err := presets.PaypalTrusting(roots).New(auth.Env{HTTP: rt}, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// paypalRequest is signed as PayPal documents it.
func paypalRequest(t testing.TB) *auth.Request {
	t.Helper()
	r := authtest.Request()
	const id, at = "b2384410-f8d2-11e4-8bf3-77339302725b", "2026-03-01T11:59:58Z"
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", id, at, webhookID, crc32.ChecksumIEEE(r.Body)))
	sig, err := theAuthority().leafKey.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PAYPAL-TRANSMISSION-ID": id, "PAYPAL-TRANSMISSION-TIME": at, "PAYPAL-TRANSMISSION-SIG": base64.StdEncoding.EncodeToString(sig),
		"PAYPAL-CERT-URL": paypalURL, "PAYPAL-AUTH-ALGO": "SHA256withRSA",
	} {
		r.Header.Set(name, value)
	}
	return r
}

func TestPaypal(t *testing.T) {
	t.Parallel()
	a := theAuthority()
	w := serving(pemChain(a.leaf(nil), a.issuer))
	v := paypalVerifier(t, w, 0)
	set := func(name string, values ...string) func(r *auth.Request) {
		return func(r *auth.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
	}
	later := func(d time.Duration) func(r *auth.Request) {
		return func(r *auth.Request) { r.Now = r.Now.Add(d) }
	}
	for name, c := range map[string]struct {
		change func(r *auth.Request)
		code   string
	}{
		"as signed":            {func(*auth.Request) {}, ""},
		"body":                 {func(r *auth.Request) { r.Body = append(r.Body, ' ') }, auth.CodeSignatureMismatch},
		"id":                   {set("PAYPAL-TRANSMISSION-ID", "b2384410-f8d2-11e4-8bf3-77339302725c"), auth.CodeSignatureMismatch},
		"no id":                {set("PAYPAL-TRANSMISSION-ID"), auth.CodeMissing},
		"two ids":              {set("PAYPAL-TRANSMISSION-ID", "a", "b"), auth.CodeDoubled},
		"a bar in the id":      {set("PAYPAL-TRANSMISSION-ID", "a|b"), auth.CodeMalformed},
		"time":                 {set("PAYPAL-TRANSMISSION-TIME", "2026-03-01T11:59:59Z"), auth.CodeSignatureMismatch},
		"time in another form": {set("PAYPAL-TRANSMISSION-TIME", "2026-03-01T12:59:58+01:00"), auth.CodeSignatureMismatch},
		"no time":              {set("PAYPAL-TRANSMISSION-TIME"), auth.CodeTimestampMissing},
		"time that is none":    {set("PAYPAL-TRANSMISSION-TIME", "today"), auth.CodeMalformed},
		"repeated for 3 days":  {later(72*time.Hour - 2*time.Second), ""},
		"older":                {later(72*time.Hour + time.Second), auth.CodeTimestampTooOld},
		"from the future":      {later(-5*time.Minute - 3*time.Second), auth.CodeTimestampInFuture},
		"no signature":         {set("PAYPAL-TRANSMISSION-SIG"), auth.CodeMissing},
		"empty signature":      {set("PAYPAL-TRANSMISSION-SIG", ""), auth.CodeMissing},
		"no base64":            {set("PAYPAL-TRANSMISSION-SIG", "!"), auth.CodeMalformed},
		"another signature":    {set("PAYPAL-TRANSMISSION-SIG", strings.Repeat("A", 342)+"=="), auth.CodeSignatureMismatch},
		"SHA-1":                {set("PAYPAL-AUTH-ALGO", "SHA1withRSA"), auth.CodeAlgorithm},
		"no algorithm":         {set("PAYPAL-AUTH-ALGO"), auth.CodeMissing},
		"no certificate":       {set("PAYPAL-CERT-URL"), auth.CodeMissing},
	} {
		r := paypalRequest(t)
		c.change(r)
		id, err := v.Verify(t.Context(), r)
		if got := codeOf(err); got != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
		if err == nil && (id.Method != "paypal" || id.Subject != "paypal:"+webhookID) {
			t.Errorf("%s: %+v", name, id)
		}
	}
	if n := w.asked.Load(); n != 1 && n != 2 { // a day is over for one of the cases
		t.Errorf("asked %d times", n)
	}
	r := paypalRequest(t)
	if m := v.Mark(r); m.DeliveryID != "evt_1" || m.Covered {
		t.Errorf("marks %+v: the CRC covers no id", m)
	}
	r.Body = nil
	if m := v.Mark(r); m.DeliveryID != r.Header.Get("Paypal-Transmission-Id") || !m.Covered {
		t.Errorf("marks %+v", m)
	}
}

// TestPaypalCertificates: which certificates are trusted, and where issuers come
// from.
func TestPaypalCertificates(t *testing.T) {
	t.Parallel()
	a := theAuthority()
	good := a.leaf(nil)
	named := func(cn string, dns ...string) *x509.Certificate {
		return a.leaf(func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = cn, dns })
	}
	self := issue(&x509.Certificate{Subject: pkix.Name{CommonName: "messageverificationcerts.paypal.com"}}, nil, &a.leafKey.PublicKey, a.leafKey)
	old := a.leaf(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = authtest.Now.AddDate(-1, 0, 0), authtest.Now.Add(-time.Second)
	})
	noIssuer := a.leaf(func(c *x509.Certificate) {
		c.IssuingCertificateURL = []string{"http://127.0.0.1/Issuer.crt", "ftp://cacerts.digicert.com/x"}
	})
	for name, c := range map[string]struct {
		body []byte
		code string
	}{
		"chain":                     {pemChain(good, a.issuer), ""},
		"chain with the root":       {pemChain(good, a.issuer, a.root), ""},
		"leaf only":                 {pemChain(good), ""}, // the issuer is fetched
		"sandbox":                   {pemChain(named("messageverificationcerts.sandbox.paypal.com")), ""},
		"name in the list of names": {pemChain(named("other", "example.com", "messageverificationcerts.PayPal.com")), ""},
		"another name":              {pemChain(named("paypal.com.example.com")), auth.CodeCertificate},
		"a name like it":            {pemChain(named("notpaypal.com")), auth.CodeCertificate},
		"the bare domain":           {pemChain(named("paypal.com")), auth.CodeCertificate},
		"no name":                   {pemChain(named("")), auth.CodeCertificate},
		"self-signed":               {pemChain(self), auth.CodeCertificate},
		"expired":                   {pemChain(old, a.issuer), auth.CodeCertificate},
		"issuer nowhere known":      {pemChain(noIssuer), auth.CodeCertificate},
		"issuer first":              {pemChain(a.issuer, good), auth.CodeCertificate},
		"another kind of key":       {pemChain(issue(&x509.Certificate{Subject: pkix.Name{CommonName: "x.paypal.com"}}, a.issuer, newECDSA().Public(), a.issuerKey)), auth.CodeCertificate},
		"six certificates":          {pemChain(slices.Repeat([]*x509.Certificate{good}, 6)...), auth.CodeCertificate},
		"a key":                     {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: good.Raw}), auth.CodeCertificate},
		"no DER":                    {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), auth.CodeCertificate},
		"no PEM":                    {[]byte("<html>"), auth.CodeCertificate},
		"nothing":                   {nil, auth.CodeCertificate},
		"too much":                  {bytes.Repeat([]byte(" "), 64<<10+1), auth.CodeKey},
	} {
		w := serving(c.body)
		v := paypalVerifier(t, w, 0)
		for range 2 { // the second time from memory
			_, err := v.Verify(t.Context(), paypalRequest(t))
			if got := codeOf(err); got != c.code {
				t.Errorf("%s: %v, want %q", name, err, c.code)
			}
		}
		if n := w.asked.Load(); n > 2 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
	// Another key than the certificate's.
	v := paypalVerifier(t, serving(pemChain(issue(&x509.Certificate{Subject: pkix.Name{CommonName: "x.paypal.com"}}, a.issuer, newRSA().Public(), a.issuerKey), a.issuer)), 0)
	if _, err := v.Verify(t.Context(), paypalRequest(t)); codeOf(err) != auth.CodeSignatureMismatch {
		t.Errorf("another key: %v", err)
	}
}

// TestPaypalURLs: the sender names the certificate, and only PayPal's own places
// are asked.
func TestPaypalURLs(t *testing.T) {
	t.Parallel()
	w := &web{answer: func(string) (int, []byte, error) { return 404, nil, nil }}
	v := paypalVerifier(t, w, 0)
	for _, url := range []string{
		"http://api.paypal.com/v1/notifications/certs/CERT-1", "https://api.paypal.com.example.com/v1/notifications/certs/CERT-1",
		"https://example.com/v1/notifications/certs/CERT-1", "https://paypal.com/v1/notifications/certs/CERT-1", "https://www.paypal.com/v1/notifications/certs/CERT-1",
		"https://api.paypal.com:443/v1/notifications/certs/CERT-1", "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
		"https://api.paypal.com@example.com/v1/notifications/certs/CERT-1", "https://api.paypal.com/v1/notifications/certs/", "https://api.paypal.com/v1/notifications/certs",
		"https://api.paypal.com/v1/notifications/certs/../../oauth2", "https://api.paypal.com/v1/notifications/certs/a/b", "https://api.paypal.com/v1/notifications/certs/%2e%2e",
		"https://api.paypal.com/v1/notifications/certs/CERT-1?x=1", "https://api.paypal.com/v1/notifications/certs/CERT-1?", "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
		"https://api.paypal.com/v1/payments/CERT-1", "https://127.0.0.1/v1/notifications/certs/CERT-1", "//api.paypal.com/v1/notifications/certs/CERT-1", "CERT-1", "https://[::1",
		"httpS://api.paypal.com/v1/notifications/certs/CERT-1", "https://API.paypal.com/v1/notifications/certs/CERT-1", "https://api.paypal.com/v1/notifications/certs/CERT-1 ",
		"https://API.paypal.com\\@example.com/v1/notifications/certs/CERT-1",
	} {
		r := paypalRequest(t)
		r.Header.Set("PAYPAL-CERT-URL", url)
		if _, err := v.Verify(t.Context(), r); codeOf(err) != auth.CodeKey {
			t.Errorf("%s: %v", url, err)
		}
	}
	if n := w.asked.Load(); n != 0 {
		t.Errorf("%d were asked for", n)
	}
	for i, host := range []string{"api.paypal.com", "api.sandbox.paypal.com", "api-m.paypal.com", "api-m.sandbox.paypal.com"} {
		r := paypalRequest(t)
		r.Header.Set("PAYPAL-CERT-URL", "https://"+host+"/v1/notifications/certs/CERT-1")
		if _, err := v.Verify(t.Context(), r); codeOf(err) != auth.CodeKey || w.asked.Load() != int32(i+1) {
			t.Errorf("%s: %v, asked %d times", host, err, w.asked.Load())
		}
	}
}

// TestPaypalDown: what can heal is 503, is not remembered, and redirects are not
// followed.
func TestPaypalDown(t *testing.T) {
	t.Parallel()
	good := pemChain(theAuthority().leaf(nil), theAuthority().issuer)
	for name, c := range map[string]struct {
		status int
		err    error
		down   bool
	}{
		"no network": {0, errors.New("no route to host"), true},
		"error":      {500, nil, true},
		"busy":       {429, nil, true},
		"gone":       {404, nil, false},
		"redirect":   {302, nil, false},
		"no content": {204, nil, false},
	} {
		down := true
		w := &web{}
		w.answer = func(string) (int, []byte, error) {
			if down {
				return c.status, good, c.err
			}
			return 200, good, nil
		}
		v := paypalVerifier(t, w, 0)
		_, err := v.Verify(t.Context(), paypalRequest(t))
		d := auth.DenialOf(err)
		if err == nil || d.Unavailable != c.down || (d.Code == auth.CodeUnavailable) != c.down {
			t.Errorf("%s: %v", name, err)
		}
		down = false
		r := paypalRequest(t)
		if _, err := v.Verify(t.Context(), r); (err == nil) != c.down {
			t.Errorf("%s, up again: %v", name, err)
		}
		r.Now = r.Now.Add(time.Minute)
		if _, err := v.Verify(t.Context(), r); err != nil {
			t.Errorf("%s, a minute later: %v", name, err)
		}
	}
	w := serving(pemChain(theAuthority().leaf(nil)))
	inner := w.answer
	w.answer = func(url string) (int, []byte, error) {
		if url == issuerURL {
			return 503, nil, nil
		}
		return inner(url)
	}
	if _, err := paypalVerifier(t, w, 0).Verify(t.Context(), paypalRequest(t)); err == nil || !auth.DenialOf(err).Unavailable {
		t.Errorf("issuer down: %v", err)
	}
	if _, err := paypalVerifier(t, nil, 0).Verify(t.Context(), paypalRequest(t)); err == nil || !auth.DenialOf(err).Unavailable {
		t.Errorf("offline: %v", err)
	}
}

// TestPaypalFetches: made-up certificates are asked for 20 times a minute at
// most, and do not push out the one that is known.
func TestPaypalFetches(t *testing.T) {
	t.Parallel()
	w := serving(pemChain(theAuthority().leaf(nil), theAuthority().issuer))
	inner := w.answer
	w.answer = func(url string) (int, []byte, error) {
		if url != paypalURL {
			return 404, nil, nil
		}
		return inner(url)
	}
	v := paypalVerifier(t, w, 0)
	verify := func(url string, late time.Duration) error {
		r := paypalRequest(t)
		r.Header.Set("PAYPAL-CERT-URL", url)
		r.Now = r.Now.Add(late)
		_, err := v.Verify(t.Context(), r)
		return err
	}
	if err := verify(paypalURL, 0); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if verify(fmt.Sprint(paypalURL, i), time.Duration(i)*time.Second/4) == nil {
			t.Error("accepted with a certificate that is not there")
		}
	}
	if n := w.asked.Load(); n != 20 {
		t.Errorf("asked %d times", n)
	}
	if err := verify(paypalURL, time.Minute); err != nil {
		t.Errorf("the known one: %v", err)
	}
	if n := w.asked.Load(); n != 20 {
		t.Errorf("asked for the known one again")
	}
	if err := verify(paypalURL, 25*time.Hour); err != nil || w.asked.Load() != 21 {
		t.Errorf("after a day: %v, asked %d times", err, w.asked.Load())
	}
}

// TestPaypalTogether: requests that come while the certificate is being fetched
// wait for it, and not forever.
func TestPaypalTogether(t *testing.T) {
	t.Parallel()
	theAuthority() // its keys are made outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		good := pemChain(theAuthority().leaf(nil), theAuthority().issuer)
		arrive := make(chan struct{})
		w := &web{answer: func(string) (int, []byte, error) {
			<-arrive
			return 200, good, nil
		}}
		v := paypalVerifier(t, w, 0)
		results := make(chan error)
		ask := func(ctx context.Context) {
			_, err := v.Verify(ctx, paypalRequest(t))
			results <- err
		}
		for range 8 {
			go ask(t.Context())
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		go ask(ctx)
		synctest.Wait()
		cancel()
		if err := <-results; err == nil || !auth.DenialOf(err).Unavailable {
			t.Errorf("whose sender left: %v", err)
		}
		close(arrive)
		for range 8 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if n := w.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestPaypalTolerance(t *testing.T) {
	t.Parallel()
	w := serving(pemChain(theAuthority().leaf(nil), theAuthority().issuer))
	v := paypalVerifier(t, w, time.Minute)
	for late, ok := range map[time.Duration]bool{0: true, 58 * time.Second: true, 59 * time.Second: false, -62 * time.Second: true, -63 * time.Second: false} {
		r := paypalRequest(t)
		r.Now = r.Now.Add(late)
		if _, err := v.Verify(t.Context(), r); (err == nil) != ok {
			t.Errorf("%s later: %v", late, err)
		}
	}
}
