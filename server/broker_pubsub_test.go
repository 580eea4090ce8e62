package server_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"

	"github.com/hookd/hookd/internal/testinfra"
)

// pubsubFarEnd is Google's in-process fake: it keeps nothing over a restart, so
// only the network fails.
func pubsubFarEnd(t *testing.T) farEnd {
	s := pstest.NewServerWithAddress("127.0.0.1:0")
	t.Cleanup(func() { _ = s.Close() })
	name := strings.ReplaceAll(testinfra.Unique(t), ".", "-")
	if _, err := s.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: "projects/hookd-test/topics/" + name}); err != nil {
		t.Fatal(err)
	}
	return farEnd{
		module: "gcp_pubsub",
		addr:   s.Addr,
		connection: func(addr string) string {
			return fmt.Sprintf(`{"project_id": "hookd-test", "emulator_host": %q}`, addr)
		},
		options: fmt.Sprintf(`{"topic": %q}`, name),
		ids: func() []string {
			var ids []string
			for _, m := range s.Messages() {
				ids = append(ids, m.Attributes["hookd-delivery-id"])
			}
			return ids
		},
	}
}
