package presets

import "github.com/hookd/hookd/auth/internal/scheme"

const hubspotSample = `[{"eventId":"{delivery}","subscriptionId":1,"portalId":1,"appId":1,"occurredAt":{unixms},"subscriptionType":"{event}","attemptNumber":0,"objectId":1}]`

// hubspotOld are the versions before 3: a hash of secret and data, to which
// data can be added by whoever knows one.
func hubspotOld(version, signed, doc string) *Preset {
	a := bodyHex("X-HubSpot-Signature", "")
	a.Kind, a.Signed = scheme.Digest, signed
	a.When = [2]string{"header:X-HubSpot-Signature-Version", "v" + version}
	return &Preset{
		Name:    "hubspot-v" + version,
		Title:   "HubSpot (version " + version + ")",
		Summary: "HubSpot apps that still get the signature of version " + version + ".",
		Doc: doc + "\n\nThis is a plain hash of secret and data without a clock, weaker than an HMAC. " +
			"HubSpot sends version 3 beside it: take `hubspot` wherever you can.",
		Source:       "https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests",
		Verify:       only(a),
		ID:           at("json:0.eventId"),
		IDShared:     true,
		Type:         at("json:0.subscriptionType"),
		Headers:      inJSONWith("User-Agent", "HubSpot Webhooks"),
		DefaultEvent: "contact.creation",
		Sample:       hubspotSample,
	}
}
