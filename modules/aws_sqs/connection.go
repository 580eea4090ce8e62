package awssqs

import (
	"context"

	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/awsconn"
)

// Connection describes an account and where SQS is reached.
type Connection struct{ awsconn.Connection }

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return append(c.Connection.Fields(), spec.Ignored("queue_url", "the queue is an option of each destination"))
}

type client struct{ *awsconn.Client }

func open(ctx context.Context, env modules.Env, c *Connection) (*client, error) {
	k, err := awsconn.Open(ctx, env, "aws_sqs", "SQS", &c.Connection)
	if err != nil {
		return nil, err
	}
	return &client{k}, nil
}
