package standardwebhooks_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	reference "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookd/hookd/internal/standardwebhooks"
)

// The published keys: of the reference library's tests (whsec), and of Svix's
// README (whsk and its public half).
const (
	whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	whsk  = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	whpk  = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
)

var published = standardwebhooks.Message{
	ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp: "1614265330", Body: []byte(`{"test": 2432232314}`),
}

const (
	byWhsec = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	byWhsk  = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

// TestPublished: both algorithms are deterministic, so that the published
// signatures must come out to the letter.
//   - v1: standard-webhooks libraries/go/webhook_test.go
//   - v1a: svix-webhooks server/svix-server/src/worker.rs, the test of
//     asymmetric signing; its key is the 64-byte form
//   - v1a by a seed: standard-webhooks libraries/go/webhook_asymmetric_test.go
func TestPublished(t *testing.T) {
	t.Parallel()
	const (
		seed   = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
		bySeed = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
	)
	for text, want := range map[string]string{whsec: byWhsec, whsk: byWhsk, seed: bySeed} {
		keys := []standardwebhooks.Key{key(t, text)}
		if got := standardwebhooks.Sign(keys, published); got != want {
			t.Errorf("signed %s, want %s", got, want)
		}
		if who, err := standardwebhooks.Verify(keys, published, want); who != 0 || err != nil {
			t.Errorf("%s: %d, %v", want, who, err)
		}
	}
	if who, err := standardwebhooks.Verify([]standardwebhooks.Key{key(t, whpk)}, published, byWhsk); who != 0 || err != nil {
		t.Errorf("by the public half: %d, %v", who, err)
	}
}

// TestPrintedExample: the headers that the specification prints as an example
// are no vector. Its v1a is that of another message, and nobody published the
// key of its v1.
func TestPrintedExample(t *testing.T) {
	t.Parallel()
	m := standardwebhooks.Message{
		ID: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", Timestamp: "1674087231",
		Body: []byte(`{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}`),
	}
	keys := []standardwebhooks.Key{key(t, whsec), key(t, whpk)}
	_, err := standardwebhooks.Verify(keys, m, "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= "+byWhsk)
	if !errors.Is(err, standardwebhooks.ErrMismatch) {
		t.Errorf("the example of the specification: %v", err)
	}
}

// TestReferenceLibrary: what is signed here the senders' library for Go
// verifies, and the other way round. It knows v1 only.
func TestReferenceLibrary(t *testing.T) {
	t.Parallel()
	now := time.Unix(1772366400, 0)
	for _, text := range []string{whsec, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_" + b64([]byte(strings.Repeat("\x00\xff", 32)))} {
		theirs, err := reference.NewWebhook(text)
		if err != nil {
			t.Fatal(err)
		}
		ours := []standardwebhooks.Key{key(t, text)}
		for _, body := range []string{"", "{}", `{"a":"é"}`, "a.b.c", "\x00\xff\n", strings.Repeat("x", 1<<20)} {
			m := standardwebhooks.Message{ID: "msg_1", Timestamp: "1772366400", Body: []byte(body)}
			h := http.Header{}
			h.Set(reference.HeaderWebhookID, m.ID)
			h.Set(reference.HeaderWebhookTimestamp, m.Timestamp)
			h.Set(reference.HeaderWebhookSignature, standardwebhooks.Sign(append(ours, key(t, whsk)), m))
			if err := theirs.VerifyIgnoringTimestamp(m.Body, h); err != nil {
				t.Errorf("%.20q: they refuse ours: %v", body, err)
			}
			sig, err := theirs.Sign(m.ID, now, m.Body)
			if err != nil {
				t.Fatal(err)
			}
			if who, err := standardwebhooks.Verify(ours, m, sig); who != 0 || err != nil {
				t.Errorf("%.20q: we refuse theirs: %v", body, err)
			}
		}
	}
}

// TestSignList: one signature by each key that can sign, in their order.
func TestSignList(t *testing.T) {
	t.Parallel()
	keys := []standardwebhooks.Key{key(t, whsk), key(t, whpk), key(t, whsec)}
	if got := standardwebhooks.Sign(keys, published); got != byWhsk+" "+byWhsec {
		t.Errorf("signed %q", got)
	}
	if got := standardwebhooks.Sign(keys[1:2], published); got != "" {
		t.Errorf("a public key signed %q", got)
	}
	if string(published.Body) != `{"test": 2432232314}` || slices.Contains(published.Body[:cap(published.Body)], '.') {
		t.Error("signing changed the body")
	}
}
