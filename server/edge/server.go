package edge

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
)

// NewServer is the server of the public listener, with every limit set. Serve
// it on NewListener.
func NewServer(o Options) *http.Server {
	o = o.withDefaults()
	return &http.Server{
		Handler:           NewHandler(o),
		ReadHeaderTimeout: o.HeaderTimeout,
		ReadTimeout:       o.HeaderTimeout + o.BodyTimeout, // timedBody extends it
		WriteTimeout:      o.MaxBodyTime + o.WaitTimeout + o.WriteTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    o.MaxHeader,
		ErrorLog:          log.New(debugLog{o.Log}, "", 0),
		// "OPTIONS *" is refused like every other target that is no path.
		DisableGeneralOptionsHandler: true,
	}
}

// NewListener bounds the connections of one address, and gives the errors that
// net/http writes by itself the form of all others.
func NewListener(l net.Listener, o Options) net.Listener {
	o = o.withDefaults()
	return &listener{Listener: l, o: o, open: make(map[site]int), raw: newRawErrors(o.Security)}
}

// debugLog takes what net/http has to say: mostly that clients went away.
type debugLog struct{ log *slog.Logger }

func (d debugLog) Write(p []byte) (int, error) {
	d.log.Log(context.Background(), slog.LevelDebug, "http server", "message", strings.TrimSpace(string(p)))
	return len(p), nil
}
