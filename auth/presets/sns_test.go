package presets_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

const (
	snsTopic = "arn:aws:sns:us-east-1:123456789012:orders"
	snsHost  = "sns.us-east-1.amazonaws.com"
	snsCert  = "https://" + snsHost + "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)

// snsIssue makes a certificate for name, signed by by.
func snsIssue(t testing.TB, key *rsa.PrivateKey, name string, from, until time.Time, by ...*snsAuthority) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: from, NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	signer := snsRoot()
	if len(by) > 0 {
		signer = by[0]
	}
	if signer.url != "" {
		c.IssuingCertificateURL = []string{signer.url}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// snsAuthority issues certificates; url is where its own is found.
type snsAuthority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
	url  string
}

// newSNSAuthority is one of its own, or below another.
func newSNSAuthority(name string, key *rsa.PrivateKey, url string, above *snsAuthority) *snsAuthority {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: authtest.Now.AddDate(-50, 0, 0), NotAfter: authtest.Now.AddDate(50, 0, 0),
	}
	a := &snsAuthority{c, key, url}
	if above == nil {
		above = a
	}
	der, err := x509.CreateCertificate(rand.Reader, c, above.cert, &key.PublicKey, above.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		panic(err)
	}
	return a
}

var snsRoot = sync.OnceValue(func() *snsAuthority { return newSNSAuthority("Test Root", snsKeys()[1], "", nil) })

var snsKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = k
	}
	return keys
})

// aws stands in for the service: an HTTPS server that whatever host name is
// dialled leads to.
type aws struct {
	env      auth.Env
	key      *rsa.PrivateKey // messages are signed with it
	answer   func(w http.ResponseWriter, r *http.Request)
	fetched  atomic.Int32
	visited  []string // URLs other than certificates
	mu       sync.Mutex
	certFile []byte
	roots    *x509.CertPool
	issuers  map[string][]byte // by URL
}

func newAWS(t testing.TB) *aws {
	t.Helper()
	a := &aws{key: snsKeys()[0]}
	from, until := authtest.Now.Add(-time.Hour), authtest.Now.Add(time.Hour)
	a.certFile = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: snsIssue(t, a.key, "sns.amazonaws.com", from, until)})
	s := httptest.NewUnstartedServer(http.HandlerFunc(a.serve))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{
		Certificate: [][]byte{snsIssue(t, snsKeys()[1], "*.us-east-1.amazonaws.com", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))},
		PrivateKey:  snsKeys()[1],
	}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	plain := httptest.NewServer(http.HandlerFunc(a.serve))
	a.roots = x509.NewCertPool()
	a.roots.AddCert(snsRoot().cert)
	rt := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.roots.Clone(), MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to := s.Listener.Addr().String()
			if strings.HasSuffix(addr, ":80") {
				to = plain.Listener.Addr().String()
			}
			var d net.Dialer
			return d.DialContext(ctx, network, to)
		},
	}
	t.Cleanup(func() { rt.CloseIdleConnections(); s.Close(); plain.Close() })
	a.env = auth.Env{HTTP: rt, Hook: "orders"}
	return a
}

func (a *aws) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".pem") {
		a.fetched.Add(1)
	} else if b := a.issuers["http://"+r.Host+r.URL.Path]; r.TLS == nil && b != nil {
		_, _ = w.Write(b)
		return
	} else {
		a.mu.Lock()
		a.visited = append(a.visited, "https://"+r.Host+r.URL.String())
		a.mu.Unlock()
	}
	if a.answer != nil {
		a.answer(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, ".pem") {
		_, _ = w.Write(a.certFile)
	}
}

func (a *aws) verifier(t testing.TB, set ...func(*presets.Options)) *presets.Verifier {
	t.Helper()
	o := presets.Options{Params: map[string]string{"topic_arn": snsTopic}}
	for _, f := range set {
		f(&o)
	}
	v, err := presets.SNSTrusting(a.roots).New(a.env, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// note is a notification; version is that of the signature.
func note(version string) map[string]string {
	return map[string]string{
		"Type": "Notification", "MessageId": "da41e39f-ea4d-435a-b922-c6aae3915ebe", "TopicArn": snsTopic,
		"Subject": "Order", "Message": "{\"order\": 1}\nsecond line", "Timestamp": "2026-03-01T11:59:00.655Z",
		"SignatureVersion": version, "SigningCertURL": snsCert,
		"UnsubscribeURL": "https://" + snsHost + "/?Action=Unsubscribe&SubscriptionArn=x",
	}
}

func subscription(typ string) map[string]string {
	m := note("2")
	delete(m, "Subject")
	delete(m, "UnsubscribeURL")
	m["Type"], m["Token"] = typ, "2336412f37fb687f5d51e6e2425e"
	m["SubscribeURL"] = "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=" + m["Token"]
	return m
}

var signedKeys = map[string][]string{
	"Notification":             {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	"SubscriptionConfirmation": {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
	"UnsubscribeConfirmation":  {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
}

// sign is written apart from the code under test.
func sign(t testing.TB, key *rsa.PrivateKey, m map[string]string, keys ...string) {
	t.Helper()
	if keys == nil {
		keys = signedKeys[m["Type"]]
	}
	var text strings.Builder
	for _, k := range keys {
		if v, ok := m[k]; ok {
			fmt.Fprintf(&text, "%s\n%s\n", k, v)
		}
	}
	var sig []byte
	var err error
	if m["SignatureVersion"] == "1" {
		sum := sha1.Sum([]byte(text.String()))
		sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA1, sum[:])
	} else {
		sum := sha256.Sum256([]byte(text.String()))
		sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(sig)
}

func snsRequest(t testing.TB, m map[string]string) *auth.Request {
	t.Helper()
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	r := authtest.Header("Content-Type", "text/plain; charset=UTF-8")
	r.Body = body
	return r
}

func (a *aws) signed(t testing.TB, m map[string]string) *auth.Request {
	t.Helper()
	sign(t, a.key, m)
	return snsRequest(t, m)
}

func TestSNSNotification(t *testing.T) {
	t.Parallel()
	a := newAWS(t)
	v := a.verifier(t)
	for _, version := range []string{"1", "2"} {
		for _, subject := range []bool{true, false} {
			m := note(version)
			if !subject {
				delete(m, "Subject")
			}
			r := a.signed(t, m)
			id, err := v.Verify(t.Context(), r)
			if err != nil || id.Subject != "sns:"+snsTopic {
				t.Fatalf("version %s, subject %v: %+v %v", version, subject, id, err)
			}
			want := auth.Marks{DeliveryID: m["MessageId"], Type: "Notification", Covered: true, Window: 7 * 24 * time.Hour}
			if got := v.Mark(r); got != want {
				t.Errorf("marks %+v", got)
			}
			for _, verified := range []bool{false, true} {
				if ans := v.Handshake().Answer(t.Context(), r, verified); ans != nil {
					t.Errorf("a notification is answered as a handshake: %+v", ans)
				}
			}
		}
	}
	if n := a.fetched.Load(); n != 1 {
		t.Errorf("the certificate was fetched %d times", n)
	}
}

// TestSNSTampered changes each member after signing.
func TestSNSTampered(t *testing.T) {
	t.Parallel()
	a := newAWS(t)
	v := a.verifier(t)
	for _, base := range []map[string]string{note("1"), note("2"), subscription("SubscriptionConfirmation")} {
		r := a.signed(t, base)
		if _, err := v.Verify(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", base["Type"], err)
		}
		for _, k := range append(signedKeys[base["Type"]], "Signature", "SignatureVersion") {
			m := maps.Clone(base)
			m[k] = spoil(k, m[k])
			if _, err := v.Verify(t.Context(), snsRequest(t, m)); err == nil {
				t.Errorf("%s: accepted with another %s", base["Type"], k)
			}
			if delete(m, k); k == "Message" && base["Message"] == "" {
				continue
			}
			if _, err := v.Verify(t.Context(), snsRequest(t, m)); err == nil {
				t.Errorf("%s: accepted without %s", base["Type"], k)
			}
		}
		m := maps.Clone(base)
		if base["Type"] != "Notification" {
			continue
		}
		delete(m, "Subject")
		sign(t, a.key, m)
		m["Subject"] = "added"
		if _, err := v.Verify(t.Context(), snsRequest(t, m)); err == nil {
			t.Error("accepted with an added Subject")
		}
	}
}

// spoil keeps the form, so that the signature is what has to notice.
func spoil(k, v string) string {
	switch k {
	case "Timestamp":
		return "2026-03-01T11:59:01.655Z"
	case "TopicArn":
		return v + "x"
	case "Type":
		return map[string]string{"Notification": "UnsubscribeConfirmation"}[v]
	case "SignatureVersion":
		return map[string]string{"1": "2", "2": "1"}[v]
	}
	b := []byte(v)
	b[0] ^= 1
	return string(b)
}

func TestSNSRefusals(t *testing.T) {
	t.Parallel()
	other := snsKeys()[1]
	for _, c := range []struct {
		name, code string
		change     func(m map[string]string)
		key        *rsa.PrivateKey
	}{
		{"another topic", auth.CodeClaim, func(m map[string]string) { m["TopicArn"] = "arn:aws:sns:us-east-1:999999999999:orders" }, nil},
		{"topic in other letters", auth.CodeClaim, func(m map[string]string) { m["TopicArn"] = strings.ToUpper(snsTopic) }, nil},
		{"foreign key", auth.CodeSignatureMismatch, nil, other},
		{"too old", auth.CodeTimestampTooOld, func(m map[string]string) { m["Timestamp"] = "2026-03-01T09:59:59Z" }, nil},
		{"just not too old", "", func(m map[string]string) { m["Timestamp"] = "2026-03-01T10:00:01Z" }, nil},
		{"from the future", auth.CodeTimestampInFuture, func(m map[string]string) { m["Timestamp"] = "2026-03-01T12:05:01Z" }, nil},
		{"timestamp of another form", auth.CodeMalformed, func(m map[string]string) { m["Timestamp"] = "Sun, 01 Mar 2026 12:00:00 GMT" }, nil},
		{"another type", auth.CodeMalformed, func(m map[string]string) { m["Type"] = "Notice" }, nil},
		{"version 3", auth.CodeMalformed, func(m map[string]string) { m["SignatureVersion"] = "3" }, nil},
		{"version 02", auth.CodeMalformed, func(m map[string]string) { m["SignatureVersion"] = "02" }, nil},
		{"lines in the subject", auth.CodeMalformed, func(m map[string]string) { m["Subject"] = "a\nTimestamp\nb" }, nil},
		{"lines in the id", auth.CodeMalformed, func(m map[string]string) { m["MessageId"] = "a\nb" }, nil},
		{"member in other letters", auth.CodeMalformed, func(m map[string]string) { m["message"] = "evil" }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAWS(t)
			v := a.verifier(t)
			m := note("2")
			if c.change != nil {
				c.change(m)
			}
			key := a.key
			if c.key != nil {
				key = c.key
			}
			sign(t, key, m, signedKeys["Notification"]...)
			_, err := v.Verify(t.Context(), snsRequest(t, m))
			if codeOf(err) != c.code {
				t.Errorf("code %q, want %q: %v", codeOf(err), c.code, err)
			}
			if n := a.fetched.Load(); n != 0 && !slices.Contains([]string{"", auth.CodeSignatureMismatch}, c.code) {
				t.Errorf("a certificate was fetched for it")
			}
		})
	}
}

func TestSNSForm(t *testing.T) {
	t.Parallel()
	a := newAWS(t)
	v := a.verifier(t)
	good := string(a.signed(t, note("2")).Body)
	for body, code := range map[string]string{
		good:                "",
		" " + good + "\n":   "",
		good + "{}":         auth.CodeMalformed,
		good[:len(good)-1]:  auth.CodeMissing,
		"":                  auth.CodeMissing,
		"hello":             auth.CodeMissing,
		`[` + good + `]`:    auth.CodeMissing,
		`{"Message":"raw"}`: auth.CodeMissing,
		good[:len(good)-1] + `,"Type":"Notification"}`:                  auth.CodeMalformed,
		good[:len(good)-1] + `,"\u0054ype":"Notification"}`:             auth.CodeMalformed,
		good[:len(good)-1] + `,"MESSAGE":"evil"}`:                       auth.CodeMalformed,
		good[:len(good)-1] + `,"MessageAttributes":{"a":{"b":1}}}`:      "",
		strings.Replace(good, `"Subject":"Order"`, `"Subject":1`, 1):    auth.CodeMalformed,
		strings.Replace(good, `"Subject":"Order"`, `"Subject":null`, 1): auth.CodeSignatureMismatch,
		strings.Replace(good, "second", "\xff", 1):                      auth.CodeMissing,
	} {
		r := authtest.Request()
		r.Body = []byte(body)
		if _, err := v.Verify(t.Context(), r); codeOf(err) != code {
			t.Errorf("%.300q: code %q, want %q: %v", body, codeOf(err), code, err)
		}
	}
	m := note("2")
	delete(m, "Subject") // AWS writes null in some forms of the message
	sign(t, a.key, m)
	r := snsRequest(t, m)
	r.Body = bytes.Replace(r.Body, []byte(`{`), []byte(`{"Subject":null,`), 1)
	if _, err := v.Verify(t.Context(), r); err != nil {
		t.Errorf("a Subject that is null: %v", err)
	}
}

func TestSNSCertificateURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		strings.Replace(snsCert, "https:", "http:", 1),
		strings.Replace(snsCert, snsHost, "sns.us-east-1.amazonaws.com.evil.example", 1),
		strings.Replace(snsCert, snsHost, "evil.example", 1),
		strings.Replace(snsCert, snsHost, "sns.s3-us-west-2.amazonaws.com", 1), // the bucket "sns"
		strings.Replace(snsCert, snsHost, "sns.s3.amazonaws.com", 1),
		strings.Replace(snsCert, snsHost, "evil.sns.us-east-1.amazonaws.com", 1),
		strings.Replace(snsCert, snsHost, "SNS.us-east-1.amazonaws.com", 1),
		strings.Replace(snsCert, snsHost, "sns.us-east-1.amazonaws.com:8443", 1),
		strings.Replace(snsCert, snsHost, "sns.us-east-1.amazonaws.com.", 1),
		strings.Replace(snsCert, snsHost, "user@sns.us-east-1.amazonaws.com", 1),
		strings.Replace(snsCert, snsHost, "sns.us-east-1.amazonaws.com@evil.example", 1),
		strings.Replace(snsCert, snsHost, "evil.example\\@sns.us-east-1.amazonaws.com", 1),
		snsCert + "?x=1", snsCert + "?", snsCert + "#x", snsCert + "#",
		strings.TrimSuffix(snsCert, ".pem"), snsCert + "/x",
		"https://" + snsHost + "/a/b.pem", "https://" + snsHost + "/..%2f.pem", "https://" + snsHost + "/.pem",
		"//" + snsHost + "/x.pem", "x.pem", "https:" + snsHost + "/x.pem", " " + snsCert,
	} {
		a := newAWS(t)
		m := note("2")
		m["SigningCertURL"] = url
		_, err := a.verifier(t).Verify(t.Context(), a.signed(t, m))
		if codeOf(err) != auth.CodeKey {
			t.Errorf("%s: %v", url, err)
		}
		if a.fetched.Load() != 0 || len(a.visited) != 0 {
			t.Errorf("%s was asked for", url)
		}
	}
}

func TestSNSCertificate(t *testing.T) {
	t.Parallel()
	from, until := authtest.Now.Add(-time.Hour), authtest.Now.Add(time.Hour)
	key := snsKeys()[0]
	file := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	below := newSNSAuthority("Test Issuer", snsKeys()[1], "", snsRoot())
	serve := func(b []byte) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
	}
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	good := file(snsIssue(t, key, "sns.amazonaws.com", from, until))
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		code   string
	}{
		{"good", serve(good), ""},
		{"of the region", serve(file(snsIssue(t, key, snsHost, from, until))), ""},
		{"of the region's signing", serve(file(snsIssue(t, key, "sns-signing.us-east-1.amazonaws.com", from, until))), ""},
		{"of another region", serve(file(snsIssue(t, key, "sns.eu-west-1.amazonaws.com", from, until))), auth.CodeCertificate},
		{"for somebody else", serve(file(snsIssue(t, key, "evil.example", from, until))), auth.CodeCertificate},
		{"expired", serve(file(snsIssue(t, key, "sns.amazonaws.com", from, authtest.Now.Add(-time.Second)))), auth.CodeCertificate},
		{"not yet valid", serve(file(snsIssue(t, key, "sns.amazonaws.com", authtest.Now.Add(time.Second), until))), auth.CodeCertificate},
		{"of no authority that is trusted", serve(file(snsIssue(t, key, "sns.amazonaws.com", from, until, newSNSAuthority("Evil", weak, "", nil)))), auth.CodeCertificate},
		{"with its issuer", serve(append(file(snsIssue(t, key, "sns.amazonaws.com", from, until, below)), file(below.cert.Raw)...)), ""},
		{"an authority", serve(file(snsRoot().cert.Raw)), auth.CodeCertificate},
		{"weak", serve(file(snsIssue(t, weak, "sns.amazonaws.com", from, until))), auth.CodeCertificate},
		{"no PEM", serve([]byte("hello")), auth.CodeCertificate},
		{"PEM of something else", serve(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})), auth.CodeCertificate},
		{"PEM of nothing", serve(file([]byte("x"))), auth.CodeCertificate},
		{"1 MiB", serve(append(slices.Repeat([]byte(" "), 1<<20), good...)), auth.CodeKey},
		{"not found", status(http.StatusNotFound), auth.CodeKey},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other.pem" {
				_, _ = w.Write(good)
				return
			}
			http.Redirect(w, r, "/other.pem", http.StatusFound)
		}, auth.CodeKey},
		{"AWS is down", status(http.StatusBadGateway), auth.CodeUnavailable},
		{"AWS breaks off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, auth.CodeUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAWS(t)
			a.answer = c.answer
			v := a.verifier(t)
			r := a.signed(t, note("2"))
			for range 2 {
				_, err := v.Verify(t.Context(), r)
				if codeOf(err) != c.code || err != nil && auth.DenialOf(err).Unavailable != (c.code == auth.CodeUnavailable) {
					t.Errorf("code %q, want %q: %v", codeOf(err), c.code, err)
				}
			}
			if n := a.fetched.Load(); n != 1 && c.code != auth.CodeUnavailable {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// TestSNSIssuer: the file that AWS serves holds the leaf only; its issuer is
// fetched from where the leaf says, if that is a place of AWS's issuers.
func TestSNSIssuer(t *testing.T) {
	t.Parallel()
	const right = "http://crt.r2m01.amazontrust.com/r2m01.cer"
	for _, c := range []struct {
		name, url, code string
		serve           bool
	}{
		{"right", right, "", true},
		{"not there", right, auth.CodeUnavailable, false},
		{"another place", "http://evil.example/r2m01.cer", auth.CodeCertificate, true},
		{"below another place", "http://crt.r2m01.amazontrust.com.evil.example/r2m01.cer", auth.CodeCertificate, true},
		{"the metadata of a machine", "http://169.254.169.254/latest", auth.CodeCertificate, true},
	} {
		a := newAWS(t)
		below := newSNSAuthority("Amazon RSA 2048 M01", snsKeys()[1], c.url, snsRoot())
		if c.serve {
			a.issuers = map[string][]byte{c.url: below.cert.Raw}
		}
		der := snsIssue(t, a.key, "sns.amazonaws.com", authtest.Now.Add(-time.Hour), authtest.Now.Add(time.Hour), below)
		a.certFile = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		a.answer = func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, ".pem") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write(a.certFile)
		}
		if _, err := a.verifier(t).Verify(t.Context(), a.signed(t, note("2"))); codeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestSNSServerNotTrusted: what makes a certificate AWS's is the connection that
// it came over.
func TestSNSServerNotTrusted(t *testing.T) {
	t.Parallel()
	a := newAWS(t)
	rt, ok := a.env.HTTP.(*http.Transport)
	if !ok {
		t.Fatal("another transport")
	}
	rt.TLSClientConfig.RootCAs = x509.NewCertPool()
	_, err := a.verifier(t).Verify(t.Context(), a.signed(t, note("2")))
	var unknown x509.UnknownAuthorityError
	if !auth.DenialOf(err).Unavailable || !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}

func TestSNSManyURLs(t *testing.T) {
	t.Parallel()
	a := newAWS(t)
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "Simple") {
			_, _ = w.Write(a.certFile)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}
	v := a.verifier(t)
	good := a.signed(t, note("2"))
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 60 {
		m := note("2")
		m["SigningCertURL"] = fmt.Sprintf("https://%s/%d.pem", snsHost, i)
		r := a.signed(t, m)
		wg.Go(func() {
			if _, err := v.Verify(context.Background(), r); err == nil {
				t.Error("accepted with a certificate that is not there")
			}
		})
	}
	wg.Wait()
	before := a.fetched.Load()
	if _, err := v.Verify(t.Context(), good); err != nil || a.fetched.Load() != before {
		t.Errorf("the good certificate was pushed out: %v", err)
	}
}

func TestSNSSubscription(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		url     string // "" is the right one
		status  int
		confirm bool
		visited int
	}{
		{"right", "", 200, true, 1},
		{"AWS says no", "", 403, false, 1},
		{"AWS is down", "", 500, false, 1},
		{"redirect", "", 302, false, 1},
		{"http", "http://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
		{"another host", "https://evil.example/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
		{"a port", "https://" + snsHost + ":22/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
		{"another action", "https://" + snsHost + "/?Action=DeleteTopic&TopicArn=" + snsTopic + "&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
		{"two actions", "https://" + snsHost + "/?Action=ConfirmSubscription&Action=DeleteTopic&TopicArn=" + snsTopic + "&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
		{"another topic", "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:1:x&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
		{"another token", "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=other", 200, false, 0},
		{"a path", "https://" + snsHost + "/x?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=2336412f37fb687f5d51e6e2425e", 200, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAWS(t)
			a.answer = func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, ".pem") {
					_, _ = w.Write(a.certFile)
					return
				}
				w.Header().Set("Location", "https://"+snsHost+"/elsewhere")
				w.WriteHeader(c.status)
			}
			v := a.verifier(t)
			m := subscription("SubscriptionConfirmation")
			if c.url != "" {
				m["SubscribeURL"] = c.url
			}
			r := a.signed(t, m)
			if ans := v.Handshake().Answer(t.Context(), r, false); ans != nil {
				t.Fatalf("answered before the proof: %+v", ans)
			}
			if _, err := v.Verify(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			ans := v.Handshake().Answer(t.Context(), r, true)
			if ans == nil {
				t.Fatal("not answered: it would be taken for an event")
			}
			if (ans.Err == nil) != c.confirm || ans.Err != nil && ans.Status != http.StatusServiceUnavailable {
				t.Errorf("answer %+v", ans)
			}
			if len(a.visited) != c.visited {
				t.Errorf("visited %q", a.visited)
			}
			if c.confirm && a.visited[0] != m["SubscribeURL"] {
				t.Errorf("visited %q, not %q", a.visited[0], m["SubscribeURL"])
			}
			if ans.Err != nil && strings.Contains(ans.Err.Error(), m["Token"]) {
				t.Errorf("the token is told: %v", ans.Err)
			}
		})
	}
}

// TestSNSUnsubscription: AWS's documentation and its validator for JavaScript
// differ in whether the token is signed.
func TestSNSUnsubscription(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{nil, {"Message", "MessageId", "SubscribeURL", "Timestamp", "TopicArn", "Type"}} {
		a := newAWS(t)
		v := a.verifier(t)
		m := subscription("UnsubscribeConfirmation")
		sign(t, a.key, m, keys...)
		r := snsRequest(t, m)
		if _, err := v.Verify(t.Context(), r); err != nil {
			t.Errorf("signed %v: %v", keys, err)
		}
		if ans := v.Handshake().Answer(t.Context(), r, true); ans == nil || ans.Err != nil || len(a.visited) != 0 {
			t.Errorf("answer %+v, visited %q", ans, a.visited)
		}
	}
	a := newAWS(t)
	m := subscription("SubscriptionConfirmation")
	sign(t, a.key, m, "Message", "MessageId", "SubscribeURL", "Timestamp", "TopicArn", "Type")
	if _, err := a.verifier(t).Verify(t.Context(), snsRequest(t, m)); codeOf(err) != auth.CodeSignatureMismatch {
		t.Errorf("a subscription whose token is not signed: %v", err)
	}
}

func TestSNSOptions(t *testing.T) {
	t.Parallel()
	p, _ := presets.Lookup("sns")
	for name, o := range map[string]presets.Options{
		"no topic":           {},
		"an empty topic":     {Params: map[string]string{"topic_arn": " "}},
		"no ARN":             {Params: map[string]string{"topic_arn": "orders"}},
		"ARN of a queue":     {Params: map[string]string{"topic_arn": "arn:aws:sqs:us-east-1:123456789012:orders"}},
		"a comma at the end": {Params: map[string]string{"topic_arn": snsTopic + ","}},
		"a secret":           {Params: map[string]string{"topic_arn": snsTopic}, Secrets: []secret.String{secret.New("x")}},
		"negative tolerance": {Params: map[string]string{"topic_arn": snsTopic}, Tolerance: -1},
	} {
		if _, err := p.New(auth.Env{}, o); err == nil {
			t.Errorf("made with %s", name)
		}
	}
	a := newAWS(t)
	v := a.verifier(t, func(o *presets.Options) {
		o.Params = map[string]string{"topic_arn": "arn:aws-cn:sns:cn-north-1:1:x, " + snsTopic}
		o.Tolerance = time.Minute
	})
	r := a.signed(t, note("1"))
	if _, err := v.Verify(t.Context(), r); err != nil {
		t.Error(err)
	}
	r.Now = r.Now.Add(time.Second)
	if _, err := v.Verify(t.Context(), r); codeOf(err) != auth.CodeTimestampTooOld {
		t.Errorf("a second after the tolerance: %v", err)
	}
	if err := v.Sign(t.Context(), r); err == nil || !strings.Contains(err.Error(), "only AWS can sign") {
		t.Errorf("signing: %v", err)
	}
	offline, err := p.New(auth.Env{}, presets.Options{Params: map[string]string{"topic_arn": snsTopic}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := offline.Verify(t.Context(), a.signed(t, note("1"))); !auth.DenialOf(err).Unavailable {
		t.Errorf("without a network: %v", err)
	}
}

// FuzzSNSCanonical: each signed text stands for one message only. All values but
// the first have one line, so that the text can be read from its end.
func FuzzSNSCanonical(f *testing.F) {
	for _, m := range []map[string]string{note("1"), note("2"), subscription("SubscriptionConfirmation"), subscription("UnsubscribeConfirmation")} {
		m["Signature"] = "eA=="
		b, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(bytes.Replace(b, []byte("second line"), []byte(`MessageId\nx\nSubject\ny\nTimestamp\nz`), 1))
	}
	f.Add([]byte(`{"Type":"Notification","type":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		typ, text, members, err := presets.CanonicalSNS(body)
		if err != nil {
			return
		}
		keys := slices.Clone(signedKeys[typ])
		if _, ok := members["Subject"]; !ok {
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == "Subject" })
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		for _, k := range slices.Backward(keys[1:]) {
			n := len(lines)
			if n < 2 || lines[n-2] != k || lines[n-1] != members[k] {
				t.Fatalf("%s of %q is not %q", k, text, members[k])
			}
			lines = lines[:n-2]
		}
		if len(lines) < 1 || lines[0] != "Message" || strings.Join(lines[1:], "\n") != members["Message"] {
			t.Fatalf("Message of %q is not %q", text, members["Message"])
		}
	})
}
