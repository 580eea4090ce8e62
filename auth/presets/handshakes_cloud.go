package presets

import (
	"net/http"
	"strings"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation
func msgraphHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "A POST with `validationToken` in the query, when a subscription is made or renewed, is answered with the token.",
		Steps: []Step{{
			Reply: Reply{Body: "{query:validationToken}"},
		}},
	}}
}

// https://developer.okta.com/docs/concepts/event-hooks/#one-time-verification-request
func oktaHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "The verification request, a GET with the same `Authorization` as events, is answered with its challenge.",
		Steps: []Step{{
			Methods:  []string{http.MethodGet},
			Verified: true,
			Reply:    Reply{ContentType: jsonType, Body: `{"verification":"{header:X-Okta-Verification-Challenge}"}`},
		}},
	}}
}

// HTTP 1.1 Web Hooks for Event Delivery, section 4:
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
func cloudEventsHandshake() attached {
	return attached{
		Handshake: Handshake{
			Doc: "OPTIONS with `WebHook-Request-Origin` is answered with the consent, and with the hook's rate limit in requests per minute.",
			Steps: []Step{{
				Methods: []string{http.MethodOptions},
				When:    []Cond{{At: "header:WebHook-Request-Origin"}},
				Listed:  [2]string{"header:WebHook-Request-Origin", "allowed_origins"},
				Reply: Reply{Headers: []Header{
					{"Allow", "POST"},
					{"WebHook-Allowed-Origin", "{header:WebHook-Request-Origin}"},
					{"WebHook-Allowed-Rate", "{rate}"},
				}},
			}},
		},
		Params: []Param{{
			Name: "allowed_origins",
			Doc:  "the senders that get consent, by the name in their `WebHook-Request-Origin`, with commas between; without it, or with `*`, all do",
		}},
	}
}

// The form of the challenge is fixed, so that nothing that could be an event is
// ever signed for the asking.
//
// https://developer.paypal.com/braintree/docs/guides/webhooks/create
func braintreeHandshake() attached {
	return attached{
		Handshake: Handshake{
			Doc: "A GET with `bt_challenge` is answered with its HMAC.",
			Steps: []Step{{
				Methods: []string{http.MethodGet},
				When:    []Cond{{At: "query:bt_challenge", Fits: isBraintreeChallenge}},
				Hash:    scheme.SHA1,
				Key:     scheme.Key{SHA1: true},
				Reply:   Reply{Body: "{param:public_key}|{hmac-hex:query:bt_challenge}"},
			}},
		},
	}
}

func isBraintreeChallenge(v string) bool {
	return len(v) >= 20 && len(v) <= 32 && strings.Trim(v, "0123456789abcdef") == ""
}
