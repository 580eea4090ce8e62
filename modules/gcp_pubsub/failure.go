package gcppubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	throttlePause = time.Second
	maxMessage    = 300 // bytes kept of a text that the far end wrote
)

// failure says what the error of a request means. Only what a message can never
// pass with is given up: the topic and rights are the operator's to cure, and
// rights come with a delay.
func (k *client) failure(ctx context.Context, err error) error {
	var classified *modules.Failure
	if errors.As(err, &classified) {
		return err
	}
	s := status.Convert(err)
	text := fmt.Errorf("gcp_pubsub: %s: %s: %s", k.addr, s.Code(), clip(s.Message()))
	if ctx.Err() != nil {
		return link.Ended(ctx, text)
	}
	if tooLarge(err) {
		return modules.Reject(modules.CodeTooLarge, text)
	}
	switch s.Code() { //nolint:exhaustive // the others are tried again
	case codes.NotFound:
		return modules.Retry(modules.CodeNotFound, text)
	case codes.PermissionDenied, codes.Unauthenticated:
		return modules.Retry(modules.CodeAuthFailed, text)
	case codes.ResourceExhausted:
		return modules.Throttle(modules.CodeThrottled, throttlePause, text)
	case codes.InvalidArgument, codes.OutOfRange:
		return modules.Reject(modules.CodeRefused, text)
	case codes.Unimplemented:
		return modules.Retry(modules.CodeBadAnswer, text)
	case codes.DeadlineExceeded:
		return modules.Retry(modules.CodeTimeout, text)
	}
	switch denied := k.denied.Load(); {
	case denied != nil:
		return modules.Retry(modules.CodeEgressDenied, fmt.Errorf("gcp_pubsub: %s: %w", k.addr, denied))
	case strings.Contains(s.Message(), "authentication handshake failed"):
		return modules.Retry(modules.CodeTLS, text)
	case k.gone():
		// gRPC would wait longer and longer before it connects again.
		return modules.Disconnect(text)
	}
	return modules.Retry(modules.CodeUnavailable, text)
}

// tooLarge tells a limit of gRPC, which emulators and proxies leave at 4 MiB, from
// a quota: both have one code.
func tooLarge(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(status.Convert(err).Message(), "larger than max")
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxMessage)], "") }
