package s3_test

import (
	"bytes"
	"context"
	"crypto/md5" // #nosec G501 -- the sum that S3 checks
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// fake answers as S3 does where it fails: no server throttles or moves a bucket
// when it is asked to.
func fake(t *testing.T, serve http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	return connection(s.URL, "a", key)
}

func refusal(code, message string) string {
	return fmt.Sprintf(`<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message><RequestId>r</RequestId></Error>`, code, message)
}

// What S3 says when it does not store an object, and what looks like success and
// is none.
func TestAnswers(t *testing.T) {
	inAnHour := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for what, c := range map[string]struct {
		status     int
		header     http.Header
		text       string
		kind       modules.FailureKind
		code, want string
	}{
		"slow down":       {503, nil, refusal("SlowDown", "Please reduce your request rate."), modules.Throttled, modules.CodeThrottled, "reduce"},
		"unavailable":     {503, http.Header{"Retry-After": {"7"}}, "", modules.Throttled, modules.CodeThrottled, ""},
		"429":             {429, nil, refusal("TooManyRequests", "x"), modules.Throttled, modules.CodeThrottled, ""},
		"KMS throttles":   {400, nil, refusal("KMS.ThrottlingException", "x"), modules.Throttled, modules.CodeThrottled, ""},
		"no right":        {403, nil, refusal("AccessDenied", "Access Denied"), modules.Retryable, modules.CodeAuthFailed, "s3:PutObject"},
		"wrong secret":    {403, nil, refusal("SignatureDoesNotMatch", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"unknown key":     {403, nil, refusal("InvalidAccessKeyId", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"expired":         {400, nil, refusal("ExpiredToken", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"KMS right":       {400, nil, refusal("KMS.AccessDeniedException", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"clock":           {403, http.Header{"Date": {inAnHour}}, refusal("RequestTimeTooSkewed", "x"), modules.Retryable, "s3_clock_skew", time.Now().Add(time.Hour).UTC().Format("2006-01-02T15")},
		"elsewhere":       {301, http.Header{"X-Amz-Bucket-Region": {"eu-west-3"}}, refusal("PermanentRedirect", "x"), modules.Retryable, "s3_wrong_region", `is in "eu-west-3", the connection's region is "us-east-1"`},
		"elsewhere, new":  {307, http.Header{"Location": {"http://192.0.2.1/"}}, refusal("TemporaryRedirect", "x"), modules.Retryable, "s3_wrong_region", ""},
		"missing":         {404, nil, refusal("NoSuchBucket", "x"), modules.Retryable, modules.CodeNotFound, `bucket "abc"`},
		"too large":       {400, nil, refusal("EntityTooLarge", "x"), modules.Rejected, modules.CodeTooLarge, ""},
		"a proxy's limit": {413, nil, "<html>", modules.Rejected, modules.CodeTooLarge, ""},
		"key too long":    {400, nil, refusal("KeyTooLongError", "x"), modules.Rejected, modules.CodeRefused, ""},
		"spoiled":         {400, nil, refusal("BadDigest", "x"), modules.Retryable, modules.CodeUnavailable, ""},
		"busy":            {409, nil, refusal("OperationAborted", "x"), modules.Retryable, modules.CodeUnavailable, ""},
		"full":            {507, nil, refusal("XMinioStorageFull", "x"), modules.Retryable, modules.CodeDiskFull, ""},
		"storage class":   {400, nil, refusal("InvalidStorageClass", "x"), modules.Retryable, modules.CodeRefused, ""},
		"unknown option":  {501, nil, refusal("NotImplemented", "x"), modules.Retryable, modules.CodeRefused, ""},
		"failed":          {500, nil, refusal("InternalError", "x"), modules.Retryable, modules.CodeUnavailable, ""},
		"a gateway":       {502, nil, "<html>Bad gateway</html>", modules.Retryable, modules.CodeUnavailable, ""},
		"no tag":          {200, nil, "", modules.Retryable, modules.CodeBadAnswer, "no tag"},
		"error in a 200":  {200, nil, refusal("InternalError", "x"), modules.Retryable, "", ""},
	} {
		d := destination(t, fake(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for name, values := range c.header {
				w.Header()[name] = values
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.text)
		}), `{"bucket": "abc"}`)
		_, err := send(t, d, delivery(`{}`))
		if c.code == "" {
			c.code = modules.FailureOf(err).Code
		}
		want(t, what, err, c.kind, c.code, c.want)
		if what == "unavailable" && modules.FailureOf(err).After != 7*time.Second {
			t.Errorf("Retry-After: %v", modules.FailureOf(err).After)
		}
		if moduletest.Check(t, d) == nil && what != "spoiled" { // which is what the check wants
			t.Errorf("%s: Check passes", what)
		}
		t.Logf("%s: %v", what, err)
	}
}

// A server that does not look at sums is told from one that does, and a credential
// that may only put is enough.
func TestCheckWithoutRights(t *testing.T) {
	puts := func(answer func(w http.ResponseWriter)) func(w http.ResponseWriter, r *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			b, _ := io.ReadAll(r.Body)
			sum := md5.Sum(b) // #nosec G401 -- as S3 does
			if r.Header.Get("Content-Md5") == base64.StdEncoding.EncodeToString(sum[:]) {
				t.Error("the check stores an object")
			}
			answer(w)
		}
	}
	d := destination(t, fake(t, puts(func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, refusal("BadDigest", "x"))
	})), `{"bucket": "abc"}`)
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("may put, may not look: %v", err)
	}
	d = destination(t, fake(t, puts(func(w http.ResponseWriter) { w.Header().Set("ETag", `"x"`) })), `{"bucket": "abc"}`)
	want(t, "no look at sums", moduletest.Check(t, d), modules.Retryable, modules.CodeBadAnswer, ".hookd-check")
}

// An object of many that is refused for good is divided until the one that is to
// blame is alone.
func TestDivided(t *testing.T) {
	var sizes []int
	d := destination(t, fake(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		sizes = append(sizes, bytes.Count(b, []byte("\n")))
		if bytes.Contains(b, []byte(`"poison"`)) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.Header().Set("ETag", `"x"`)
	}), `{"bucket": "abc", "ndjson": true}`).(modules.BatchDestination)
	var ds []*event.Delivery
	for i := range 8 {
		ds = append(ds, delivery(fmt.Sprintf(`{"n":%d}`, i)))
	}
	ds[2] = delivery(`{"n":"poison"}`)
	for i, r := range d.SendBatch(t.Context(), ds) {
		if i == 2 {
			want(t, "the one", r.Err, modules.Rejected, modules.CodeTooLarge, "Too Large")
		} else if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	if got := fmt.Sprint(sizes); got != "[8 4 2 2 1 1 4]" {
		t.Errorf("objects of %s lines", got)
	}
}

// What S3 is asked for: classes, encryption, owner, rights, the temporary key's
// token, and no trailer that other servers do not know.
func TestRequest(t *testing.T) {
	var got *http.Request
	c := strings.TrimSuffix(fake(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got = r
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("X-Amz-Server-Side-Encryption", "aws:kms")
		w.Header().Set("X-Amz-Version-Id", "v1")
	}), "}") + fmt.Sprintf(`, "session_token": %q}`, token)
	receipt, err := send(t, destination(t, c, `{"bucket": "abc", "storage_class": "STANDARD_IA", "sse": "AWS:KMS", "kms_key_id": "alias/hooks",
		"expected_bucket_owner": "123456789012", "acl": "bucket-owner-full-control"}`), delivery(`{}`))
	if err != nil || !strings.HasSuffix(receipt.Status, " version v1") {
		t.Fatalf("%v, %v", receipt, err)
	}
	for name, want := range map[string]string{
		"X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "alias/hooks",
		"X-Amz-Expected-Bucket-Owner": "123456789012", "X-Amz-Acl": "bucket-owner-full-control", "X-Amz-Security-Token": token,
		"Content-Md5": "mZFLkyvTelC5g8XnyQrpOw==", "X-Amz-Trailer": "", "If-None-Match": "", "Content-Encoding": "",
	} {
		if have := got.Header.Get(name); have != want {
			t.Errorf("%s: %q, want %q", name, have, want)
		}
	}
	if !strings.HasPrefix(got.URL.Path, "/abc/webhooks/") || got.Method != http.MethodPut {
		t.Errorf("%s %s", got.Method, got.URL.Path)
	}
}

// Where a request names the bucket.
func TestAddressing(t *testing.T) {
	for c, host := range map[string]string{
		`{"access_key_id": "a", "secret_access_key": "b"}`:                                                                              "abc.s3.us-east-1.amazonaws.com:443",
		`{"access_key_id": "a", "secret_access_key": "b", "region": "eu-west-1", "addressing_style": "path"}`:                           "s3.eu-west-1.amazonaws.com:443",
		`{"access_key_id": "a", "secret_access_key": "b", "endpoint_url": "https://s3.example.com"}`:                                    "s3.example.com:443",
		`{"access_key_id": "a", "secret_access_key": "b", "endpoint_url": "http://s3.example.com:9000", "addressing_style": "virtual"}`: "abc.s3.example.com:9000",
	} {
		var dialled string
		d := destinationOver(t, func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, errors.New("not today")
		}, c, `{"bucket": "abc"}`)
		_, err := send(t, d, delivery(`{}`))
		want(t, c, err, modules.Retryable, modules.CodeUnavailable, "not today")
		if dialled != host {
			t.Errorf("%s: dialled %s, want %s", c, dialled, host)
		}
	}
}

// After a refusal for the clock, requests are signed with the time of the far
// end.
func TestClockHeals(t *testing.T) {
	var signed []string
	d := destination(t, fake(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		signed = append(signed, r.Header.Get("X-Amz-Date"))
		now := time.Now().Add(5 * time.Hour).UTC()
		w.Header().Set("Date", now.Format(http.TimeFormat))
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil || now.Sub(at).Abs() > 15*time.Minute {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, refusal("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."))
			return
		}
		w.Header().Set("ETag", `"x"`)
	}), `{"bucket": "abc"}`)
	_, err := send(t, d, delivery(`{}`))
	want(t, "five hours apart", err, modules.Retryable, "s3_clock_skew", "set the clock of this machine")
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("the second: %v (signed at %v)", err, signed)
	}
}

// What switches protocols and keeps the connection is no S3, and holds nobody up.
func TestSwitchedProtocols(t *testing.T) {
	ended := make(chan struct{})
	d := destination(t, fake(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		_, _ = io.Copy(io.Discard, r.Body)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // until hookd hangs up
	}), `{"bucket": "abc"}`)
	sent := make(chan error, 1)
	go func() {
		_, err := d.Send(t.Context(), delivery(`{}`))
		sent <- err
	}()
	select {
	case err := <-sent:
		want(t, "101", err, modules.Retryable, modules.FailureOf(err).Code, "protocol")
	case <-time.After(20 * time.Second):
		t.Fatal("no end")
	}
	<-ended
}
