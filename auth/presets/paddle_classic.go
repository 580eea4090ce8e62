package presets

import "github.com/hookd/hookd/auth/internal/scheme"

func paddleClassic() *Preset {
	return &Preset{
		Name:    "paddle-classic",
		Title:   "Paddle Classic",
		Summary: "Alerts of Paddle Classic, the platform before Paddle Billing.",
		Doc: "The secret is the public key from *Developer Tools → Public Key*, as PEM; it is public, and `secret` may come from a file. " +
			"Every field of the form is signed, with RSA and SHA-1: the sender has nothing better.\n\n" +
			"There is no time in the signature: a captured alert is valid forever, and `alert_id` tells it from new ones for as long as ids are remembered. " +
			"For Paddle Billing take `paddle`.",
		Source: "https://developer.paddle.com/webhook-reference/verifying-webhooks",
		Verify: []scheme.Alternative{{
			Kind:   scheme.RSA,
			Hash:   scheme.SHA1,
			Sig:    scheme.Sig{At: at("form:p_signature"), Enc: scheme.Base64},
			Signed: "{php_form}",
		}},
		ID:      at("form:alert_id"),
		Type:    at("form:alert_name"),
		Retry:   "Reported: every hour for up to 3 days.",
		Headers: inFormWith("User-Agent", "Paddle"),

		DefaultEvent: "payment_succeeded",
		Sample:       "alert_id={delivery}&alert_name={event}&checkout_id=1-a&currency=USD&email=jon%40example.com&order_id=1&sale_gross=12.90",
	}
}
