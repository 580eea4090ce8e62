package modules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules"
)

// What an error says survives wrapping; one that says nothing is retried.
func TestFailureOf(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		err  error
		want modules.Failure
	}{
		{cause, modules.Failure{Kind: modules.Retryable, Code: modules.CodeUnknown}},
		{modules.Retry("timeout", cause), modules.Failure{Kind: modules.Retryable, Code: "timeout"}},
		{modules.Reject("refused", cause), modules.Failure{Kind: modules.Rejected, Code: "refused"}},
		{modules.Throttle("throttled", time.Minute, cause), modules.Failure{Kind: modules.Throttled, Code: "throttled", After: time.Minute}},
		{modules.Disconnect(cause), modules.Failure{Kind: modules.Lost, Code: modules.CodeConnectionLost}},
		{fmt.Errorf("sending: %w", modules.Reject("refused", cause)), modules.Failure{Kind: modules.Rejected, Code: "refused"}},
		{errors.Join(errors.New("first"), modules.Reject("refused", cause)), modules.Failure{Kind: modules.Rejected, Code: "refused"}},
	} {
		got := modules.FailureOf(c.err)
		if got.Kind != c.want.Kind || got.Code != c.want.Code || got.After != c.want.After || !errors.Is(&got, cause) {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
	if (modules.Failure{}).Kind != modules.Retryable {
		t.Error("the zero value is not retryable")
	}
}

func TestKnownCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"timeout": true, "http_404": true, "http_": false, "kafka_x": false, "": false, "404": false} {
		if got := modules.KnownCode("http_webhook", code); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

type options struct{ A string }

func (o *options) Fields() spec.Fields { return nil }

type nothing struct{}

func (nothing) Send(context.Context, *event.Delivery) (event.Receipt, error) {
	return event.Receipt{}, nil
}

func module(name string, aliases ...string) modules.Module {
	return modules.Define(modules.Definition[modules.None, options, *modules.None]{
		Name: name, Aliases: aliases, Open: modules.OpenNone,
		New: func(_ modules.Env, _ *modules.None, o *options) (modules.Destination, error) {
			if o.A == "" {
				return nil, errors.New("no A")
			}
			return nothing{}, nil
		},
	})
}

// The erased types come back as they were; others are an error, not a panic.
func TestDefine(t *testing.T) {
	t.Parallel()
	m := module("a")
	if m.Connection() != nil {
		t.Error("a connection without a type")
	}
	k, err := m.Open(t.Context(), modules.Env{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := m.Options().(*options)
	o.A = "x"
	if _, err := m.New(modules.Env{}, k, o); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"foreign options":    errOf(m.New(modules.Env{}, k, &modules.None{})),
		"foreign connection": errOf(m.New(modules.Env{}, foreign{}, o)),
		"its own error":      errOf(m.New(modules.Env{}, k, &options{})),
	} {
		if err == nil {
			t.Errorf("%s passed", what)
		}
	}
	if _, err := m.Open(t.Context(), modules.Env{}, &options{}); err == nil || !strings.Contains(err.Error(), "module a") {
		t.Errorf("%v", err)
	}
	if err := k.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

type foreign struct{}

func (foreign) Close(context.Context) error { return nil }

func errOf(_ modules.Destination, err error) error { return err }

func TestRegistryRefusesNamesTakenTwice(t *testing.T) {
	t.Parallel()
	for _, ms := range [][]modules.Module{{module("a"), module("a")}, {module("a", "b"), module("b")}, {module("a", "a")}} {
		if _, err := modules.NewRegistry(ms...); err == nil {
			t.Error("passed")
		}
	}
	r, err := modules.NewRegistry(module("postgresql", "postgres"), module("mysql"))
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := r.Lookup("postgres"); !ok || m.Name() != "postgresql" {
		t.Error("an alias finds nothing")
	}
	if _, ok := r.Lookup("absent"); ok {
		t.Error("found what is not there")
	}
}
