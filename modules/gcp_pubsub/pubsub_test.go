package gcppubsub_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/netguard"
	"github.com/hookd/hookd/modules"
	gcppubsub "github.com/hookd/hookd/modules/gcp_pubsub"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestTopic(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: gcppubsub.Module(),
		Start:  func(t *testing.T) *moduletest.Far { return newBroker(t).far(t, `{"topic": "webhooks"}`) },
		Bad: []moduletest.Bad{
			{Options: `{"topic": "-x"}`, Want: "no name", Path: "topic"},
			{Options: `{"topic": "a", "ordering_key": "{x}"}`, Want: "not known", Path: "ordering_key"},
			{Options: `{"topic": "a", "attributes": {"hookd-hook": "x"}}`, Want: "set by hookd", Path: "attributes"},
			{Options: `{"topic": "a", "attributes": {"google": "x"}}`, Want: "does not fit", Path: "attributes"},
			{Connection: `{"project_id": "X"}`, Want: "no project id", Path: "project_id"},
			{Connection: `{"project_id": "hookd-test", "emulator_host": "x"}`, Want: "a host and a port", Path: "emulator_host"},
			{Connection: `{"project_id": "hookd-test", "emulator_host": "x:1", "tls": true}`, Want: "excludes", Path: "emulator_host"},
			{Connection: `{"project_id": "hookd-test", "credentials_path": "x", "instance_metadata": true}`, Want: "exclude", Path: "credentials_path"},
		},
	})
}

func TestOrderedTopic(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: gcppubsub.Module(),
		Start: func(t *testing.T) *moduletest.Far {
			return newBroker(t).far(t, fmt.Sprintf(`{"topic": %q, "ordering_key": "{hook}"}`, topic))
		},
	})
}

// What Pub/Sub says when it does not take messages.
func TestAnswers(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "webhooks"}`)
	for code, c := range map[codes.Code]struct {
		kind modules.FailureKind
		code string
	}{
		codes.NotFound:          {modules.Retryable, modules.CodeNotFound},
		codes.PermissionDenied:  {modules.Retryable, modules.CodeAuthFailed},
		codes.Unauthenticated:   {modules.Retryable, modules.CodeAuthFailed},
		codes.ResourceExhausted: {modules.Throttled, modules.CodeThrottled},
		codes.InvalidArgument:   {modules.Rejected, modules.CodeRefused},
		codes.DeadlineExceeded:  {modules.Retryable, modules.CodeTimeout},
		codes.Unavailable:       {modules.Retryable, modules.CodeUnavailable},
		codes.Internal:          {modules.Retryable, modules.CodeUnavailable},
		codes.Aborted:           {modules.Retryable, modules.CodeUnavailable},
		codes.Unimplemented:     {modules.Retryable, modules.CodeBadAnswer},
	} {
		b.set(func(*pubsubpb.PublishRequest) error { return status.Error(code, "a reason") })
		moduletest.Want(t, code.String(), moduletest.Send(t, d, delivery(`{}`)), c.kind, c.code, "a reason")
	}
	b.set(nil)
	b.ids = func(*pubsubpb.PublishRequest) *pubsubpb.PublishResponse { return &pubsubpb.PublishResponse{} }
	moduletest.Want(t, "no id", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeBadAnswer, "0 ids")
}

// A message that is refused does not take its request with it.
func TestPartialFailure(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "webhooks"}`)
	b.set(func(in *pubsubpb.PublishRequest) error {
		for _, m := range in.Messages {
			if string(m.Data) == "bad" {
				return status.Error(codes.InvalidArgument, "bad")
			}
		}
		return nil
	})
	rs := d.SendBatch(t.Context(), []*event.Delivery{delivery("a"), delivery("bad"), delivery("b")})
	moduletest.Want(t, "the bad one", rs[1].Err, modules.Rejected, modules.CodeRefused, "bad")
	if rs[0].Err != nil || rs[2].Err != nil || len(b.Messages()) != 2 || rs[0].Receipt.Status == "" {
		t.Errorf("%+v, %d messages", rs, len(b.Messages()))
	}
}

// A request has messages of one key, in their order, and never more than 10 MB.
func TestOrder(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "webhooks", "ordering_key": "{body.k}"}`)
	b.set(func(in *pubsubpb.PublishRequest) error {
		for _, m := range in.Messages {
			if m.OrderingKey != in.Messages[0].OrderingKey {
				t.Errorf("%q and %q in one request", m.OrderingKey, in.Messages[0].OrderingKey)
			}
		}
		return nil
	})
	var ds []*event.Delivery
	for i := range 9 {
		ds = append(ds, delivery(fmt.Sprintf(`{"k": "k%d", "n": %d, "pad": %q}`, i%2, i, strings.Repeat("x", 3<<20))))
	}
	for i, r := range d.SendBatch(t.Context(), ds) {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
	// The fake takes 4 MiB.
	moduletest.Want(t, "5 MB", moduletest.Send(t, d, delivery(strings.Repeat("x", 5<<20))), modules.Rejected, modules.CodeTooLarge, "larger than max")
	moduletest.Want(t, "10 MB", moduletest.Send(t, d, delivery(strings.Repeat("x", 10_000_000))), modules.Rejected, modules.CodeTooLarge, "10000")
	last := make(map[string]string)
	for _, m := range b.Messages() {
		if n := string(m.Data[:30]); last[m.OrderingKey] >= n {
			t.Errorf("%s after %s", n, last[m.OrderingKey])
		} else {
			last[m.OrderingKey] = n
		}
	}
	if len(b.Messages()) != len(ds) || len(last) != 2 {
		t.Errorf("%d messages, %d keys", len(b.Messages()), len(last))
	}
}

func TestMessage(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "webhooks", "attributes": {"Team": "pay"}}`)
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	a := b.Messages()[0].Attributes
	if a["Team"] != "pay" || a["x-github-event"] != "push" || a["x-two"] != "a, b" || a["hookd-hook"] != "github" || a["x-long"] != "" {
		t.Errorf("%v", a)
	}
}

// A missing topic is a failure, and with create it is made.
func TestCreate(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "missing"}`)
	moduletest.Want(t, "missing", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeNotFound, "missing")
	moduletest.Want(t, "missing, Check", d.(modules.Checker).Check(t.Context()), modules.Retryable, modules.CodeNotFound, "missing")
	d = destination(t, b.connection(), `{"topic": "missing", "create": true}`)
	if err := d.(modules.Checker).Check(t.Context()); err != nil {
		t.Errorf("Check before it is created: %v", err)
	}
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Error(err)
	}
}

// Credentials that are missing or wrong, and an address that is refused.
func TestOpenFailures(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	for text, hint := range map[string]string{
		`{"project_id": "hookd-test"}`:                                      "set credentials_path",
		`{"project_id": "hookd-test", "credentials_path": "/no/such/file"}`: "no such file",

		`{"project_id": "hookd-test", "credentials_json": "{\"type\": \"service_account\", \"private_key\": \"secret\"}"}`: "service_account",
		`{"project_id": "hookd-test", "credentials_json": "{}"}`:                                                           "type",
		`{"project_id": "hookd-test", "credentials": "keys.json"}`:                                                         "credentials_path",
	} {
		_, _, err := open(t, text)
		moduletest.Want(t, text, err, modules.Retryable, modules.CodeAuthFailed, hint)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("it shows the key: %v", err)
		}
	}
	d := destination(t, `{"project_id": "hookd-test", "emulator_host": "192.0.2.1:1"}`, `{"topic": "a"}`)
	moduletest.Want(t, "unlisted", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeEgressDenied, "192.0.2.1")
	// Of the metadata service only the connection itself opens the way.
	m, env := gcppubsub.Module(), moduletest.Env(t, netguard.Policy{})
	c := m.Connection()
	moduletest.Decode(t, `{"project_id": "hookd-test", "instance_metadata": true}`, c)
	conn, err := m.Open(t.Context(), env, c)
	if err != nil {
		t.Fatal(err)
	}
	d = moduletest.New(t, m, env, conn, `{"topic": "a"}`).(modules.BatchDestination)
	moduletest.Want(t, "metadata", moduletest.Send(t, d, delivery(`{}`)), modules.Retryable, modules.CodeEgressDenied, "169.254.169.254")
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
