package httpwebhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

const (
	// codeTLS is a certificate or handshake that was refused.
	codeTLS = "http_tls"
)

// answerFailure says what a status means: nil for 2xx only.
func answerFailure(resp *http.Response, host, text string, now time.Time) error {
	n := resp.StatusCode
	if n >= 200 && n <= 299 {
		return nil
	}
	code := "http_" + strconv.Itoa(n)
	err := fmt.Errorf("http_webhook: %s answered %d %s%s", host, n, http.StatusText(n), text)
	after, asked := link.RetryAfter(resp.Header.Get("Retry-After"), now)
	switch {
	case n >= 100 && n <= 199:
		return modules.Retry(modules.CodeBadAnswer, err)
	case n >= 300 && n <= 399:
		return modules.Retry(code, fmt.Errorf("%w (redirects are not followed)", err))
	case n == http.StatusTooManyRequests, asked && n >= 500, asked && transient(n):
		return modules.Throttle(code, after, err)
	case n >= 500, transient(n):
		return modules.Retry(code, err)
	}
	return modules.Reject(code, err)
}

// transient are the 4xx that another attempt may cure.
func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return false
}

// sendFailure says what an error of the transport means. Its text names the
// host, never the URL.
func sendFailure(ctx context.Context, host string, err error) error {
	wrapped := fmt.Errorf("http_webhook: %s: %w", host, err)
	var (
		denied *netguard.Denied
		op     *net.OpError
		dns    *net.DNSError
		verify *tls.CertificateVerificationError
		alert  tls.AlertError
		record tls.RecordHeaderError
		x509s  x509.UnknownAuthorityError
		timed  net.Error
	)
	switch {
	case errors.As(err, &denied):
		return modules.Retry(modules.CodeEgressDenied, wrapped)
	case errors.Is(ctx.Err(), context.Canceled):
		return modules.Retry(modules.CodeShutdown, fmt.Errorf("http_webhook: %s: %w", host, ctx.Err()))
	case ctx.Err() != nil, errors.As(err, &timed) && timed.Timeout():
		return modules.Retry(modules.CodeTimeout, wrapped)
	case errors.As(err, &verify), errors.As(err, &alert), errors.As(err, &record), errors.As(err, &x509s):
		return modules.Retry(codeTLS, wrapped)
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return modules.Retry(modules.CodeUnavailable, wrapped)
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return modules.Retry(modules.CodeConnectionLost, wrapped)
	}
	// What is left is an answer that net/http could not read; its error may
	// quote the far end's bytes.
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("http_webhook: %s: %s", host, printable(err.Error()[:min(len(err.Error()), maxExcerpt)])))
}
