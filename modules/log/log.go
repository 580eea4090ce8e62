// Package log writes each delivery to standard output, for a person to read or
// for a collector to pick up.
package log

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

const doc = `
Each delivery is one record of three lines: what it is (` + "`key=value`" + ` pairs), the
sender's headers as JSON, and the body alone on the last line.

The body is the delivered bytes, exactly, as long as it is printable text on one
line of at most ` + "`max_chars`" + ` characters in which redaction finds nothing. Otherwise
line breaks show as ` + "`[NL]`" + `, other control characters as ` + "`[CTRL]`" + `, bytes that are
not UTF-8 as ` + "`[0xff]`" + `, values of sensitive fields as ` + "`[REDACTED]`" + `, and a cut is
noted at the end.

With ` + "`output: log`" + ` the same goes into hookd's own log, as one entry with attributes.
`

// Output says where records go.
type Output string

// The outputs.
const (
	Stdout Output = "stdout"
	Log    Output = "log"
)

// Options describe one destination.
type Options struct {
	Pretty   bool
	Redact   bool
	Headers  bool
	MaxChars int
	Output   Output
}

// Fields lists the options.
func (o *Options) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&o.Pretty, "pretty_print").Default(false).
			Doc("Write headers and body as indented JSON between two rules, instead of three lines."),
		spec.Bool(&o.Redact, "redact_sensitive").Default(true).
			Doc("Replace the values of fields and headers whose names speak of passwords, tokens, keys, sessions or cards by `[REDACTED]`. Whole words count: `api_key` and `authToken` do, `author` and `monkey` do not."),
		spec.Bool(&o.Headers, "include_headers").Default(true).
			Doc("Write the sender's headers too."),
		spec.Int(&o.MaxChars, "max_chars").Default(10_000).Range(0, 100<<20).
			Doc("Characters of the body that are written; 0 is no limit."),
		spec.Enum(&o.Output, "output", Stdout, Log).Default(Stdout).
			Doc("`stdout` writes plain text to standard output, `log` an entry to hookd's own log."),
		spec.Ignored("level", "every event is written; the level of hookd's own log is set in hookd.yaml"),
	}
}

// Module declares the module. Text goes to w; every destination shares it, and
// each record is one Write.
func Module(w io.Writer) modules.Module {
	out := &output{w: w}
	return modules.Define(modules.Definition[modules.None, Options, *modules.None]{
		Name:      "log",
		Title:     "Log",
		Summary:   "Writes each event to standard output or to hookd's log.",
		Doc:       doc,
		Guarantee: modules.Duplicates,
		Open:      modules.OpenNone,
		New: func(env modules.Env, _ *modules.None, o *Options) (modules.Destination, error) {
			return &destination{out: out, log: env.Log, o: *o}, nil
		},
	})
}

// output keeps records whole when many goroutines write.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *output) write(record []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.w.Write(record)
	return err
}

type destination struct {
	out *output
	log *slog.Logger
	o   Options
}

var _ modules.Destination = (*destination)(nil)

// Send writes one record.
func (t *destination) Send(ctx context.Context, d *event.Delivery) (event.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return event.Receipt{}, modules.Retry(modules.CodeTimeout, fmt.Errorf("log: %w", err))
	}
	r := t.render(d)
	if t.o.Output == Log {
		t.log.LogAttrs(ctx, slog.LevelInfo, "webhook", r.attrs()...)
		return event.Receipt{Status: "logged"}, nil
	}
	var b bytes.Buffer
	if t.o.Pretty {
		r.pretty(&b)
	} else {
		r.plain(&b)
	}
	if err := t.out.write(b.Bytes()); err != nil {
		return event.Receipt{}, modules.Retry(modules.CodeUnavailable, fmt.Errorf("log: standard output: %w", err))
	}
	return event.Receipt{Status: "written to standard output"}, nil
}
