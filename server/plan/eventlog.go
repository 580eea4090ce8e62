package plan

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/conn"
	"github.com/hookd/hookd/server/deliver"
)

// eventLogModule writes the event log.
const eventLogModule = "clickhouse"

// EventLog is a table that every accepted event is written to, whatever its hook
// does with it.
type EventLog struct {
	Module  modules.Module
	Options spec.Described
	Env     modules.Env
	Conn    *conn.Lease

	lanes map[string]*deliver.Lane // one of each hook, for how its bodies are cleaned
}

// eventLog leases the connection that the daemon's settings name.
func (c *compiler) eventLog() {
	name := c.deps.EventLog.Connection
	if name == "" || c.deps.Pool == nil {
		return
	}
	fail := func(err error) { c.fail(diag.Pos{}, "event_log.connection", err) }
	m, ok := c.deps.Modules.Lookup(eventLogModule)
	k := c.cfg.Connection(name, eventLogModule)
	if !ok || k == nil || k.Hook != "" {
		fail(fmt.Errorf("connections.json has no connection %q of the type %s", name, eventLogModule))
		return
	}
	l := &EventLog{Module: m, Options: m.Options(), Env: c.env("event log", nil, c.deps.Operator), lanes: make(map[string]*deliver.Lane)}
	node, problems := spec.ParseJSON("event_log", []byte(`{"table": `+strconv.Quote(c.deps.EventLog.Table)+`}`))
	if problems = append(problems, spec.Decode(node, l.Options, "event_log")...); problems.HasErrors() {
		c.problems = append(c.problems, problems...)
		return
	}
	for _, lane := range c.plan.Lanes {
		l.lanes[lane.Hook] = lane
	}
	l.Conn = c.connection(m, name)
	c.plan.leases = append(c.plan.leases, l.Conn)
	c.plan.EventLog = l
}

// Row is what is written of an event: what it was received as, without
// credentials. The id is the event's.
func (l *EventLog) Row(ev *event.Event) (*event.Delivery, error) {
	shown := *ev
	shown.Header = make(http.Header, len(ev.Header))
	for name, values := range ev.Header {
		// One that a destination forwards is kept for that one alone.
		if !modules.Sensitive(name) {
			shown.Header[name] = values
		}
	}
	out := &shown
	if lane := l.lanes[ev.Hook]; lane != nil {
		var err error
		if out, err = lane.Clean(out); err != nil {
			return nil, err
		}
	}
	return &event.Delivery{ID: ev.ID, Event: out, Lane: ev.Hook + "/event log", Attempt: 1, Body: out.Body}, nil
}
