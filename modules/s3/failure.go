package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/awsconn"
	"github.com/hookd/hookd/modules/internal/link"
)

// Codes of failures that only S3 has.
const (
	codeRegion = "s3_wrong_region" // the bucket is elsewhere
	codeClock  = "s3_clock_skew"   // the clocks differ
)

// throttlePause is how long a bucket that asked for time, and did not say how
// long, is left alone.
const throttlePause = time.Second

// Error codes: S3 API reference, "Error responses", and those of other servers
// that speak the protocol.
var (
	elsewhere = []string{"PermanentRedirect", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently"}
	throttles = []string{"SlowDown", "ServiceUnavailable", "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests", "BandwidthLimitExceeded", "KMS.ThrottlingException"}
	rights    = []string{
		"AccessDenied", "AccessPointNotOwnedByYou", "AccountProblem", "AllAccessDisabled", "ExpiredToken", "Forbidden", "InvalidAccessKeyId", "InvalidPayer",
		"InvalidSecurity", "InvalidToken", "NotSignedUp", "RequestExpired", "SignatureDoesNotMatch", "TokenRefreshRequired", "Unauthorized", "UnauthorizedAccess",
		"KMS.AccessDeniedException", "XMinioAdminUserDisabled",
	}
	large   = []string{"EntityTooLarge", "MaxMessageLengthExceeded", "RequestEntityTooLarge", "RequestTooLarge"}
	refused = []string{"InvalidObjectName", "InvalidURI", "KeyTooLongError", "MetadataTooLarge", "XMinioInvalidObjectName", "XMinioObjectExistsAsDirectory", "XMinioParentIsObject"}
	full    = []string{"InsufficientCapacity", "QuotaExceeded", "StorageFull", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"}
	passing = []string{ // may have been changed on the way, or met another request
		"BadDigest", "ConditionalRequestConflict", "IncompleteBody", "InternalError", "OperationAborted", "RequestTimeout", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch",
	}
)

// failure says what the error of a request for a key means; key is "" where it is
// for the bucket. Only what an object can never pass with is given up. The bucket,
// rights, credentials, the region and the clock are the operator's to cure, and
// rights come with a delay: nothing is lost meanwhile.
func (d *destination) failure(ctx context.Context, key string, err error) error {
	var (
		api    smithy.APIError
		answer *smithyhttp.ResponseError
	)
	if ctx.Err() == nil && !errors.As(err, &api) && errors.As(err, &answer) && telling(answer.HTTPStatusCode()) {
		// Of a proxy in between, in a form of its own.
		text := http.StatusText(answer.HTTPStatusCode())
		return d.refusal(key, &smithy.GenericAPIError{Code: "not S3", Message: fmt.Sprintf("%d %s", answer.HTTPStatusCode(), text)}, answer.Response)
	}
	return d.client.Failure(ctx, err, func(api smithy.APIError, answer *smithyhttp.Response) error {
		return d.refusal(key, api, answer)
	})
}

// telling reports a status that says enough by itself.
func telling(status int) bool {
	return status == http.StatusRequestEntityTooLarge || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

func (d *destination) refusal(key string, api smithy.APIError, answer *smithyhttp.Response) error {
	code, status, header := api.ErrorCode(), 0, http.Header{}
	if answer != nil {
		status, header = answer.StatusCode, answer.Header
	}
	where := fmt.Sprintf("s3: %s: bucket %q", d.client.Where, d.o.Bucket)
	if key != "" {
		where += fmt.Sprintf(", key %q", key)
	}
	say := func(hint string) error {
		if hint != "" {
			hint = " (" + hint + ")"
		}
		text := awsconn.Clip(code)
		if m := api.ErrorMessage(); m != "" {
			text += ": " + awsconn.Clip(m)
		}
		return fmt.Errorf("%s: %s%s", where, text, hint)
	}
	in := func(list []string) bool { return slices.Contains(list, code) }
	switch {
	case code == "RequestTimeTooSkewed":
		return modules.Retry(codeClock, say(clocks(header.Get("Date"), time.Now())))
	case in(elsewhere), status/100 == 3:
		return modules.Retry(codeRegion, say(d.region(header.Get("X-Amz-Bucket-Region"))))
	case in(throttles), status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		after, asked := link.RetryAfter(header.Get("Retry-After"), time.Now())
		if !asked {
			after = throttlePause
		}
		return modules.Throttle(modules.CodeThrottled, after, say(""))
	case in(rights), status == http.StatusUnauthorized, status == http.StatusForbidden && !in(passing):
		return modules.Retry(modules.CodeAuthFailed, say("credentials and rights are the connection's; s3:PutObject is needed"))
	case code == "NoSuchBucket", status == http.StatusNotFound:
		return modules.Retry(modules.CodeNotFound, say(`create the bucket, or correct "bucket"`))
	case in(large), status == http.StatusRequestEntityTooLarge:
		return modules.Reject(modules.CodeTooLarge, say(""))
	case in(refused):
		return modules.Reject(modules.CodeRefused, say(""))
	case in(full), status == http.StatusInsufficientStorage:
		return modules.Retry(modules.CodeDiskFull, say(""))
	case status == http.StatusNotImplemented: // an option that this server does not know
		return modules.Retry(modules.CodeRefused, say(""))
	case in(passing), status >= http.StatusInternalServerError, api.ErrorFault() == smithy.FaultServer:
		return modules.Retry(modules.CodeUnavailable, say(""))
	}
	return modules.Retry(modules.CodeRefused, say(""))
}

// region tells where the bucket is, if the answer did.
func (d *destination) region(actual string) string {
	have := d.client.AWS.Region
	if actual == "" || actual == have {
		return fmt.Sprintf("the connection's region is %q: the bucket is in another, or at another endpoint_url", have)
	}
	return fmt.Sprintf("the bucket is in %q, the connection's region is %q: correct \"region_name\"", awsconn.Clip(actual), have)
}

// clocks tells both. The SDK signs the next request with the time of the far end,
// so that it heals by itself while the program runs.
func clocks(theirs string, ours time.Time) string {
	if at, err := http.ParseTime(theirs); err == nil {
		theirs = at.UTC().Format(time.RFC3339)
	} else {
		theirs = "not told"
	}
	return fmt.Sprintf("the clock here says %s, there %s: set the clock of this machine", ours.UTC().Format(time.RFC3339), theirs)
}
