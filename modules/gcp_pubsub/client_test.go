package gcppubsub_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// The library's client would try again by itself, for all of these codes: how
// often and when is the host's to say.
func TestOneRequestForEachAttempt(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.Internal, codes.Unknown, codes.Aborted, codes.ResourceExhausted, codes.DeadlineExceeded} {
		t.Run(code.String(), func(t *testing.T) {
			b := newBroker(t)
			d := destination(t, b.connection(), `{"topic": "webhooks"}`)
			var asked atomic.Int32
			b.set(func(*pubsubpb.PublishRequest) error {
				asked.Add(1)
				return status.Error(code, "not now")
			})
			if err := moduletest.Send(t, d, delivery(`{}`)); err == nil || asked.Load() != 1 {
				t.Errorf("%d requests, %v", asked.Load(), err)
			}
		})
	}
}

// What the library reads from the environment changes nothing: no other server is
// asked, and no payload is written to a log.
func TestEnvironment(t *testing.T) {
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{
		"PUBSUB_EMULATOR_HOST": "192.0.2.1:1", "GOOGLE_SDK_GO_LOGGING_LEVEL": "debug",
		"HTTPS_PROXY": "http://192.0.2.1:1", "GRPC_PROXY": "http://192.0.2.1:1",
	} {
		t.Setenv(name, v)
	}
	before := [2]*os.File{os.Stdout, os.Stderr}
	os.Stdout, os.Stderr = stderr, stderr
	defer func() { os.Stdout, os.Stderr = before[0], before[1] }()
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "webhooks"}`)
	if err := moduletest.Send(t, d, delivery(`{"card": "4111"}`)); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(stderr.Name()); err != nil || len(text) > 0 {
		t.Errorf("written: %q, %v", text, err)
	}
	if len(b.Messages()) != 1 {
		t.Errorf("%d messages", len(b.Messages()))
	}
}

// A send ends with its context though no answer comes.
func TestNoAnswer(t *testing.T) {
	b := newBroker(t)
	d := destination(t, b.connection(), `{"topic": "webhooks"}`)
	if err := moduletest.Send(t, d, delivery(`{}`)); err != nil {
		t.Fatal(err)
	}
	b.proxy.Mute()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := d.Send(ctx, delivery(`{}`))
	moduletest.Want(t, "no answer", err, modules.Retryable, modules.CodeTimeout, "gcp_pubsub")
}
