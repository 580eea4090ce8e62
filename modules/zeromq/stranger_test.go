package zeromq_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
)

// greeting is that of ZMTP 3.0 with the NULL mechanism.
const greeting = "\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x03\x00NULL" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// ready is the command of a socket of some type.
func ready(kind string) string {
	body := "\x05READY\x0bSocket-Type\x00\x00\x00" + string(rune(len(kind))) + kind
	return "\x04" + string(rune(len(body))) + body
}

// What strangers may say to a socket that is bound.
var nonsense = map[string]string{
	"nothing":            "",
	"HTTP":               "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + strings.Repeat("x", 100),
	"old ZMTP":           strings.Replace(greeting, "\x7f\x03", "\x7f\x01", 1),
	"CURVE":              strings.Replace(greeting, "NULL\x00", "CURVE", 1),
	"no command":         greeting + "\x00\x05hello",
	"endless":            greeting + "\x06\x7f\xff\xff\xff\xff\xff\xff\xff",
	"far too long":       greeting + "\x06\x00\x00\x00\x10\x00\x00\x00\x00",
	"no such type":       greeting + ready("NONSENSE"),
	"no type":            greeting + "\x04\x06\x05READY",
	"broken properties":  greeting + "\x04\x08\x05READY\xffx",
	"broken command":     greeting + "\x04\x02\xffx",
	"another type":       greeting + ready("REP"),
	"refusal":            greeting + "\x04\x09\x05ERROR\x02no",
	"then endless":       greeting + ready("PULL") + "\x02\x7f\xff\xff\xff\xff\xff\xff\xff",
	"then many frames":   greeting + ready("PULL") + strings.Repeat("\x01\x00", 1000),
	"then unknown flags": greeting + ready("PULL") + "\x40\x00",
}

func TestStrangersAtTheDoor(t *testing.T) {
	port := testinfra.FreePort(t)
	d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH"}`, tcp(port)))
	_, err := send(t, d, delivery(`{}`))
	want(t, "nobody", err, "zeromq_no_peers", "")
	for what, said := range nonsense {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(said))
		if what == "nothing" {
			defer c.Close() // it stays
			continue
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: it was not hung up on", what)
		}
		_ = c.Close()
	}
	o := started(t, "PULL", "connect", tcp(port))
	if _, err := send(t, d, delivery(`{}`)); err != nil {
		t.Errorf("after the strangers: %v", err)
	}
	if n := len(o.received()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// A far end that is none, or does not fit, is named as such.
func TestConnectToStrangers(t *testing.T) {
	for what, said := range nonsense {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = c.Write([]byte(said))
			_, _ = io.Copy(io.Discard, c)
		}()
		d := destination(t, fmt.Sprintf(`{"endpoint": "tcp://%s", "socket_type": "PUSH", "bind": false}`, l.Addr()))
		code := modules.CodeBadAnswer
		switch {
		case what == "nothing":
			code = modules.CodeTimeout
		case strings.HasPrefix(what, "then"):
			code = modules.CodeConnectionLost
		}
		_, err = send(t, d, delivery(`{}`))
		want(t, what, err, code, "")
		_ = l.Close()
		<-served
	}
}

// One peer may connect a thousand times, and not more often.
func TestTooManyPeers(t *testing.T) {
	port := testinfra.FreePort(t)
	d := destination(t, fmt.Sprintf(`{"endpoint": %q, "socket_type": "PUSH"}`, tcp(port)))
	_, err := send(t, d, delivery(`{}`))
	want(t, "nobody", err, "zeromq_no_peers", "")
	conns := make([]net.Conn, 1001)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
			t.Fatal(err)
		}
		defer conns[i].Close()
	}
	last := conns[1000]
	_ = last.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.Copy(io.Discard, last); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Error("it was not turned away")
	}
}
