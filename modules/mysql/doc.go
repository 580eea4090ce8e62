package mysql

const doc = `
**When a delivery counts.** It counts when its transaction is committed. Up to 200 events share one statement, which is one transaction; a row that the database refuses is taken out of it, and the others
are committed. The row's id is the delivery's id, the same on every attempt: a repeat adds no row. A server that does not write each commit to disk (` + "`innodb_flush_log_at_trx_commit`" + ` other than 1)
is named in the log: what it has taken is lost when its machine goes down.

**What is stored.**

| mode | columns |
|---|---|
| ` + "`json`" + ` | ` + "`id` char(36), `webhook_id`, `timestamp`, `payload` json, `headers` json, `created_at`" + ` |
| ` + "`relational`" + ` | ` + "`id`, `webhook_id`, `created_at`" + `, and the fields of the schema |
| ` + "`hybrid`" + ` | ` + "`id`, `webhook_id`, `payload`, `headers`, `created_at`" + `, and the fields of the schema |

` + "`timestamp` and `created_at`" + ` are the time of receipt. All times are UTC: the sessions of hookd have that time zone, and a DATETIME has none. ` + "`payload`" + ` is the body: byte for byte in MariaDB, whose json is a text
that is checked, and in MySQL as that keeps JSON: without white space, keys in its own order. A form is the object of its fields. A body that is neither is a JSON string, and one that is no text is
` + "`{\"base64\": \"...\"}`" + `. ` + "`headers`" + ` holds the sender's, without credentials, and hookd's own, with names in lower case.
A field that takes the column ` + "`created_at`" + ` replaces it; one that takes ` + "`id`" + ` moves the delivery's id to ` + "`delivery_id`" + `.

**The schema.** ` + "`{\"event_id\": \"integer\", \"total\": \"numeric(12,2) not null\"}`" + `, or

` + "```json" + `
{"fields": {"total": {"column": "total", "type": "numeric(12,2)", "path": "order.total", "constraints": ["NOT NULL"]},
            "first": {"type": "text", "jq": ".items[0].name"},
            "seen": {"type": "timestamp", "default": "CURRENT_TIMESTAMP"}},
 "indexes": {"orders_total": {"columns": ["total"], "unique": false}}}
` + "```" + `

It means what it means for postgresql: a field is looked for by its name, which may be a path with points, by ` + "`path`, or by `jq` with `$event`" + `. What is not there is the ` + "`default`" + ` or NULL; a JSON null is NULL, and
never the default (of ` + "`jq`" + `, null is "not there"; of several values the first counts). A value that does not fit its type is a dead letter that names the column: nothing is rounded or cut off, also where the column that is there has fewer digits than the schema says.

| type | column | differs from postgresql |
|---|---|---|
| text | LONGTEXT; VARCHAR(768) where it is unique or the key of an upsert, because an index holds no more | longer unique texts are dead letters |
| varchar(n) | VARCHAR(n), above 4096 LONGTEXT | |
| integer | BIGINT | |
| float | DOUBLE | |
| numeric(p,s), numeric | DECIMAL(p,s), at most (65,30); DECIMAL(65,30) | without a size: 35 digits before the point, 30 behind; more is a dead letter |
| boolean | BOOLEAN, which is 0 and 1 | |
| timestamp | DATETIME(6) | no zone; always UTC |
| date, time | DATE, TIME(6) | |
| json | JSON | at most 32 levels in MariaDB and 100 in MySQL; more is a dead letter |
| uuid | CHAR(36) | |

` + "`\\u0000`" + ` is stored, which PostgreSQL cannot. Half of a surrogate pair is a dead letter in both. Texts of a table that hookd made are compared as in PostgreSQL: by case, accents and trailing spaces (the last not by a MySQL older than 8.0.17).

**Upsert.** With ` + "`upsert`" + ` the row with the same ` + "`upsert_key`" + ` gets the values of the event, all but ` + "`id` and `webhook_id`" + `. An event that was received before the one that the row has changes nothing;
` + "`created_at`" + ` tells, so that a field that takes its place gives that up.
The key needs a unique index of its own. Where something else is unique, too, rows go one by one, and slower: ON DUPLICATE KEY UPDATE would update whichever row has any of the values.

**What is created.** With ` + "`create`" + `, the default: the table (InnoDB, utf8mb4), and in one that is there the columns and indexes that are missing; each is announced in the log, and nothing is ever changed or dropped. Added columns may be
null. Tables of the original service work as they are: their ` + "`id`" + ` takes the delivery's. A table whose ` + "`id`" + ` is of another type, a number for instance, gets a column ` + "`delivery_id`" + ` with a unique index. A column of
another character set than utf8mb4 refuses texts that it has not, and the row is a dead letter.

**Rights.** INSERT and SELECT on the table; UPDATE for ` + "`upsert`" + `; CREATE, ALTER and INDEX only for what is missing.

**What a failure means.**

| the database | outcome |
|---|---|
| commits | delivered |
| has the id already | delivered: it was, before |
| the value does not fit the schema | dead letter at once, ` + "`mysql_value`" + `, with the column and the reason |
| refuses the row: constraint, unique index, type, a trigger's signal | dead letter at once, ` + "`mysql_<number of the error>`" + `; the others of its batch are committed |
| the row is larger than ` + "`max_allowed_packet`" + ` | dead letter at once, ` + "`too_large`" + ` |
| table, column or unique index is missing and may not be added | tried again, ` + "`not_found`" + ` |
| no right to it | tried again, ` + "`auth_failed`" + ` |
| deadlock | tried again at once, up to five times, then later, ` + "`mysql_1213`" + ` |
| lock wait time-out (10 s) | tried again, ` + "`mysql_1205`" + ` |
| any error that is not listed, such as a trigger's own number | tried again, ` + "`mysql_<number of the error>`" + `, and alone: the others of its batch are committed |
| too many connections, or the account's limits | tried again after 5 s, ` + "`throttled`" + ` |
| disk full | tried again, ` + "`disk_full`" + ` |
| ends the connection, became read-only, or is gone | connected anew, then tried again |
| does not let hookd in | tried again without using attempts up, ` + "`auth_failed`" + ` |

**Logging in.** mysql_native_password, caching_sha2_password and ed25519. Without TLS, caching_sha2_password sends the password under a key that the server shows and nobody vouches for: use TLS where others are on the network.
A local server is reached by TCP, not by its socket. ` + "`my.cnf`" + ` and the environment are not read.
`
