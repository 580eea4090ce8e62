package server_test

import (
	"cmp"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/server/admin"
)

// farEnd is a real server that TestBrokerRestarts and TestBrokerThroughput send
// to, and a reader of it that is not hookd's own library. A module joins the two
// tests with a function that makes one, in the list below.
type farEnd struct {
	module     string                   // also the type of the connection, unless that is set
	connType   string                   // type of the connection, where it is not called as the module is
	addr       string                   // of the server
	connection func(addr string) string // entry of connections.json that leads to addr, JSON
	options    string                   // module-config, JSON
	attempts   int                      // before a dead letter; 0 is 20
	// proxy is the network in between where that must stand at a certain
	// address; nil is anywhere.
	proxy func() *testinfra.Proxy
	// ids are the delivery ids of the messages at the far end, one for each
	// message, repeats included. It is called once, at the end.
	ids func() []string
	// kill and restart end the server and bring it back; one that is nil is not
	// tried.
	kill, restart func()
	// kept are the delivery ids that the far end hands out after a restart when
	// ids did not find them: a message that was stored and held back. nil is
	// not asked.
	kept func() []string
	// inLoop stores n bodies of the events' size with the same client library,
	// one after the other and each by itself: what the throughput is compared
	// with. nil is not compared.
	inLoop func(n int)
}

var farEnds = []struct {
	name string
	make func(t *testing.T) farEnd
}{
	{"rabbitmq", rabbitFarEnd},
	{"kafka", kafkaFarEnd},
	{"mqtt", mqttFarEnd},
	{"aws_sqs", sqsFarEnd},
	{"gcp_pubsub", pubsubFarEnd},
	{"s3", s3FarEnd("")},
	{"s3 ndjson", s3FarEnd(`, "ndjson": true`)},
	{"activemq", activeFarEnd},
	{"redis_rq", rqFarEnd},
	{"redis_stream", func(t *testing.T) farEnd { return streamFarEnd(t, "") }},
	{"redis_stream deduplicated", func(t *testing.T) farEnd { return streamFarEnd(t, `, "deduplicate": "1h"`) }},
	{"zeromq REQ", zeromqFarEnd("REP", "REQ")},
	{"zeromq PUSH", zeromqFarEnd("PULL", "PUSH")},
	{"websocket", websocketFarEnd("", "")},
	{"websocket reply", websocketFarEnd("taken", `, "wait_for_response": true, "max_connections": 8`)},
	{"websocket id", websocketFarEnd("id", `, "wait_for_response": true, "match_id": true`)},
	{"clickhouse", clickhouseFarEnd},
	{"postgresql", postgresFarEnd},
	{"mysql", mysqlFarEnd},
}

const brokerLane = "out"

// configure writes the configuration of a hook "github" with one destination.
func (f farEnd) configure(t *testing.T, addr string) daemonConfig {
	t.Helper()
	cfg := newDaemonConfig(t, t.TempDir())
	var entry map[string]any
	if err := json.Unmarshal([]byte(f.connection(addr)), &entry); err != nil {
		t.Fatal(err)
	}
	entry["type"] = cmp.Or(f.connType, f.module)
	for file, v := range map[string]any{
		"connections.json": map[string]any{"far": entry},
		"webhooks.json": map[string]any{"github": map[string]any{
			"provider": "github", "secret": webhookSecret,
			"chain": []any{map[string]any{
				"module": f.module, "name": brokerLane, "connection": "far", "module-config": json.RawMessage(f.options),
				"retry": map[string]any{"max_attempts": cmp.Or(f.attempts, 20), "initial_delay": "200ms", "max_delay": "5s"},
			}},
		}},
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cfg.dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

func (f farEnd) network(t *testing.T) *testinfra.Proxy {
	if f.proxy != nil {
		return f.proxy()
	}
	return testinfra.NewProxy(t, f.addr)
}

// faults are the ways in which a far end goes away and comes back.
func (f farEnd) faults(p *testinfra.Proxy) (names []string, faults map[string]func()) {
	pause := func(d time.Duration) { <-time.After(d) }
	faults = map[string]func(){
		"cut": func() { // no network
			p.Cut()
			pause(time.Second)
			p.Restore()
		},
		"answers lost": func() { // what it did is not known
			p.Mute()
			pause(time.Second)
			p.Cut()
			p.Restore()
		},
		"half open": func() { // nothing passes, and nobody is told
			p.Freeze()
			pause(3 * time.Second)
			p.Cut()
			p.Restore()
		},
	}
	names = []string{"answers lost", "cut", "half open"}
	if f.kill != nil {
		faults["kill -9"] = f.kill
		names = slices.Insert(names, 1, "kill -9")
	}
	if f.restart != nil {
		faults["restart"] = f.restart
		names = slices.Insert(names, len(names)-1, "restart")
	}
	return names, faults
}

// TestBrokerRestarts takes the far end away under load, again and again, in
// every way in turn, while one and the same hookd runs. Every event that was
// accepted must be there in the end. HOOKD_BROKER_ROUNDS is how often (2),
// HOOKD_BROKER_RATE the load in events a second (200).
func TestBrokerRestarts(t *testing.T) {
	rounds, rate := number("HOOKD_BROKER_ROUNDS", 2), number("HOOKD_BROKER_RATE", 200)
	for _, end := range farEnds {
		t.Run(end.name, func(t *testing.T) {
			f := end.make(t)
			p := f.network(t)
			cfg := f.configure(t, p.Addr())
			d := cfg.start(t)
			book := newLedger()
			ctx, cancel := context.WithCancel(t.Context())
			loaded := make(chan struct{})
			go func() {
				defer close(loaded)
				newSender("http://"+cfg.listen, book).pace(ctx, rate)
			}()
			names, faults := f.faults(p)
			done := make(map[string]int)
			for i := range rounds {
				<-time.After(time.Duration(1000+rand.IntN(1000)) * time.Millisecond)
				name := names[i%len(names)]
				start := time.Now()
				faults[name]()
				done[name]++
				t.Logf("round %d: %s, %v", i+1, name, time.Since(start).Round(time.Millisecond))
			}
			<-time.After(time.Second)
			cancel()
			<-loaded
			start := time.Now()
			drain(t, cfg, d)
			t.Logf("faults: %v; all was settled %v after the last", done, time.Since(start).Round(time.Second))
			accountFarEnd(t, cfg, book, f)
			d.stop(t) // the same process as in the beginning
		})
	}
}

func number(env string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return otherwise
}

// pace sends at a steady rate until the context ends.
func (s *sender) pace(ctx context.Context, perSecond int) {
	const workers = 8
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			tick := time.NewTicker(time.Second * workers / time.Duration(perSecond))
			defer tick.Stop()
			for ctx.Err() == nil {
				s.send(s.next())
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
	s.client.CloseIdleConnections()
}

// accountFarEnd compares the sender's ledger with what is at the far end.
func accountFarEnd(t *testing.T, cfg daemonConfig, book *ledger, f farEnd) {
	t.Helper()
	ids := f.ids()
	times := make(map[string]int)
	for _, id := range ids {
		times[id]++
	}
	book.mu.Lock()
	defer book.mu.Unlock()
	var lost []event.ID
	found := 0
	for text := range book.accepted {
		id, err := event.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		if times[event.DeliveryID(id, "github/"+brokerLane).String()] == 0 {
			lost = append(lost, id)
		} else {
			found++
		}
	}
	t.Logf("accepted %d, read back %d (%d different), lost %d, duplicates %d, dead %d, requests without an answer %d, refused %v",
		len(book.accepted), len(ids), len(times), len(lost), len(ids)-len(times), dead(t, cfg), book.broken, book.refused)
	if found == 0 {
		t.Error("nothing was accepted and found: the test proves nothing")
	}
	if len(lost) > 0 {
		t.Errorf("%d accepted events are lost", len(lost))
		explainLoss(t, cfg, f, lost)
	}
}

// explainLoss says what hookd knows of lost events, the first of them, and
// whether the far end had them all the same.
func explainLoss(t *testing.T, cfg daemonConfig, f farEnd, lost []event.ID) {
	t.Helper()
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	for _, id := range lost[:min(len(lost), 20)] {
		e, err := client.Event(t.Context(), id)
		t.Logf("lost %s: %+v (%v)", id, e.Deliveries, err)
	}
	if f.kept == nil {
		return
	}
	kept := f.kept()
	back := 0
	for _, id := range lost {
		if slices.Contains(kept, event.DeliveryID(id, "github/"+brokerLane).String()) {
			back++
		}
	}
	t.Logf("after a restart the far end hands out %d messages more, among them %d of the lost ones", len(kept), back)
}

// dead is how many deliveries were given up.
func dead(t *testing.T, cfg daemonConfig) (n int) {
	t.Helper()
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	lanes, err := client.Lanes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lanes {
		n += l.Dead
	}
	return n
}

// deadLetters sends three events, the second padded to pad bytes, and wants those
// that the far end does not take as dead letters with the code and a part of the
// note: after one attempt, or for want of rights after two.
func (f farEnd) deadLetters(t *testing.T, pad int, code, note string) {
	t.Helper()
	attempts := 1
	if code == "auth_failed" {
		attempts, f.attempts = 2, 2
	}
	cfg := f.configure(t, f.addr)
	cfg.env = append(cfg.env, "HOOKD_LIMITS_STRING=16MiB")
	d := cfg.start(t)
	book := newLedger()
	send := newSender("http://"+cfg.listen, book)
	small := len(send.pad)
	for n, pad := range []int{small, pad, small} {
		send.pad = strings.Repeat("x", pad)
		send.send(n)
	}
	send.client.CloseIdleConnections()
	drain(t, cfg, d)
	client := admin.Client{BaseURL: "http://" + cfg.admin, HTTP: admin.NewHTTPClient()}
	defer client.HTTP.CloseIdleConnections()
	page, err := client.Dead(t.Context(), admin.Filter{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	ids := f.ids()
	if len(book.accepted) != 3 || len(page.Events) == 0 || len(page.Events)+len(ids) != 3 {
		t.Errorf("accepted %d, dead %d, read back %d; refused %v", len(book.accepted), len(page.Events), len(ids), book.refused)
	}
	for _, e := range page.Events {
		got := e.Deliveries[0]
		if got.Code != code || !strings.Contains(got.Note, note) || got.Attempts != attempts {
			t.Errorf("after %d attempts: %s: %s", got.Attempts, got.Code, got.Note)
		}
	}
	d.stop(t)
}

// TestBrokerThroughput measures events a second from the sender's request to
// the far end's confirm. It runs with HOOKD_BROKER_EVENTS=N;
// HOOKD_BROKER_SENDERS is how many send at once (64).
func TestBrokerThroughput(t *testing.T) {
	total := number("HOOKD_BROKER_EVENTS", 0)
	if total == 0 {
		t.Skip("set HOOKD_BROKER_EVENTS to the number of events")
	}
	for _, end := range farEnds {
		t.Run(end.name, func(t *testing.T) {
			f := end.make(t)
			cfg := f.configure(t, f.addr)
			d := cfg.start(t)
			book := newLedger()
			send := newSender("http://"+cfg.listen, book)
			send.run(timesOnly(t, send, 500), 8) // warm
			drain(t, cfg, d)
			start := time.Now()
			send.run(timesOnly(t, send, total), number("HOOKD_BROKER_SENDERS", 64))
			accepted := time.Since(start)
			drain(t, cfg, d)
			delivered := time.Since(start)
			accountFarEnd(t, cfg, book, f)
			rate := func(d time.Duration) float64 { return float64(total) / d.Seconds() }
			t.Logf("%s: %d events of %d bytes: accepted %.0f/s, accepted and confirmed by the far end %.0f/s",
				end.name, total, len(send.pad)+20, rate(accepted), rate(delivered))
			if f.inLoop != nil {
				n := total / 10
				start := time.Now()
				f.inLoop(n)
				alone := float64(n) / time.Since(start).Seconds()
				t.Logf("%s: a plain loop of the same client: %.0f/s; hookd is %.2f times that", end.name, alone, rate(delivered)/alone)
			}
			d.stop(t)
		})
	}
}

// timesOnly ends its context after n sends from now.
func timesOnly(t *testing.T, s *sender, n int) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	next, left := s.next, n
	s.next = func() int {
		mu.Lock()
		defer mu.Unlock()
		if left--; left <= 0 {
			cancel()
		}
		return next()
	}
	return ctx
}
