package presets

import "net/http"

// https://developers.asana.com/docs/webhooks-guide#the-webhook-handshake
func asanaHandshake() attached {
	return attached{
		Handshake: Handshake{
			Doc: "Asana hands over the secret in `X-Hook-Secret` while the webhook is being made, and wants it back. It is taken where `capture` is on.",
			Steps: []Step{{
				When:    []Cond{{At: "header:X-Hook-Secret"}},
				Capture: "header:X-Hook-Secret",
				Reply:   Reply{Headers: []Header{{"X-Hook-Secret", "{header:X-Hook-Secret}"}}},
			}},
		},
		Params: []Param{captureParam},
	}
}

// https://developers.notion.com/reference/webhooks#step-2-validating-the-subscription
func notionHandshake() attached {
	return attached{
		Handshake: Handshake{
			Doc: "Notion hands over the secret as `verification_token` when a subscription is made. It is taken where `capture` is on; " +
				"the log says which file holds it, for you to paste it into Notion's *Verify* dialog.",
			Steps: []Step{{
				When:    []Cond{{At: "json:verification_token"}},
				Capture: "json:verification_token",
			}},
		},
		Params: []Param{captureParam},
	}
}

func probedHandshake(doc string) attached {
	return attached{Handshake: Handshake{
		Doc:   doc,
		Steps: []Step{{Methods: []string{http.MethodHead, http.MethodGet}}},
	}}
}

// The secret is in the URL, so that it comes along with the request.
//
// https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/
func mailchimpHandshake() attached {
	return attached{Handshake: Handshake{
		Doc:   "Mailchimp asks with GET when a webhook is made; the hook's other proofs must hold.",
		Steps: []Step{{Methods: []string{http.MethodGet}, Verified: true}},
	}}
}
