package zeromq_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// What libzmq gets: one frame, as of the original service, unless more is asked
// for.
func TestFrames(t *testing.T) {
	x := delivery("{\"é\":\"\U0001F44B\"}\x00")
	for _, c := range []struct {
		peer, kind, more string
		frames           int // before the body
	}{
		{"PULL", "PUSH", ``, 0},
		{"PULL", "PUSH", `, "include_headers": true`, 1},
		{"SUB", "PUB", ``, 0},
		{"SUB", "PUB", `, "topic": "github"`, 1},
		{"SUB", "PUB", `, "topic": "github", "include_headers": true, "forward_headers": false`, 2},
		{"REP", "REQ", ``, 0},
		{"REP", "REQ", `, "include_headers": true`, 1},
		{"ROUTER", "REQ", ``, 1}, // the empty frame
		{"ROUTER", "DEALER", ``, 0},
		{"DEALER", "DEALER", ``, 0},
		{"REP", "DEALER", ``, 0},
	} {
		what := c.peer + " " + c.kind + c.more
		port := testinfra.FreePort(t)
		o := newOther(t, c.peer, "bind", tcp(port))
		if c.peer == "SUB" {
			o.do("subscribe", "")
		}
		o.do("start")
		d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": %q, "bind": false%s}`, tcp(port), c.kind, c.more))
		if _, err := send(t, d, x); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		got := o.received()
		if len(got) != 1 || len(got[0].Frames) != c.frames+1 || !bytes.Equal(got[0].Frames[c.frames], x.Body) {
			t.Errorf("%s: %q", what, got)
			continue
		}
		if strings.Contains(c.more, "topic") && string(got[0].Frames[0]) != "github" {
			t.Errorf("%s: topic %q", what, got[0].Frames[0])
		}
		if strings.Contains(c.more, "include") {
			h := got[0].Headers
			_, foreign := h["x-github-event"]
			if h["hookd-delivery-id"] != x.ID.String() || h["hookd-hook"] != "github" || h["content-type"] != "application/json" ||
				foreign == strings.Contains(c.more, "forward") {
				t.Errorf("%s: %v", what, h)
			}
		}
	}
}

// The trap of zmq4's own sockets: after the peer died the first send fails, and
// every later one counts and is lost.
func TestDeadPeer(t *testing.T) {
	for kind, peer := range map[string]string{"PUSH": "PULL", "REQ": "REP", "DEALER": "ROUTER", "PUB": "SUB"} {
		port := testinfra.FreePort(t)
		o := newOther(t, peer, "bind", tcp(port))
		ready := func() {
			if peer == "SUB" {
				o.do("subscribe", "")
			}
		}
		ready()
		o.do("start")
		d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": %q, "bind": false, "include_headers": true}`, tcp(port), kind))
		if _, err := send(t, d, delivery(`{"n":1}`)); err != nil {
			t.Fatal(err)
		}
		o.Kill()
		for i := range 5 {
			if r, err := send(t, d, delivery(`{"n":2}`)); err == nil {
				t.Errorf("%s, send %d after the peer's death: %s", kind, i, r)
			}
		}
		o.again()
		ready()
		x := delivery(`{"n":3}`)
		if _, err := send(t, d, x); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if all := o.messages(); len(all) != 1 || all[0].ID != x.ID.String() {
			t.Errorf("%s: %v", kind, all)
		}
	}
}

// until waits for something that comes by and by.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 2000 {
		if f() {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatalf("%s: not so after 20 s", what)
}

// Nobody is there.
func TestNobody(t *testing.T) {
	for _, kind := range []string{"PUSH", "REQ", "DEALER"} {
		d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": %q}`, tcp(testinfra.FreePort(t)), kind))
		took := moduletest.Took(func() {
			_, err := send(t, d, delivery(`{}`))
			want(t, kind, err, "zeromq_no_peers", "no peer")
		})
		if took > 2*time.Second {
			t.Errorf("%s: it took %v", kind, took)
		}
		d = destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": %q, "bind": false}`, tcp(testinfra.FreePort(t)), kind))
		_, err := send(t, d, delivery(`{}`))
		want(t, kind, err, modules.CodeUnavailable, "refused")
	}
	h := open(t, fmt.Sprintf(`{"endpoint": %q}`, tcp(testinfra.FreePort(t))))
	d := h.destination(t, `{"topic": "a"}`)
	r, err := send(t, d, delivery(`{}`))
	if err != nil || r != "0 subscribers" {
		t.Errorf("%q, %v", r, err)
	}
	_, err = send(t, h.destination(t, `{"topic": "a", "require_subscribers": true}`), delivery(`{}`))
	want(t, "require", err, "zeromq_no_subscribers", "nobody subscribes")
}

func TestSubscriptions(t *testing.T) {
	port := testinfra.FreePort(t)
	h := open(t, fmt.Sprintf(`{"endpoint": %q}`, tcp(port)))
	a, b := newOther(t, "SUB", "connect", tcp(port)), newOther(t, "SUB", "connect", tcp(port))
	a.do("subscribe", "git")
	b.do("subscribe", "gitlab")
	d, e := h.destination(t, `{"topic": "github", "require_subscribers": true}`), h.destination(t, `{"topic": "gitlab", "require_subscribers": true}`)
	a.do("start")
	if r, err := send(t, d, delivery(`{"n":1}`)); err != nil || r != "1 subscribers" {
		t.Errorf("%q, %v", r, err)
	}
	b.do("start")
	until(t, "both subscribe", func() bool {
		r, err := send(t, e, delivery(`{"n":2}`))
		return err == nil && r == "2 subscribers"
	})
	if n := len(b.received()); n != 1 {
		t.Errorf("%d messages", n)
	}
	a.do("unsubscribe", "git")
	var err error
	until(t, "a has gone", func() bool {
		_, err = send(t, d, delivery(`{"n":3}`))
		return err != nil
	})
	want(t, "unsubscribed", err, "zeromq_no_subscribers", "")
	rs := e.SendBatch(t.Context(), []*event.Delivery{delivery(`{"n":4}`), delivery(`{"n":5}`)})
	if rs[0].Err != nil || rs[1].Receipt.Status != "1 subscribers" || len(b.received()) != 3 {
		t.Errorf("%v, %d messages", rs, len(b.received()))
	}
}

// A peer that has no room does not confirm. What counted is there when it has
// room again, and nothing counts that is not.
func TestSlowPeer(t *testing.T) {
	port := testinfra.FreePort(t)
	o := newOther(t, "PULL", "bind", tcp(port))
	o.do("mark", 5)
	o.do("start")
	o.do("pause", true)
	d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH", "bind": false, "include_headers": true}`, tcp(port)))
	counted := make(map[string]bool)
	var err error
	for range 20 {
		x := delivery(`{}`)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err = d.Send(ctx, x)
		cancel()
		if err != nil {
			break
		}
		counted[x.ID.String()] = true
	}
	want(t, "no room", err, modules.CodeTimeout, "does not confirm")
	if len(counted) == 0 || len(counted) > 10 {
		t.Errorf("%d counted", len(counted))
	}
	o.do("pause", false)
	for _, m := range o.messages() {
		delete(counted, m.ID)
	}
	if len(counted) > 0 {
		t.Errorf("%d that counted are lost", len(counted))
	}
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// No more than the mark are under way.
func TestHighWaterMark(t *testing.T) {
	port := testinfra.FreePort(t)
	started(t, "PULL", "bind", tcp(port))
	p := testinfra.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	h := open(t, fmt.Sprintf(`{"endpoint": "tcp://%s", "socket_type": "PUSH", "bind": false, "high_water_mark": 3}`, p.Addr()))
	d := h.destination(t, `{}`)
	if items, _ := d.BatchLimit(); items != 3 {
		t.Errorf("batches of %d", items)
	}
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	_, release := p.Mute()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	done := make(chan []modules.Result)
	go func() { done <- d.SendBatch(ctx, []*event.Delivery{delivery(`{}`), delivery(`{}`), delivery(`{}`)}) }()
	<-time.After(200 * time.Millisecond)
	short, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	_, err := d.Send(short, delivery(`{}`))
	want(t, "the fourth", err, modules.CodeTimeout, "takes nothing")
	for _, r := range <-done {
		if r.Err == nil {
			t.Error("it counted without a confirmation")
		}
	}
}

func TestConfirmOff(t *testing.T) {
	port := testinfra.FreePort(t)
	o := started(t, "PULL", "bind", tcp(port))
	p := testinfra.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	h := open(t, `{}`)
	d := h.destination(t, fmt.Sprintf(`{"endpoint": "tcp://%s", "socket_type": "PUSH", "bind": false, "confirm": false}`, p.Addr()))
	if _, err := send(t, d, delivery(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	_, release := p.Mute()
	if r, err := send(t, d, delivery(`{"n":2}`)); err != nil || r != "sent to a peer" {
		t.Errorf("%q, %v", r, err)
	}
	release()
	if _, err := send(t, d, delivery(`{"n":3}`)); err != nil {
		t.Error(err)
	}
	if err := h.conn.Close(t.Context()); err != nil { // and nothing is cut off
		t.Error(err)
	}
	if n := len(o.received()); n != 3 {
		t.Errorf("%d messages", n)
	}
}

// The reply is the word of the peer, and of the request that it belongs to.
func TestReplies(t *testing.T) {
	port := testinfra.FreePort(t)
	o := started(t, "ROUTER", "bind", tcp(port))
	options := fmt.Sprintf(`{"endpoint": %q, "socket_type": "REQ", "bind": false, "expect_reply": "stored"}`, tcp(port))
	d := destination(t, options)
	_, err := send(t, d, delivery(`{}`))
	want(t, "another reply", err, "zeromq_reply", "2 bytes")
	o.do("reply", "stored")
	if r, err := send(t, d, delivery(`{}`)); err != nil || r != "reply of 6 bytes" {
		t.Errorf("%q, %v", r, err)
	}
	o.do("reply", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = d.Send(ctx, delivery(`{}`))
	want(t, "no reply", err, modules.CodeTimeout, "no reply")
	o.do("reply", "stored")
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("after the connection was made anew: %v", err)
	}
	for i, r := range d.SendBatch(t.Context(), []*event.Delivery{delivery(`{}`), delivery(`{}`)}) {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
}

// Messages go round.
func TestPeersInTurn(t *testing.T) {
	port := testinfra.FreePort(t)
	d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH"}`, tcp(port)))
	a := started(t, "PULL", "connect", tcp(port))
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	b := started(t, "PULL", "connect", tcp(port))
	total := 1
	until(t, "both are connected", func() bool {
		if _, err := send(t, d, delivery(`{}`)); err != nil {
			t.Fatal(err)
		}
		total++
		return len(b.received()) > 0
	})
	before := len(a.received())
	var batch []*event.Delivery
	for range 10 {
		batch = append(batch, delivery(`{}`))
	}
	for i, r := range d.SendBatch(t.Context(), batch) {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	x, y := len(a.received()), len(b.received())
	if x+y != total+10 || x != before+5 {
		t.Errorf("%d and %d messages of %d", x, y, total+10)
	}
	b.Kill()
	for i := range 10 {
		if _, err := send(t, d, delivery(strconv.Itoa(i))); err != nil && i > 1 {
			t.Errorf("send %d after one of two died: %v", i, err)
		}
	}
}

// One subscriber that takes nothing is a failure that is seen, once: it is hung
// up on, and the others go on.
func TestSlowSubscriber(t *testing.T) {
	port := testinfra.FreePort(t)
	d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUB", "require_subscribers": true}`, tcp(port)))
	p := testinfra.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", port))
	good, bad := newOther(t, "SUB", "connect", tcp(port)), newOther(t, "SUB", "connect", "tcp://"+p.Addr())
	for _, o := range []*other{good, bad} {
		o.do("subscribe", "")
		o.do("start")
	}
	until(t, "both subscribe", func() bool {
		r, err := send(t, d, delivery(`{"n":1}`))
		return err == nil && r == "2 subscribers"
	})
	_, release := p.Mute() // what comes from hookd
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := d.Send(ctx, delivery(`{"n":2}`))
	want(t, "one takes nothing", err, modules.CodeTimeout, "a subscriber")
	if r, err := send(t, d, delivery(`{"n":3}`)); err != nil || r != "1 subscribers" {
		t.Errorf("%q, %v", r, err)
	}
	if n := len(good.received()); n < 3 {
		t.Errorf("%d messages", n)
	}
}

// Sockets of the file system, in both directions; an endpoint in module-config
// is not the operator's word.
func TestIPC(t *testing.T) {
	path := "ipc://" + filepath.Join(t.TempDir(), "s")
	o := started(t, "PULL", "bind", path)
	if _, err := send(t, open(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH", "bind": false}`, path)).destination(t, `{}`), delivery(`{"n":1}`)); err != nil {
		t.Error(err)
	}
	if n := len(o.received()); n != 1 {
		t.Errorf("%d messages", n)
	}
	_, err := send(t, destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH", "bind": false}`, path)), delivery(`{}`))
	want(t, "from a hook", err, modules.CodeEgressDenied, "connections.json")

	path = "ipc://" + filepath.Join(t.TempDir(), "s")
	o = started(t, "PULL", "connect", path)
	for range 2 { // the second finds what the first left behind
		h := open(t, `{}`)
		if _, err := send(t, h.destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH"}`, path)), delivery(`{"n":1}`)); err != nil {
			t.Error(err)
		}
		_ = h.conn.Close(t.Context())
	}
	if n := len(o.received()); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestInproc(t *testing.T) {
	_, err := send(t, destination(t, `{"endpoint": "inproc://a", "socket_type": "PUSH"}`), delivery(`{}`))
	if f := modules.FailureOf(err); f.Kind != modules.Rejected || f.Code != "zeromq_no_peers" || !strings.Contains(err.Error(), "own process") {
		t.Errorf("%s (%s): %v", f.Kind, f.Code, err)
	}
}

func TestNoEndpoint(t *testing.T) {
	if _, err := open(t, `{}`).make(t, `{}`); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("%v", err)
	}
}

// Destinations with the same settings share a socket; after a change of the
// configuration the new one takes the address over, and two that are both in use
// do not steal it from one another.
func TestAddressIsShared(t *testing.T) {
	port := testinfra.FreePort(t)
	h := open(t, `{}`)
	options := func(kind string) string { return fmt.Sprintf(`{"endpoint": %q, "socket_type": %q}`, tcp(port), kind) }
	a, b := h.destination(t, options("PUSH")), h.destination(t, options("PUSH"))
	o := started(t, "PULL", "connect", tcp(port))
	for _, d := range []modules.Destination{a, b, a} {
		if _, err := send(t, d, delivery(`{}`)); err != nil {
			t.Error(err)
		}
	}
	o.Kill()
	c := h.destination(t, options("REQ"))
	_, err := send(t, c, delivery(`{}`)) // a REP that met PUSH would not come again
	want(t, "before its peer", err, "zeromq_no_peers", "")
	started(t, "REP", "connect", tcp(port))
	if _, err := send(t, c, delivery(`{}`)); err != nil {
		t.Errorf("after a change: %v", err)
	}
	for range 2 {
		_, err := send(t, a, delivery(`{}`))
		want(t, "the old one", err, modules.CodeUnavailable, "address already in use")
	}
	if _, err := send(t, c, delivery(`{}`)); err != nil {
		t.Errorf("after the old one tried: %v", err)
	}
}

// A peer by zmq4 itself answers no pings, so that nothing counts unless that is
// not asked for.
func TestGoPeer(t *testing.T) {
	pull := zmq4.NewPull(t.Context())
	defer pull.Close()
	endpoint := tcp(testinfra.FreePort(t))
	if err := pull.Listen(endpoint); err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH", "bind": false, "confirm": false}`, endpoint)
	for range 3 {
		if _, err := send(t, destination(t, options), delivery(`{"n":1}`)); err != nil {
			t.Fatal(err)
		}
		if m, err := pull.Recv(); err != nil || len(m.Frames) != 1 || string(m.Frames[0]) != `{"n":1}` {
			t.Fatalf("%v, %v", m, err)
		}
	}
	_, err := send(t, destination(t, strings.Replace(options, "false}", "true}", 1)), delivery(`{}`))
	want(t, "with pings", err, modules.CodeTimeout, `"confirm": false`)
}
