package clickhouse_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/clickhouse"
	"github.com/hookd/hookd/modules/moduletest"
)

// newServerFake speaks what a newer ClickHouse does over HTTP: there is none
// that the tests could start. It knows the few statements that hookd makes, and
// keeps the rows; what it does with them is not ClickHouse's.
type newServerFake struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	columns [][3]string // name, type, kind of default; none is no table
	next    [][3]string // what a statement that is no insert makes of them
	refuse  string      // what an insert is answered with, "" is to store it
	faster  bool        // somebody else adds columns just before
	changed string      // the last statement that is no insert
	rows    []moduletest.Message
	values  []map[string]string // of rows
	tokens  []string
	async   []string
	other   []string // value of insert_quorum
}

const (
	fakeUser     = "hookd"
	fakePassword = "hookd-http-pw"
)

func newFake(t *testing.T) *newServerFake {
	f := &newServerFake{t: t}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *newServerFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if user, password, _ := r.BasicAuth(); user != fakeUser || password != fakePassword {
		fail(w, http.StatusForbidden, "Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")
		return
	}
	statement := q.Get("query")
	if statement == "" {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		statement = string(b)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	text := func(names ...string) (columns [][2]string) {
		for _, n := range names {
			columns = append(columns, [2]string{n, "String"})
		}
		return columns
	}
	switch {
	case strings.Contains(statement, "displayName()"):
		f.answer(w, r, append(text("displayName()", "version()"), [2]string{"revision()", "UInt32"}, [2]string{"timezone()", "String"}),
			[]any{"fake", "26.9.2.1", uint32(ch.ClientTCPProtocolVersion), "UTC"})
	case strings.Contains(statement, "system.settings"):
		f.answer(w, r, text("name"), []any{"async_insert"}, []any{"insert_deduplication_token"}, []any{"DateTime64"}, []any{"Date32"})
	case strings.Contains(statement, "system.tables"):
		f.answer(w, r, text("engine"), []any{"SharedReplacingMergeTree"})
	case strings.Contains(statement, "system.columns"):
		var rows [][]any
		for _, c := range f.columns {
			rows = append(rows, []any{c[0], c[1], c[2], uint8(0)})
		}
		f.answer(w, r, append(text("name", "type", "default_kind"), [2]string{"is_in_sorting_key", "UInt8"}), rows...)
	case strings.HasPrefix(statement, "DESCRIBE TABLE") && f.columns != nil:
		var rows [][]any
		for _, c := range f.columns {
			rows = append(rows, []any{c[0], c[1], c[2], "", "", "", ""})
		}
		f.answer(w, r, text("name", "type", "default_type", "default_expression", "comment", "codec_expression", "ttl_expression"), rows...)
	case strings.HasPrefix(statement, "CREATE TABLE IF NOT EXISTS "):
		f.columns, f.changed = fakeColumns, statement
		if f.next != nil {
			f.columns = f.next
		}
	case strings.HasPrefix(statement, "ALTER TABLE "):
		f.columns, f.changed = f.next, statement
		if f.faster {
			fail(w, http.StatusBadRequest, "Code: 15. DB::Exception: Cannot add column `more`: column with this name already exists. (DUPLICATE_COLUMN)")
		}
	case strings.HasPrefix(statement, "INSERT INTO ") && f.columns != nil && f.refuse != "":
		_, _ = io.Copy(io.Discard, r.Body)
		fail(w, http.StatusBadRequest, f.refuse)
	case strings.HasPrefix(statement, "INSERT INTO ") && f.columns != nil:
		f.insert(r)
	default:
		fail(w, http.StatusNotFound, "Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE)")
	}
}

// fakeColumns are name, type, kind of default.
var fakeColumns = [][3]string{
	{"id", "String", ""},
	{"webhook_id", "String", ""},
	{"timestamp", "DateTime", ""},
	{"payload", "String", ""},
	{"headers", "String", ""},
	{"created_at", "DateTime", "DEFAULT"},
}

func fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("X-ClickHouse-Exception-Code", strings.TrimSuffix(strings.Fields(text)[1], "."))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+" (version 26.9.2.1)\n")
}

// answer writes a block in the format Native.
func (f *newServerFake) answer(w http.ResponseWriter, r *http.Request, columns [][2]string, rows ...[]any) {
	block := proto.NewBlock()
	for _, c := range columns {
		if err := block.AddColumn(c[0], column.Type(c[1])); err != nil {
			f.t.Error(err)
		}
	}
	for _, row := range rows {
		if err := block.Append(row...); err != nil {
			f.t.Error(err)
		}
	}
	var b chproto.Buffer
	if err := block.Encode(&b, ch.ClientTCPProtocolVersion); err != nil {
		f.t.Error(err)
	}
	out := b.Buf
	if r.URL.Query().Get("compress") == "1" {
		z := compress.NewWriter(compress.LevelZero, compress.LZ4)
		if err := z.Compress(b.Buf); err != nil {
			f.t.Error(err)
		}
		out = z.Data
	}
	_, _ = w.Write(out)
}

// insert reads a block in the format Native, as revision 0 has it.
func (f *newServerFake) insert(r *http.Request) {
	in := chproto.NewReader(r.Body)
	if r.URL.Query().Get("decompress") == "1" {
		in.EnableCompression()
	}
	var block proto.Block
	block.ServerContext = &column.ServerContext{}
	if err := block.Decode(in, 0); err != nil {
		return // the client went away in the middle
	}
	q := r.URL.Query()
	f.tokens, f.async = append(f.tokens, q.Get("insert_deduplication_token")), append(f.async, q.Get("async_insert"))
	f.other = append(f.other, q.Get("insert_quorum"))
	for i := range block.Rows() {
		row := make(map[string]string)
		for c, name := range block.ColumnsNames() {
			v := block.Columns[c].Row(i, false)
			if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
				v = p.Elem().Interface()
			}
			if at, ok := v.(time.Time); ok {
				v = at.UTC().Format("2006-01-02 15:04:05.999999")
			}
			row[name] = fmt.Sprint(v)
		}
		f.values = append(f.values, row)
		f.rows = append(f.rows, moduletest.Message{ID: row["id"], Body: []byte(row["payload"])})
	}
}

func (f *newServerFake) connection(addr string) string {
	host, port := testinfra.Split(addr)
	return fmt.Sprintf(`{"settings": {"insert_quorum": 2}, "host": %q, "port": %d, "protocol": "http", "user": %q, "password": %q}`,
		host, port, fakeUser, fakePassword)
}

// refuseWith is the answer to inserts from now on; "" takes them.
func (f *newServerFake) refuseWith(answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = answer
}

func (f *newServerFake) addr() string { return strings.TrimPrefix(f.URL, "http://") }

// TestHTTP is the HTTP protocol, with a far end that is a fake.
func TestHTTP(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: clickhouse.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			f := newFake(t)
			p := testinfra.NewProxy(t, f.addr())
			far := &moduletest.Far{
				Connection: f.connection(p.Addr()),
				Options:    `{"flush_interval": 0}`,
				Received: func() []moduletest.Message {
					f.mu.Lock()
					defer f.mu.Unlock()
					return append([]moduletest.Message(nil), f.rows...)
				},
				Refuse: func() {
					f.refuseWith("Code: 469. DB::Exception: Constraint `c` is violated. Column values: payload = 'x'. (VIOLATED)")
				},
				Deny: func() func() {
					f.refuseWith("Code: 497. DB::Exception: hookd: Not enough privileges. (ACCESS_DENIED)")
					return func() { f.refuseWith("") }
				},
				Secrets: []string{fakePassword},
			}
			far.Through(p)
			return far
		},
	})
}

// What a newer server is told with each insert, and with the table.
func TestNewerServer(t *testing.T) {
	f := newFake(t)
	d := destination(t, f.connection(f.addr()), `{"flush_interval": 0}`)
	x, y := delivery(`{"n":1}`), delivery(`{"n":2}`)
	for _, r := range append(sendBatch(t, d, x, y), append(sendBatch(t, d, y, x), sendBatch(t, d, x)...)...) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	if !strings.Contains(f.changed, "non_replicated_deduplication_window = 1000") || !strings.Contains(f.changed, "ReplacingMergeTree()") {
		t.Errorf("created by %s", f.changed)
	}
	if len(f.tokens) != 3 || f.tokens[0] == "" || f.tokens[0] != f.tokens[1] || f.tokens[0] == f.tokens[2] {
		t.Errorf("tokens %q", f.tokens)
	}
	if got := fmt.Sprint(f.async, f.other); got != "[0 0 0] [2 2 2]" {
		t.Errorf("async_insert and insert_quorum are %s", got)
	}
}

// What the table of a schema is where the server knows the larger types, and what
// goes into it.
func TestNewerServerRows(t *testing.T) {
	f := newFake(t)
	f.next = [][3]string{
		{"created_at", "DateTime", "DEFAULT"},
		{"id", "String", ""},
		{"webhook_id", "LowCardinality(String)", ""},
		{"timestamp", "DateTime64(3, 'UTC')", ""},
		{"day", "Nullable(Date32)", ""},
		{"at", "Nullable(DateTime64(6))", ""},
		{"total", "Decimal(12, 2)", ""},
	}
	const schema = `"total": "numeric(14,2) not null", "at": "timestamp", "day": "date"`
	d := destination(t, f.connection(f.addr()), `{"flush_interval": 0, "schema": {`+schema+`}}`)
	for _, r := range sendBatch(t, d, delivery(`{"total": 1.5, "at": "1950-01-02T03:04:05.678901Z", "day": "1950-01-02"}`), delivery(`{"total": "no"}`), delivery(`{"total": 2}`)) {
		if r.Err != nil {
			moduletest.Want(t, "no number", r.Err, modules.Rejected, "clickhouse_value", "column total")
		}
	}
	if !strings.Contains(f.changed, "(`id` String, `webhook_id` String, `timestamp` DateTime, `at` Nullable(DateTime64(6)), `day` Nullable(Date32), `total` Decimal(14, 2), `created_at`") {
		t.Errorf("created by %s", f.changed)
	}
	if len(f.values) != 2 || f.values[0]["at"] != "1950-01-02 03:04:05.678901" || f.values[0]["day"] != "1950-01-02 00:00:00" || f.values[0]["total"] != "1.5" ||
		f.values[0]["timestamp"] != "2025-10-09 08:53:20.5" || f.values[0]["webhook_id"] != "github" || f.values[1]["at"] != "<nil>" || f.values[1]["total"] != "2" {
		t.Errorf("%v", f.values)
	}
	f.next = append(f.next, [3]string{"more", "Nullable(Bool)", ""})
	f.faster = true
	d = destination(t, f.connection(f.addr()), `{"flush_interval": 0, "schema": {"more": "boolean", `+schema+`}}`)
	if err := moduletest.Check(t, d); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := moduletest.Send(t, d, delivery(`{"total": 3, "more": true}`)); err != nil || !strings.HasSuffix(f.changed, "ADD COLUMN `more` Nullable(UInt8)") || f.values[2]["more"] != "true" {
		t.Errorf("%v, changed by %s, %v", err, f.changed, f.values)
	}
	// A row that the table refuses is no part of what the token stands for.
	x := delivery(`{"total": 4}`)
	both := sendBatch(t, d, delivery(`{"total": 123456789012}`), x)
	moduletest.Want(t, "too large for the table", both[0].Err, modules.Rejected, "clickhouse_value", "in the table Decimal(12, 2)): got more than 10 digits")
	again := sendBatch(t, d, x)
	if n := len(f.tokens); both[1].Err != nil || again[0].Err != nil || f.tokens[n-1] != f.tokens[n-2] {
		t.Errorf("%v, %v, tokens %q", both, again, f.tokens)
	}
}

// What the far end says over HTTP.
func TestHTTPFailures(t *testing.T) {
	f := newFake(t)
	d := destination(t, f.connection(f.addr()), `{"flush_interval": 0}`)
	for answer, c := range map[string]struct {
		kind       modules.FailureKind
		code, text string
	}{
		"Code: 252. DB::Exception: Too many parts (300). (TOO_MANY_PARTS)":                                    {modules.Throttled, modules.CodeThrottled, "Too many parts"},
		"Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)":                           {modules.Retryable, modules.CodeUnavailable, "readonly"},
		"Code: 243. DB::Exception: Cannot reserve 1.00 MiB. (NOT_ENOUGH_SPACE)":                               {modules.Retryable, modules.CodeDiskFull, "reserve"},
		"Code: 469. DB::Exception: Constraint `c` is violated. Column values: payload = 'x'. (VIOLATED)":      {modules.Rejected, modules.CodeRefused, `the constraint "c"`},
		"Code: 999. DB::Exception: Session expired. (KEEPER_EXCEPTION)":                                       {modules.Retryable, modules.CodeUnavailable, "expired"},
		"Code: 4242. DB::Exception: Something new. (SOMETHING_NEW)":                                           {modules.Retryable, "clickhouse_4242", "Something new"},
		"Code: 115, e.displayText() = DB::Exception: Unknown setting insert_quorum, e.what() = DB::Exception": {modules.Retryable, "clickhouse_115", "insert_quorum"},
	} {
		f.mu.Lock()
		f.columns, f.refuse = fakeColumns, answer
		f.mu.Unlock()
		err := moduletest.Send(t, d, delivery(`{}`))
		moduletest.Want(t, answer, err, c.kind, c.code, c.text)
		if err != nil && strings.Contains(err.Error(), "payload =") {
			t.Errorf("it shows the payload: %v", err)
		}
	}
	_, _, err := open(t, strings.Replace(f.connection(f.addr()), fakePassword, "wrong", 1))
	moduletest.Want(t, "password", err, modules.Retryable, modules.CodeAuthFailed, `user "hookd"`)
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	for status, code := range map[int]string{
		http.StatusTemporaryRedirect: modules.CodeBadAnswer, http.StatusNotFound: modules.CodeBadAnswer,
		http.StatusBadGateway: modules.CodeUnavailable, http.StatusUnauthorized: modules.CodeAuthFailed,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		}))
		_, _, err := open(t, f.connection(strings.TrimPrefix(s.URL, "http://")))
		moduletest.Want(t, http.StatusText(status), err, modules.Retryable, code, "")
		s.Close()
	}
	if reached {
		t.Error("a redirection was followed")
	}
}
