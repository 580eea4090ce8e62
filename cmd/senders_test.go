package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/server"
	"github.com/hookd/hookd/testdata/payloads"
)

// unsendable are senders that test-send cannot stand in for, and why.
var unsendable = map[string]string{
	"paypal": "the certificate is the vendor's",
	"sns":    "the certificate is the vendor's",
	"pubsub": "the token is signed by the vendor",
}

// idless are senders whose samples have no id although others of their requests
// have.
var idless = map[string]bool{"discord": true} // interactions do, events do not

// sendersHouse is a running daemon with one hook per sender, each as its page
// prints it.
type sendersHouse struct {
	env  Env
	dir  string
	base string
}

func newSendersHouse(t *testing.T) *sendersHouse {
	t.Helper()
	h := &sendersHouse{dir: t.TempDir(), env: Env{}}
	hooks := make(map[string]json.RawMessage)
	for _, p := range presets.All() {
		var one map[string]json.RawMessage
		if err := json.Unmarshal([]byte(providerHook(p, `"module": "log"`)), &one); err != nil {
			t.Fatalf("%s: the hook of its page: %v", p.Name, err)
		}
		maps.Copy(hooks, one)
		text, err := p.FreshSecret()
		if err != nil {
			t.Fatal(err)
		}
		if p.Unsigned {
			text = newKey()
		}
		h.env[secretVariable(p)] = text
		for _, q := range p.Params {
			h.env[paramVariable(p, q)] = "example_" + q.Name
		}
	}
	text, err := json.Marshal(hooks)
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("listen: 127.0.0.1:0\nadmin_listen: off\ndata_dir: %s\nwebhooks: %s\nlog: {level: error}\n",
		filepath.Join(h.dir, "data"), filepath.Join(h.dir, "webhooks.json"))
	for name, text := range map[string]string{"webhooks.json": string(text), "hookd.yaml": settings} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.serve(t)
	return h
}

// serve runs the daemon until the test ends.
func (h *sendersHouse) serve(t *testing.T) {
	t.Helper()
	a := &app{io: IO{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, env: maps.Clone(h.env), now: time.Now}
	a.env["HOOKD_CONFIG"] = filepath.Join(h.dir, "hookd.yaml")
	s, _, err := a.settings(settingsSource{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRegistries(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o := s.options()
	o.Modules, o.Auth, o.Catalog = r.modules, r.auth, r.catalog()
	o.Files.Lookup, o.Log = a.env.Lookup, a.logger(s)
	up := make(chan server.Started, 1)
	o.Started = func(st server.Started) { up <- st }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("end of the daemon: %v", err)
		}
	})
	select {
	case st := <-up:
		h.base = "http://" + st.Listen
	case err := <-done:
		done <- nil
		t.Fatalf("did not start: %v", err)
	}
}

// send runs test-send and returns its exit code and what it said.
func (h *sendersHouse) send(hook string, args ...string) (code int, said string) {
	var out bytes.Buffer
	a := &app{io: IO{In: strings.NewReader(""), Out: &out, Err: &out, Width: 80}, env: h.env, now: time.Now}
	code = a.main(append([]string{"test-send", hook, "--config", filepath.Join(h.dir, "hookd.yaml"), "--to", h.base}, args...))
	return code, strings.TrimSpace(out.String())
}

func TestSenders(t *testing.T) {
	t.Parallel()
	h := newSendersHouse(t)
	t.Run("tamper", h.tamper)
	t.Run("ids", h.ids)
}

// tamper sends each sender's sample, and then spoils it: what the sender's proof
// covers is refused, and what it does not is a usage error.
func (h *sendersHouse) tamper(t *testing.T) {
	rows := []string{fmt.Sprintf("%-26s %-8s %-8s %-9s %s", "sender", "sent", "body", "signature", "timestamp")}
	for _, p := range presets.All() {
		if reason := unsendable[p.Name]; reason != "" {
			rows = append(rows, fmt.Sprintf("%-26s %s", p.Name, reason))
			continue
		}
		row := fmt.Sprintf("%-26s", p.Name)
		for _, tamper := range []string{"", "body", "signature", "timestamp"} {
			row += fmt.Sprintf(" %-8s", h.outcome(t, p, tamper))
		}
		rows = append(rows, strings.TrimRight(row, " "))
	}
	t.Logf("\n%s", strings.Join(rows, "\n"))
}

// ids: each delivery of a sample has an id of its own, and the same one is a
// duplicate where it is all that counts.
func (h *sendersHouse) ids(t *testing.T) {
	for _, p := range presets.All() {
		if unsendable[p.Name] != "" || len(p.ID) == 0 || idless[p.Name] {
			continue
		}
		for i, id := range []string{"1001", "1002", "1001"} {
			code, said := h.send(p.Name, "--delivery-id", id)
			duplicate := strings.Contains(said, "duplicate")
			if code != 0 || i < 2 && duplicate || i == 2 && p.CoversID() && !duplicate {
				t.Errorf("%s, delivery %s: exit code %d: %s", p.Name, id, code, said)
			}
		}
	}
}

func (h *sendersHouse) outcome(t *testing.T, p *presets.Preset, tamper string) string {
	t.Helper()
	args := []string{}
	if tamper != "" {
		args = []string{"--tamper", tamper}
	}
	code, said := h.send(p.Name, args...)
	switch {
	case tamper == "" && code == 0 && strings.HasPrefix(said, "20"): // some senders want 204
		return said[:3]
	case tamper != "" && code == 5 && strings.HasPrefix(said, "401"):
		return "401"
	case code == 2 && (!proves(p, tamper) || unsaid(p, tamper)) && strings.Contains(said, "covers the "+tamper):
		return "-"
	}
	t.Errorf("%s, tampered with %q: exit code %d, want covered %v: %s", p.Name, tamper, code, proves(p, tamper), said)
	return "?"
}

// proves says what the hook of a sender's page covers.
func proves(p *presets.Preset, tamper string) bool {
	switch tamper {
	case "body":
		return p.Covers == presets.CoversBody
	case "timestamp":
		for _, f := range p.Facts() {
			if f.Label == "clock" {
				return !strings.Contains(f.Text, "no limit")
			}
		}
		return unsaid(p, tamper)
	}
	return true
}

// unsaid: the page of a proof that is made by code does not say whether it has a
// clock, so that either may be right.
func unsaid(p *presets.Preset, tamper string) bool { return p.Code != nil && tamper == "timestamp" }

// TestInitForEverySender: what init writes is valid, whatever the sender needs.
func TestInitForEverySender(t *testing.T) {
	t.Parallel()
	for _, p := range presets.All() {
		dir := t.TempDir()
		for _, args := range [][]string{
			{"init", dir, "--provider", p.Name},
			{"validate-config", "--config", filepath.Join(dir, "hookd.yaml"), "--env-file", filepath.Join(dir, ".env")},
		} {
			var out bytes.Buffer
			a := &app{io: IO{In: strings.NewReader(""), Out: &out, Err: &out, Width: 80}, env: Env{}, now: time.Now}
			if code := a.main(args); code != 0 {
				t.Errorf("%s: %s: exit code %d: %s", p.Name, args[0], code, &out)
			}
		}
	}
}

// TestSampleFiles: a sample has the event that its name says, and takes the id
// of a delivery.
func TestSampleFiles(t *testing.T) {
	t.Parallel()
	for _, p := range presets.All() {
		for _, event := range payloads.Events(p.Name) {
			v := trial(t, p)
			pay := &payload{event: event}
			if err := sample(p, pay); err != nil {
				t.Fatal(err)
			}
			r := &auth.Request{Method: http.MethodPost, Header: http.Header{}, Body: pay.body("1001", time.Now()), Now: time.Now()}
			v.Prepare(r, event, "1001")
			m := v.Mark(r)
			if len(p.Type) > 0 && m.Type != event {
				t.Errorf("%s: the sample of %q is one of %q", p.Name, event, m.Type)
			}
			if len(p.ID) > 0 && m.DeliveryID != "1001" && !idless[p.Name] {
				t.Errorf("%s: the id of the sample of %q is %q", p.Name, event, m.DeliveryID)
			}
		}
		if events := payloads.Events(p.Name); len(events) > 0 && !slices.Contains(events, p.DefaultEvent) {
			t.Errorf("%s: no sample of %q, which is sent by default", p.Name, p.DefaultEvent)
		}
	}
}

// TestSamplesHaveSenders: no folder of samples is left without a sender.
func TestSamplesHaveSenders(t *testing.T) {
	t.Parallel()
	folders, err := payloads.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if _, ok := presets.Lookup(f.Name()); !ok {
			t.Errorf("samples of %s, which is no sender", f.Name())
		}
	}
}

// trial is the proof of a sender with a secret of its own.
func trial(t *testing.T, p *presets.Preset) *presets.Verifier {
	t.Helper()
	text, err := p.FreshSecret()
	if err != nil {
		t.Fatal(err)
	}
	o := presets.Options{PublicURL: "https://hooks.example.com/", Params: map[string]string{}}
	if text != "" {
		o.Secrets = []secret.String{secret.New(text)}
	}
	for _, q := range p.Params {
		if q.Required {
			o.Params[q.Name] = "example_" + q.Name
		}
	}
	v, err := p.New(auth.Env{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
