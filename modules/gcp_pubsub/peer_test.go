package gcppubsub_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

// What a subscriber that is not hookd's own library gets.
func TestSubscriber(t *testing.T) {
	b := newBroker(t)
	peer := testinfra.NewPeer(t, "google.cloud.pubsub_v1", "testdata/peer.py", b.Addr, topic, "projects/hookd-test/subscriptions/reader")
	d := destination(t, b.connection(), `{"topic": "webhooks", "ordering_key": "{header:x-github-event}"}`)
	sent := make(map[string]*event.Delivery)
	for _, body := range []string{`{"é":"` + "\U0001F44B" + `"}`, "", "\x00\xff\r\n", "a\r"} {
		x := delivery(body)
		sent[x.ID.String()] = x
		if err := moduletest.Send(t, d, x); err != nil {
			t.Fatal(err)
		}
	}
	lines := peer.Ask(`["drain"]`)
	if len(lines) != len(sent) {
		t.Fatalf("%d messages of %d", len(lines), len(sent))
	}
	for _, line := range lines {
		var got struct {
			Body       []byte            `json:"body"`
			Attributes map[string]string `json:"attributes"`
			Key        string            `json:"key"`
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		x := sent[got.Attributes["hookd-delivery-id"]]
		if x == nil || !bytes.Equal(got.Body, x.Body) || got.Key != "push" || got.Attributes["hookd-hook"] != "github" || got.Attributes["x-two"] != "a, b" {
			t.Errorf("%s", line)
		}
	}
}
