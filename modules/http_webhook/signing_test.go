package httpwebhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	reference "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookd/hookd/internal/secret"
)

// The receivers' own library verifies what is sent, for each secret of a
// rotation; the id stays over attempts.
func TestSigning(t *testing.T) {
	t.Parallel()
	const old = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	r := newReceiver(t)
	o := options(t, r.url())
	o.Forward = true
	o.Signing.Secrets = []secret.String{secret.New(whsec), secret.New("whsk_" + seed), secret.New(old)}
	dest := open(t, o, loopback)
	d := delivery(http.Header{"Webhook-Id": {"forged"}, "Webhook-Signature": {"v1,forged"}}, `{"a": "é"}`)
	for range 2 {
		if _, err := dest.Send(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		m := r.last(t)
		for _, s := range []string{whsec, old} {
			wh, err := reference.NewWebhook(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := wh.Verify(m.Body, m.Header); err != nil {
				t.Error(err)
			}
			if err := wh.Verify(append(m.Body, ' '), m.Header); err == nil {
				t.Error("a changed body verifies")
			}
		}
		verifyPublic(t, m.Header, m.Body)
		if got := m.Header.Get("Webhook-Id"); got != d.ID.String() {
			t.Errorf("webhook-id %q", got)
		}
		if n := len(strings.Fields(m.Header.Get("Webhook-Signature"))); n != 3 || len(m.Header.Values("Webhook-Signature")) != 1 {
			t.Errorf("%d signatures", n)
		}
	}
}

// verifyPublic checks the v1a signature as the specification words it: ed25519
// over "id.timestamp.body". The reference library for Go does not know v1a.
func verifyPublic(t *testing.T, h http.Header, body []byte) {
	t.Helper()
	public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(whpk, "whpk_"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range strings.Split(h.Get("Webhook-Signature"), " ") {
		text, ok := strings.CutPrefix(s, "v1a,")
		if !ok {
			continue
		}
		n++
		sig, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		signed := h.Get("Webhook-Id") + "." + h.Get("Webhook-Timestamp") + "." + string(body)
		if !ed25519.Verify(public, []byte(signed), sig) {
			t.Error("the v1a signature does not verify")
		}
	}
	if n != 1 {
		t.Errorf("%d signatures of v1a", n)
	}
}
