package server_test

import (
	"fmt"
	"testing"
)

// tableEnds are the databases of TestRows.
var tableEnds = []struct {
	name string
	make func(t *testing.T) tableEnd
}{
	{"postgresql", postgresTableEnd},
	{"mysql", mysqlTableEnd},
	{"clickhouse", clickhouseTableEnd},
}

func postgresTableEnd(t *testing.T) tableEnd {
	p := newPostgres(t)
	f := postgresFarEnd(t)
	f.options = fmt.Sprintf(`{"table": %q, "storage_mode": "relational", "schema": %s}`, p.table, rowSchema)
	return tableEnd{farEnd: f, numbers: func() []string { return p.column(t, "SELECT n FROM "+p.table) }}
}
