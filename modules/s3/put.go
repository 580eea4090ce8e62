package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// codeNotEncrypted is an object that was stored without the encryption that was
// asked for.
const codeNotEncrypted = "s3_not_encrypted"

// destination stores an object for each delivery.
type destination struct {
	client *client
	o      *Options
	naming naming
}

func newDestination(_ modules.Env, k *client, o *Options) (modules.Destination, error) {
	d := destination{client: k, o: o, naming: o.naming()}
	if o.NDJSON {
		return &batches{d}, nil
	}
	return &d, nil
}

// Send stores one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	return d.put(ctx, d.o.single(d.naming, x))
}

// put stores an object. It is there when S3 answers with its tag.
func (d *destination) put(ctx context.Context, x object) (event.Receipt, error) {
	if ctx.Err() != nil {
		return event.Receipt{}, link.Ended(ctx, errors.New("s3: not sent"))
	}
	stored := event.Receipt{Status: "s3://" + d.o.Bucket + "/" + x.key}
	out, err := d.client.s3.PutObject(ctx, d.o.request(x))
	var api smithy.APIError
	switch {
	case err != nil && d.o.IfExists == keep && errors.As(err, &api) && api.ErrorCode() == "PreconditionFailed":
		return event.Receipt{Status: stored.Status + " was there already"}, nil
	case err != nil:
		return event.Receipt{}, d.failure(ctx, x.key, err)
	case aws.ToString(out.ETag) == "":
		return event.Receipt{}, modules.Retry(modules.CodeBadAnswer, fmt.Errorf("s3: %s: the answer has no tag of the object: is it S3 that answers?", d.client.Where))
	case d.o.SSE != "" && out.ServerSideEncryption != d.o.SSE:
		return event.Receipt{}, modules.Retry(codeNotEncrypted, fmt.Errorf("s3: %s: bucket %q, key %q: stored without %s, which the far end does not know: set it up there, or remove server_side_encryption",
			d.client.Where, d.o.Bucket, x.key, d.o.SSE))
	}
	if v := aws.ToString(out.VersionId); v != "" {
		stored.Status += " version " + v
	}
	return stored, nil
}
