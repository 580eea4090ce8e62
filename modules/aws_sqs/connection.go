package awssqs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const defaultRegion = "us-east-1"

// Connection describes an account and where it is reached.
type Connection struct {
	KeyID      string
	Key        secret.String
	Token      secret.String
	Region     string
	Endpoint   url.URL
	Profile    string
	Role       string
	ExternalID secret.String
	Metadata   bool
	TLS        link.TLS
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.KeyID, "aws_access_key_id").Alias("access_key_id").
			Doc("Access key. Without it credentials come from the environment, the shared files, a web identity or a container, as in all AWS tools."),
		spec.Secret(&c.Key, "aws_secret_access_key").Alias("secret_access_key").Doc("Secret of the access key."),
		spec.Secret(&c.Token, "aws_session_token").Alias("session_token").Advanced().Doc("Token that belongs to a temporary access key."),
		spec.String(&c.Region, "region_name").Alias("region").Example("eu-central-1").
			Doc("Region. When absent, that of the environment or the profile where the credentials come from there, else `us-east-1`."),
		spec.URL(&c.Endpoint, "endpoint_url").Alias("endpoint").Check(checkEndpoint).
			Doc("Where to connect, instead of the region's own address: an interface endpoint, or an emulator."),
		spec.String(&c.Profile, "profile").Advanced().Doc("Profile of the shared configuration files."),
		spec.String(&c.Role, "role_arn").Example("arn:aws:iam::123456789012:role/hookd").Advanced().Doc("Role to assume with the credentials."),
		spec.Secret(&c.ExternalID, "external_id").Advanced().Doc("External id that the role asks for."),
		spec.Bool(&c.Metadata, "instance_metadata").Default(false).Advanced().
			Doc("Take credentials from the metadata service of the machine or the container. It opens that service's address, which hookd otherwise never connects to."),
		c.TLS.Field("tls").Advanced(),
		spec.Ignored("queue_url", "the queue is an option of each destination"),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(field, message string) { issues = append(issues, spec.Issue{Field: field, Message: message}) }
	keys := c.KeyID != "" || !c.Key.IsZero()
	switch {
	case keys && (c.KeyID == "" || c.Key.IsZero()):
		add("aws_access_key_id", "aws_access_key_id and aws_secret_access_key go together")
	case !c.Token.IsZero() && !keys:
		add("aws_session_token", "needs aws_access_key_id and aws_secret_access_key")
	case keys && c.Profile != "":
		add("profile", "and an access key are both there: remove one")
	}
	if !c.ExternalID.IsZero() && c.Role == "" {
		add("external_id", "needs role_arn")
	}
	if c.TLS.On() && c.Endpoint.Scheme == "http" {
		add("tls", "needs an https endpoint_url")
	}
	return issues
}

// AllowedHosts opens the metadata services where that is asked for.
func (c *Connection) AllowedHosts() []string {
	if !c.Metadata {
		return nil
	}
	return []string{"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"}
}

func checkEndpoint(u url.URL) error {
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" {
		return errors.New("is not an http or https URL without a query")
	}
	return nil
}

// client is an open connection. It has nothing that can be lost: each request
// finds a connection of its own.
type client struct {
	aws   aws.Config
	where string // for messages
	end   context.CancelFunc
	own   *http.Transport // nil: Env's is used
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k := &client{where: "SQS"}
	transport := env.HTTP
	if c.TLS.On() {
		cfg, err := c.TLS.Client("")
		if err != nil {
			return nil, modules.Retry(modules.CodeTLS, fmt.Errorf("aws_sqs: %w", err))
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

func (k *client) configure(ctx context.Context, env modules.Env, c *Connection, transport http.RoundTripper) (err error) {
	// SQS does not redirect: where it is asked to go, hookd does not.
	web := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	app, _, _ := strings.Cut(env.Owner, " ") // the program, not the host that it runs on
	retryer := func() aws.Retryer { return aws.NopRetryer{} }
	if c.KeyID != "" {
		static := credentials.NewStaticCredentialsProvider(c.KeyID, c.Key.Reveal(), c.Token.Reveal())
		k.aws = aws.Config{Region: c.Region, Credentials: static, HTTPClient: web, Retryer: retryer, AppID: app, Logger: logging.Nop{}}
	} else {
		if os.Getenv("AWS_CA_BUNDLE") != "" {
			// The SDK takes it for a transport of its own only, which would not be the guarded one.
			return modules.Retry(modules.CodeTLS, errors.New(`aws_sqs: AWS_CA_BUNDLE is set, which hookd cannot use: unset it, and write "tls": {"ca_file": ...}`))
		}
		metadata := imds.ClientDisabled
		if c.Metadata {
			metadata = imds.ClientEnabled
		}
		k.aws, err = config.LoadDefaultConfig(ctx, config.WithHTTPClient(web), config.WithRetryer(retryer), config.WithRegion(c.Region),
			config.WithSharedConfigProfile(c.Profile), config.WithAppID(app), config.WithLogger(logging.Nop{}),
			config.WithEC2IMDSClientEnableState(metadata),
			// The one provider that does not use the configured client by itself.
			config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = web }))
		if err != nil {
			return k.failure(ctx, &credentialsError{err})
		}
	}
	if k.aws.Region == "" {
		k.aws.Region = defaultRegion
	}
	if c.Role != "" {
		k.aws.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(k.aws), c.Role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "hookd"
			if !c.ExternalID.IsZero() {
				o.ExternalID = aws.String(c.ExternalID.Reveal())
			}
		}))
	}
	if k.aws.Credentials == nil {
		return k.failure(ctx, &credentialsError{errors.New("there are none")})
	}
	k.aws.Credentials = named{k.aws.Credentials}
	if c.Endpoint.Host != "" {
		// After the credentials: a role is assumed where AWS is.
		k.aws.BaseEndpoint = aws.String(c.Endpoint.String())
		k.where = c.Endpoint.Host
	}
	if _, err := k.aws.Credentials.Retrieve(ctx); err != nil {
		return k.failure(ctx, err)
	}
	return nil
}

// Close ends what fetches credentials, and idle connections of its own. Nothing
// is left to flush: a send returns with the answer.
func (k *client) Close(context.Context) error {
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
