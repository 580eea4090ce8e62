package presets_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// vector is a request that a vendor, or a library of one, publishes with its
// verdict.
type vector struct {
	Case, Source, Note string
	Method, URL        string // as the sender sees the hook; "" is none
	Secrets            []string
	Params             map[string]string
	Headers            map[string]string
	Body               string
	Now                int64 // seconds since 1970; 0 is any time
	Valid              bool
	ID, Type           string // marks of a valid one, where they are checked
}

func (c *vector) request(t *testing.T) *auth.Request {
	t.Helper()
	r := &auth.Request{Method: "POST", URL: &url.URL{Path: "/"}, Header: http.Header{}, Body: []byte(c.Body), Now: time.Unix(c.Now, 0)}
	if c.Method != "" {
		r.Method = c.Method
	}
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil {
			t.Fatal(err)
		}
		r.Host, r.URL = u.Host, &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	}
	for k, value := range c.Headers {
		r.Header.Set(k, value)
	}
	return r
}

// options are those of a hook with these secrets.
func options(secrets ...string) (o presets.Options) {
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	return o
}

// published are the presets whose vendors, or libraries of them, publish
// vectors. Each must have a file.
var published = []string{
	"adyen", "adyen-platform", "bitbucket", "bitbucket-server", "box", "circleci", "coinbase-commerce", "contentful", "gitea", "github", "hubspot", "hubspot-v1",
	"hubspot-v2", "jira", "paddle", "paddle-classic", "pagerduty", "pusher", "razorpay", "sanity", "sendgrid", "shopify", "slack", "square",
	"standard-webhooks", "standard-webhooks-ed25519", "stripe", "svix", "twilio",
}

// TestVectors checks what the vendors publish: testdata/vectors/PRESET.json.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range published {
		if !slices.Contains(files, "testdata/vectors/"+name+".json") {
			t.Errorf("no vector of %s is run", name)
		}
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors []vector
		if err := json.Unmarshal(b, &vectors); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		p, ok := presets.Lookup(name)
		if !ok {
			t.Errorf("%s belongs to no preset", file)
			continue
		}
		valid := 0
		for _, c := range vectors {
			if c.Valid {
				valid++
			}
			t.Run(name+"/"+c.Case, func(t *testing.T) { t.Parallel(); checkVector(t, p, &c) })
		}
		if valid == 0 {
			t.Errorf("%s has no valid request", file)
		}
	}
}

func checkVector(t *testing.T, p *presets.Preset, c *vector) {
	o := options(c.Secrets...)
	o.PublicURL, o.Params = c.URL, c.Params
	v, err := p.New(auth.Env{}, o)
	if err != nil {
		t.Fatal(err)
	}
	r := c.request(t)
	_, err = v.Verify(t.Context(), r)
	if (err == nil) != c.Valid {
		t.Fatalf("valid %v, got %v (%s; %s)", c.Valid, err, c.Source, c.Note)
	}
	if m := v.Mark(r); c.Valid && c.ID != "" && (m.DeliveryID != c.ID || m.Type != c.Type) {
		t.Errorf("marks %+v", m)
	}
}
