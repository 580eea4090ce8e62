package mysql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hookd/hookd/modules/moduletest"
	"github.com/hookd/hookd/modules/mysql"
)

// asSent: JSON arrives byte for byte in MariaDB; anything else is wrapped.
func asSent(body []byte) bool { return json.Valid(body) }

// compact: what jq made of a body has lost its spaces.
func compact(body []byte) bool {
	var b bytes.Buffer
	return json.Valid(body) && json.Compact(&b, body) == nil && bytes.Equal(b.Bytes(), body)
}

// TestJSON is the form that the original service had by default.
func TestJSON(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: mysql.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			far := b.far(fmt.Sprintf(`{"table": %q}`, b.table), "id", "payload", "headers")
			far.Refuse = func() {
				b.exec("CREATE TABLE IF NOT EXISTS %s (id CHAR(36) PRIMARY KEY)")
				b.exec("CREATE TRIGGER `t_" + b.table + "` BEFORE INSERT ON %s FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'")
			}
			return far
		},
		Carries: asSent,
		Bad: []moduletest.Bad{
			{Options: `{"table": "a; DROP TABLE b"}`, Want: "no name", Path: "table"},
			{Options: `{"table": "t", "storage_mode": "relational"}`, Path: "storage_mode"},
			{Options: `{"table": "t", "storage_mode": "hybrid", "schema": {"a": "decimal(70,2)"}}`, Want: "65 digits", Path: "schema.a"},
			{Options: `{"table": "t", "storage_mode": "hybrid", "schema": {"a": "varchar(1000) unique"}}`, Want: "768", Path: "schema.a"},
			{Options: `{"table": "t", "storage_mode": "hybrid", "schema": {"fields": {"a": "integer"}, "indexes": {"x": {"columns": ["a"]}, "X": {"columns": ["a"]}}}}`, Want: "taken", Path: "schema.indexes.x"},
			{Options: `{"table": "t", "storage_mode": "hybrid", "schema": {"fields": {"a": "integer"}, "indexes": {"primary": {"columns": ["a"]}}}}`, Want: "taken", Path: "schema.indexes.primary"},
			{Options: `{"table": "t", "storage_mode": "hybrid", "schema": {"a": "json unique"}}`, Want: "unique", Path: "schema.a"},
			{Options: `{"table": "t", "storage_mode": "hybrid", "schema": {"a": "text"}, "upsert": true, "upsert_key": "b"}`, Path: "upsert_key"},
			{Connection: `{"port": 70000}`, Path: "port"},
			{Connection: `{"database": ""}`, Want: "empty", Path: "database"},
			{Connection: `{"pool_min_size": 5, "pool_max_size": 4}`, Want: "more than", Path: "pool_min_size"},
			{Connection: `{"ssl": true, "ssl_cert": "x"}`, Want: "go together", Path: "ssl_cert"},
			{Connection: `{"tls": {"ca_file": "x"}, "ssl_ca_cert": "y"}`, Want: "tls, too", Path: "ssl_ca_cert"},
			{Connection: `{"connection_string": "mysql://u:p@h/d", "host": "x"}`, Want: "connection_string", Path: "host"},
			{Connection: `{"connection_string": "postgres://u:p@h/d"}`, Want: "mysql://", Path: "connection_string"},
			{Connection: `{"connection_string": "mysql://u:p@h/d?allowAllFiles=true"}`, Want: "allowAllFiles", Path: "connection_string"},
			{Connection: `{"connection_string": "mysql://u:p@h/d?tls=preferred"}`, Want: "skip-verify", Path: "connection_string"},
			{Connection: `{"connection_string": "mysql://u:p@h"}`, Want: "database", Path: "connection_string"},
		},
	})
}

// TestRelational keeps what the schema names: here, by jq, the whole body.
func TestRelational(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: mysql.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			far := b.far(fmt.Sprintf(`{"table": %q, "storage_mode": "relational",
				"schema": {"fields": {"body": {"type": "json", "jq": "."}, "n": {"type": "string"}}}, "create": false}`, b.table), "id", "body", "")
			b.exec("CREATE TABLE %s (id CHAR(36) PRIMARY KEY, webhook_id VARCHAR(255) NOT NULL, created_at DATETIME(6), body LONGTEXT, n LONGTEXT) CHARSET utf8mb4")
			b.guest(t, "SELECT, INSERT")
			far.Connection = b.connection()
			far.Break = func() { b.exec("DROP TABLE %s") }
			return far
		},
		Carries: compact,
	})
}

// TestUpsert is hybrid, with a key that is the delivery's own.
func TestUpsert(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: mysql.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			b := newServer(t)
			return b.far(fmt.Sprintf(`{"table": %q, "storage_mode": "hybrid",
				"schema": {"fields": {"key": {"type": "string", "jq": "$event.id"}, "id": "string"}}, "upsert": true, "upsert_key": "key"}`, b.table), "delivery_id", "payload", "headers")
		},
		Carries: asSent,
	})
}
