// Package clickhouse inserts deliveries into a table of ClickHouse.
package clickhouse

import "github.com/hookd/hookd/modules"

const doc = `
**When a delivery counts.** Rows are inserted synchronously, as one block, and count when the server has said that the block is stored; ` + "`async_insert`" + ` is switched off
on servers that know it, whatever the user's profile says. ClickHouse itself writes to the disk without waiting for it, unless it is told to: where the loss of the server's power must
not lose rows, use a replicated table and ` + "`\"settings\": {\"insert_quorum\": 2}`" + `, or set ` + "`fsync_after_insert`" + ` on the table. A table of the engine Buffer loses what it holds in a crash.

**The table.** It has the original service's columns; an existing one is used as it is, and those of these columns that it lacks, except ` + "`payload`" + `, are left out (the log says which).

| column | type | what |
|---|---|---|
| ` + "`id`" + ` | String | the delivery's id, a UUID: the same on every attempt |
| ` + "`webhook_id`" + ` | String | the hook |
| ` + "`timestamp`" + ` | DateTime | when the event was received |
| ` + "`payload`" + ` | String | the delivered bytes as they are: also NUL, and what is not UTF-8 |
| ` + "`headers`" + ` | String | a JSON object, names in lower case: the sender's headers but credentials, and ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent`" + `; several values are joined with a comma, and bytes that are not UTF-8 replaced; ` + "`{}` when `include_headers`" + ` is false |
| ` + "`created_at`" + ` | DateTime | when the row was inserted: the server's default |

With ` + "`create`" + `, the default, a table that is missing is created: ` + "`ReplacingMergeTree() PARTITION BY toYYYYMM(timestamp) ORDER BY (webhook_id, timestamp, id)`" + `. The original's had the engine
MergeTree and no id in its order. A replicated table, or one with other columns, is yours to create.

**A schema.** With ` + "`schema`" + ` the table has a column for each field that it names, instead of ` + "`payload`" + ` and ` + "`headers`" + `; of the body nothing else is kept. It is ` + "`{\"event_id\": \"integer\", \"total\": \"numeric(12,2) not null\"}`" + `, or

` + "```json" + `
{"fields": {"total": {"column": "total", "type": "numeric(12,2)", "path": "order.total", "constraints": ["NOT NULL"]},
            "first": {"type": "text", "jq": ".items[0].name"},
            "seen": {"type": "timestamp", "default": "CURRENT_TIMESTAMP"}}}
` + "```" + `

It means what it means for postgresql: a field is looked for by its name, which may be a path with points, by ` + "`path`" + `, or by ` + "`jq`" + ` with ` + "`$event`" + `. What is not there is the ` + "`default`" + ` or NULL; a JSON null is NULL, and never the default
(of ` + "`jq`" + `, null is "not there"). A value that does not fit its type is a dead letter that names the column and the reason, and so is an event that has none of the fields: nothing is rounded or cut off, but of a second what its column has no digits for.
` + "`UNIQUE`" + ` and ` + "`indexes`" + ` do nothing: ClickHouse keeps nothing unique. The whole body is a field like any other, ` + "`\"payload\": {\"type\": \"json\", \"jq\": \".\"}`" + `, and so are the headers: ` + "`\"headers\": {\"type\": \"json\", \"jq\": \"$event.headers\"}`" + `.

| type | column, Nullable where NULL can be | what |
|---|---|---|
| text, varchar(n), time | String | any text, also with NUL; n is checked; a time is ` + "`05:06:07.25`" + ` |
| json | String | the document, numbers with all their digits |
| integer | Int64 | |
| float | Float64 | |
| numeric(p,s), numeric | Decimal(p,s), at most 38 digits; Decimal(38,18) | without a size 20 digits before the point, 18 behind; more is a dead letter |
| boolean | UInt8 | 0 and 1 |
| timestamp | DateTime64(6), or DateTime where the server has no such type | in UTC; DateTime has whole seconds of the years 1970 to 2105, DateTime64 the years 1925 to 2261; others are dead letters |
| date | Date32, or Date where the server has no such type | the same years; 18.16 shows the first day of 1970, which is its zero, as 0000-00-00 |
| uuid | UUID | |

` + "`id`" + `, ` + "`webhook_id`" + `, ` + "`timestamp`" + ` and ` + "`created_at`" + ` stay as they are above. A field that takes the column ` + "`id`" + ` moves the delivery's id to ` + "`delivery_id`" + `, one that takes ` + "`created_at`" + ` replaces it; ` + "`webhook_id`" + ` and ` + "`timestamp`" + ` are hookd's, for the table is in
their order: give such a field another ` + "`column`" + `.

A table that is there is used as it is, in whatever order its columns are. With ` + "`create`" + `, columns that it lacks are added, each Nullable, and announced in the log; nothing is ever changed or dropped; without it, those of hookd's own that are missing are left out. Its own types count: an Int8, a Decimal(5,1), a FixedString,
an Enum, a Date, or a String for anything, and a value that the column has no room for is a dead letter. So is NULL for a column that is not Nullable: it never becomes 0 or an empty text; give the field a ` + "`default`" + `. An ` + "`id`" + ` that cannot hold a UUID, a number
for instance, is left alone, and the delivery's is ` + "`delivery_id`" + `. With an engine that merges rows, such as ReplacingMergeTree, and an order without the delivery's id, the server keeps one of the events that are equal in that order: the log warns of it.

**Repeats.** A row can be stored twice when the server's answer was lost. All that hookd writes of it is the same, but for ` + "`hookd-attempt`" + ` in the headers. ReplacingMergeTree drops it when it merges; a query that must not see it before says ` + "`FINAL`, or `LIMIT 1 BY id`" + `,
which works with any engine. Servers that know ` + "`insert_deduplication_token`" + ` get one for each insert, derived from the ids in it, and drop a repeat of the very same insert at once if the table keeps tokens: replicated ones do, and those that hookd creates there. Who deletes rows to have them
replayed has to know that: the server may take the replay for a repeat, until a thousand other inserts have passed.

**Few large inserts.** Each insert makes a part on the server's disk, and it refuses inserts when there are too many. Deliveries that wait at the same time are inserted together, up to ` + "`batch_size`" + ` and 16 MiB, and ` + "`flush_interval`" + ` passes between two inserts unless
that many wait. One delivery after a quiet time is inserted at once.

**What was tested.** 18.16.1, by the native protocol, with kill -9, restarts and lost answers, with and without a schema; the statements and the tokens once, by hand, with the engine of 26.9. HTTP, and what newer servers alone know, were tested with a far end that is a fake.

**Protocols.** ` + "`native`" + ` works with servers as old as 18.16. ` + "`http`" + ` needs one that knows ` + "`client_protocol_version`" + `: 18.16 refuses it with code 115. A connection with port 8123 or 8443 and no ` + "`protocol`" + ` speaks HTTP.

**What a failure means.**

| the server | outcome |
|---|---|
| stores the block | delivered |
| does not come into it: the value does not fit the schema, or the table's column | dead letter at once, ` + "`clickhouse_value`" + `, with the column and the reason; the others are stored |
| finds that a value does not fit its column, or violates a constraint (6, 27, 53, 117, 395, 469, ...) | the batch is divided until the row is alone: dead letter at once, ` + "`refused`" + `, with the column where the server names it; the others are stored |
| has no such table or database (60, 81) | tried again, ` + "`not_found`" + ` (with ` + "`create`" + ` the table is made anew); dead letter after the last attempt |
| has a table that lacks columns of the schema, with ` + "`\"create\": false`" + ` | tried again, ` + "`not_found`" + `, with the statement that adds them |
| has a column that takes no values of the declared type, or is computed | tried again, ` + "`clickhouse_table`" + ` |
| lacks a column that was there (16), or does not know a setting (115) | the table is looked at anew, tried again |
| refuses for want of rights (164, 291, 497) | tried again, ` + "`auth_failed`" + ` |
| cannot insert into such a table (48), a view for instance | dead letter at once, ` + "`refused`" + ` |
| has too many parts, too little memory, a full quota, too many queries (252, 241, 201, 202) | tried again after 5 seconds, ` + "`throttled`" + ` |
| is read-only, without its keeper or its quorum, timed out (242, 225, 285, 159, ...) | tried again, ` + "`unavailable`" + ` |
| has no space left (243) | tried again, ` + "`disk_full`" + ` |
| closes the connection, or is gone | connected anew, then tried again |
| does not let hookd in: user, password (192-194, 516) | tried again, ` + "`auth_failed`" + ` |
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "clickhouse",
		Title:           "ClickHouse",
		Summary:         "Inserts each event as a row into a table of ClickHouse, many at once.",
		Doc:             doc,
		ConnectionTypes: []string{"clickhouse"},
		Guarantee:       modules.Keyed,
		Open:            open,
		New: func(env modules.Env, k *client, o *Options) (modules.Destination, error) {
			t, err := o.compile()
			if err != nil {
				return nil, err
			}
			return &destination{env: env, client: k, o: o, rows: t, told: make(map[string]string), full: make(chan struct{}, 1)}, nil
		},
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)
