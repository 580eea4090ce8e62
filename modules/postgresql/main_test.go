package postgresql_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// database is PostgreSQL behind a network that can fail, and a client in Python
// that knows nothing of hookd.
type database struct {
	*testinfra.Server
	t     testing.TB
	proxy *testinfra.Proxy
	peer  *testinfra.Peer
	table string // of this test
}

func newDatabase(t testing.TB) *database {
	t.Helper()
	s := testinfra.Postgres(t)
	_, port := testinfra.Split(s.Addr)
	b := &database{
		Server: s, t: t, proxy: testinfra.NewProxy(t, s.Addr), table: name(testinfra.Unique(t)),
		peer: testinfra.NewPeer(t, "psycopg2", "testdata/peer.py", strconv.Itoa(port), s.User, s.Password, "postgres"),
	}
	t.Cleanup(func() { b.do("DROP TABLE IF EXISTS " + b.table) })
	return b
}

// name makes a table's name of a test's.
func name(s string) string {
	out := []byte("t_")
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			out = append(out, c)
		}
	}
	return string(out[:min(len(out), 50)])
}

func (b *database) ask(op string, args ...any) []string {
	line, err := json.Marshal(append([]any{op}, args...))
	if err != nil {
		panic(err)
	}
	return b.peer.Ask(string(line))
}

// do has the peer execute a statement.
func (b *database) do(sql string, args ...any) { b.ask("do", append([]any{sql}, args...)...) }

// rows are what a query yields: texts, and nil for NULL.
func (b *database) rows(sql string, args ...any) [][]any {
	var all [][]any
	for _, line := range b.ask("rows", append([]any{sql}, args...)...) {
		var row []any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
		all = append(all, row)
	}
	return all
}

// connection leads through the network that can fail.
func (b *database) connection() string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "user": %q, "password": %q}`, host, port, b.User, b.Password)
}

// far reads id, a JSON document and headers by a query.
func (b *database) far(options, query string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    options,
		Received: func() []moduletest.Message {
			if b.rows("SELECT to_regclass(%s)", b.table)[0][0] == nil {
				return nil
			}
			var all []moduletest.Message
			for _, r := range b.rows(query) {
				m := moduletest.Message{ID: r[0].(string), Body: compact(r[1].(string))}
				if len(r) > 2 {
					m.Header = make(http.Header)
					var sent map[string]string
					if err := json.Unmarshal([]byte(r[2].(string)), &sent); err != nil {
						panic(err)
					}
					for name, v := range sent {
						m.Header.Set(name, v)
					}
				}
				all = append(all, m)
			}
			return all
		},
		Poison:  []byte(`{"a":"\u0000"}`),
		Restart: func() { b.Kill(b.t); b.Start(b.t) },
		Secrets: []string{b.Password},
	}
	far.Through(b.proxy)
	return far
}

// compact undoes what jsonb does to white space.
func compact(doc string) []byte {
	var v any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		panic(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

// document reports a body that comes back as compact makes it.
func document(body []byte) bool {
	return json.Valid(body) && string(compact(string(body))) == string(body)
}
