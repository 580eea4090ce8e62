package presets

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/jose"
	"github.com/hookd/hookd/auth/internal/scheme"
)

const googleKeys = "https://www.googleapis.com/oauth2/v3/certs"

// pubsub proves who sends, not what: the token is the same for many messages.
func pubsub() *Preset {
	return &Preset{
		Name:    "pubsub",
		Title:   "Google Cloud Pub/Sub",
		Summary: "Push subscriptions of Google Cloud Pub/Sub with authentication.",
		Doc: "Switch on *Enable authentication* in the subscription and choose a service account: its address is `params.email`. " +
			"`params.audience` is the audience that the subscription names, or the URL of the push endpoint where it names none. There is no secret: " +
			"the keys are Google's, fetched from " + googleKeys + ".\n\n" +
			"The token says who sends and nothing of the message: whoever gets hold of one can send anything for up to an hour. Use TLS. " +
			"Clocks may differ by 1 minute, which `tolerance` changes (up to 5m).",
		Source:  "https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
		Code:    newPubSub,
		Signing: "header Authorization, a bearer JSON Web Token (RS256) of Google's, for the audience and the service account",
		Covers:  CoversNone, NoSecret: true,
		Params: []Param{
			{Name: "audience", Doc: "the audience of the subscription", Required: true},
			{Name: "email", Doc: "the service account of the subscription", Required: true},
			{Name: "jwks_url", Doc: "where the keys are, instead of at Google's; for tests"},
		},
		ID:       []string{"json:message.messageId", "header:X-Goog-Pubsub-Message-Id"},
		Type:     []string{"json:message.attributes.eventType"},
		Window:   7 * 24 * time.Hour,
		Deadline: 10 * time.Second,
		Retry:    "Until the message is acknowledged with 102, 200, 201, 202 or 204, or its retention ends (7 days).",
		Headers: []Header{
			{"User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"},
			{"Content-Type", "application/json"},
		},
		DefaultEvent: "OBJECT_FINALIZE",
		Sample: `{"message":{"attributes":{"eventType":"{event}"},"data":"e30=","messageId":"{delivery}","message_id":"{delivery}",` +
			`"publishTime":"2026-01-01T00:00:00Z"},"subscription":"projects/example/subscriptions/hookd"}`,
	}
}

type pubsubCheck struct {
	tokens *jose.Verifier
	email  string
	place  jose.Place
}

func newPubSub(env auth.Env, o Options) (Checker, error) {
	tokens, err := jose.New(env, jose.Config{
		Method: "pubsub", Algorithms: []jose.Algorithm{"RS256"}, JWKS: cmp.Or(o.Params["jwks_url"], googleKeys),
		Rules: jose.Rules{
			Issuers:      []string{"https://accounts.google.com", "accounts.google.com"},
			Audiences:    []string{o.Params["audience"]},
			VerifyExpiry: true, RequireExpiry: true, Leeway: leeway(o),
		},
	})
	return &pubsubCheck{tokens, o.Params["email"], jose.Place{Header: "Authorization", Scheme: "Bearer"}}, err
}

// Verify wants the account that the hook names: anybody with a Google account
// can have a token for this audience.
func (p *pubsubCheck) Verify(ctx context.Context, r *auth.Request) (auth.Identity, error) {
	token, code := p.place.Token(r.Header)
	if code != "" {
		return auth.Identity{}, auth.Deny("pubsub", code)
	}
	claims, err := p.tokens.Verify(ctx, token, r.Now)
	if err != nil {
		return auth.Identity{}, err
	}
	if email, ok := claims.Text("email"); !ok || email != p.email || !claims.True("email_verified") {
		return auth.Identity{}, &auth.Denial{Method: "pubsub", Code: auth.CodeClaim, Err: errors.New("the token is not for the service account")}
	}
	return auth.Identity{Method: "pubsub", Subject: jose.Subject("pubsub", p.email)}, nil
}

func (p *pubsubCheck) Sign(context.Context, *auth.Request) error {
	return errors.New("pubsub: only Google can sign; publish a message to the topic to test the hook")
}

// Covers is nothing.
func (p *pubsubCheck) Covers(scheme.Source) bool { return false }

func (p *pubsubCheck) CredentialHeaders() []string { return []string{p.place.Header} }

func (p *pubsubCheck) CredentialParams() []string { return nil }
