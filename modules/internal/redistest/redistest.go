// Package redistest is what the tests of the modules for Redis share: the real
// server behind a network that can fail, and a client in Python that knows
// nothing of hookd.
package redistest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

// Broker is Redis for one test, with a user of its own.
type Broker struct {
	*testinfra.Server
	Proxy  *testinfra.Proxy
	Name   string // for a key, queue or channel: no other test uses it
	User   string // that hookd logs in as
	Python *testinfra.Peer
	t      testing.TB
}

// Folder is where the scripts are, as a test of a module beside internal sees
// it: tests run in the folder of their package.
func Folder() string { return filepath.Join("..", "internal", "redistest", "testdata") }

// New starts Redis, or skips. module is what the peer needs: "redis" or "rq".
func New(t testing.TB, module string) *Broker {
	t.Helper()
	s := testinfra.Redis(t)
	_, port := testinfra.Split(s.Addr)
	b := &Broker{
		Server: s, Proxy: testinfra.NewProxy(t, s.Addr), Name: testinfra.Unique(t), t: t,
		Python: testinfra.NewPeer(t, module, filepath.Join(Folder(), "peer.py"), strconv.Itoa(port), s.User, s.Password),
	}
	b.User = "user." + b.Name
	b.Grant("reset", "on", ">"+s.Password, "~*", "&*", "+@all")
	t.Cleanup(func() { b.Command("ACL", "DELUSER", b.User) })
	return b
}

// Ask has the peer do something and decodes each line of its answer.
func Ask[T any](b *Broker, operation string, arguments ...any) []T {
	line, err := json.Marshal(append([]any{operation}, arguments...))
	if err != nil {
		panic(err)
	}
	var all []T
	for _, text := range b.Python.Ask(string(line)) {
		var v T
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			panic(fmt.Sprintf("%v: %s", err, text))
		}
		all = append(all, v)
	}
	return all
}

// Do has the peer do something that has no answer.
func (b *Broker) Do(operation string, arguments ...any) { Ask[any](b, operation, arguments...) }

// Command runs a command of Redis as the user that may do all.
func (b *Broker) Command(words ...any) any {
	r := Ask[struct {
		Answer any
		Error  string
	}](b, "command", words...)[0]
	if r.Error != "" {
		panic(fmt.Sprintf("%v: %s", words, r.Error))
	}
	return r.Answer
}

// Grant changes the rights of hookd's user.
func (b *Broker) Grant(rules ...any) {
	b.Command(append([]any{"ACL", "SETUSER", b.User}, rules...)...)
}

// Set changes a setting of the server until the end of the test.
func (b *Broker) Set(name, value string) {
	old, ok := b.Command("CONFIG", "GET", name).([]any) // name, value
	if !ok || len(old) != 2 {
		b.t.Fatalf("CONFIG GET %s: %v", name, old)
	}
	b.Command("CONFIG", "SET", name, value)
	b.t.Cleanup(func() { b.Command("CONFIG", "SET", name, old[1]) })
}

// Connection leads through the network that can fail.
func (b *Broker) Connection() string {
	host, port := testinfra.Split(b.Proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "username": %q, "password": %q}`, host, port, b.User, b.Password)
}

// Crash kills the server and starts it again, with what it has on disk.
func (b *Broker) Crash() {
	b.Command("ACL", "SAVE")
	b.Kill(b.t)
	b.Start(b.t)
}
