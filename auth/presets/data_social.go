package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// networks are where people follow one another.
func networks() []*Preset {
	return []*Preset{
		metaApp("meta", "Meta", "Webhooks of Meta apps: Facebook, Instagram, WhatsApp and Messenger.", "page"),
		metaApp("facebook", "Facebook", "Webhooks of Facebook pages and users, through a Meta app.", "page"),
		metaApp("instagram", "Instagram", "Webhooks of Instagram accounts, through a Meta app.", "instagram"),
		metaApp("whatsapp", "WhatsApp", "Webhooks of the WhatsApp Business Platform, through a Meta app.", "whatsapp_business_account"),
		{
			Name:         "x-twitter",
			Title:        "X (Twitter)",
			Summary:      "Account activity and filtered stream webhooks of X.",
			Doc:          "The secret is the app's *API secret* (consumer secret). X checks the endpoint when the webhook is made and every hour.",
			Source:       "https://docs.x.com/x-api/webhooks/introduction",
			Verify:       only(bodyBase64("x-twitter-webhooks-signature", "sha256=")),
			Deadline:     10 * time.Second,
			Retry:        "None by itself; replay jobs send missed events.",
			Headers:      inJSONWith(),
			DefaultEvent: "tweet_create_events",
			Sample:       `{"for_user_id":"1","tweet_create_events":[{"id_str":"1","text":"Hello","timestamp_ms":"{unixms}"}]}`,
		},
		{
			Name:    "twitch",
			Title:   "Twitch EventSub",
			Summary: "EventSub notifications of Twitch.",
			Doc: "The secret is the one given as `transport.secret` when the subscription is made. " +
				"The id is part of what is signed and stays the same when Twitch sends again.",
			Source: "https://dev.twitch.tv/docs/eventsub/handling-webhook-events/",
			Verify: only(timed(bodyHex("Twitch-Eventsub-Message-Signature", "sha256="), "{header:Twitch-Eventsub-Message-Id}{time}{body}",
				"header:Twitch-Eventsub-Message-Timestamp", scheme.RFC3339, 10*time.Minute)),
			ID:   at("header:Twitch-Eventsub-Message-Id"),
			Type: at("header:Twitch-Eventsub-Subscription-Type"),
			Headers: inJSONWith("Twitch-Eventsub-Message-Id", "{delivery}", "Twitch-Eventsub-Message-Type", "notification",
				"Twitch-Eventsub-Subscription-Type", "{event}", "Twitch-Eventsub-Subscription-Version", "1", "Twitch-Eventsub-Message-Retry", "0"),
			DefaultEvent: "stream.online",
			Sample:       `{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"{event}","version":"1","status":"enabled"},"event":{"id":"1","broadcaster_user_id":"1","type":"live"}}`,
		},
		{
			Name:         "tiktok",
			Title:        "TikTok",
			Summary:      "Webhooks of TikTok developer apps.",
			Doc:          "The secret is the app's *client secret*.",
			Source:       "https://developers.tiktok.com/doc/webhooks-verification",
			Verify:       only(stamped("TikTok-Signature", "s", scheme.Unix, tolerance)),
			Type:         at("json:event"),
			Headers:      inJSONWith(),
			DefaultEvent: "video.publish.completed",
			Sample:       `{"client_key":"1","event":"{event}","create_time":{unix},"user_openid":"1","content":"{}"}`,
		},
		{
			Name:    "kick",
			Title:   "Kick",
			Summary: "Event subscriptions of Kick.",
			Doc: "The secret is Kick's public key, which is the same for everybody and published at `https://api.kick.com/public/v1/public-key`. " +
				"It is no secret; write the PEM into the configuration.",
			Source: "https://docs.kick.com/events/webhook-security",
			Verify: only(scheme.Alternative{
				Kind:   scheme.RSA,
				Sig:    scheme.Sig{At: at("header:Kick-Event-Signature"), Enc: scheme.Base64},
				Signed: "{header:Kick-Event-Message-Id}.{time}.{body}",
				Time:   &scheme.Time{At: "header:Kick-Event-Message-Timestamp", Format: scheme.RFC3339, Tolerance: tolerance},
			}),
			ID:   at("header:Kick-Event-Message-Id"),
			Type: at("header:Kick-Event-Type"),
			Headers: inJSONWith("Kick-Event-Message-Id", "{delivery}", "Kick-Event-Type", "{event}",
				"Kick-Event-Version", "1"),
			DefaultEvent: "chat.message.sent",
			Sample:       `{"message_id":"1","broadcaster":{"user_id":1,"username":"example"},"content":"Hello"}`,
		},
	}
}

// metaApp is one of the names under which Meta's apps send.
func metaApp(name, title, summary, object string) *Preset {
	return &Preset{
		Name: name, Title: title, Summary: summary,
		Doc: "The secret is the *App secret* of *App settings → Basic*.\n\n" +
			"There is no delivery id: repeats are told by the body. Meta escapes what is not ASCII, so that a body that was parsed and printed again " +
			"no longer fits the signature; hookd passes on the bytes as received.",
		Source:       "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
		Verify:       only(bodyHex("X-Hub-Signature-256", "sha256=")),
		Type:         at("json:object"),
		Retry:        "Reported: for up to 36 hours.",
		Headers:      inJSONWith("User-Agent", "facebookexternalua"),
		DefaultEvent: object,
		Sample:       `{"object":"{event}","entry":[{"id":"{delivery}","time":{unix},"changes":[{"field":"messages","value":{}}]}]}`,
	}
}
