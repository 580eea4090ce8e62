package postgresql

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hookd/hookd/modules/internal/rows"
)

// dialect is what PostgreSQL allows.
var dialect = &rows.Dialect{Module: "postgresql", Title: "PostgreSQL", MaxName: 63, Reserved: reserved}

// reserved are the words that the original service refused as names of tables,
// and with it PostgreSQL without quotes.
var reserved = wordSet(`all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
 current_catalog current_date current_role current_time current_timestamp current_user default deferrable delete desc distinct do drop else end
 alter except false fetch for foreign from grant group having in initially insert intersect into lateral leading limit localtime
 localtimestamp not null offset on only or order placing primary references returning select session_user some symmetric table then
 to trailing true truncate union unique update user using variadic when where window with`)

func wordSet(s string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// quote makes an identifier of a name that was checked.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteAll(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = quote(n)
	}
	return strings.Join(all, ", ")
}

// qualified is the table's name in statements.
func qualified(t *rows.Table) string {
	if t.Schema != "" {
		return quote(t.Schema) + "." + quote(t.Name)
	}
	return quote(t.Name)
}

// sqlType is the type of a column that is created.
func sqlType(t rows.Type) string {
	switch t.Kind {
	case rows.Integer:
		return "BIGINT"
	case rows.Float:
		return "DOUBLE PRECISION"
	case rows.Decimal:
		if t.Size > 0 {
			return fmt.Sprintf("NUMERIC(%d,%d)", t.Size, t.Scale)
		}
		return "NUMERIC"
	case rows.Boolean:
		return "BOOLEAN"
	case rows.Timestamp:
		return "TIMESTAMP WITH TIME ZONE"
	case rows.Date:
		return "DATE"
	case rows.Clock:
		return "TIME"
	case rows.JSON:
		return "JSONB"
	case rows.UUID:
		return "UUID"
	default:
		if t.Size > 0 {
			return fmt.Sprintf("VARCHAR(%d)", t.Size)
		}
		return "TEXT"
	}
}

// create makes the statement for a table that is missing. It is the original
// service's, with the id of the delivery as the id of the row.
func create(t *rows.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s (", qualified(t))
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", quote(c.Name), sqlType(c.Type))
		switch {
		case c.Name == t.ID:
			b.WriteString(" PRIMARY KEY")
		case c.NotNull:
			b.WriteString(" NOT NULL")
		}
		if c.Unique && c.Name != t.ID {
			b.WriteString(" UNIQUE")
		}
		if i < t.Own() && c.Type.Kind == rows.Timestamp {
			b.WriteString(" DEFAULT now()")
		}
	}
	b.WriteString(")")
	return b.String()
}

// insert makes the statement for one row. columns are the table's, with the name
// that the id has in the table that is there.
//
// The conflict that is passed over is that of the id alone: any other is about
// this row, and must not pass for a repeat. An upsert leaves the id of the
// delivery that made the row, and does not let an older event overwrite a newer
// one.
func insert(t *rows.Table, columns []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s AS t (%s) VALUES (", qualified(t), quoteAll(columns))
	for i := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	if t.Key == "" {
		fmt.Fprintf(&b, ") ON CONFLICT (%s) DO NOTHING", quote(columns[0]))
		return b.String()
	}
	fmt.Fprintf(&b, ") ON CONFLICT (%s) DO UPDATE SET ", quote(t.Key))
	first := true
	for i, c := range columns {
		if i == 0 || c == rows.ColHook || c == t.Key {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		fmt.Fprintf(&b, "%[1]s = EXCLUDED.%[1]s", quote(c))
	}
	if first {
		return strings.Replace(b.String(), "DO UPDATE SET ", "DO NOTHING", 1)
	}
	for _, c := range columns[:t.Own()] {
		if c == rows.ColCreated {
			fmt.Fprintf(&b, " WHERE t.%[1]s IS NULL OR t.%[1]s <= EXCLUDED.%[1]s", quote(c))
		}
	}
	return b.String()
}

// lockTimeout is how long a row waits for one that somebody else has locked. It
// leaves the others of its batch the most of a send's time.
const lockTimeout = "5s"

// begin is what a transaction begins with where the server, the database or the
// role has other settings than hookd wants: a commit that is not on disk is none,
// and a lock is not waited for without end. What is set for a session could be
// another's behind a pooler.
func begin(synchronousCommit, lock string) string {
	var sets []string
	if synchronousCommit == "off" {
		sets = append(sets, "set_config('synchronous_commit', 'on', true)")
	}
	if lock == "0" {
		sets = append(sets, "set_config('lock_timeout', '"+lockTimeout+"', true)")
	}
	if len(sets) == 0 {
		return ""
	}
	return "SELECT " + strings.Join(sets, ", ")
}

// encode makes the parameters, in the form of text: the server reads it as
// the type that the column has.
func encode(row []any) [][]byte {
	out := make([][]byte, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
		case string:
			out[i] = []byte(v)
		case bool:
			out[i] = []byte("false")
			if v {
				out[i] = []byte("true")
			}
		case time.Time:
			out[i] = v.UTC().AppendFormat(nil, "2006-01-02 15:04:05.999999Z07:00")
		default:
			panic(fmt.Sprintf("a row with a %T", v))
		}
	}
	return out
}

// rounds reports a number with more digits behind the point than scale. What is no
// number is the server's to refuse.
func rounds(s string, scale int) bool {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return false
	}
	ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
	if scale < 0 {
		ten.Inv(ten)
	}
	return !r.Mul(r, ten).IsInt()
}
