package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

func msgraph() *Preset {
	return &Preset{
		Name:    "msgraph",
		Title:   "Microsoft Graph",
		Summary: "Change notifications and lifecycle notifications of Microsoft Graph subscriptions.",
		Doc: "The secret is the `clientState` of the subscription, up to 128 characters that you choose. It must be in every notification of a request.\n\n" +
			"Microsoft Graph sends it as it is: whoever learns it can send any notification. A receiver should fetch what has changed, " +
			"and take the notification as a hint only.",
		Source: "https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks",
		Verify: []scheme.Alternative{{
			Kind:    scheme.Token,
			ForEach: "json:value",
			Sig:     scheme.Sig{At: at("item:clientState")},
		}},
		Covers:   CoversNone,
		ID:       at("json:value.0.id"),
		Type:     at("json:value.0.changeType", "json:value.0.lifecycleEvent"),
		Deadline: 3 * time.Second,
		Retry:    "Up to 4 hours with growing intervals; an endpoint where a tenth of the answers takes more than 2.9 s is slowed down.",
		Headers:  inJSONWith(),

		DefaultEvent: "updated",
		Sample: `{"value":[{"id":"{delivery}","subscriptionId":"7f105c7d-2dc5-4530-97cd-4e7ae6534c07","subscriptionExpirationDateTime":"{rfc3339}",` +
			`"changeType":"{event}","resource":"users/1/messages/1","tenantId":"84bd8158-6d4d-4958-8b9f-9d6445542f95"}]}`,
	}
}
