package presets

import "net/http"

// https://docs.slack.dev/reference/events/url_verification
func slackHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "The signed `url_verification` is answered with its challenge.",
		Steps: []Step{{
			When:     []Cond{{At: "json:type", Is: "url_verification"}},
			Verified: true,
			Reply:    Reply{Body: "{json:challenge}"},
		}},
	}}
}

// https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
func zoomHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "The signed `endpoint.url_validation`, at first and every 72 hours, is answered with the HMAC of its token.",
		Steps: []Step{{
			When:     []Cond{{At: "json:event", Is: "endpoint.url_validation"}},
			Verified: true,
			Reply: Reply{
				ContentType: jsonType,
				Body:        `{"plainToken":"{json:payload.plainToken}","encryptedToken":"{hmac-hex:json:payload.plainToken}"}`,
			},
		}},
	}}
}

// A webhook event is of the type 1, as the ping of interactions is, and told
// apart by its member event.
//
// https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint
// https://discord.com/developers/docs/events/webhook-events#preparing-for-events
func discordHandshake() attached {
	return attached{Reply: &Reply{Status: http.StatusNoContent}, Handshake: Handshake{
		Doc: "The signed PING of interactions is answered with a PONG, that of webhook events with 204. A bad signature is answered with 401, which Discord tries.",
		Steps: []Step{{
			When:     []Cond{{At: "json:type", Is: "1"}, {At: "json:event.type", None: true}, {At: "json:data.id", None: true}},
			Verified: true,
			Reply:    Reply{ContentType: jsonType, Body: `{"type":1}`},
		}, {
			When:     []Cond{{At: "json:type", Is: "0"}, {At: "json:event.type", None: true}},
			Verified: true,
			Reply:    Reply{Status: http.StatusNoContent},
		}},
	}}
}

// https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#responding-to-a-challenge-request
func twitchHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "The signed `webhook_callback_verification` is answered with its challenge.",
		Steps: []Step{{
			When:     []Cond{{At: "header:Twitch-Eventsub-Message-Type", Is: "webhook_callback_verification"}},
			Verified: true,
			Reply:    Reply{Body: "{json:challenge}"},
		}},
	}}
}
