package server

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/plan"
)

// Options is everything that the daemon is told. cmd fills it from flags,
// environment and hookd.yaml; a zero duration or size is not a default but
// zero, so cmd always sets them.
type Options struct {
	Version string
	Dev     bool // a demo hook when there is no file, loopback destinations, loud answers

	Modules *modules.Registry
	Auth    *auth.Registry
	Catalog config.Catalog // of the two registries

	Files   Files
	Listen  string // "host:port" of the public listener
	Admin   Admin
	DataDir string
	Queue   Queue
	// Quarantine keeps requests that a proof refused.
	Quarantine Quarantine
	Delivery   Delivery
	EventLog   EventLog
	Egress     Egress
	Limits     Limits
	Edge       Edge
	Stats      Stats
	Compat     Compat

	// CleanupDefault cleans bodies of hooks that have no credential_cleanup, as
	// the original service did.
	CleanupDefault bool
	// ReloadToken opens /admin/reload-config and /admin/config-status on the
	// public listener; zero leaves them closed.
	ReloadToken secret.String
	// OpenAPIBaseURL is servers[0].url of /openapi.json.
	OpenAPIBaseURL string
	DocsDisabled   bool

	// Reload, when it receives, makes the daemon read its files again (SIGHUP).
	Reload <-chan struct{}
	// Watch reads the files again when they changed and were then quiet for
	// Debounce.
	Watch    bool
	Debounce time.Duration

	Log *slog.Logger
	// Started is called once, when both listeners are open.
	Started func(Started)
}

// Files says where the configuration is.
type Files struct {
	Webhooks    string // file or folder
	Connections string
	// Lookup finds a variable of a {$NAME} reference.
	Lookup func(name string) (string, bool)
}

// Admin is the admin listener.
type Admin struct {
	Listen string // "" is off
	Token  secret.String
	Hosts  []string // Host headers that are allowed besides loopback
	Pprof  bool
}

// Queue bounds the embedded queue. Sizes are bytes.
type Queue struct {
	MaxDisk      int64
	MinFree      int64
	HistoryAge   time.Duration
	HistoryBytes int64
	DeadAge      time.Duration
	// UnsafeNoSync does not wait for the disk: a power cut loses what was
	// accepted. It exists for the negative control of the power-cut test.
	UnsafeNoSync bool
}

// Quarantine bounds what is kept of requests that a proof refused. Sizes are
// bytes.
type Quarantine struct {
	Enabled    bool
	MaxEntries int
	MaxBytes   int64
	MaxBody    int64
	PerMinute  int // of one hook
	MaxAge     time.Duration
}

// Delivery sets the defaults of lanes.
type Delivery struct {
	Timeout     time.Duration // of one attempt
	Concurrency int           // of one lane
	Global      int           // of all lanes
	Grace       time.Duration // for attempts in flight at shutdown
}

// EventLog is a table that every accepted event is written to besides.
type EventLog = plan.EventLogSettings

// Egress says where hookd may connect to.
type Egress struct {
	Allow         []string // hosts, addresses, CIDRs
	AllowLoopback bool
	AllowPrivate  bool
}

// Limits bounds what a stranger may send.
type Limits struct {
	Body        int64 // bytes
	Header      int   // bytes of the header section
	Depth       int   // containers
	String      int   // bytes of one string or key
	ConnsPerIP  int   // open connections from one address; 0 is no limit
	HeaderTime  time.Duration
	BodyTime    time.Duration
	IdleTime    time.Duration
	WriteTime   time.Duration
	MinBodyRate int64 // bytes per second, after BodyTime's first share; 0 is any rate
}

// Edge sets the answers of the public listener.
type Edge struct {
	CORSOrigins    []string
	CSP            string
	ForceHTTPS     bool
	HSTSMaxAge     int // seconds
	HSTSSubdomains bool
	HSTSPreload    bool
	TrustedProxies []netip.Prefix // for X-Forwarded-Proto, /stats and /
	RootRateLimit  int            // of GET / per minute and address
}

// Stats guards GET /stats.
type Stats struct {
	Token       secret.String
	AllowedIPs  []string
	RateLimit   int // per minute and address
	SanitizeIDs bool
}

// Compat brings back behaviour of the original service.
type Compat struct {
	StatusCodes string // "hookd" or "original"
}

// ConfigError is returned by Run when the configuration has errors. Nothing was
// started.
type ConfigError struct {
	Problems diag.List
	Sources  config.Sources
}

// Error counts the errors; the problems have their places.
func (e *ConfigError) Error() string {
	n := 0
	for _, p := range e.Problems {
		if p.Severity == diag.Error {
			n++
		}
	}
	if n == 1 {
		return "the configuration has an error: " + e.Problems[0].Pos.String() + ": " + e.Problems[0].Message
	}
	return fmt.Sprintf("the configuration has %d errors", n)
}

// Started says what came up.
type Started struct {
	Listen   string // with the real port
	Admin    string // "" when off
	Hooks    []StartedHook
	Problems diag.List // warnings
	Sources  config.Sources
}

// StartedHook is one hook for the banner.
type StartedHook struct {
	ID       string
	Path     string // "/webhook/github"
	Provider string
	Auth     []string
	Lanes    []string
}
