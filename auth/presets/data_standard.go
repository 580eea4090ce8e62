package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// standards are those that sign as Standard Webhooks has it.
func standards() []*Preset {
	const specURL = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"
	return []*Preset{
		webhookFamily(Preset{
			Name: "standard-webhooks", Title: "Standard Webhooks",
			Summary: "Any sender of the Standard Webhooks specification with a shared secret.",
			Doc: whsecDoc + "\n\nThe specification's other signature, `v1a` with a public key, is `standard-webhooks-ed25519`; " +
				"this preset ignores it. An answer of 410 asks the sender to stop.",
			Source:       specURL,
			DefaultEvent: "user.created",
			Retry:        "The specification's example: after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours; Retry-After is obeyed.",
		}, whsec()),
		ed25519Webhooks(specURL),
		svixFamily("svix", "Svix", "Applications that send through Svix.", "https://docs.svix.com/receiving/verifying-payloads/how-manual", "user.created"),
		svixFamily("clerk", "Clerk", "Webhooks of Clerk applications, sent through Svix.", "https://clerk.com/docs/webhooks/overview", "user.created"),
		svixFamily("resend", "Resend", "Webhooks of Resend, sent through Svix.", "https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests", "email.delivered"),
		svixFamily("brex", "Brex", "Webhooks of Brex, sent through Svix.", "https://developer.brex.com/docs/webhooks/", "EXPENSE_PAYMENT_UPDATED"),
		webhookFamily(Preset{
			Name: "openai", Title: "OpenAI", Summary: "Webhooks of OpenAI projects.", Doc: whsecDoc,
			Source: "https://platform.openai.com/docs/guides/webhooks", DefaultEvent: "response.completed",
		}, whsec()),
		webhookFamily(Preset{
			Name: "replicate", Title: "Replicate", Summary: "Webhooks of Replicate predictions and trainings.",
			Doc:    "The secret is `whsec_…`, from `GET https://api.replicate.com/v1/webhooks/default/secret`. The body is the prediction itself, and its status the event type.",
			Source: "https://replicate.com/docs/topics/webhooks/verify-webhook", DefaultEvent: "succeeded", Type: at("json:status"),
			Sample: `{"id":"1","model":"example/model","status":"{event}","input":{"prompt":"Hello"},"output":"Hello","created_at":"{rfc3339}"}`,
		}, whsec()),
		webhookFamily(Preset{
			Name: "recall", Title: "Recall.ai", Summary: "Webhooks of Recall.ai workspaces.", Doc: whsecDoc, Type: at("json:event", "json:type"),
			Source: "https://docs.recall.ai/docs/authenticating-requests-from-recallai", DefaultEvent: "bot.done",
			Sample: `{"event":"{event}","data":{"bot":{"id":"{delivery}"},"data":{"code":"{event}","updated_at":"{rfc3339}"}}}`,
		}, whsec()),
		webhookFamily(Preset{
			Name: "incident-io", Title: "incident.io", Summary: "Webhooks of incident.io organizations.", Doc: whsecDoc, Type: at("json:event_type", "json:type"),
			Source: "https://docs.incident.io/integrations/webhooks", DefaultEvent: "public_incident.incident_created_v2",
			Sample: `{"event_type":"{event}","{event}":{"id":"{delivery}","name":"Example"}}`,
		}, whsec()),
		webhookFamily(Preset{
			Name: "polar", Title: "Polar", Summary: "Webhooks of Polar organizations.",
			Doc: "The secret is the one typed into or shown by the endpoint's settings, as text: where a library for Standard Webhooks wants it encoded in base64, " +
				"hookd does not.",
			Source: "https://polar.sh/docs/integrate/webhooks/delivery", DefaultEvent: "order.created",
		}, scheme.Key{}),
	}
}

const whsecDoc = "The secret is the endpoint's *signing secret*, `whsec_…`. Several signatures may come while it is rotated, and any that matches is enough."

// webhookFamily completes a sender of Standard Webhooks.
func webhookFamily(p Preset, key scheme.Key) *Preset {
	p.Verify = only(standard("webhook", key))
	p.ID = at("header:webhook-id")
	if p.Type == nil {
		p.Type = at("json:type")
	}
	p.Headers = inJSONWith("webhook-id", "{delivery}")
	if p.Sample == "" {
		p.Sample = standardSample
	}
	return &p
}

const standardSample = `{"type":"{event}","timestamp":"{rfc3339}","data":{"id":"1"}}`

// svixFamily are the senders that let Svix send for them. Its own headers come
// first; those of Standard Webhooks are taken as well.
func svixFamily(name, title, summary, source, event string) *Preset {
	return &Preset{
		Name: name, Title: title, Summary: summary, Source: source,
		Doc:      whsecDoc + "\n\nThe response header `webhook-delivery: abort-message` would stop the repeats; hookd sends none.",
		Verify:   only(standard("svix", whsec()), standard("webhook", whsec())),
		ID:       at("header:svix-id", "header:webhook-id"),
		Type:     at("json:type", "json:event_type"),
		Deadline: 15 * time.Second,
		Retry:    "At once, then after 5 seconds, 5 and 30 minutes, 2, 5, 10 and 10 hours, with the same id; a redirect counts as a failure.",
		Headers:  inJSONWith("User-Agent", "Svix-Webhooks/1.0", "svix-id", "{delivery}"),

		DefaultEvent: event,
		Sample:       standardSample,
	}
}

func ed25519Webhooks(source string) *Preset {
	a := standard("webhook", scheme.Key{Strip: "whpk_", Private: "whsk_", Enc: scheme.Base64})
	a.Kind, a.Sig.Pick = scheme.Ed25519, "v1a"
	p := webhookFamily(Preset{
		Name: "standard-webhooks-ed25519", Title: "Standard Webhooks (Ed25519)",
		Summary: "Any sender of the Standard Webhooks specification with a public key.",
		Doc: "The secret is the sender's public key, `whpk_…`. It is no secret; write it into the configuration as it is. " +
			"To let `hookd test-send` sign, give it a private key, `whsk_…`.",
		Source: source, DefaultEvent: "user.created",
	}, scheme.Key{})
	p.Verify = only(a)
	return p
}
