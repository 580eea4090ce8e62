package edge

import (
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// edge is the handler of the public listener. gin routes; what comes before
// routing needs no context of its own.
type edge struct {
	o        Options
	security securityHeaders
	ids      requestIDs
	engine   *gin.Engine
}

// NewHandler builds the handler of the public listener. Serve it with
// NewServer, which sets the limits that a handler cannot.
func NewHandler(o Options) http.Handler {
	e := &edge{o: o.withDefaults()}
	e.security = newSecurityHeaders(e.o.Security)
	e.ids = newRequestIDs()
	gin.SetMode(gin.ReleaseMode)
	e.engine = gin.New()
	g := e.engine
	g.UseRawPath = true // "%2f" is no separator
	g.RedirectTrailingSlash, g.RedirectFixedPath = false, false
	g.HandleMethodNotAllowed = true
	g.ForwardedByClientIP = false
	g.Use(e.contain)

	for _, m := range []string{
		http.MethodPost, http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		g.Handle(m, "/webhook/:id", e.hook)
		g.Handle(m, "/webhook/:id/:name", e.namespaced)
	}
	for _, m := range []string{http.MethodGet, http.MethodHead} {
		g.Handle(m, "/", e.short(e.root))
		g.Handle(m, "/health", e.short(e.health))
		g.Handle(m, "/healthz", e.short(e.live))
		g.Handle(m, "/readyz", e.short(e.ready))
	}
	for _, r := range o.Mount {
		g.Handle(r.Method, r.Path, e.short(gin.WrapH(r.Handler)))
	}
	g.NoRoute(notFound)
	g.NoMethod(noMethod)
	return e
}

func notFound(c *gin.Context) {
	writeProblem(c.Writer, problem{Status: http.StatusNotFound, Detail: "Not Found", Code: "not_found"})
}

// noMethod is for methods that no route has; gin has set Allow.
func noMethod(c *gin.Context) {
	if strings.HasPrefix(c.Request.URL.Path, "/webhook/") {
		c.Writer.Header()["Allow"] = allowPost
	}
	writeProblem(c.Writer, problem{Status: http.StatusMethodNotAllowed, Detail: "Method Not Allowed", Code: "method_not_allowed"})
}

// ServeHTTP does what holds for every request, then routes it.
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	e.security.set(h, e.overHTTPS(r))
	h[requestIDHeader] = e.ids.next()
	if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
		// A request may have carried both lengths; net/http drops one of them
		// silently and would go on reading. RFC 9112 section 6.1 demands to
		// close. Of an HTTP/1.0 request net/http drops Transfer-Encoding without
		// a trace, so each of these closes.
		h["Connection"] = closeConn
	}
	if why := badTarget(r); why != "" {
		h["Connection"] = closeConn
		writeProblem(w, problem{Status: http.StatusBadRequest, Detail: why, Code: "bad_request"})
		return
	}
	if e.cors(w, r) {
		return
	}
	e.engine.ServeHTTP(w, r)
}

// contain answers a panic with 500 and puts the stack into the log only.
func (e *edge) contain(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // the very value, by its contract
			panic(p)
		}
		e.o.Log.ErrorContext(c.Request.Context(), "panic while serving a request",
			"panic", panicText(p), "path", c.FullPath(), "request", c.Writer.Header().Get(requestIDHeader), "stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
		c.Writer.Header()["Connection"] = closeConn
		writeProblem(c.Writer, problem{Status: http.StatusInternalServerError, Detail: "Internal Server Error", Code: "internal"})
	}()
	c.Next()
}

// panicText is what of a panic may be logged: the errors of the runtime, and
// texts. Values of other types could hold a request.
func panicText(p any) string {
	switch v := p.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "value of another type"
}

// short bounds how long a client may take to read an answer that is not tiny.
func (e *edge) short(next gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(e.o.WriteTimeout))
		next(c)
	}
}
