package admin

import (
	"net/http"
	"net/http/pprof" //nolint:gosec // nothing serves the default mux
	"runtime"
	"time"

	"github.com/gin-gonic/gin"
)

func (a *api) version(c *gin.Context) {
	c.JSON(http.StatusOK, Version{Version: a.Version, Go: runtime.Version(), Started: a.Started})
}

func (a *api) healthz(c *gin.Context) {
	if a.Ready != nil {
		if err := a.Ready(c.Request.Context()); err != nil {
			c.JSON(http.StatusServiceUnavailable, Health{Status: "unready", Reason: err.Error()})
			return
		}
	}
	c.JSON(http.StatusOK, Health{Status: "ok"})
}

func (a *api) hooks(c *gin.Context) {
	hooks := a.Hooks()
	for i := range hooks {
		if hooks[i].Auth == nil {
			hooks[i].Auth = []string{}
		}
		if hooks[i].Lanes == nil {
			hooks[i].Lanes = []string{}
		}
	}
	if hooks == nil {
		hooks = []Hook{}
	}
	c.JSON(http.StatusOK, Hooks{Hooks: hooks})
}

func (a *api) reload(c *gin.Context) {
	var q ReloadRequest
	if !decode(c, &q) {
		return
	}
	res, err := a.Reload(c.Request.Context(), q)
	if err != nil {
		a.fail(c, err)
		return
	}
	status := http.StatusOK
	if !res.OK {
		status = http.StatusUnprocessableEntity
	}
	if res.Time.IsZero() {
		res.Time = time.Now()
	}
	c.JSON(status, res)
}

func (a *api) openapi(c *gin.Context) {
	b, err := OpenAPI(a.Version)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.Data(http.StatusOK, jsonType, b)
}

// mountPprof bounds no time: a profile takes as long as was asked for. The
// command line is not shown: it may hold a token.
func mountPprof(r *gin.Engine) {
	p := r.Group("/debug/pprof", func(c *gin.Context) {
		// The connection may still have the deadline of an earlier call.
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{})
		c.Next()
	})
	p.GET("/", gin.WrapF(pprof.Index))
	p.GET("/profile", gin.WrapF(pprof.Profile))
	p.GET("/symbol", gin.WrapF(pprof.Symbol))
	p.GET("/trace", gin.WrapF(pprof.Trace))
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		p.GET("/"+name, gin.WrapH(pprof.Handler(name)))
	}
}
