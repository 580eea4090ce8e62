package plan_test

import (
	"reflect"
	"testing"

	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/plan"
)

func TestReply(t *testing.T) {
	t.Parallel()
	picky := &presets.Preset{Reply: &presets.Reply{Status: 202, Body: "[accepted]", ContentType: "text/plain", Headers: []presets.Header{{Name: "X-A", Value: "b"}}}}
	whole := ingest.Reply{Status: 202, Body: "[accepted]", Header: map[string]string{"Content-Type": "text/plain", "X-A": "b"}}
	waiting := whole
	waiting.Delivered = true
	for name, c := range map[string]struct {
		own    config.Response
		sender *presets.Preset
		want   ingest.Reply
	}{
		"no sender":                 {want: ingest.Reply{}},
		"a sender that takes any":   {sender: &presets.Preset{}, want: ingest.Reply{}},
		"a picky sender":            {sender: picky, want: whole},
		"a picky sender that waits": {own: config.Response{Wait: config.WaitDelivered}, sender: picky, want: waiting},
		"the hook's own status":     {own: config.Response{Status: 201}, sender: picky, want: ingest.Reply{Status: 201}},
		"the hook's own body":       {own: config.Response{Body: "ok"}, sender: picky, want: ingest.Reply{Body: "ok"}},
		"the hook's own header":     {own: config.Response{Headers: map[string]string{"A": "b"}}, sender: picky, want: ingest.Reply{Header: map[string]string{"A": "b"}}},
	} {
		if got := plan.Reply(&config.Hook{Response: c.own}, c.sender); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestReplyOfTheSender: the preset's reply reaches the hook.
func TestReplyOfTheSender(t *testing.T) {
	t.Parallel()
	p, problems := compile(t, `{"chat": {"provider": "discord", "secret": "e6b19a3d1a9e5c9a5a6a3b4f6ff1ea0e3d8a6c7f7f2c2e7c8f4a3f1f5f3b9a10", "module": "log"}}`)
	if p == nil {
		t.Fatal(problems)
	}
	if got := p.Hooks["chat"].Reply.Status; got != 204 {
		t.Errorf("status %d", got)
	}
}
