package cmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/testdata/payloads"
)

// payload is what is sent, before it is signed.
type payload struct {
	event  string
	header http.Header // of a replay; signing may replace them
	wished http.Header // by the user; they stand, also in the place of a signature
	// body makes the body of one delivery.
	body func(deliveryID string, now time.Time) []byte
	// challenges are those of the receiver's first answer; nil: none was asked.
	challenges []string
	// file is the name that the body was read from; "" where it has none.
	file string
}

// sendPayload finds headers and body.
func (a *app) sendPayload(ctx context.Context, o *sendOptions, t *target) (*payload, error) {
	p := &payload{event: o.event, header: make(http.Header), wished: make(http.Header)}
	switch {
	case o.replay != "":
		if err := a.replayed(ctx, o, t, p); err != nil {
			return nil, err
		}
	case o.data != "":
		b, err := a.io.input(o.data)
		if err != nil {
			return nil, err
		}
		p.body = func(string, time.Time) []byte { return b }
		p.file, _ = strings.CutPrefix(o.data, "@")
		if p.file == o.data {
			p.file = ""
		}
	case t.preset != nil:
		if err := sample(t.preset, p); err != nil {
			return nil, err
		}
	default:
		p.body = func(id string, now time.Time) []byte { return plainBody(t.dataType, p.event, id, now) }
	}
	for _, h := range o.headers {
		name, value, _ := strings.Cut(h, ":")
		p.wished.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return p, nil
}

// sample is the body of an event of a provider. Where there are samples, a name
// that is none of them is a mistake.
func sample(preset *presets.Preset, p *payload) error {
	known := payloads.Events(preset.Name)
	p.event = cmp.Or(p.event, preset.DefaultEvent)
	b, ok := payloads.Load(preset.Name, p.event)
	if !ok && len(known) > 0 {
		return usagef("there is no sample of the %s event %q%s; there are %s, and --data takes any", preset.Name, p.event, hint(p.event, known), strings.Join(known, ", "))
	}
	b = compact(b)
	p.body = func(id string, now time.Time) []byte {
		if !ok {
			return preset.Body(p.event, id, now)
		}
		// The sender's id may be in the body: then each delivery has its own.
		return withID(b, preset.ID, id)
	}
	return nil
}

// compact is a sample as it travels: the files are indented for their readers,
// bodies of webhooks mostly are not.
func compact(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}

// plainBody is for hooks without a provider.
func plainBody(t config.DataType, event, id string, now time.Time) []byte {
	event = cmp.Or(event, "test")
	sent := now.UTC().Format(time.RFC3339)
	switch t {
	case config.Form:
		return []byte(url.Values{"event": {event}, "id": {id}, "sent": {sent}}.Encode())
	case config.Blob:
		return fmt.Appendf(nil, "%s %s %s\n", event, id, sent)
	case config.JSON:
	}
	return fmt.Appendf(nil, `{"event":%q,"id":%q,"sent":%q}`, event, id, sent)
}

// contentType is for a request whose sender says nothing else.
func contentType(t config.DataType) string {
	switch t {
	case config.Form:
		return "application/x-www-form-urlencoded"
	case config.Blob:
		return "application/octet-stream"
	case config.JSON:
	}
	return "application/json"
}

// replayed takes headers and body of a stored event. It gets a delivery id of
// its own, where that is a header: otherwise it would only be a duplicate.
func (a *app) replayed(ctx context.Context, o *sendOptions, t *target, p *payload) error {
	id, err := parseID(o.replay)
	if err != nil {
		return err
	}
	client, done, err := a.client(o.server)
	if err != nil {
		return err
	}
	defer done()
	e, err := client.Event(ctx, id)
	if err != nil {
		return explain(err, client)
	}
	b, err := client.EventBody(ctx, id)
	if err != nil {
		return explain(err, client)
	}
	p.event = cmp.Or(p.event, e.Type)
	p.body = func(string, time.Time) []byte { return b }
	for name, values := range e.Headers {
		if !belongsToConnection[http.CanonicalHeaderKey(name)] {
			p.header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if t.preset != nil {
		for _, source := range t.preset.ID {
			if name, ok := strings.CutPrefix(source, "header:"); ok {
				p.header.Del(name)
			}
		}
	}
	return nil
}

// belongsToConnection are headers of one connection or one message length (RFC
// 9110 section 7.6.1), which a new request makes anew.
var belongsToConnection = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"Host": true, "Content-Length": true, "Proxy-Connection": true, "Expect": true, "Accept-Encoding": true,
}
