package gcppubsub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"cloud.google.com/go/auth"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// client is an open connection. Of the library it uses the client whose calls
// are single requests. The publisher above that gathers messages and tries again
// by itself, with no regard to a send's context; the host does both already.
type client struct {
	env       modules.Env
	config    *Connection
	conn      *grpc.ClientConn
	publisher *pubsub.TopicAdminClient
	project   string
	addr      string
	tokens    auth.TokenProvider // nil: without credentials
	denied    atomic.Pointer[netguard.Denied]
	life      context.Context //nolint:containedctx // that of the connection, for what all sends share
	end       context.CancelFunc
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{env: env, config: c, project: c.Project, addr: c.Endpoint}
	k.life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	security := insecure.NewCredentials()
	if c.Emulator != "" {
		k.addr = c.Emulator
	} else {
		if k.addr == "" {
			k.addr = service
		}
		host, _, _ := net.SplitHostPort(k.addr)
		cfg, err := c.TLS.Client(host)
		if err != nil {
			k.end()
			return nil, modules.Retry(modules.CodeTLS, fmt.Errorf("gcp_pubsub: %w", err))
		}
		if cfg == nil {
			cfg = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
		}
		security = credentials.NewTLS(cfg)
		if k.tokens, err = tokens(ctx, env, c); err != nil {
			k.end()
			return nil, err
		}
	}
	app, _, _ := strings.Cut(env.Owner, " ") // the program, not the host that it runs on
	var err error
	k.conn, err = grpc.NewClient("passthrough:///"+k.addr,
		grpc.WithTransportCredentials(security),
		grpc.WithUserAgent(app),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return k.dial(ctx, addr) }),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(maxRequest+1<<20)),
	)
	if err != nil {
		k.end()
		return nil, fmt.Errorf("gcp_pubsub: %w", err)
	}
	k.publisher, err = newPublisher(ctx, k.conn)
	if err != nil {
		k.end()
		return nil, errors.Join(fmt.Errorf("gcp_pubsub: %w", err), k.conn.Close())
	}
	return k, nil
}

// newPublisher makes the library's client on a connection of hookd's own. It has
// a logger that drops all: the library would take another, which writes payloads,
// from the environment. It neither tries again nor sets deadlines: the host does.
func newPublisher(ctx context.Context, conn *grpc.ClientConn) (*pubsub.TopicAdminClient, error) {
	p, err := pubsub.NewTopicAdminClient(ctx, option.WithGRPCConn(conn), option.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	p.CallOptions = &pubsub.TopicAdminCallOptions{}
	return p, nil
}

// dial remembers a refusal of the guard: gRPC makes text of it.
func (k *client) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := k.env.Dial(ctx, "tcp", addr)
	var denied *netguard.Denied
	errors.As(err, &denied)
	k.denied.Store(denied)
	return conn, err
}

// authorized adds the token. It never goes over a connection without TLS.
func (k *client) authorized(ctx context.Context) (context.Context, error) {
	if k.tokens == nil {
		return ctx, nil
	}
	type answer struct {
		token *auth.Token
		err   error
	}
	// The library lets those who come while one is fetched wait for it, however
	// long: a send does not.
	fetched := make(chan answer, 1)
	go func() {
		t, err := k.tokens.Token(k.life)
		fetched <- answer{t, err}
	}()
	select {
	case a := <-fetched:
		if a.err != nil {
			return ctx, noCredentials(ctx, a.err)
		}
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+a.token.Value), nil
	case <-ctx.Done():
		return ctx, link.Ended(ctx, errors.New("gcp_pubsub: waiting for credentials"))
	}
}

// gone reports that the connection is lost, and not just an answer.
func (k *client) gone() bool { return k.conn.GetState() != connectivity.Ready }

// Close ends the connection. Nothing is left to flush: a send returns with the
// answer.
func (k *client) Close(context.Context) error {
	k.end()
	if err := k.publisher.Close(); err != nil { // and with it the connection
		return fmt.Errorf("gcp_pubsub: %s: close: %w", k.addr, err)
	}
	return nil
}
