// Package config reads webhooks.json and connections.json (or YAML, or a folder
// of them) into typed configuration with the place of everything. It knows the
// format of the original service and no module or proof by name: those come
// from the Catalog.
package config

import (
	"iter"
	"time"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

// Catalog tells what modules, proofs and presets there are.
type Catalog struct {
	Modules   []ModuleSpec
	Auth      []AuthSpec
	Providers []string // names of presets
	Unsigned  []string // those of them whose senders prove nothing
}

// ModuleSpec describes a module to the loader.
type ModuleSpec struct {
	Name            string
	Aliases         []string
	ConnectionTypes []string // empty: needs no connection
	Options         func() spec.Described
	Connection      func() spec.Described // nil where ConnectionTypes is empty
}

// AuthSpec describes a method of authentication to the loader.
type AuthSpec struct {
	Name    string // the key in a hook
	Options func() spec.Described
}

// Config is everything that the files say. It is read-only.
type Config struct {
	Hooks       []Hook // in file order
	Connections []Connection
}

// Hook is one entry of webhooks.json.
type Hook struct {
	ID          string
	Pos         diag.Pos // of the key
	Path        string   // "hooks.github"
	Description string
	Enabled     bool
	DataType    DataType

	ProofSet
	TrustedProxies []string

	RateLimit *RateLimit
	Schema    any // JSON Schema; nil is none
	SchemaPos diag.Pos
	Retry     *Retry // nil: the default policy
	Cleanup   *Cleanup
	Dedupe    *Dedupe
	Filter    *Expr
	Transform *Expr
	MaxBody   int64 // bytes; 0: the daemon's limit
	Response  Response

	Destinations []Destination // at least one
	Execution    Execution
	// ContinueOnError, in a sequential chain: a dead step starts the next.
	ContinueOnError bool
	ChainTimeout    time.Duration // of one step of a parallel chain; 0 is unset
}

// ProofSet is what a request must show: the provider's proof, every one of
// Proofs, every set of AllOf, and one set of AnyOf.
type ProofSet struct {
	At   diag.Pos // of the hook's key, or of the set in its list
	Root string   // path of the set: "hooks.github", "hooks.github.any_of[0]"

	Provider    string // preset; "" is none
	Unsigned    bool   // the sender of Provider proves nothing
	ProviderPos diag.Pos
	Secrets     []secret.String // for Provider
	SecretsPos  diag.Pos
	PublicURL   string            // as the sender sees the hook; "" unless set
	Tolerance   time.Duration     // for Provider; 0 is the preset's own
	Params      map[string]string // for Provider

	Proofs []Proof // in file order
	AllOf  []ProofSet
	AnyOf  []ProofSet // none: nothing is asked
}

// Sets yields the set and all that are in it.
func (s *ProofSet) Sets() iter.Seq[*ProofSet] {
	return func(yield func(*ProofSet) bool) { s.each(yield) }
}

func (s *ProofSet) each(yield func(*ProofSet) bool) bool {
	if !yield(s) {
		return false
	}
	for _, list := range [][]ProofSet{s.AllOf, s.AnyOf} {
		for i := range list {
			if !list[i].each(yield) {
				return false
			}
		}
	}
	return true
}

// Open reports whether the set asks for no proof: a sender that proves nothing
// is none.
func (s *ProofSet) Open() bool {
	for set := range s.Sets() {
		if set.Provider != "" && !set.Unsigned || len(set.Proofs) > 0 {
			return false
		}
	}
	return true
}

// DataType is how a body is read.
type DataType string

// The data types.
const (
	JSON DataType = "json"
	Form DataType = "form"
	Blob DataType = "blob"
)

// Execution is the order of a chain.
type Execution string

// The executions. A hook with one destination is sequential.
const (
	Sequential Execution = "sequential"
	Parallel   Execution = "parallel"
)

// Proof is one method of authentication with its options.
type Proof struct {
	Method  string
	Pos     diag.Pos
	Path    string // "hooks.github.hmac"
	Options spec.Described
}

// Destination is one step of a hook's chain, or its only module.
type Destination struct {
	Name       string // unique in the hook: "http_webhook-1", or as given
	Pos        diag.Pos
	Path       string // "hooks.github.chain[0]"
	Module     string // canonical name
	Connection string // for Config.Connection; "" where the module needs none
	Options    spec.Described
	Retry      *Retry // nil: the hook's
	Filter     *Expr
	Transform  *Expr
	// Concurrency is how many attempts run at once; 0: the daemon's default.
	Concurrency int
	Timeout     time.Duration // of one attempt; 0: the daemon's default
	Format      Format
}

// Format is what a destination gets.
type Format string

// The formats.
const (
	FormatPayload    Format = "payload"
	FormatEnvelope   Format = "envelope"
	FormatCloudEvent Format = "cloudevents"
)

// Connection is one entry of connections.json as one module reads it. A name is
// there once for each module that uses it: modules that share a type of
// connection need not share its description. The Name of a connection that no
// file names (the defaults of a module, the "redis" object of a hook) begins
// with "/", which no name in a file does.
type Connection struct {
	Name    string
	Pos     diag.Pos
	Type    string // as written
	Module  string // canonical name of the module that takes it
	Options spec.Described
	Hook    string // ID of the hook that holds it; "" for connections.json
}

// Connection finds the connection that a destination names, as its module reads
// it. It is nil when name is "".
func (c *Config) Connection(name, module string) *Connection {
	for i := range c.Connections {
		if x := &c.Connections[i]; name != "" && x.Name == name && x.Module == module {
			return x
		}
	}
	return nil
}

// Standalone is implemented by options of a module whose connection may be left
// out: it reports whether these have a url of their own, and with it all that a
// connection would say.
type Standalone interface{ Standalone() bool }

// Expr is a jq program with its place.
type Expr struct {
	Source string
	Pos    diag.Pos
}

// Retry is a retry policy. Delays grow from InitialDelay by Multiplier up to
// MaxDelay, with full jitter.
type Retry struct {
	Enabled      bool
	MaxAttempts  int // 1 to 20 in the original's files, more in new ones
	InitialDelay time.Duration
	MaxDelay     time.Duration
	Multiplier   float64
}

// RateLimit is a sliding window.
type RateLimit struct {
	Enabled   bool
	Max       int // 0 refuses all
	Window    time.Duration
	PerClient bool // count each client address on its own
}

// Cleanup masks or removes credentials in bodies.
type Cleanup struct {
	Enabled bool
	Remove  bool // instead of masking
	Fields  []string
}

// Dedupe says what makes two requests the same.
type Dedupe struct {
	Key    string // "header:NAME", "query:NAME", or jq; "" is the preset's
	KeyPos diag.Pos
	Window time.Duration
}

// Response is what a sender is told on acceptance.
type Response struct {
	Status  int    // 0 is 200
	Body    string // "" is the usual JSON
	Headers map[string]string
	Wait    Wait
}

// Wait says when the answer is sent.
type Wait string

// The waits.
const (
	WaitAccepted  Wait = "accepted"
	WaitDelivered Wait = "delivered"
)

// LaneName is the lane of a destination of a hook.
func LaneName(hook, destination string) string { return hook + "/" + destination }
