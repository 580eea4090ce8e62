package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/hookd/hookd/modules"
)

// mismatches are the answers to a body that is not what its sum says.
var mismatches = []string{"BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest"}

// checkName is the name of an object that is never stored.
const checkName = ".hookd-check"

// Check looks whether the bucket is there and whether objects may be put into it.
// Nothing is stored: the object is sent with the sum of another, which is refused
// after the rights were looked at.
func (d *destination) Check(ctx context.Context) error {
	_, err := d.client.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &d.o.Bucket, ExpectedBucketOwner: optional(d.o.Owner)})
	// Who may only put has no right to look at the bucket; and other refusals say
	// why only where the answer has a body.
	if err = d.checked(ctx, "", err); err != nil {
		if code := modules.FailureOf(err).Code; code != modules.CodeAuthFailed && code != modules.CodeRefused {
			return err
		}
	}
	fixed, _, _ := strings.Cut(d.o.Prefix, "{") // rights may end at a prefix
	key := tidy(fixed + "/" + checkName)
	in := d.o.empty(key)
	d.o.fill(in, []byte("hookd"), d.o.sumOf([]byte("another")))
	_, err = d.client.s3.PutObject(ctx, in)
	var api smithy.APIError
	if errors.As(err, &api) {
		for _, code := range mismatches {
			if api.ErrorCode() == code {
				return nil
			}
		}
	}
	if err != nil {
		return d.checked(ctx, key, err)
	}
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("s3: %s: bucket %q: it took an object with a wrong checksum (%q; delete it): what it stores may not be what was sent",
		d.client.Where, d.o.Bucket, key))
}

func (d *destination) checked(ctx context.Context, key string, err error) error {
	if err == nil {
		return nil
	}
	return d.failure(ctx, key, err)
}
