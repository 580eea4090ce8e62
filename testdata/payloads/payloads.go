// Package payloads holds sample events of the senders that hookd knows: one
// file per event, <provider>/<event>.json, with the fields that the sender's
// documentation lists, or <event>.form for a sender of forms, one field per
// line. Where an event's name holds what a file name cannot, it is escaped as
// in a query: "repo%3Apush". Names, ids and addresses in them are invented;
// host names and ids of the senders' own are not.
//
// The source of each is the sender's own reference of its events, which `hookd
// providers NAME` links to; of Stripe's it is API version 2024-06-20.
package payloads

import (
	"embed"
	"net/url"
	"path"
	"slices"
	"strings"
)

// FS holds the samples.
//
//go:embed */*.json */*.form
var FS embed.FS

// sameAs are the providers whose events are those of another.
var sameAs = map[string]string{
	"github-sha1": "github", "gitlab-token": "gitlab", "forgejo": "gitea", "svix": "clerk",
	"hubspot-v1": "hubspot", "hubspot-v2": "hubspot",
}

// Events lists the events that there is a sample of, sorted; nil for a provider
// without any.
func Events(provider string) []string {
	if provider == "" || strings.ContainsAny(provider, `/\.`) {
		return nil
	}
	files, err := FS.ReadDir(folder(provider))
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range files {
		name, err := url.QueryUnescape(strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
		if err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Load reads the sample of an event; false when there is none. A form is as it
// travels, the fields joined.
func Load(provider, event string) ([]byte, bool) {
	if strings.ContainsAny(provider, `/\.`) {
		return nil, false
	}
	file := path.Join(folder(provider), url.QueryEscape(event))
	if b, err := FS.ReadFile(file + ".form"); err == nil {
		return []byte(strings.Join(strings.Fields(string(b)), "&")), true
	}
	b, err := FS.ReadFile(file + ".json")
	return b, err == nil
}

func folder(provider string) string {
	if other, ok := sameAs[provider]; ok {
		return other
	}
	return provider
}
