package testinfra

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Subscriber is mosquitto_sub, which reads all that is published below a topic.
// Its session stays when the broker restarts or the network fails, so that it
// gets what came meanwhile. It is safe for concurrent use.
type Subscriber struct {
	t      testing.TB
	s      *Server
	below  string
	marks  string // a topic of its own, whose messages are not handed out
	work   sync.WaitGroup
	cmd    *exec.Cmd
	errs   *os.File
	mu     sync.Mutex
	over   bool // it is being killed, perhaps in the middle of a line
	got    []Published
	asked  int           // marks that were published
	marked int           // the last mark that came
	more   chan struct{} // closed when something came
}

// Published is a message as a subscriber gets it.
type Published struct {
	Topic    string
	QoS      int
	Retained bool
	Payload  []byte
}

// Subscriber reads all topics below a topic, and the topic itself, and also those
// further ones, with a QoS of its own. 2 shows what QoS messages were published
// with, but mosquitto_sub 2.0.11 drops a message whose PUBREL comes by a new
// connection, and says PUBCOMP: where the connection may be lost, it must be 1.
func (s *Server) Subscriber(t testing.TB, qos int, below string, also ...string) *Subscriber {
	t.Helper()
	r := &Subscriber{t: t, s: s, below: below, marks: below + "/mark of the reader", more: make(chan struct{})}
	args := append(s.mosquittoArgs(), "-c", "-i", "reader of "+below, "-q", strconv.Itoa(qos), "-t", below+"/#")
	for _, topic := range also {
		args = append(args, "-t", topic)
	}
	// The subscription is there before the first message is sent.
	program := Program(t, "mosquitto_sub", "mosquitto-clients")
	if out, err := exec.Command(program, append(args, "-E")...).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_sub: %v\n%s", err, out)
	}
	r.cmd = exec.Command(program, append(args, "-F", "%q %r %x %t")...)
	var err error
	if r.cmd.SysProcAttr, err = attributes(""); err != nil {
		t.Fatal(err)
	}
	if r.errs, err = os.CreateTemp(t.TempDir(), "stderr-"); err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = r.errs
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.work.Go(func() { r.read(out) })
	t.Cleanup(func() {
		r.mu.Lock()
		r.over = true
		r.mu.Unlock()
		_ = r.cmd.Process.Kill()
		r.work.Wait()
		_ = r.cmd.Wait()
		_ = r.errs.Close()
	})
	return r
}

// mosquittoArgs lead Mosquitto's own clients to the broker.
func (s *Server) mosquittoArgs() []string {
	host, port := Split(s.Addr)
	return []string{"-h", host, "-p", strconv.Itoa(port), "-u", s.User, "-P", s.Password, "-V", "mqttv311"}
}

func (r *Subscriber) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		p, err := parsePublished(lines.Text())
		r.mu.Lock()
		switch n, mark := strings.CutPrefix(p.Topic, r.marks+"/"); {
		case err != nil && r.over:
		case err != nil:
			r.t.Errorf("mosquitto_sub: %v", err)
		case mark:
			r.marked, _ = strconv.Atoi(n)
		default:
			r.got = append(r.got, p)
		}
		close(r.more)
		r.more = make(chan struct{})
		r.mu.Unlock()
	}
}

// parsePublished reads a line of the form QoS, retained, payload in hex, topic.
func parsePublished(line string) (p Published, err error) {
	f := strings.SplitN(line, " ", 4)
	if len(f) < 4 {
		return p, fmt.Errorf("a line with %d fields: %.80q", len(f), line)
	}
	p.Topic, p.Retained = f[3], f[1] == "1"
	if p.QoS, err = strconv.Atoi(f[0]); err == nil {
		p.Payload, err = hex.DecodeString(f[2])
	}
	return p, err
}

// Messages are all messages that the broker had acknowledged when it was called,
// and perhaps later ones. Those of QoS 0 may come after it returned.
func (r *Subscriber) Messages() []Published {
	r.t.Helper()
	r.mu.Lock()
	r.asked++
	mark := r.asked
	r.mu.Unlock()
	// The broker keeps the order: what was acknowledged before the mark comes
	// before it, also by the four steps of QoS 2.
	program := Program(r.t, "mosquitto_pub", "mosquitto-clients")
	args := append(r.s.mosquittoArgs(), "-q", "2", "-t", r.marks+"/"+strconv.Itoa(mark), "-n")
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		r.t.Fatalf("mosquitto_pub: %v\n%s", err, out)
	}
	return r.await(func() bool { return r.marked >= mark })
}

// Until waits for messages until enough says so, which is asked each time when
// one came.
func (r *Subscriber) Until(enough func(all []Published) bool) []Published {
	r.t.Helper()
	return r.await(func() bool { return enough(r.got) })
}

func (r *Subscriber) await(done func() bool) []Published {
	r.t.Helper()
	late := time.After(time.Minute)
	for {
		r.mu.Lock()
		all, more, done := r.got[:len(r.got):len(r.got)], r.more, done()
		r.mu.Unlock()
		if done {
			return all
		}
		select {
		case <-more:
		case <-late:
			b, _ := os.ReadFile(r.errs.Name())
			r.t.Fatalf("%d messages below %s within a minute, and not what was waited for\n%s", len(all), r.below, b)
		}
	}
}
