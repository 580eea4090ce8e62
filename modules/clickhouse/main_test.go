package clickhouse_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

// server is ClickHouse behind a network that can fail. It is read by plain HTTP.
type server struct {
	*testinfra.Server
	t     *testing.T
	proxy *testinfra.Proxy
	table string // of this test
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := testinfra.ClickHouse(t)
	b := &server{Server: s, t: t, proxy: testinfra.NewProxy(t, s.Addr), table: strings.ReplaceAll(testinfra.Unique(t), ".", "_")}
	t.Cleanup(func() { b.query("DROP TABLE IF EXISTS " + b.table) })
	return b
}

func (b *server) query(statement string) string {
	b.t.Helper()
	return b.ClickHouseQuery(b.t, statement)
}

// connection leads through the network that can fail.
func (b *server) connection() string {
	host, port := testinfra.Split(b.proxy.Addr())
	return fmt.Sprintf(`{"host": %q, "port": "%d", "user": %q, "password": %q}`, host, port, b.User, b.Password)
}

// row is what is in the table.
type row struct {
	ID, Hook, Timestamp string
	Payload             []byte
	Headers             string
}

// rows are all so far, in base 16 as some of them are no text.
func (b *server) rows() []row {
	if b.query("EXISTS TABLE "+b.table) == "0\n" {
		return nil
	}
	var all []row
	answer := b.query("SELECT id, hex(webhook_id), toString(timestamp), hex(payload), hex(headers) FROM " + b.table + " ORDER BY timestamp, id")
	for line := range strings.Lines(answer) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		r := row{ID: f[0], Hook: b.unhex(f[1]), Timestamp: f[2], Payload: []byte(b.unhex(f[3])), Headers: b.unhex(f[4])}
		all = append(all, r)
	}
	return all
}

func (b *server) unhex(s string) string {
	text, err := hex.DecodeString(s)
	if err != nil {
		b.t.Error(err)
	}
	return string(text)
}

func (b *server) received() []moduletest.Message {
	var all []moduletest.Message
	for _, r := range b.rows() {
		var headers map[string]string
		if err := json.Unmarshal([]byte(r.Headers), &headers); err != nil {
			b.t.Errorf("%q: %v", r.Headers, err)
		}
		h := make(http.Header)
		for name, v := range headers {
			h.Add(name, v)
		}
		all = append(all, moduletest.Message{ID: r.ID, Body: r.Payload, Header: h})
	}
	return all
}

// original is the table that the original service created, with more columns
// where they are given.
func (b *server) original(more string) {
	b.query("CREATE TABLE " + b.table + " (id String, webhook_id String, timestamp DateTime, payload String, headers String, created_at DateTime DEFAULT now()" +
		more + ") ENGINE = MergeTree() ORDER BY (webhook_id, timestamp) PARTITION BY toYYYYMM(timestamp)")
}

func (b *server) far(options string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    options,
		Received:   b.received,
		Secrets:    []string{b.Password},
		Restart:    func() { b.Kill(b.t); b.Start(b.t) },
		Break:      func() { b.query("DROP TABLE " + b.table) },
		Refuse: func() {
			b.query("DROP TABLE IF EXISTS " + b.table)
			b.query("CREATE VIEW " + b.table + " AS SELECT toString(1) AS id, toString(1) AS webhook_id, now() AS timestamp, toString(1) AS payload, toString('{}') AS headers")
		},
	}
	far.Through(b.proxy)
	return far
}
