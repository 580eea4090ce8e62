package ingest_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/server/ingest"
)

func packed(t testing.TB, coding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	default:
		w, err = flate.NewWriter(&b, 9)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestContentCodings(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(`{"some":"json"}`, 100)
	zipped := packed(t, "gzip", text)
	for name, c := range map[string]struct {
		coding, body string
		status       int
		code         string
	}{
		"none":                {"", text, 0, ""},
		"identity":            {"identity", text, 0, ""},
		"gzip":                {"gzip", zipped, 0, ""},
		"x-gzip, upper case":  {" X-GZIP ", zipped, 0, ""},
		"two gzip members":    {"gzip", packed(t, "gzip", text[:50]) + packed(t, "gzip", text[50:]), 0, ""},
		"deflate":             {"deflate", packed(t, "zlib", text), 0, ""},
		"deflate, bare":       {"deflate", packed(t, "flate", text), 0, ""},
		"unknown":             {"br", text, 415, "unsupported_encoding"},
		"two codings":         {"gzip, gzip", packed(t, "gzip", zipped), 415, "unsupported_encoding"},
		"not gzip at all":     {"gzip", text, 400, "malformed_encoding"},
		"gzip, cut":           {"gzip", zipped[:len(zipped)-10], 400, "malformed_encoding"},
		"gzip, bad sum":       {"gzip", zipped[:len(zipped)-8] + "12345678", 400, "malformed_encoding"},
		"gzip, garbage after": {"gzip", zipped + "garbage", 400, "malformed_encoding"},
		"gzip, empty":         {"gzip", "", 400, "malformed_encoding"},
		"bomb":                {"gzip", packed(t, "gzip", strings.Repeat(" ", 64<<20)), 413, "body_too_large"},
		"at the limit":        {"gzip", packed(t, "gzip", strings.Repeat(" ", 100_000)), 0, ""},
		"one over the limit":  {"gzip", packed(t, "gzip", strings.Repeat(" ", 100_001)), 413, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var signed, checked []byte
			r := newRig(&proof{cost: auth.CostBody, verify: func(q *auth.Request) error { signed = bytes.Clone(q.Body); return nil }})
			r.hook.Body.Max = 100_000
			r.hook.Body.Check = func(_ context.Context, _ string, b []byte) error { checked = bytes.Clone(b); return nil }
			req := post(c.body)
			if c.coding != "" {
				req.Header.Set("Content-Encoding", c.coding)
			}
			if c.status != 0 {
				r.refuse(t, req, c.status, c.code)
				return
			}
			r.accept(t, req)
			ev := r.items[0].Event
			if string(signed) != c.body {
				t.Error("the proof did not see the bytes as sent")
			}
			if !bytes.Equal(checked, ev.Body) || c.body != text && len(ev.Body) == len(c.body) {
				t.Errorf("%d bytes checked, %d stored", len(checked), len(ev.Body))
			}
			if coding := ev.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
				t.Errorf("stored as %q, but decoded", coding)
			}
		})
	}
}

// Bodies of all sizes and in all pieces arrive byte for byte, and stay so when
// the buffers are used again.
func TestBodiesStayWhole(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.hook.Body.Max = 4 << 20
	var wg sync.WaitGroup
	sums := sync.Map{}
	for worker := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(worker), 1))
			for i := range 40 {
				body := make([]byte, []int{0, 1, 8191, 8192, 8193, 20_000, 131_072, 200_000, 1 << 20, 3 << 20}[rnd.IntN(8+i%3)])
				for j := range body {
					body[j] = byte(rnd.Uint32())
				}
				sums.Store(sha256.Sum256(body), true)
				req := post("")
				req.Length, req.Body = int64(len(body)), bytes.NewReader(body)
				switch i % 4 {
				case 1:
					req.Length = -1
				case 2:
					req.Body = iotest.HalfReader(req.Body)
				case 3:
					req.Body = iotest.DataErrReader(req.Body)
				}
				if _, err := r.gate.Accept(context.Background(), req); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(r.items) != 320 {
		t.Errorf("%d events", len(r.items))
	}
	for _, it := range r.items {
		if _, ok := sums.Load(sha256.Sum256(it.Event.Body)); !ok {
			t.Fatalf("a stored body of %d bytes was never sent", len(it.Event.Body))
		}
	}
}

func TestLimitIsExact(t *testing.T) {
	t.Parallel()
	r := newRig()
	for _, limit := range []int{1, 8191, 8192, 8193, 300_000, 2 << 20} {
		r.hook.Body.Max = int64(limit)
		for _, declared := range []bool{true, false} {
			body := strings.Repeat("x", limit+1)
			edit := func(q *ingest.Request) {
				if !declared {
					q.Length = -1
				}
			}
			r.accept(t, post(body[:limit], edit))
			r.refuse(t, post(body, edit), 413, "body_too_large")
		}
	}
}

// All bodies together are bounded, and what they held is given back.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.gate.MaxBuffered = 3 << 20
	gate, inside := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	big := func() *ingest.Request {
		req := post(strings.Repeat("x", 1<<20))
		req.Body = io.MultiReader(req.Body, blocking{inside, gate})
		return req
	}
	for range 2 {
		wg.Go(func() {
			if _, err := r.gate.Accept(context.Background(), big()); err != nil {
				t.Error(err)
			}
		})
		<-inside
	}
	if ref := r.refuse(t, post(strings.Repeat("x", 2<<20)), 503, "overloaded"); ref.RetryAfter == 0 {
		t.Error("503 without Retry-After")
	}
	r.accept(t, post("{}")) // small ones pass
	close(gate)
	wg.Wait()
	r.accept(t, post(strings.Repeat("x", 2<<20)))
}

// What a request only says that it will send takes no memory from others.
func TestDeclaredLengthIsNotTrusted(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.gate.MaxBuffered = 8 << 20
	gate, inside, refused := make(chan struct{}), make(chan struct{}), make(chan error, 100)
	var wg sync.WaitGroup
	for range 100 {
		req := post("")
		req.Length, req.Body = 5<<20, blocking{inside, gate}
		wg.Go(func() {
			if _, err := r.gate.Accept(context.Background(), req); err != nil {
				refused <- err
			}
		})
		select {
		case <-inside:
		case err := <-refused:
			t.Error(err)
		}
	}
	r.accept(t, post(strings.Repeat("x", 256<<10)))
	close(gate)
	wg.Wait()
}

// blocking tells when it is read, and waits until it may end.
type blocking struct{ inside, gate chan struct{} }

func (b blocking) Read([]byte) (int, error) {
	b.inside <- struct{}{}
	<-b.gate
	return 0, io.EOF
}

func TestCleaning(t *testing.T) {
	t.Parallel()
	r := newRig(&proof{cost: auth.CostBody})
	r.hook.Forward = []string{"X-Api-Key", "x-forwarded-secret"}
	req := post("{}")
	req.Header = http.Header{}
	keep := []string{
		"Content-Type", "User-Agent", "Accept", "X-Github-Event", "X-Github-Delivery", "Idempotency-Key", "X-Author", "X-Monkey",
		"X-Keyboard", "Ce-Id", "Webhook-Id", "Webhook-Timestamp", "X-Api-Key", "X-Forwarded-Secret", "X-Forwarded-For", "X-Custom", "Traceparent",
	}
	drop := []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Auth-Token", "X-Access-Token", "Api-Key", "X-Gitlab-Token",
		"X-Hub-Signature", "X-Hub-Signature-256", "Stripe-Signature", "X-Shopify-Hmac-Sha256", "Paypal-Transmission-Sig", "Webhook-Signature",
		"X-Hook-Secret", "X_custom_signature", "X-Recaptcha-Token", "X-Own", "X-Amz-Security-Token", "X-Password", "Apikey",
		"Connection", "Keep-Alive", "Te", "Upgrade", "Transfer-Encoding", "Content-Length", "Expect", "Proxy-Connection", "X-Named",
	}
	for _, h := range slices.Concat(keep, drop) {
		req.Header[h] = []string{"v"}
	}
	req.Header["Connection"] = []string{"close, x-named"}
	req.URL.RawQuery = "a=1&own=secret&API_KEY=s&token=t&b=%20x&access%5Ftoken=u&%zz=bad&c&signature=q&monkey=m"
	r.accept(t, req)
	ev := r.items[0].Event
	var got []string
	for h := range ev.Header {
		got = append(got, h)
	}
	slices.Sort(got)
	slices.Sort(keep)
	if !reflect.DeepEqual(got, keep) {
		t.Errorf("stored headers\n%q, want\n%q", got, keep)
	}
	if want := "a=1&b=%20x&c&monkey=m"; ev.Query != want {
		t.Errorf("stored query %q, want %q", ev.Query, want)
	}
}

func FuzzContentEncoding(f *testing.F) {
	f.Add("gzip", []byte(packed(f, "gzip", "hello")))
	f.Add("deflate", []byte(packed(f, "zlib", "hello")))
	f.Add("deflate", []byte(packed(f, "flate", "hello")))
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		r := newRig()
		r.hook.Body.Max = 1 << 16
		req := post("")
		req.Header["Content-Encoding"] = []string{coding}
		req.Length, req.Body = int64(len(body)), bytes.NewReader(body)
		_, err := r.gate.Accept(context.Background(), req)
		var ref *ingest.Refusal
		if err != nil && (!errors.As(err, &ref) || ref.Status < 400 || ref.Status > 415) {
			t.Errorf("%v", err)
		}
		if err == nil && len(r.items[0].Event.Body) > 1<<16 {
			t.Error("over the limit")
		}
	})
}

func BenchmarkAccept(b *testing.B) {
	for _, size := range []int{100, 5 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			r := newRig(&proof{cost: auth.CostBody})
			gate := &ingest.Gate{Hooks: r, Queue: discard{}}
			body := bytes.Repeat([]byte("x"), size)
			rd := bytes.NewReader(body)
			req := post("")
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				rd.Reset(body)
				req.Length, req.Body = int64(size), rd
				if _, err := gate.Accept(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{}

func (discard) Put(context.Context, queue.Item) (queue.Put, error) {
	return queue.Put{Fresh: true}, nil
}
