package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/modules/clickhouse"
	"github.com/hookd/hookd/modules/moduletest"
)

// TestCreated is a table that hookd creates, with rows stored at once.
func TestCreated(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: clickhouse.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			far := b.far(fmt.Sprintf(`{"table": %q, "flush_interval": 0}`, b.table))
			far.Break = nil // it would be created again
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{"table": "a.b"}`, Want: "letters, digits", Path: "table"},
			{Options: `{"table": ""}`, Want: "letters, digits", Path: "table"},
			{Options: "{\"table\": \"a`; DROP TABLE b\"}", Want: "letters, digits", Path: "table"},
			{Options: `{"engine": "Memory"}`, Want: "ReplacingMergeTree", Path: "engine"},
			{Options: `{"batch_size": 0}`, Path: "batch_size"},
			{Options: `{"batch_size": 1001}`, Path: "batch_size"},
			{Options: `{"flush_interval": "11s"}`, Want: "10 seconds", Path: "flush_interval"},
			{Connection: `{"port": 70000}`, Path: "port"},
			{Connection: `{"host": " "}`, Want: "empty", Path: "host"},
			{Connection: `{"database": ""}`, Want: "empty", Path: "database"},
			{Connection: `{"protocol": "grpc"}`, Want: "native", Path: "protocol"},
			{Connection: `{"connections": 0}`, Path: "connections"},
			{Connection: `{"settings": {"async_insert": 1}}`, Want: "set by hookd", Path: "settings"},
			{Connection: `{"settings": {"a b": 1}}`, Want: "no name", Path: "settings"},
			{Connection: `{"tls": {"cert_file": "x"}}`, Want: "go together", Path: "tls"},
		},
	})
}

// TestOriginal is a table that the original service created, with a column of
// the operator's that refuses some rows; sends wait for one another.
func TestOriginal(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: clickhouse.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			b.original(", checked UInt8 MATERIALIZED throwIf(position(payload, 'poison') > 0)")
			far := b.far(fmt.Sprintf(`{"table": %q, "create": false, "flush_interval": "20ms", "batch_size": 10}`, b.table))
			far.Poison = []byte(`{"poison":1}`)
			return far
		},
	})
}
