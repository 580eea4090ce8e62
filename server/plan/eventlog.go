package plan

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookd/hookd/internal/config"
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

// EventLogSettings are the daemon's settings of the event log. No connection is
// no event log.
type EventLogSettings struct {
	Connection, Table string
	Node              *spec.Node // where they are written; nil for nowhere
}

// EventLogUser is what the event log is called where the users of a connection
// are listed.
const EventLogUser = "event_log"

// Destination is the table as a destination, with what is wrong with it. It is
// nil where there is no event log, or none that can be.
func (s EventLogSettings) Destination(cfg *config.Config, reg *modules.Registry) (*config.Destination, diag.List) {
	written := s.Node.Get("connection")
	if s.Connection == "" || written != nil && written.Unresolved {
		return nil, nil
	}
	wrong := diag.Problem{Path: EventLogUser + ".connection", Code: "unknown_connection", Message: fmt.Sprintf("there is no connection %q", s.Connection)}
	if written != nil {
		wrong.Pos, wrong.Width = written.Pos, written.Width
	}
	var fit []string
	for _, k := range cfg.Connections {
		switch {
		case k.Hook != "" || strings.HasPrefix(k.Name, "/"): // no entry of connections.json
		case k.Module == eventLogModule:
			fit = append(fit, k.Name)
		case k.Name == s.Connection:
			wrong.Code, wrong.Hint = "wrong_connection", "it takes "+eventLogModule
			wrong.Message = fmt.Sprintf("the connection %q is of type %q, which the event log does not take", k.Name, k.Type)
		}
	}
	m, ok := reg.Lookup(eventLogModule)
	if !ok || !slices.Contains(fit, s.Connection) {
		switch wrong.Hint = cmp.Or(wrong.Hint, diag.Suggest(s.Connection, fit)); {
		case wrong.Hint != "":
		case len(fit) > 0:
			wrong.Hint = "fitting ones: " + strings.Join(fit, ", ")
		default:
			wrong.Hint = "add one of type " + eventLogModule + " to connections.json"
		}
		return nil, diag.List{wrong}
	}
	d := &config.Destination{Name: EventLogUser, Path: EventLogUser, Module: m.Name(), Connection: s.Connection, Options: m.Options()}
	table := s.Node.Get("table")
	if table == nil {
		table = &spec.Node{Kind: spec.NodeString, Text: s.Table}
	}
	problems := spec.Decode(&spec.Node{Kind: spec.NodeObject, Members: []spec.Member{{Key: "table", Value: table}}}, d.Options, EventLogUser)
	if problems.HasErrors() {
		return nil, problems
	}
	return d, problems
}

// eventLog leases the connection that the daemon's settings name.
func (c *compiler) eventLog() {
	d, problems := c.deps.EventLog.Destination(c.cfg, c.deps.Modules)
	c.problems = append(c.problems, problems...)
	if d == nil || c.deps.Pool == nil {
		return
	}
	m, _ := c.deps.Modules.Lookup(d.Module)
	l := &EventLog{Module: m, Options: d.Options, Env: c.env("event log", nil, c.deps.Operator), lanes: make(map[string]*deliver.Lane)}
	for _, lane := range c.plan.Lanes {
		l.lanes[lane.Hook] = lane
	}
	l.Conn = c.connection(m, d.Connection)
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
