package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/internal/diag"
	"github.com/hookd/hookd/internal/spec"
)

// Fields of a retry policy: the original service's names and defaults, except
// that a block that does not say "enabled" is on.
func (r *Retry) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&r.Enabled, "enabled").Default(true).Doc("Off: one attempt, then the dead letters."),
		spec.Int(&r.MaxAttempts, "max_attempts").Default(3).Doc("Attempts in all, from 1 to 20. A number outside is clamped, with a warning."),
		spec.Duration(&r.InitialDelay, "initial_delay").Default(time.Second).Range(0, 86400).
			Doc("Wait before the second attempt. A plain number is clamped to 60 seconds, as in the original service; `\"5m\"` is not."),
		spec.Duration(&r.MaxDelay, "max_delay").Default(time.Minute).Range(0, 86400).
			Doc("Longest wait. A plain number is clamped to 60 seconds, as in the original service; `\"4h\"` is not."),
		spec.Float(&r.Multiplier, "backoff_multiplier").Alias("multiplier").Default(2).
			Doc("Growth of the wait from one attempt to the next, from 0.1 to 10. A number outside is clamped, with a warning."),
		spec.Ignored("retryable_errors", "hookd decides by what the far end answered, not by the names of Python exceptions."),
		spec.Ignored("non_retryable_errors", "hookd decides by what the far end answered, not by the names of Python exceptions."),
	}
}

// asOriginal takes what the original service took of a retry policy, though it
// could not use it, and turns the errors about it into warnings: it made three
// attempts of what is no whole number, and clamped every delay.
func (r *Retry) asOriginal(problems diag.List, n *spec.Node, path string) {
	took := func(p *diag.Problem, what string) {
		p.Severity, p.Code, p.Message, p.Hint = diag.Warning, "clamped", what, ""
	}
	for i := range problems {
		p := &problems[i]
		key, ok := strings.CutPrefix(p.Path, path+".")
		v := n.Get(key)
		if !ok || v == nil || p.Severity != diag.Error {
			continue
		}
		switch {
		case key == "max_attempts" && p.Code == "bad_type":
			if r.MaxAttempts = 3; v.Kind == spec.NodeBool {
				r.MaxAttempts = 1
			}
			took(p, fmt.Sprintf("%s is no whole number and means %d", v.Quote(), r.MaxAttempts))
		case (key == "initial_delay" || key == "max_delay") && p.Code == "out_of_range" && isPlain(v):
			d, text := time.Minute, "60 s"
			if strings.HasPrefix(v.Text, "-") {
				d, text = 0, "0 s"
			}
			if key == "initial_delay" {
				r.InitialDelay = d
			} else if r.MaxDelay = d; d == 0 {
				text = "initial_delay"
			}
			took(p, fmt.Sprintf("%s is clamped to %s", v.Quote(), text))
		}
	}
}

// isPlain reports a delay without a unit.
func isPlain(n *spec.Node) bool { return !strings.ContainsAny(n.Text, "smhd") }

// clamp bounds a decoded policy as the original service does, and says so.
// problems are those of the decoding; with an error among those of the policy
// there is nothing to clamp.
func (l *loader) clamp(r *Retry, problems diag.List, n *spec.Node, path string) {
	r.asOriginal(problems, n, path)
	if slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Error && strings.HasPrefix(p.Path, path) }) {
		return
	}
	warn := func(key string, used any, hint string) {
		if v := n.Get(key, "multiplier"); v != nil {
			l.warn(v, spec.JoinPath(path, key), "clamped", fmt.Sprintf("%s is clamped to %v", v.Quote(), used), hint)
		}
	}
	if c := min(max(r.MaxAttempts, 1), 20); c != r.MaxAttempts {
		r.MaxAttempts = c
		warn("max_attempts", c, "from 1 to 20 attempts")
	}
	if c := min(max(r.Multiplier, 0.1), 10); c != r.Multiplier {
		r.Multiplier = c
		warn("backoff_multiplier", c, "from 0.1 to 10")
	}
	for key, d := range map[string]*time.Duration{"initial_delay": &r.InitialDelay, "max_delay": &r.MaxDelay} {
		v := n.Get(key)
		if v != nil && *d > time.Minute && isPlain(v) {
			*d = time.Minute
			warn(key, "60 s", `write it with a unit, such as "5m", for a longer delay`)
		}
	}
	if r.MaxDelay < r.InitialDelay {
		r.MaxDelay = r.InitialDelay
		if v := n.Get("max_delay"); v != nil && !strings.HasPrefix(v.Text, "-") {
			warn("max_delay", r.InitialDelay, "it is not lower than initial_delay")
		}
	}
}

// Fields of a rate limit.
func (r *RateLimit) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&r.Enabled, "enabled").Default(true).Doc("Off: no limit."),
		spec.Int(&r.Max, "max_requests").Alias("max").Default(100).Range(0, 1e9).Doc("Requests in one window; 0 refuses all."),
		spec.Duration(&r.Window, "window_seconds").Alias("window").Default(time.Minute).Range(0.001, 31*86400).
			Doc("Length of the sliding window."),
		spec.Bool(&r.PerClient, "per_client").Doc("Count each client address on its own, instead of the hook as a whole."),
	}
}

type cleanup struct {
	Cleanup
	mode string
}

// Fields of credential_cleanup.
func (c *cleanup) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&c.Enabled, "enabled").Default(true).Doc("Clean the bodies of this hook before they are stored or delivered."),
		spec.Enum(&c.mode, "mode", "mask", "remove", "redact").Default("mask").
			Doc("`mask` puts `***REDACTED***` in the place of a value, `remove` drops the field; `redact` is another word for `mask`."),
		spec.Strings(&c.Cleanup.Fields, "fields").Doc("Names of fields, besides those that are always taken for credentials."),
	}
}

// Validate tells that "redact" is accepted but not the word for it.
func (c *cleanup) Validate() []spec.Issue {
	if c.mode == "redact" {
		return []spec.Issue{{Field: "mode", Message: `"redact" is taken as "mask"`, Hint: `write "mask"`, Warning: true}}
	}
	return nil
}

// Fields of deduplicate.
func (d *Dedupe) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&d.Key, "key").Check(dedupeKey).Example("header:X-Request-Id").Example(".order.id").
			Doc("What makes two requests the same: `header:NAME`, `query:NAME`, or a jq expression on the body. Without it, the sender's own delivery id, where the provider has one."),
		spec.Duration(&d.Window, "window").Default(24*time.Hour).Range(1, 30*86400).Example(time.Hour).
			Doc("How long a key is remembered."),
	}
}

func dedupeKey(key string) error {
	for _, prefix := range []string{"header:", "query:"} {
		if name, ok := strings.CutPrefix(key, prefix); ok && strings.TrimSpace(name) == "" {
			return fmt.Errorf("a name is missing after %q", prefix)
		}
	}
	if strings.TrimSpace(key) == "" {
		return errors.New("is empty")
	}
	return nil
}

// Fields of response.
func (r *Response) Fields() spec.Fields {
	return spec.Fields{
		spec.Int(&r.Status, "status").Range(200, 299).Doc("Status of the answer; 200 unless set."),
		spec.String(&r.Body, "body").Doc("Body of the answer, instead of the usual JSON."),
		spec.Headers(&r.Headers, "headers").Check(headerFields).Doc("Headers of the answer."),
		spec.Enum(&r.Wait, "wait", WaitAccepted, WaitDelivered).Default(WaitAccepted).
			Doc("`accepted` answers when the event is stored, `delivered` when every destination has it."),
	}
}

// Validate refuses a body where HTTP has none.
func (r *Response) Validate() []spec.Issue {
	if r.Body != "" && (r.Status == 204 || r.Status == 205) {
		return []spec.Issue{{Field: "body", Message: fmt.Sprintf("an answer with status %d has no body", r.Status)}}
	}
	return nil
}

// headerFields checks names (RFC 9110, section 5.6.2) and values (5.5), and
// refuses the fields that frame a message.
func headerFields(m map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(m)) { // the same one is told each time
		value := m[name]
		if name == "" || strings.IndexFunc(name, func(r rune) bool {
			return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
		}) >= 0 {
			return fmt.Errorf("%q is not the name of a header", name)
		}
		switch strings.ToLower(name) {
		case "content-length", "transfer-encoding", "connection", "trailer", "upgrade":
			return fmt.Errorf("the header %s is set by the server", name)
		}
		if strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0 {
			return fmt.Errorf("the value of %s holds a control character", name)
		}
	}
	return nil
}

type chainConfig struct {
	execution Execution
	onError   bool
	timeout   time.Duration
}

// Fields of chain-config.
func (c *chainConfig) Fields() spec.Fields {
	return spec.Fields{
		spec.Enum(&c.execution, "execution", Sequential, Parallel).Default(Sequential).
			Doc("`sequential` delivers one step after the other, `parallel` all at once."),
		spec.Bool(&c.onError, "continue_on_error").Default(true).Doc("In a sequential chain: a step that ends in the dead letters starts the next one."),
		spec.Duration(&c.timeout, "timeout").Range(0.001, 86400).Doc("Time for one attempt of a step of a parallel chain."),
	}
}
