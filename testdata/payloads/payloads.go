// Package payloads holds sample events of the senders that hookd knows: one
// file per event, <provider>/<event>.json, with the full set of fields that the
// sender's documentation lists. Names, ids and addresses in them are invented;
// host names and ids of the senders' own are not.
//
// Sources: docs.github.com/webhooks/webhook-events-and-payloads and
// docs.stripe.com/api/events/types (API version 2024-06-20).
package payloads

import (
	"embed"
	"path"
	"strings"
)

// FS holds the samples.
//
//go:embed */*.json
var FS embed.FS

// Events lists the events that there is a sample of, sorted; nil for a provider
// without any.
func Events(provider string) []string {
	if provider == "" || strings.ContainsAny(provider, `/\.`) {
		return nil
	}
	files, err := FS.ReadDir(provider)
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

// Load reads the sample of an event; false when there is none.
func Load(provider, event string) ([]byte, bool) {
	if strings.ContainsAny(provider+event, `/\`) {
		return nil, false
	}
	b, err := FS.ReadFile(path.Join(provider, event+".json"))
	return b, err == nil
}
