// Package zeromq sends deliveries to ZeroMQ sockets (ZMTP 3).
package zeromq

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/modules"
)

const doc = `
ZeroMQ has no broker and stores nothing: what a peer has taken and not worked off is lost when that peer ends.

**When a delivery counts.**

| socket | goes to | counts when |
|---|---|---|
| ` + "`REQ`" + ` | one ` + "`REP` or `ROUTER`" + ` peer, in turn | the peer has replied, with ` + "`expect_reply`" + ` if that is set. The one to choose where each event counts: a peer that replies when it has stored the event loses none |
| ` + "`PUSH`" + ` | one ` + "`PULL`" + ` peer, in turn | the peer's ZeroMQ has taken it |
| ` + "`DEALER`" + ` | one ` + "`ROUTER`, `DEALER` or `REP`" + ` peer, in turn | the peer's ZeroMQ has taken it; replies are not looked at |
| ` + "`PUB`" + ` | all who subscribe to it now | the ZeroMQ of each has taken it. Nobody is counted, too, unless ` + "`require_subscribers`" + ` is set |

Whether the peer's ZeroMQ has taken a message is asked with a ping of the protocol (ZMTP ` + "`PING`" + `) behind it, which a peer answers when it has room for all that came before. That needs libzmq 4.2 or newer there, on which most languages' bindings stand; sockets
by go-zeromq do not answer. With
` + "`\"confirm\": false`" + ` a message counts as soon as the operating system has it: at most once. Taken is not worked off: between the two a crash of the peer loses it. A slow peer holds sends up; at most ` + "`high_water_mark`" + ` messages are under way to it, and a send
whose time is over fails. Nothing is dropped without a failure.

**What is sent.** One frame: the delivered bytes. With ` + "`include_headers`" + ` there is a frame before it: a JSON object of headers with names in lower case, the sender's own (unless ` + "`forward_headers` is false) and `hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent` and `content-type`" + `.
With ` + "`topic`" + `, and before both, there is the topic (` + "`PUB`" + ` only). ` + "`REQ`" + ` puts the empty frame of its protocol before all, and so does ` + "`DEALER` where the peer is `REP`" + `.

**Repeats.** A delivery whose confirmation is lost is sent again; so is one that not all subscribers took, and then those that did have it twice. Without ` + "`include_headers`" + ` a repeat cannot be told from another event.

**Bind and connect.** ` + "`bind`" + `, the default, listens at the endpoint from the first delivery on; destinations with the same endpoint and settings share the socket. A delivery waits up to a second for peers that connect again after hookd's start. With ` + "`\"bind\": false`" + ` hookd connects, and connects
anew whenever the connection is lost. There is neither encryption nor a login: who can reach an endpoint that is bound gets events. An endpoint in ` + "`module-config` is subject to the egress policy, and `ipc` is not connected to from there" + `; one in connections.json is the operator's word.

**What a failure means.** All but the last are tried again.

| | outcome |
|---|---|
| nobody is connected | ` + "`zeromq_no_peers`" + ` |
| nobody subscribes, and ` + "`require_subscribers`" + ` is set | ` + "`zeromq_no_subscribers`" + ` |
| the peer goes away before it has confirmed or replied | ` + "`connection_lost`" + ` |
| the peer neither confirms nor replies in time | ` + "`timeout`" + `; the connection is made anew |
| the reply is not ` + "`expect_reply`" + ` | ` + "`zeromq_reply`" + ` |
| the peer's socket does not fit, or is none of ZeroMQ | ` + "`bad_answer`" + ` |
| the endpoint cannot be reached, or is taken | ` + "`unavailable`" + ` |
| the endpoint is ` + "`inproc://`" + ` | ` + "`zeromq_no_peers`" + `, dead letter: the original service took such endpoints, but they reach hookd's own process only, where no socket receives |
`

// Module declares the module.
func Module() modules.Module {
	return modules.Define(modules.Definition[Connection, Options, *client]{
		Name:            "zeromq",
		Title:           "ZeroMQ",
		Summary:         "Sends each event by a ZeroMQ socket, PUB, PUSH, REQ or DEALER, that is bound or connected.",
		Doc:             doc,
		ConnectionTypes: []string{"zeromq"},
		Guarantee:       modules.Duplicates,
		Open:            open,
		New:             destine,
	})
}

var (
	_ modules.BatchDestination = (*destination)(nil)
	_ modules.Checker          = (*destination)(nil)
	_ modules.Conn             = (*client)(nil)
)

// client is the sockets of one connection. They are made when they are used.
type client struct {
	env    modules.Env
	config *Connection
	life   context.Context // ends with it
	end    context.CancelFunc
	work   sync.WaitGroup // what runs beside the sends

	mu      sync.Mutex
	sockets map[place]*socket
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{env: env, config: c, sockets: make(map[place]*socket)}
	k.life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	return k, nil
}

// destine makes a destination of what its options say, and else the connection.
func destine(env modules.Env, k *client, o *Options) (modules.Destination, error) {
	where := place{kind: k.config.Kind, endpoint: k.config.Endpoint, bind: k.config.Bind, mark: k.config.Mark}
	dial := k.env.Dial // the operator's
	if o.Endpoint != "" {
		where.endpoint, where.hosts, dial = o.Endpoint, strings.Join(o.Hosts, "\n"), env.Dial
	}
	if o.KindSet {
		where.kind = o.Kind
	}
	if o.BindSet {
		where.bind = o.Bind
	}
	if where.endpoint == "" {
		return nil, errors.New(`zeromq: neither the destination nor its connection has an "endpoint"`)
	}
	at, err := parse(where.endpoint)
	if err == nil {
		err = at.usable(where.bind)
	}
	if err != nil {
		return nil, errors.Join(errors.New("zeromq: "+where.endpoint), err)
	}
	return &destination{s: k.socket(where, at, dial), o: o, born: time.Now()}, nil
}

func (k *client) socket(where place, at endpoint, dial func(ctx context.Context, network, addr string) (net.Conn, error)) *socket {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.sockets[where]
	if s == nil {
		s = &socket{place: where, k: k, at: at, dial: dial, opening: make(chan struct{}, 1), changed: make(chan struct{})}
		k.sockets[where] = s
	}
	return s
}

// bound is the socket that is bound to an address; nil when there is none.
func (k *client) bound(at endpoint) *socket {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, port, _ := net.SplitHostPort(at.addr)
	for _, s := range k.sockets {
		_, p, _ := net.SplitHostPort(s.at.addr)
		s.mu.Lock()
		there := s.listener != nil
		s.mu.Unlock()
		if there && s.at.network == at.network && (s.at.addr == at.addr || port != "" && p == port) {
			return s
		}
	}
	return nil
}

// Close hangs up. Nothing is left to flush but what nobody waits to be
// confirmed, and the peers are given a second to read that.
func (k *client) Close(ctx context.Context) error {
	k.mu.Lock()
	sockets := k.sockets
	k.sockets = nil
	k.mu.Unlock()
	var all sync.WaitGroup
	for _, s := range sockets {
		all.Go(func() { s.close(ctx) })
	}
	all.Wait()
	k.end()
	k.work.Wait()
	return nil
}
