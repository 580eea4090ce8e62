package awssqs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// throttlePause is how long a queue that asked for time is left alone.
	throttlePause = time.Second
	// maxMessage is what is kept of a text that the far end wrote, in bytes.
	maxMessage = 300
)

// Error codes of SQS and of what stands before it: API reference, "Common
// errors" and the errors of SendMessageBatch.
var (
	missing   = []string{"QueueDoesNotExist", "NonExistentQueue"}
	throttles = []string{
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded",
		"TooManyRequestsException", "KmsThrottled", "SlowDown",
	}
	rights = []string{
		"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId", "InvalidSecurity",
		"InvalidSignatureException", "KmsAccessDenied", "KmsOptInRequired", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized",
		"OptInRequired", "RequestExpired", "SignatureDoesNotMatch", "UnrecognizedClientException",
	}
	large = []string{"BatchRequestTooLong"}
)

// failure says what the error of a request means.
func (k *client) failure(ctx context.Context, err error) error {
	var (
		classified *modules.Failure
		login      *credentialsError
		api        smithy.APIError
		answer     *smithyhttp.ResponseError
		send       *smithyhttp.RequestSendError
		status     int
	)
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	switch {
	case errors.As(err, &classified):
		return err
	case ctx.Err() != nil:
		return link.Ended(ctx, fmt.Errorf("aws_sqs: %s: no answer", k.where))
	case errors.As(err, &login):
		return k.noCredentials(ctx, login)
	case errors.As(err, &api):
		return k.refusal(api.ErrorCode(), api.ErrorMessage(), api.ErrorFault() != smithy.FaultServer && status < http.StatusInternalServerError, status)
	case errors.As(err, &send):
		f := modules.FailureOf(link.Failure(ctx, send))
		f.Err = fmt.Errorf("aws_sqs: %s: %w", k.where, f.Err)
		return &f
	}
	// It answered, and what it said was no answer of SQS: another protocol, or a
	// sum of the body that is not the body's.
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("aws_sqs: %s: %s", k.where, clip(err.Error())))
}

// noCredentials tells that there are none from a network that keeps them away.
func (k *client) noCredentials(ctx context.Context, err *credentialsError) error {
	f := modules.FailureOf(link.Failure(ctx, err))
	if f.Code == modules.CodeUnavailable {
		f.Code = modules.CodeAuthFailed
	}
	hint := "set aws_access_key_id and aws_secret_access_key, or one of the sources that all AWS tools read"
	if f.Code == modules.CodeEgressDenied {
		hint = `"instance_metadata": true opens the service of the machine or the container`
	}
	f.Err = fmt.Errorf("aws_sqs: no credentials (%s): %w", hint, f.Err)
	return &f
}

// refusal says what it means that SQS said no. Only what a message can never
// pass with is given up. The queue, rights and credentials are the operator's to
// cure, and rights come with a delay: nothing is lost meanwhile.
func (k *client) refusal(code, message string, sender bool, status int) error {
	if at := strings.LastIndexAny(code, "#."); at >= 0 { // "com.amazonaws.sqs#QueueDoesNotExist", "KMS.ThrottlingException"
		code = code[at+1:]
	}
	err := fmt.Errorf("aws_sqs: %s: %s: %s", k.where, clip(code), clip(message))
	in := func(list []string) bool { return slices.Contains(list, code) }
	switch {
	case in(missing):
		return modules.Retry(modules.CodeNotFound, err)
	case in(throttles), status == http.StatusTooManyRequests:
		return modules.Throttle(modules.CodeThrottled, throttlePause, err)
	case in(rights), status == http.StatusUnauthorized, status == http.StatusForbidden:
		return modules.Retry(modules.CodeAuthFailed, err)
	case in(large), strings.Contains(message, "must be shorter than"), strings.Contains(message, "MessageTooLong"):
		return modules.Reject(modules.CodeTooLarge, err)
	case code == "InvalidMessageContents", message == "InvalidMessageContents":
		return modules.Reject(modules.CodeRefused, err)
	case sender:
		return modules.Retry(modules.CodeRefused, err)
	}
	return modules.Retry(modules.CodeUnavailable, err)
}

// aboutBatch reports a refusal of a whole request that may be for one message.
func aboutBatch(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (slices.Contains(large, strings.TrimPrefix(api.ErrorCode(), "AWS.SimpleQueueService.")) ||
		strings.HasPrefix(api.ErrorCode(), "Invalid") && !slices.Contains(rights, api.ErrorCode()))
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxMessage)], "") }
