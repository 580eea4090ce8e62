package awsconn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
)

// Client is an open connection. It has nothing that can be lost: each request
// finds a connection of its own. It is safe for concurrent use.
type Client struct {
	AWS   aws.Config // for the client of a service; it retries nothing, as the host does
	Where string     // who is spoken to, for messages

	module string // for messages
	end    context.CancelFunc
	own    *netguard.Transport // nil: Env's is used
}

// Open finds credentials, and fails where there are none. module and service are
// names for messages.
func Open(ctx context.Context, env modules.Env, module, service string, c *Connection) (*Client, error) {
	k := &Client{Where: service, module: module}
	transport := env.HTTP
	if c.TLS.On() {
		cfg, err := c.TLS.Client("")
		if err != nil {
			return nil, modules.Retry(modules.CodeTLS, fmt.Errorf("%s: %w", module, err))
		}
		k.own = netguard.NewTransport(env.Dial, netguard.TransportOptions{TLS: cfg})
		transport = k.own
	}
	var life context.Context
	life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	err := k.configure(ctx, env, c, &lifetime{transport, life})
	if err != nil {
		_ = k.Close(ctx)
		return nil, err
	}
	return k, nil
}

func (k *Client) configure(ctx context.Context, env modules.Env, c *Connection, transport http.RoundTripper) (err error) {
	// Where a service asks to go elsewhere, hookd does not: it was not configured.
	web := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	app, _, _ := strings.Cut(env.Owner, " ") // the program, not the host that it runs on
	retryer := func() aws.Retryer { return aws.NopRetryer{} }
	if c.KeyID != "" {
		static := credentials.NewStaticCredentialsProvider(c.KeyID, c.Key.Reveal(), c.Token.Reveal())
		k.AWS = aws.Config{Region: c.Region, Credentials: static, HTTPClient: web, Retryer: retryer, AppID: app, Logger: logging.Nop{}}
	} else {
		if os.Getenv("AWS_CA_BUNDLE") != "" {
			// The SDK takes it for a transport of its own only, which would not be the guarded one.
			return modules.Retry(modules.CodeTLS, fmt.Errorf(`%s: AWS_CA_BUNDLE is set, which hookd cannot use: unset it, and write "tls": {"ca_file": ...}`, k.module))
		}
		metadata := imds.ClientDisabled
		if c.Metadata {
			metadata = imds.ClientEnabled
		}
		k.AWS, err = config.LoadDefaultConfig(ctx, config.WithHTTPClient(web), config.WithRetryer(retryer), config.WithRegion(c.Region),
			config.WithSharedConfigProfile(c.Profile), config.WithAppID(app), config.WithLogger(logging.Nop{}),
			config.WithEC2IMDSClientEnableState(metadata),
			// The one provider that does not use the configured client by itself.
			config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = web }))
		if err != nil {
			return k.Unanswered(ctx, &credentialsError{err})
		}
	}
	if k.AWS.Region == "" {
		k.AWS.Region = defaultRegion
	}
	if c.Role != "" {
		k.AWS.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(k.AWS), c.Role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "hookd"
			if !c.ExternalID.IsZero() {
				o.ExternalID = aws.String(c.ExternalID.Reveal())
			}
		}))
	}
	if k.AWS.Credentials == nil {
		return k.Unanswered(ctx, &credentialsError{errors.New("there are none")})
	}
	k.AWS.Credentials = named{k.AWS.Credentials}
	if c.Endpoint.Host != "" {
		// After the credentials: a role is assumed where AWS is.
		k.AWS.BaseEndpoint = aws.String(c.Endpoint.String())
		k.Where = c.Endpoint.Host
	}
	if _, err := k.AWS.Credentials.Retrieve(ctx); err != nil {
		return k.Unanswered(ctx, err)
	}
	return nil
}

// Close ends what fetches credentials, and idle connections of its own. Nothing
// is left to flush: a send returns with the answer.
func (k *Client) Close(context.Context) error {
	k.end()
	if k.own != nil {
		k.own.CloseIdleConnections()
	}
	return nil
}

// lifetime ends requests that belong to no send with the connection: the SDK
// renews credentials for all sends that wait, with a context that never ends.
type lifetime struct {
	http.RoundTripper
	ctx context.Context //nolint:containedctx // that of the connection
}

func (l *lifetime) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Context().Done() == nil {
		r = r.WithContext(l.ctx) //nolint:contextcheck // its own never ends
	}
	return l.RoundTripper.RoundTrip(r)
}

// named marks the errors of credentials: the SDK wraps them like any other.
type named struct{ aws.CredentialsProvider }

func (n named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	v, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		err = &credentialsError{err}
	}
	return v, err
}

type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }
