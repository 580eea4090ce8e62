package mysql_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/mysql"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// server is MariaDB behind a network that can fail, and a client in Python that
// knows nothing of hookd.
type server struct {
	*testinfra.Server
	proxy *testinfra.Proxy
	peer  *testinfra.Peer
	table string // of this test
	user  string // that may do only what is granted; see guest
	test  *testing.T
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := testinfra.MariaDB(t)
	_, port := testinfra.Split(s.Addr)
	b := &server{
		test: t, Server: s, proxy: testinfra.NewProxy(t, s.Addr), user: s.User,
		table: strings.NewReplacer("-", "_", ".", "_").Replace(testinfra.Unique(t)),
		peer:  testinfra.NewPeer(t, "pymysql", "testdata/peer.py", strconv.Itoa(port), s.User, s.Password, testinfra.Database, filepath.Join(s.Dir, "s.sock")),
	}
	b.table = b.table[max(0, len(b.table)-48):]
	if b.table[0] < 'A' {
		b.table = "t" + b.table
	}
	t.Cleanup(func() { b.do("query", "DROP TABLE IF EXISTS `"+b.table+"`") })
	return b
}

// do has the peer do something.
func (b *server) do(op string, arguments ...any) []string {
	line, err := json.Marshal(append([]any{op}, arguments...))
	if err != nil {
		panic(err)
	}
	return b.peer.Ask(string(line))
}

// exec runs statements with %s for the table.
func (b *server) exec(statements ...string) {
	for _, s := range statements {
		b.do("query", strings.ReplaceAll(s, "%s", "`"+b.table+"`"))
	}
}

// rows are those of the table, in the order of a column.
func (b *server) rows(t *testing.T, order string) []map[string]any {
	t.Helper()
	return b.ask(t, "SELECT * FROM %s ORDER BY `"+order+"`")
}

func (b *server) ask(t *testing.T, query string) (all []map[string]any) {
	t.Helper()
	for _, line := range b.do("query", strings.ReplaceAll(query, "%s", "`"+b.table+"`")) {
		var m map[string]any
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, m)
	}
	return all
}

// guest makes an account of its own for the test, with rights on its table only.
func (b *server) guest(t *testing.T, rights string) {
	t.Helper()
	b.user = "g" + b.table[max(0, len(b.table)-24):]
	name := fmt.Sprintf("'%s'@'127.0.0.1'", b.user)
	b.do("root", "CREATE USER "+name+" IDENTIFIED BY '"+b.Password+"'")
	b.do("root", "GRANT "+rights+" ON `"+testinfra.Database+"`.`"+b.table+"` TO "+name)
	t.Cleanup(func() { b.do("root", "DROP USER "+name) })
}

func (b *server) revoke(rights string) {
	b.do("root", fmt.Sprintf("REVOKE %s ON `%s`.`%s` FROM '%s'@'127.0.0.1'", rights, testinfra.Database, b.table, b.user))
}

// connection leads through the network that can fail.
func (b *server) connection() string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "database": %q, "user": %q, "password": %q}`, host, port, testinfra.Database, b.user, b.Password)
}

// far reads the column body of the rows back.
func (b *server) far(options, id, body, headers string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    options,
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, line := range b.do("received", b.table, id, body, headers) {
				var m struct {
					ID      string
					Body    []byte
					Headers map[string]string
				}
				if err := json.Unmarshal([]byte(line), &m); err != nil {
					panic(err)
				}
				msg := moduletest.Message{ID: m.ID, Body: m.Body}
				if m.Headers != nil {
					msg.Header = make(http.Header)
				}
				for name, v := range m.Headers {
					msg.Header.Set(name, v)
				}
				all = append(all, msg)
			}
			return all
		},
		Secrets: []string{b.Password},
		Restart: func() { b.Kill(b.test); b.Start(b.test) },
		Poison:  []byte(`{"a":"\ud800"}`),
	}
	far.Through(b.proxy)
	return far
}

func open(t *testing.T, connection string) (modules.Env, modules.Conn, error) {
	t.Helper()
	return moduletest.Open(t, mysql.Module(), connection)
}

func destination(t *testing.T, connection, options string) modules.BatchDestination {
	t.Helper()
	return moduletest.Destination(t, mysql.Module(), connection, options).(modules.BatchDestination)
}

var ids event.IDs

func delivery(body string) *event.Delivery {
	ev := &event.Event{
		ID: ids.Next(time.Now()), Hook: "github", Type: "push", Received: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC), Body: []byte(body),
		Header: http.Header{"X-Github-Event": {"push"}, "X-Two": {"a", "b"}, "Hookd-Hook": {"forged"}, "Content-Type": {"application/json"}},
	}
	const lane = "github/mysql-1"
	d := &event.Delivery{ID: event.DeliveryID(ev.ID, lane), Event: ev, Lane: lane, Attempt: 1, Body: ev.Body}
	d.Header = http.Header{
		"Hookd-Event-Id": {ev.ID.String()}, "Hookd-Delivery-Id": {d.ID.String()}, "Hookd-Hook": {ev.Hook}, "Hookd-Attempt": {"1"},
		"Content-Type": {"application/json"},
	}
	return d
}
