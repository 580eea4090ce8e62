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
	"github.com/hookd/hookd/modules/internal/awsconn"
)

// throttlePause is how long a queue that asked for time is left alone.
const throttlePause = time.Second

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
	return k.Failure(ctx, err, func(api smithy.APIError, answer *smithyhttp.Response) error {
		status := 0
		if answer != nil {
			status = answer.StatusCode
		}
		return k.refusal(api.ErrorCode(), api.ErrorMessage(), api.ErrorFault() != smithy.FaultServer && status < http.StatusInternalServerError, status)
	})
}

// refusal says what it means that SQS said no. Only what a message can never
// pass with is given up. The queue, rights and credentials are the operator's to
// cure, and rights come with a delay: nothing is lost meanwhile.
func (k *client) refusal(code, message string, sender bool, status int) error {
	if at := strings.LastIndexAny(code, "#."); at >= 0 { // "com.amazonaws.sqs#QueueDoesNotExist", "KMS.ThrottlingException"
		code = code[at+1:]
	}
	err := fmt.Errorf("aws_sqs: %s: %s: %s", k.Where, awsconn.Clip(code), awsconn.Clip(message))
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
