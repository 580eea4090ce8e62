package link

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// Gone reports the error of a connection that the other side has ended.
func Gone(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
