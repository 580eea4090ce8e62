package edge

import (
	"io"
	"net/http"
	"time"
)

// smallBody is read under BodyTimeout alone: setting a deadline costs as much
// as reading it.
const smallBody = 16 << 10

// timedBody gives a large body more time than BodyTimeout, one second for
// every MinRate bytes that came, so that a slow sender who keeps on sending is
// served and one who trickles is not.
type timedBody struct {
	e     *edge
	w     http.ResponseWriter
	r     io.Reader
	start time.Time // when it turned out not to be small
	n     int       // bytes so far
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += n; b.n > smallBody && err == nil {
		o := &b.e.o
		if b.start.IsZero() {
			b.start = time.Now()
		}
		allowed := o.MaxBodyTime
		if o.MinRate > 0 {
			allowed = min(allowed, o.BodyTimeout+time.Duration(float64(b.n)/float64(o.MinRate)*float64(time.Second)))
		}
		// Not every writer can; then the server's own limit stays.
		_ = http.NewResponseController(b.w).SetReadDeadline(b.start.Add(allowed))
	}
	return n, err
}
