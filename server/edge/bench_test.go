package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/queue/pebble"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/payload"
)

// BenchmarkAccept measures what durability and checking cost: hookd, which
// checks a GitHub signature and the JSON and answers after the fsync, against
// a bare net/http handler that reads the body and answers "ok". Both get the
// same 5 KB requests over loopback with keep-alive, in turns, from a lean
// client in a process of its own. The machine's cores are shared by the
// client and the server in both cases. Run it with -benchtime 1x.
//
// Metrics: ratio is the median of hookd's rate by the baseline's over the
// rounds; hookd/s and bare/s are the medians of the rates. cpu-ratio is the
// same of the processor time for one request, server and client together: what
// the ratio would be if the processor were the only limit. It suffers least
// from what else runs on the machine.
func BenchmarkAccept(b *testing.B) {
	load := startLoad(b)
	hookd, bare := serveHookd(b), serveBare(b)
	load.run(b, hookd, 16, 200*time.Millisecond)
	load.run(b, bare, 16, 200*time.Millisecond)
	for _, conns := range []int{16, 64, 256} {
		b.Run("conns="+strconv.Itoa(conns), func(b *testing.B) {
			for b.Loop() {
				measure(b, load, hookd, bare, conns)
			}
		})
	}
}

const (
	benchRounds = 7
	benchRound  = 1500 * time.Millisecond
)

func measure(b *testing.B, load *load, hookd, bare string, conns int) {
	b.Helper()
	var ours, theirs, ratios, cpus []float64
	var worst loadResult
	for i := range benchRounds {
		var h, n loadResult
		if i%2 == 0 { // whoever goes first pays for what is cold
			n = load.run(b, bare, conns, benchRound)
			h = load.run(b, hookd, conns, benchRound)
		} else {
			h = load.run(b, hookd, conns, benchRound)
			n = load.run(b, bare, conns, benchRound)
		}
		ours, theirs = append(ours, h.Rate), append(theirs, n.Rate)
		ratios = append(ratios, h.Rate/n.Rate)
		cpus = append(cpus, float64(n.PerRequest)/float64(max(h.PerRequest, 1)))
		if h.P99 > worst.P99 {
			worst = h
		}
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(cpus), "cpu-ratio")
	b.ReportMetric(median(ours), "hookd/s")
	b.ReportMetric(median(theirs), "bare/s")
	b.ReportMetric(worst.P99.Seconds()*1e3, "worst-p99-ms")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func serveHookd(b *testing.B) string {
	b.Helper()
	check, err := payload.New(payload.Options{Type: "json"})
	if err != nil {
		b.Fatal(err)
	}
	hook := &ingest.Hook{
		ID: "github", Lanes: []string{"github/http_webhook-1"}, Auth: benchAuth(b),
		Client: func(peer netip.Addr, _ http.Header) (netip.Addr, error) { return peer, nil },
		Body:   ingest.Body{Type: "json", Check: check},
	}
	gate := &ingest.Gate{Hooks: hooks{"github": hook}, Queue: benchQueue(b), Log: slog.New(slog.DiscardHandler)}
	o := edge.Options{Gate: gate, Log: slog.New(slog.DiscardHandler)}
	return serve(b, edge.NewServer(o), edge.NewListener(listen(b), o))
}

func serveBare(b *testing.B) string {
	b.Helper()
	return serve(b, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})}, listen(b))
}

// githubRequest is a delivery of GitHub; the id is 36 bytes at idAt.
func githubRequest() (raw []byte, idAt int) {
	body := githubBody()
	mac := hmac.New(sha256.New, []byte(benchSecret))
	mac.Write(body)
	head := "POST /webhook/github HTTP/1.1\r\nHost: hooks.example.com\r\nUser-Agent: GitHub-Hookshot/044aadd\r\n" +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\nAccept: */*\r\nContent-Type: application/json\r\n" +
		"X-GitHub-Event: issues\r\nX-GitHub-Hook-ID: 292430182\r\nX-GitHub-Hook-Installation-Target-ID: 79929171\r\n" +
		"X-GitHub-Hook-Installation-Target-Type: repository\r\nX-Hub-Signature-256: sha256=" + hex.EncodeToString(mac.Sum(nil)) +
		"\r\nX-GitHub-Delivery: "
	idAt = len(head)
	return []byte(head + strings.Repeat("0", 36) + "\r\n\r\n" + string(body)), idAt
}

const benchSecret = "It's a Secret to Everybody"

// githubBody is about 5 KB of the shape of an issues event.
func githubBody() []byte {
	var b bytes.Buffer
	b.WriteString(`{"action":"opened","issue":{"url":"https://api.github.com/repos/octo/hello/issues/1","number":1,"title":"It \"breaks\"","labels":[`)
	for i := range 24 {
		if i > 0 {
			b.WriteByte(',')
		}
		sum := sha256.Sum256([]byte{byte(i)})
		fmt.Fprintf(&b, `{"id":%d,"node_id":"%x","url":"https://api.github.com/repos/octo/hello/labels/l%d","name":"l%d","color":"%x","default":false}`,
			binary.BigEndian.Uint32(sum[:]), sum[:16], i, i, sum[16:19])
	}
	b.WriteString(`],"state":"open","comments":0,"closed_at":null},"repository":{"id":35129377,"full_name":"octo/hello","private":false}}`)
	return b.Bytes()
}

// The load generator is this test binary, started again.

const loadEnv = "HOOKD_BENCH_LOAD"

type load struct {
	in  io.Writer
	out *bufio.Scanner
}

type loadResult struct {
	Rate          float64
	P50, P99, Max time.Duration
	N, Bad        int
	CPU           time.Duration // of the client
	PerRequest    time.Duration // processor time, server and client
	Error         string
}

func startLoad(b *testing.B) *load {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), loadEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &load{in: in, out: bufio.NewScanner(out)}
}

func (l *load) run(b *testing.B, addr string, conns int, d time.Duration) loadResult {
	b.Helper()
	used := cpuTime()
	fmt.Fprintln(l.in, addr, conns, d)
	if !l.out.Scan() {
		b.Fatalf("the load generator ended: %v", l.out.Err())
	}
	var r loadResult
	if err := json.Unmarshal(l.out.Bytes(), &r); err != nil {
		b.Fatalf("load generator: %q: %v", l.out.Text(), err)
	}
	if r.Bad > 0 || r.Error != "" {
		b.Fatalf("%d answers were not 200: %s", r.Bad, r.Error)
	}
	r.PerRequest = (cpuTime() - used + r.CPU) / time.Duration(max(r.N, 1))
	return r
}

// loadMain is the life of the child: one line of orders, one line of results.
func loadMain(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for run := 0; lines.Scan(); run++ {
		var addr, dur string
		var conns int
		if _, err := fmt.Sscan(lines.Text(), &addr, &conns, &dur); err != nil {
			return
		}
		d, err := time.ParseDuration(dur)
		if err != nil {
			return
		}
		line, err := json.Marshal(generate(addr, conns, d, run))
		if err != nil {
			return
		}
		fmt.Fprintf(out, "%s\n", line)
	}
}

func generate(addr string, conns int, d time.Duration, run int) loadResult {
	var mu sync.Mutex
	var all []time.Duration
	var res loadResult
	var wg sync.WaitGroup
	start, used := time.Now(), cpuTime()
	for i := range conns {
		wg.Go(func() {
			took, bad, err := oneConn(addr, start.Add(d), fmt.Sprintf("%08x-%08x", run, i))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			res.Bad += bad
			if err != nil {
				res.Error = err.Error()
			}
		})
	}
	wg.Wait()
	res.N, res.CPU = len(all), cpuTime()-used
	res.Rate = float64(len(all)) / time.Since(start).Seconds()
	slices.Sort(all)
	if n := len(all); n > 0 {
		res.P50, res.P99, res.Max = all[n/2], all[n*99/100], all[n-1]
	}
	return res
}

// oneConn sends one request after the other, and parses no more of an answer
// than where it ends.
func oneConn(addr string, until time.Time, tag string) (took []time.Duration, bad int, err error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = c.Close() }()
	req, idAt := githubRequest()
	copy(req[idAt:], tag)
	buf := make([]byte, 16<<10)
	for n := 0; ; n++ {
		sent := time.Now()
		if sent.After(until) {
			return took, bad, nil
		}
		copy(req[idAt+18:], fmt.Appendf(nil, "%016x", n))
		if _, err := c.Write(req); err != nil {
			return took, bad, err
		}
		ok, err := readAnswer(c, buf)
		if err != nil {
			return took, bad, err
		}
		if !ok {
			bad++
		}
		took = append(took, time.Since(sent))
	}
}

func readAnswer(c net.Conn, buf []byte) (ok bool, err error) {
	n, end := 0, -1
	for {
		m, err := c.Read(buf[n:])
		if err != nil {
			return false, err
		}
		n += m
		if end < 0 {
			head := bytes.Index(buf[:n], []byte("\r\n\r\n"))
			if head < 0 {
				continue
			}
			length := 0
			if at := bytes.Index(buf[:head], []byte("Content-Length: ")); at >= 0 {
				for _, d := range buf[at+16 : head] {
					if d < '0' || d > '9' {
						break
					}
					length = length*10 + int(d-'0')
				}
			}
			end = head + 4 + length
		}
		if n >= end {
			return bytes.HasPrefix(buf, []byte("HTTP/1.1 200 ")), nil
		}
	}
}

func benchAuth(b *testing.B) *auth.Chain {
	b.Helper()
	p, ok := presets.Lookup("github")
	if !ok {
		b.Fatal("no preset github")
	}
	v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New(benchSecret)}})
	if err != nil {
		b.Fatal(err)
	}
	return auth.NewChain(v)
}

// benchQueue is the embedded queue as the daemon has it: every Put is on the
// disk before it returns.
func benchQueue(b *testing.B) ingest.Putter {
	b.Helper()
	q, err := pebble.Open(context.Background(), pebble.Options{Dir: filepath.Join(b.TempDir(), "queue")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := q.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return q
}
