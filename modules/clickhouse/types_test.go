package clickhouse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/modules/internal/rows"
	"github.com/hookd/hookd/modules/moduletest"
)

// What goes into columns that somebody else has made.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, c := range moduletest.Table(t, "testdata/types.tsv") {
		declared, value, _ := strings.Cut(c[1], " ")
		typ, _, err := rows.ParseType(declared)
		if err != nil {
			t.Fatal(err)
		}
		v, err := typ.Value(value)
		if err != nil {
			t.Fatal(err)
		}
		take := parseType(c[0]).taker(typ.Kind)
		if c[2] == "-" || take == nil {
			if c[2] != "-" || take != nil {
				t.Errorf("%s takes %s: %v", c[0], declared, take != nil)
			}
			continue
		}
		got, err := take(v)
		if reason, bad := strings.CutPrefix(c[2], "!"); bad {
			if err == nil || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), value) {
				t.Errorf("%s of %s: %v, %v, want an error with %q and without the value", c[0], c[1], got, err, reason)
			}
		} else if err != nil || fmt.Sprint(got) != c[2] {
			t.Errorf("%s of %s: %v, %v, want %s", c[0], c[1], got, err, c[2])
		}
	}
}

// What the server says of its columns is taken apart without harm.
func FuzzType(f *testing.F) {
	for _, s := range []string{"Nullable(Decimal(12, 2))", "LowCardinality(Nullable(String))", "FixedString(-1)", "Enum8('a)' = 1)", "Decimal(0,9)", "Nullable(Nullable("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ := parseType(s)
		if typ.text != s || !typ.same(parseType(s)) {
			t.Errorf("%+v", typ)
		}
		for k := range rows.UUID + 1 {
			take := typ.taker(k)
			for _, v := range []any{"1", true} {
				if take != nil {
					_, _ = take(v)
				}
			}
		}
	})
}
