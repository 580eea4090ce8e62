package mqtt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// farewell bounds how long a closing connection waits for the broker.
	farewell = 5 * time.Second
	// handover bounds how long the library may take to accept a packet. It does
	// so at once: nothing else is under way to it. Only a connection that is
	// being lost may keep it waiting.
	handover = 500 * time.Millisecond
)

// client is an open connection. It never heals: the host opens another one.
type client struct {
	env    modules.Env
	config *Connection
	addr   string
	wire   *wire
	mqtt   paho.Client
	slots  chan struct{}  // one for each message in flight
	work   sync.WaitGroup // what runs beside the sends
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{env: env, config: c, addr: c.addr(), slots: make(chan struct{}, c.InFlight)}
	if err := k.connect(ctx); err != nil {
		f := modules.FailureOf(err)
		f.Err = fmt.Errorf("mqtt: %s: %w", k.addr, f.Err)
		return nil, &f
	}
	return k, nil
}

func (k *client) connect(ctx context.Context) error {
	cfg, err := k.config.tls().Client(strings.Trim(k.config.Host, "[]"))
	if err != nil {
		return modules.Retry(modules.CodeTLS, err)
	}
	raw, conn, err := link.Dial(ctx, k.env, k.addr, cfg)
	if err != nil {
		return err
	}
	k.wire = newWire(raw, conn)
	k.mqtt = paho.NewClient(k.options())
	token, ok := k.mqtt.Connect().(*paho.ConnectToken)
	if !ok {
		k.wire.end(errEnded)
		return errors.New("the library has no answer to a CONNECT")
	}
	err = link.Bounded(ctx, k.cut, func() error {
		token.Wait()
		return token.Error()
	})
	if err == nil && !k.wire.over() {
		return nil
	}
	k.wire.end(errEnded)
	return k.refusal(ctx, token.ReturnCode(), k.wire.why)
}

// options are the library's. Its own reconnecting is off, as is its older
// version of the protocol, which it would try after any refusal.
func (k *client) options() *paho.ClientOptions {
	o := paho.NewClientOptions()
	o.Servers = []*url.URL{{Scheme: "tcp", Host: k.addr}} // for the list only: the connection is there
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return k.wire, nil })
	o.SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetClientID(k.config.ClientID + "-" + random()).SetUsername(k.config.User).SetPassword(k.config.Password.Reveal())
	o.SetKeepAlive(k.config.KeepAlive + time.Second - 1) // cut to whole seconds
	o.SetWriteTimeout(handover)
	return o
}

// random has 16 characters: with the default client_id the whole has 22, and
// every broker takes 23 (section 3.1.3.1).
func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

// refusal says why the broker did not let hookd in (section 3.2.2.3).
func (k *client) refusal(ctx context.Context, code byte, err error) error {
	user := fmt.Sprintf("user %q", k.config.User)
	if k.config.User == "" {
		user = "without a user"
	}
	switch {
	case ctx.Err() != nil:
		return link.Ended(ctx, errors.New("no answer to CONNECT"))
	case errors.Is(err, errStranger):
		return modules.Retry(modules.CodeBadAnswer, errStranger)
	case code == packets.ErrRefusedBadProtocolVersion:
		return modules.Retry(modules.CodeBadAnswer, errors.New("the broker does not speak MQTT "+version))
	case code == packets.ErrRefusedIDRejected:
		return modules.Retry(modules.CodeRefused, fmt.Errorf("the broker refuses the client id %q and what follows: set client_id", k.config.ClientID))
	case code == packets.ErrRefusedServerUnavailable:
		return modules.Retry(modules.CodeUnavailable, errors.New("the broker says that it is not available"))
	case code == packets.ErrRefusedBadUsernameOrPassword:
		return modules.Retry(modules.CodeAuthFailed, errors.New(user+": bad user name or password"))
	case code == packets.ErrRefusedNotAuthorised:
		return modules.Retry(modules.CodeAuthFailed, errors.New(user+": not authorized to connect"))
	}
	return link.Failure(ctx, fmt.Errorf("no answer to CONNECT: %w", err))
}

// cut ends the connection at once.
func (k *client) cut() { k.wire.end(errEnded) }

// lost is the failure of a send when the connection is gone; nil while it is
// not.
func (k *client) lost() error {
	if !k.wire.over() {
		return nil
	}
	return modules.Disconnect(fmt.Errorf("mqtt: %s: connection lost: %w", k.addr, k.wire.why))
}

// Close says farewell to a broker that is still there. Nothing is left to
// flush: a send returns when its message is acknowledged or written.
func (k *client) Close(ctx context.Context) error {
	patience := farewell
	if d, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(d))
	}
	ms := uint(max(patience.Milliseconds(), 1)) // #nosec G115 -- positive
	k.wire.farewell.Store(true)
	k.mqtt.Disconnect(ms)
	k.cut()
	k.mqtt.Disconnect(ms) // returns when the first has ended
	k.work.Wait()
	return nil
}
