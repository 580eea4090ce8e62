package digest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
)

// server answers as the edge does: 401 with the challenge, or 200, and a mark
// counts once.
type server struct {
	*httptest.Server
	chain *auth.Chain
	marks authtest.Marks
	sent  atomic.Int32 // requests with a proof
	later atomic.Int64 // seconds that its clock is ahead
}

func serve(t *testing.T, config string) *server {
	t.Helper()
	s := &server{chain: auth.NewChain(newVerifier(t, config))}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	peer := netip.MustParseAddrPort(q.RemoteAddr).Addr()
	r := &auth.Request{
		Method: q.Method, URL: q.URL, Host: q.Host, Header: q.Header, Peer: peer, Remote: peer, Body: body,
		Now: time.Now().Add(time.Duration(s.later.Load()) * time.Second),
	}
	if q.Header.Get("Authorization") != "" {
		s.sent.Add(1)
	}
	id, err := s.chain.Verify(q.Context(), r)
	if err == nil && !s.marks.Take(r.Now, id.Once) {
		err = s.chain.Replayed(r, id)
	}
	if err != nil {
		d := auth.DenialOf(err)
		w.Header()["Www-Authenticate"] = []string{d.Challenge}
		http.Error(w, d.Code, http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, "%s %s %s", id.Subject, q.URL.RequestURI(), body)
}

// program finds a client, or skips.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	if os.Getenv("HOOKD_TEST_REQUIRE") == "all" {
		t.Fatalf("none of %q is installed", names)
	}
	t.Skipf("none of %q is installed", names)
	return ""
}

func run(t *testing.T, name string, args ...string) (stdout string, err error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	if err = c.Run(); err != nil {
		t.Logf("%s: %v\n%s", name, err, problems.String())
	}
	return out.String(), err
}

// TestCurl leaves SHA-512-256 out: curl 7.88 names it and computes SHA-256.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := program(t, "curl")
	for name, config := range map[string]string{
		"MD5 and SHA-256": `{"username":"ci","password":"pa:ss \"w\\d"}`,
		"SHA-256":         `{"username":"ci","password":"pa:ss \"w\\d","algorithms":"SHA-256"}`,
		"MD5":             `{"username":"ci","password":"pa:ss \"w\\d","algorithms":"MD5","realm":"a, \"b\""}`,
		"MD5-sess":        `{"username":"ci","password":"pa:ss \"w\\d","algorithms":"MD5-sess"}`,
		"SHA-256-sess":    `{"username":"ci","password":"pa:ss \"w\\d","algorithms":"SHA-256-sess"}`,
		"RFC 2069 too":    `{"username":"ci","password":"pa:ss \"w\\d","qop":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, config)
			args := []string{"-sS", "--max-time", "120", "--digest", "-u", `ci:pa:ss "w\d`, "-d", `{"a":1}`, s.URL + "/webhook/a%20b?x=%2f&y=a,b"}
			const want = `digest:ci /webhook/a%20b?x=%2f&y=a,b {"a":1}`
			if got, err := run(t, curl, args...); err != nil || got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if n := s.sent.Load(); n != 1 {
				t.Errorf("%d requests with a proof, want 1", n)
			}
			args[5] = "ci:wrong"
			if got, _ := run(t, curl, args...); strings.Contains(got, "digest:ci") {
				t.Errorf("accepted a wrong password: %q", got)
			}
		})
	}
}

// urllib is the client of Python's standard library. It prints a line for each
// request.
const urllib = `
import sys, urllib.request
url, user, password = sys.argv[1:4]
m = urllib.request.HTTPPasswordMgrWithDefaultRealm()
m.add_password(None, url, user, password)
h = urllib.request.HTTPDigestAuthHandler(m)
o = urllib.request.build_opener(urllib.request.ProxyHandler({}), h)
for body in ("one", "two", "three"):
    try:
        with o.open(url + "/webhook/x?a=" + body, data=body.encode(), timeout=120) as r:
            print(r.read().decode())
    except urllib.error.HTTPError as e:
        print(e.code, e.reason) # older ones cannot read what is not there
`

func TestUrllib(t *testing.T) {
	t.Parallel()
	python := program(t, "python3")
	for name, c := range map[string]struct{ config, password, want string }{
		"MD5 and SHA-256": {`{"username":"ci","password":"pass"}`, "pass", "digest:ci /webhook/x?a=one one\ndigest:ci /webhook/x?a=two two\ndigest:ci /webhook/x?a=three three\n"},
		"MD5":             {`{"username":"ci","password":"pass","algorithms":"MD5","qop":""}`, "pass", "digest:ci /webhook/x?a=one one\ndigest:ci /webhook/x?a=two two\ndigest:ci /webhook/x?a=three three\n"},
		"wrong password":  {conf, "wrong", "401 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.config)
			got, err := run(t, python, "-c", urllib, s.URL, "ci", c.password)
			if err != nil || !strings.HasPrefix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestGoClient is test-send's way: the challenge of a refusal is answered, with
// another nonce once the first is too old.
func TestGoClient(t *testing.T) {
	t.Parallel()
	s := serve(t, conf)
	signer := newVerifier(t, conf).(auth.Challenged)
	post := func(sign func(*auth.Request)) (status int, challenges []string) {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/webhook/x?a=%20", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		sign(&auth.Request{Method: q.Method, URL: q.URL, Host: q.Host, Header: q.Header, Body: []byte("body"), Now: time.Now()})
		resp, err := s.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode, resp.Header.Values("WWW-Authenticate")
	}
	status, challenges := post(func(*auth.Request) {})
	if status != http.StatusUnauthorized {
		t.Fatalf("without a proof: %d", status)
	}
	answered := func(r *auth.Request) {
		if err := signer.SignChallenge(t.Context(), r, challenges); err != nil {
			t.Fatal(err)
		}
	}
	if status, _ = post(answered); status != http.StatusOK {
		t.Errorf("answered: %d", status)
	}
	s.later.Store(301)
	if status, challenges = post(answered); status != http.StatusUnauthorized || !strings.Contains(challenges[0], "stale=true") {
		t.Fatalf("too old: %d %q", status, challenges)
	}
	if status, _ = post(answered); status != http.StatusOK {
		t.Errorf("answered the fresh nonce: %d", status)
	}
}
