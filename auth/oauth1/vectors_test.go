package oauth1_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/oauth1"
)

// Key and certificate of the test cases at wiki.oauth.net, section 9.3.
const (
	publicKey = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC0YjCwIfYoprq/FQO6lb3asXrx
LlJFuCvtinTF5p0GxvQGu5O3gYytUvtC2JlYzypSRjVxwxrsuRcP3e641SdASwfr
mzyvIgP08N4S0IFzEURkV1wp/IpH7kH41EtbmUmrXSwfNZsnQRE5SYSOhh+LcK2w
yQkdgcMv11l4KoBkcwIDAQAB
-----END PUBLIC KEY-----
`
	certificate = `-----BEGIN CERTIFICATE-----
MIIBpjCCAQ+gAwIBAgIBATANBgkqhkiG9w0BAQUFADAZMRcwFQYDVQQDDA5UZXN0
IFByaW5jaXBhbDAeFw03MDAxMDEwODAwMDBaFw0zODEyMzEwODAwMDBaMBkxFzAV
BgNVBAMMDlRlc3QgUHJpbmNpcGFsMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKB
gQC0YjCwIfYoprq/FQO6lb3asXrxLlJFuCvtinTF5p0GxvQGu5O3gYytUvtC2JlY
zypSRjVxwxrsuRcP3e641SdASwfrmzyvIgP08N4S0IFzEURkV1wp/IpH7kH41Etb
mUmrXSwfNZsnQRE5SYSOhh+LcK2wyQkdgcMv11l4KoBkcwIDAQABMA0GCSqGSIb3
DQEBBQUAA4GBAGZLPEuJ5SiJ2ryq+CmEGOXfvlTtEL2nuGtr9PewxkgnOjZpUy+d
4TvuXJbNQc8f4AMWL/tO9w0Fk80rWKp9ea8/df4qMq5qlFWlx6yOLQxumNOmECKb
WpkUQDIDJEoFUzKMVuJf4KO/FJ345+BNLGgbJ6WujreoM1X/gYfdnJ/J
-----END CERTIFICATE-----
`
)

// request is one at a time, with its parts as they were sent.
func request(t testing.TB, method, target, contentType, body, authorization string, at int64) *auth.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &auth.Request{
		Method: method, Host: u.Host, URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery},
		Header: http.Header{}, Body: []byte(body), Now: time.Unix(at, 0),
	}
	if u.Scheme == "https" {
		r.TLS = tlsState()
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

const formType = "application/x-www-form-urlencoded"

// TestVectors holds the published examples. Each must fail when its signature,
// query or method is another.
func TestVectors(t *testing.T) {
	t.Parallel()
	const photos = `{"consumer_key":"dpf43f3p2l4k3l03","consumer_secret":"kd94hf93k423kf44"`
	rsaHeader := `OAuth oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="RSA-SHA1", oauth_version="1.0", oauth_timestamp="1196666512", ` +
		`oauth_nonce="13917289812797014437", oauth_signature="` + oauth1.Escape("jvTp/wX1TYtByB1m+Pbyo0lnCOLIsyGCH7wke8AUs3BpnwZJtAuEJkvQL2/9n4s5wUmUl4aCI4BwpraNx4RtEXMe5qg5T1LVTGliMRpKasKsW//e+RinhejgCuzoH26dyF8iY2ZZ/5D1ilgeijhV/vBka5twt399mXwaYdCwFYE=") + `"`
	for name, c := range map[string]struct {
		config, method, target, contentType, body, authorization string
		at                                                       int64
	}{
		"RFC 5849 section 1.2, temporary credentials": {
			photos + `}`, "POST", "https://photos.example.net/initiate", "", "",
			`OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131200", oauth_nonce="wIjqoS", ` +
				`oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready", oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"`, 137131200,
		},
		"RFC 5849 section 1.2, token credentials": {
			photos + `,"token":"hh5s93j4hdidpola","token_secret":"hdhd0244k9j7ao03"}`, "POST", "https://photos.example.net/token", "", "",
			`OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="hh5s93j4hdidpola", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", ` +
				`oauth_nonce="walatlh", oauth_verifier="hfdp7dh39dks9884", oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"`, 137131201,
		},
		"RFC 5849 section 1.2, protected resource": {
			photos + `,"token":"nnch734d00sl2jdk","token_secret":"pfkkdhi9sl3r4s00"}`, "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", "", "",
			`OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", ` +
				`oauth_nonce="chapoH", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"`, 137131202,
		},
		"RFC 5849 section 2.1, PLAINTEXT": {
			`{"consumer_key":"jd83jd92dhsh93js","consumer_secret":"ja893SD9","signature_method":"PLAINTEXT"}`, "POST", "https://server.example.com/request_temp_credentials", "", "",
			`OAuth realm="Example", oauth_consumer_key="jd83jd92dhsh93js", oauth_signature_method="PLAINTEXT", oauth_callback="http%3A%2F%2Fclient.example.net%2Fcb%3Fx%3D1", ` +
				`oauth_signature="ja893SD9%26"`, 0,
		},
		"RFC 5849 section 3.1 with erratum 2550": {
			`{"consumer_key":"9djdj82h48djs9d2","consumer_secret":"j49sk3j29djd","token":"kkk9d7dh3k39sjv7","token_secret":"dh893hdasih9"}`,
			"POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", formType, "c2&a3=2+q", rfcHeader("r6/TJjbCOr97/+UU0NsvSne7s5g="), 137131201,
		},
		"wiki.oauth.net, section 9.3, RSA-SHA1": {
			`{"consumer_key":"dpf43f3p2l4k3l03","signature_method":"RSA-SHA1","public_key":` + strconv.Quote(publicKey) + `}`,
			"GET", "http://photos.example.net/photos?file=vacaction.jpg&size=original", "", "", rsaHeader, 1196666512,
		},
		"wiki.oauth.net, section 9.3, certificate": {
			`{"consumer_key":"dpf43f3p2l4k3l03","signature_method":"RSA-SHA1","public_key":` + strconv.Quote(certificate) + `}`,
			"GET", "http://photos.example.net/photos?file=vacaction.jpg&size=original", "", "", rsaHeader, 1196666512,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, c.config)
			r := request(t, c.method, c.target, c.contentType, c.body, c.authorization, c.at)
			if code := codeOf(v, r); code != "" {
				t.Fatalf("code %q", code)
			}
			if strings.Contains(c.config, "PLAINTEXT") {
				return
			}
			r.URL.RawQuery += "&x=y"
			if code := codeOf(v, r); code != auth.CodeSignatureMismatch {
				t.Errorf("another query: code %q", code)
			}
			r = request(t, "PUT", c.target, c.contentType, c.body, c.authorization, c.at)
			if code := codeOf(v, r); code != auth.CodeSignatureMismatch {
				t.Errorf("another method: code %q", code)
			}
		})
	}
}

func rfcHeader(signature string) string {
	return `OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", oauth_signature_method="HMAC-SHA1", ` +
		`oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", oauth_signature="` + oauth1.Escape(signature) + `"`
}

// TestPrintedSignature: the one that RFC 5849 section 3.1 prints is of another
// request (erratum 2550).
func TestPrintedSignature(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, `{"consumer_key":"9djdj82h48djs9d2","consumer_secret":"j49sk3j29djd","token_secret":"dh893hdasih9"}`)
	r := request(t, "POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", formType, "c2&a3=2+q", rfcHeader("bYT5CMsGcbgUdFHObYMEfcx6bsw="), 137131201)
	if code := codeOf(v, r); code != auth.CodeSignatureMismatch {
		t.Errorf("code %q", code)
	}
}

// TestBaseString holds the examples of RFC 5849 section 3.4.1.
func TestBaseString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, contentType, body, authorization, want string }{
		{
			"post", "http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", formType, "c2&a3=2+q", rfcHeader("x"),
			"POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2" +
				"%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7",
		},
		{"GET", "http://EXAMPLE.COM:80/r%20v/X?id=123", "", "", "OAuth oauth_x=y", "GET&http%3A%2F%2Fexample.com%2Fr%2520v%2FX&id%3D123%26oauth_x%3Dy"},
		{"GET", "https://www.example.net:8080/?q=1", "", "", "OAuth oauth_x=y", "GET&https%3A%2F%2Fwww.example.net%3A8080%2F&oauth_x%3Dy%26q%3D1"},
		{"GET", "https://example.net:443", "", "", "OAuth oauth_x=y", "GET&https%3A%2F%2Fexample.net%2F&oauth_x%3Dy"},
		{"GET", "http://example.net:443/", "", "", "OAuth oauth_x=y", "GET&http%3A%2F%2Fexample.net%3A443%2F&oauth_x%3Dy"},
		// The sort is of encoded text, and realm in the query is signed.
		{
			"POST", "http://h/?multi=FOO&multi=%C2%AE&multi=BAR&realm=q&&x;y=", "text/plain", "not=signed", `OAuth REALM="r",oauth_x=y`,
			"POST&http%3A%2F%2Fh%2F&multi%3D%25C2%25AE%26multi%3DBAR%26multi%3DFOO%26oauth_x%3Dy%26realm%3Dq%26x%253By%3D",
		},
		{"POST", "http://h/a;b=c,d", "Application/X-WWW-form-urlencoded ; charset=UTF-8", "a=~*'()+%00&a=%ff&a", `OAuth oauth_x=y`, "POST&http%3A%2F%2Fh%2Fa%3Bb%3Dc%2Cd&a%3D%26a%3D%25FF%26a%3D~%252A%2527%2528%2529%2520%2500%26oauth_x%3Dy"},
	} {
		got, err := oauth1.BaseString(request(t, c.method, c.target, c.contentType, c.body, c.authorization, 0))
		if err != nil || got != c.want {
			t.Errorf("%s %s, %v:\n got %s\nwant %s", c.method, c.target, err, got, c.want)
		}
	}
}
