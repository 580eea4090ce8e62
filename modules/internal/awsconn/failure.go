package awsconn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// maxMessage is what is kept of a text that the far end wrote, in bytes.
const maxMessage = 300

// Failure says what the error of a request means. What the service itself said
// is for refusal to tell: its error, and the answer that it came with, nil when
// there is none.
func (k *Client) Failure(ctx context.Context, err error, refusal func(api smithy.APIError, answer *smithyhttp.Response) error) error {
	if f := k.unanswered(ctx, err); f != nil {
		return f
	}
	var (
		api    smithy.APIError
		answer *smithyhttp.ResponseError
	)
	if !errors.As(err, &api) {
		// It answered, and what it said was no answer of the service: another
		// protocol, or a sum of the body that is not the body's.
		return k.garbled(err)
	}
	if errors.As(err, &answer) {
		return refusal(api, answer.Response)
	}
	return refusal(api, nil)
}

// Unanswered is the failure of a request that the service gave no answer to.
func (k *Client) Unanswered(ctx context.Context, err error) error {
	if f := k.unanswered(ctx, err); f != nil {
		return f
	}
	return k.garbled(err)
}

func (k *Client) garbled(err error) error {
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("%s: %s: %s", k.module, k.Where, Clip(err.Error())))
}

// unanswered is nil when there was an answer.
func (k *Client) unanswered(ctx context.Context, err error) error {
	var (
		classified *modules.Failure
		login      *credentialsError
		send       *smithyhttp.RequestSendError
		api        smithy.APIError
	)
	switch {
	case errors.As(err, &classified):
		return err
	case ctx.Err() != nil:
		return link.Ended(ctx, fmt.Errorf("%s: %s: no answer", k.module, k.Where))
	case errors.As(err, &login):
		return k.noCredentials(ctx, login)
	case errors.As(err, &api):
		return nil
	case errors.As(err, &send):
		f := modules.FailureOf(link.Failure(ctx, send))
		f.Err = fmt.Errorf("%s: %s: %w", k.module, k.Where, f.Err)
		return &f
	}
	return nil
}

// noCredentials tells that there are none from a network that keeps them away.
func (k *Client) noCredentials(ctx context.Context, err *credentialsError) error {
	f := modules.FailureOf(link.Failure(ctx, err))
	if f.Code == modules.CodeUnavailable {
		f.Code = modules.CodeAuthFailed
	}
	hint := "set aws_access_key_id and aws_secret_access_key, or one of the sources that all AWS tools read"
	if f.Code == modules.CodeEgressDenied {
		hint = `"instance_metadata": true opens the service of the machine or the container`
	}
	f.Err = fmt.Errorf("%s: no credentials (%s): %w", k.module, hint, f.Err)
	return &f
}

// Clip is a text that the far end wrote, short enough for a message.
func Clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxMessage)], "") }
