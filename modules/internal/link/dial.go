package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
)

// Dial connects through the guard, and shakes hands where cfg is not nil. raw is
// the connection below TLS: closing it ends everything at once, without a
// farewell that could take its time. A failure is classified.
func Dial(ctx context.Context, env modules.Env, addr string, cfg *tls.Config) (raw, conn net.Conn, err error) {
	raw, err = env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, Failure(ctx, err)
	}
	if cfg == nil {
		return raw, raw, nil
	}
	secured := tls.Client(raw, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, nil, Failure(ctx, err)
	}
	return raw, secured, nil
}

// Failure says what an error of the network means. Everything here may heal, so
// everything is tried again.
func Failure(ctx context.Context, err error) error {
	var (
		denied *netguard.Denied
		verify *tls.CertificateVerificationError
		alert  tls.AlertError
		record tls.RecordHeaderError
		signer x509.UnknownAuthorityError
		timed  net.Error
		op     *net.OpError
	)
	switch {
	case errors.As(err, &denied):
		return modules.Retry(modules.CodeEgressDenied, err)
	case ctx.Err() != nil:
		return Ended(ctx, err)
	case errors.As(err, &verify), errors.As(err, &alert), errors.As(err, &record), errors.As(err, &signer):
		return modules.Retry(modules.CodeTLS, err)
	case errors.As(err, &op) && op.Op == "remote error": // crypto/tls: an alert of the other side
		return modules.Retry(modules.CodeTLS, err)
	case errors.As(err, &timed) && timed.Timeout():
		return modules.Retry(modules.CodeTimeout, err)
	}
	return modules.Retry(modules.CodeUnavailable, err)
}

// Ended is the failure of a send whose context ended before the far end
// answered: its time was over, or hookd shuts down. It wraps the context's error
// and says what was waited for.
func Ended(ctx context.Context, what error) error {
	code := modules.CodeTimeout
	if errors.Is(ctx.Err(), context.Canceled) {
		code = modules.CodeShutdown
	}
	return modules.Retry(code, errors.Join(what, ctx.Err()))
}
