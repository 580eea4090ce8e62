package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/awsconn"
)

// addressing is where a request names its bucket.
type addressing string

const (
	addressAuto    addressing = "auto"
	addressPath    addressing = "path"
	addressVirtual addressing = "virtual"
)

// Connection describes an account and where S3, or a server that speaks its
// protocol, is reached.
type Connection struct {
	awsconn.Connection
	Addressing addressing
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return append(c.Connection.Fields(),
		spec.Enum(&c.Addressing, "addressing_style", addressAuto, addressPath, addressVirtual).Default(addressAuto).Advanced().
			Doc("Where a request names the bucket: in the `path` of the URL, or in its host (`virtual`). `auto` is the path with `endpoint_url`, which most servers other than AWS want, and the host without."))
}

// client is an open connection.
type client struct {
	*awsconn.Client
	s3 *s3.Client
}

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k, err := awsconn.Open(ctx, env, "s3", "S3", &c.Connection)
	if err != nil {
		return nil, err
	}
	return &client{Client: k, s3: s3.NewFromConfig(k.AWS, func(o *s3.Options) {
		o.UsePathStyle = c.Addressing == addressPath || c.Addressing != addressVirtual && c.Endpoint.Host != ""
		// hookd gives the sum itself, before the body: what the SDK would do is a
		// trailer, which many servers other than AWS do not know.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})}, nil
}
