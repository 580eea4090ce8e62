package postgresql

const doc = `
**When a delivery counts.** It counts when its transaction is committed, and ` + "`synchronous_commit`" + ` is switched on for it where it is off. Up to 200 events share
one transaction; a row that the database refuses is taken out of it, and the others are committed. The row's id is the delivery's id, the same on every attempt: a repeat adds no row.

**What is stored.**

| mode | columns |
|---|---|
| ` + "`json`" + ` | ` + "`id` uuid, `webhook_id` text, `timestamp`, `payload` jsonb, `headers` jsonb, `created_at`" + ` |
| ` + "`relational`" + ` | ` + "`id`, `webhook_id`, `created_at`" + `, and the fields of the schema |
| ` + "`hybrid`" + ` | ` + "`id`, `webhook_id`, `payload`, `headers`, `created_at`" + `, and the fields of the schema |

` + "`timestamp` and `created_at`" + ` are the time of receipt. ` + "`payload`" + ` is the body as jsonb: white space, the order of keys and all but the last of equal keys are not kept. A form is the object of its fields. A body
that is neither is a JSON string, and one that is no text is ` + "`{\"base64\": \"...\"}`" + `. ` + "`headers`" + ` holds the sender's, without credentials, and hookd's own, with names in lower case.
A field that takes the column ` + "`created_at`" + ` replaces it; one that takes ` + "`id`" + ` moves the delivery's id to ` + "`delivery_id`" + `.

**The schema.** ` + "`{\"event_id\": \"integer\", \"total\": \"numeric(12,2) not null\"}`" + `, or

` + "```json" + `
{"fields": {"total": {"column": "total", "type": "numeric(12,2)", "path": "order.total", "constraints": ["NOT NULL"]},
            "first": {"type": "text", "jq": ".items[0].name"},
            "seen": {"type": "timestamp", "default": "CURRENT_TIMESTAMP"}},
 "indexes": {"orders_total": {"columns": ["total"], "unique": false}}}
` + "```" + `

A field is looked for by its name, which may be a path with points, by ` + "`path`, or by `jq`" + ` with ` + "`$event`" + `. What is not there is the ` + "`default`" + ` or NULL; a JSON null is NULL, and never the default (of ` + "`jq`" + `, null is
"not there"; of several values the first counts). Types: text, varchar(n), integer (64 bits), float, numeric(p,s), boolean, timestamp (RFC 3339, or Unix seconds or milliseconds; UTC without a zone), date, time, json, uuid; any other name
means text. Numbers keep all digits in numeric, text and json. A value that does not fit its type is a dead letter that names the column: nothing is rounded or cut off, also where the column that is there has fewer digits than the schema says.
In the mode ` + "`relational`" + ` an event that has none of the fields is a dead letter, too.

**Upsert.** With ` + "`upsert`" + ` the row with the same ` + "`upsert_key`" + ` gets the values of the event, all but ` + "`id` and `webhook_id`" + `. An event that was received before the one that the row has changes nothing;
` + "`created_at`" + ` tells, so that a field that takes its place gives that up.

**What is created.** With ` + "`create`" + `, the default: the table, and in one that is there the columns and indexes that are missing; each is announced in the log, and nothing is ever changed or dropped. Added columns may be
null. An index locks a large table for writing while it is built: make it by hand before, with CONCURRENTLY. An index of ` + "`indexes`" + ` that cannot be made,
because its name is taken in the schema or what is there is not unique, is told in the log, and rows go in without it. Tables of the original service work as they are: their ` + "`id`" + ` takes the delivery's. A table whose ` + "`id`" + ` is
of another type, a number for instance, gets a column ` + "`delivery_id`" + ` with a unique index.

**Rights.** INSERT and SELECT on the table; UPDATE for ` + "`upsert`" + `; CREATE on the schema, or the ownership of the table, only for what is missing.

**What a failure means.**

| the database | outcome |
|---|---|
| commits | delivered |
| has the id already | delivered: it was, before |
| the value does not fit the schema | dead letter at once, ` + "`postgresql_value`" + `, with the column and the reason |
| refuses the row: constraint, type, size (SQLSTATE 22, 23, 54, or a trigger's exception) | dead letter at once, ` + "`postgresql_<sqlstate>`" + `; the others of its batch are committed |
| the body holds ` + "`\\u0000`" + ` or half of a surrogate pair | dead letter at once: PostgreSQL cannot store it |
| table, column or unique index is missing and may not be added | tried again, ` + "`not_found`" + ` |
| no right to it | tried again, ` + "`auth_failed`" + ` |
| deadlock, serialization failure | tried again at once, up to five times, then later |
| anything else, such as a trigger's own SQLSTATE or a security policy | tried again, ` + "`postgresql_<sqlstate>` or `auth_failed`" + `, and alone: the others of its batch are committed |
| a lock of somebody else lasts longer than 5 s (or the ` + "`lock_timeout`" + ` of the role or the connection string) | tried again, ` + "`postgresql_55p03`" + `, and alone |
| out of memory, connections (53) or disk | tried again, ` + "`unavailable`, `disk_full`" + ` |
| ends the connection, became read-only, or is gone | connected anew, then tried again |
| does not let hookd in | tried again without using attempts up, ` + "`auth_failed`" + ` |

Only what is written in the connection counts: ` + "`PGPASSWORD`, `.pgpass`" + ` and service files are not read.
`
