package presets_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/presets"
	"github.com/hookd/hookd/internal/secret"
)

// TestExplainEveryPreset: a request that is signed well, but for a newline that
// was lost on the way, is explained where the signature covers the bytes of the
// body; and whatever is said holds no secret.
func TestExplainEveryPreset(t *testing.T) {
	t.Parallel()
	const canary = "whsec_Y2FuYXJ5LW9mLXRoZXNlLXRlc3Rz"
	for _, p := range presets.All() {
		v, err := p.New(auth.Env{}, presets.Options{Secrets: []secret.String{secret.New(canary)}, PublicURL: "https://hooks.example.com/webhook/test"})
		if err != nil || !v.Local() {
			continue // needs another kind of secret, or settings
		}
		r := authtest.Request()
		r.Body = append(r.Body, '\n')
		v.Prepare(r, "thing.made", "id-1")
		if err := v.Sign(context.Background(), r); err != nil {
			continue
		}
		r.Body = r.Body[:len(r.Body)-1]
		if _, err := v.Verify(context.Background(), r); err == nil {
			continue // does not cover the body
		}
		x := v.Explain(context.Background(), r)
		if len(x.Signed) != len(p.Verify) {
			t.Errorf("%s: %d ways to sign, %d explained", p.Name, len(p.Verify), len(x.Signed))
		}
		if strings.Contains(p.Verify[0].Signed, "{body}") && (len(x.Matches) == 0 || !strings.Contains(x.Matches[0].Mistakes[0].Text, "newline")) {
			t.Errorf("%s: %+v", p.Name, x.Matches)
		}
		for _, s := range x.Signed {
			if told := string(s.Head) + string(s.Tail) + s.Form + s.Received + strings.Join(x.Notes, ""); strings.Contains(told, canary) {
				t.Errorf("%s: the secret is told", p.Name)
			}
		}
	}
}

// TestExplainStripe: an old request, and the times that a person reads.
func TestExplainStripe(t *testing.T) {
	t.Parallel()
	v := build(t, "stripe", "s3cret")
	r := authtest.Request()
	if err := v.Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	r.Now = r.Now.Add(10 * time.Minute)
	x := v.Explain(context.Background(), r)
	if len(x.Matches) != 1 || x.Matches[0].Mistakes[0].Text != "the time may be off by 10m0s" {
		t.Errorf("matches %+v", x.Matches)
	}
	if s := x.Signed[0]; s.Received != "a list of t, v1" || !strings.HasPrefix(string(s.Head), "1772366400.{") {
		t.Errorf("signed %+v", s)
	}
}

func TestRecognize(t *testing.T) {
	t.Parallel()
	h := http.Header{"Stripe-Signature": {"t=1,v1=00"}, "Authorization": {"Bearer x"}}
	if got := presets.Recognize(h); !slices.Equal(got, []string{"stripe"}) {
		t.Errorf("got %q", got)
	}
	if got := presets.Recognize(h, "stripe"); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if got := presets.Recognize(nil); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
