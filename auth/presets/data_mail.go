package presets

import "github.com/hookd/hookd/auth/internal/scheme"

// mailers send mail.
func mailers() []*Preset {
	return []*Preset{
		{
			Name:    "sendgrid",
			Title:   "Twilio SendGrid",
			Summary: "Event webhooks of SendGrid.",
			Doc: "The secret is the *verification key* of *Settings → Mail Settings → Event Webhook → Signed Event Webhook*, in base64 as shown. " +
				"It is a public key; write it into the configuration as it is.\n\n" +
				"A request holds many events in an array, and is told from a repeat by the first one's id and the body. The body ends with a line break that is signed, too.",
			Source: "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
			Verify: only(scheme.Alternative{
				Kind:   scheme.ECDSA,
				Sig:    scheme.Sig{At: at("header:X-Twilio-Email-Event-Webhook-Signature"), Enc: scheme.Base64},
				Signed: "{time}{body}",
				Time:   &scheme.Time{At: "header:X-Twilio-Email-Event-Webhook-Timestamp", Format: scheme.Unix, Tolerance: tolerance},
			}),
			ID:           at("json:0.sg_event_id"),
			IDShared:     true,
			Type:         at("json:0.event"),
			Retry:        "Reported: for up to 24 hours.",
			Headers:      inJSONWith("User-Agent", "SendGrid Event API"),
			DefaultEvent: "delivered",
			Sample:       `[{"email":"jon@example.com","timestamp":{unix},"event":"{event}","sg_event_id":"{delivery}","sg_message_id":"1"}]` + "\r\n",
		},
		{
			Name:    "mailgun",
			Title:   "Mailgun",
			Summary: "Event webhooks of Mailgun domains.",
			Doc: "The secret is the *HTTP webhook signing key* of *Settings → API security*.\n\n" +
				"Mailgun signs a timestamp and a token that stand in the body, and not the event beside them: whoever captures one request can put another event " +
				"to its signature within 5 minutes. Take it as proof that Mailgun called, and fetch what matters through the API.",
			Source: "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
			Verify: only(
				mailgunIn("json:signature.signature", "json:signature.timestamp", "{time}{json:signature.token}"),
				mailgunIn("form:signature", "form:timestamp", "{time}{form:token}")),
			Covers:       CoversPart,
			ID:           at("json:event-data.id", "json:signature.token", "form:token"),
			Type:         at("json:event-data.event", "form:event"),
			Retry:        "Reported: for 8 hours, and 406 stops it.",
			Headers:      inJSONWith("User-Agent", "mailgun/treq-22.2.0"),
			DefaultEvent: "delivered",
			Sample:       `{"signature":{"timestamp":"{unix}","token":"{delivery}","signature":""},"event-data":{"id":"{delivery}","event":"{event}","timestamp":{unix}.0,"recipient":"jon@example.com"}}`,
		},
		{
			Name:    "postmark",
			Title:   "Postmark",
			Summary: "Webhooks of Postmark servers, protected with Basic authentication.",
			Doc: "The secret is `user:password`, and the URL that you tell Postmark has them: `https://user:password@hooks.example.com/…`. " +
				"Postmark does not sign. `MessageID` names the mail and not the event, so that repeats are told by it and the body together.",
			Source:       "https://postmarkapp.com/developer/webhooks/webhooks-overview",
			Verify:       only(basic()),
			Covers:       CoversNone,
			ID:           at("json:MessageID"),
			Type:         at("json:RecordType"),
			Headers:      inJSONWith("User-Agent", "Postmark"),
			DefaultEvent: "Delivery",
			Sample:       `{"RecordType":"{event}","MessageID":"{delivery}","Recipient":"jon@example.com","DeliveredAt":"{rfc3339}","ServerID":1}`,
		},
		{
			Name:    "mandrill",
			Title:   "Mailchimp Transactional (Mandrill)",
			Summary: "Webhooks of Mailchimp Transactional, formerly Mandrill.",
			Doc: "The secret is the *key* of *Settings → Webhooks*. The signature covers the URL, too: set `public_url` to exactly what is configured there, " +
				"user and password included where it has them. The events are JSON in the form field `mandrill_events`.",
			Source:       "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
			Verify:       only(signing(sha1(bodyBase64("X-Mandrill-Signature", "")), "{url}{sorted_form}")),
			Headers:      inFormWith("User-Agent", "Mandrill-Webhook/1.0"),
			DefaultEvent: "send",
			Sample:       "mandrill_events=%5B%7B%22event%22%3A%22{event}%22%2C%22_id%22%3A%22{delivery}%22%2C%22ts%22%3A{unix}%7D%5D",
		},
		{
			Name:         "mailersend",
			Title:        "MailerSend",
			Summary:      "Webhooks of MailerSend domains.",
			Doc:          "The secret is the *signing secret* of the webhook.",
			Source:       "https://developers.mailersend.com/api/v1/webhooks.html",
			Verify:       only(bodyHex("Signature", "")),
			Type:         at("json:type"),
			Headers:      inJSONWith(),
			DefaultEvent: "activity.delivered",
			Sample:       `{"type":"{event}","domain_id":"1","created_at":"{rfc3339}","webhook_id":"1","data":{"object":"activity","id":"1","type":"delivered"}}`,
		},
		{
			Name:    "brevo",
			Title:   "Brevo",
			Summary: "Webhooks of Brevo, formerly Sendinblue, protected with a bearer token.",
			Doc: "The secret is the token that you choose for the webhook's *token* authentication. Brevo does not sign; " +
				"add its published addresses under `ip_whitelist` as a second proof.",
			Source:       "https://help.brevo.com/hc/en-us/articles/27824932835474",
			Verify:       only(token("Authorization", "Bearer ")),
			Covers:       CoversNone,
			Type:         at("json:event"),
			Headers:      inJSONWith(),
			DefaultEvent: "delivered",
			Sample:       `{"event":"{event}","email":"jon@example.com","id":1,"message-id":"<1@example.com>","ts_event":{unix}}`,
		},
		{
			Name:     "mailchimp",
			Title:    "Mailchimp Marketing",
			Summary:  "Webhooks of Mailchimp audiences, which prove nothing.",
			Unsigned: true,
			Covers:   CoversNone,
			Signing:  "nothing is signed, and no token is sent",
			Doc: "Mailchimp Marketing neither signs nor sends a header of your choice: whoever knows the URL can send. Give the hook a proof that the URL can carry, " +
				"`query_auth`, and put its key into the URL that you tell Mailchimp. Bodies are forms. For Mailchimp Transactional take `mandrill`.",
			Source:       "https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/",
			Type:         at("form:type"),
			Headers:      inFormWith("User-Agent", "MailChimp"),
			DefaultEvent: "subscribe",
			Sample:       "type={event}&fired_at=2026-01-02+03%3A04%3A05&data%5Bid%5D=1&data%5Bemail%5D=jon%40example.com",
		},
	}
}

func mailgunIn(sig, clock, signed string) scheme.Alternative {
	return scheme.Alternative{
		Sig:    scheme.Sig{At: at(sig), Enc: scheme.Hex},
		Signed: signed,
		Time:   &scheme.Time{At: clock, Format: scheme.Unix, Tolerance: tolerance},
	}
}
