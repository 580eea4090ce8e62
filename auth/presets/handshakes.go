package presets

import "slices"

// attached is what a handshake adds to its preset.
type attached struct {
	Handshake
	Params []Param
	Reply  *Reply // to events, where the sender is as particular about that
}

// attach gives the preset its handshake and its reply, unless it has its own,
// and the settings for them.
func (p *Preset) attach(a attached) {
	if p.Handshake == nil && (a.Code != nil || len(a.Steps) > 0) {
		p.Handshake = &a.Handshake
	}
	if p.Reply == nil {
		p.Reply = a.Reply
	}
	for _, param := range a.Params {
		if !slices.ContainsFunc(p.Params, func(have Param) bool { return have.Name == param.Name }) {
			p.Params = append(slices.Clip(p.Params), param)
		}
	}
}

// handshakes are those of all senders, by the name of the preset. Each names
// the page that its facts are from.
func handshakes() map[string]attached {
	return map[string]attached{
		"slack":       slackHandshake(),
		"zoom":        zoomHandshake(),
		"meta":        metaHandshake(),
		"facebook":    metaHandshake(),
		"instagram":   metaHandshake(),
		"whatsapp":    metaHandshake(),
		"msgraph":     msgraphHandshake(),
		"dropbox":     dropboxHandshake(),
		"x-twitter":   xHandshake(),
		"asana":       asanaHandshake(),
		"notion":      notionHandshake(),
		"trello":      probedHandshake("Trello asks with HEAD when a webhook is made, and sometimes with GET."),
		"mandrill":    probedHandshake("Mandrill asks with HEAD when a webhook is made, and sometimes with GET."),
		"mailchimp":   mailchimpHandshake(),
		"okta":        oktaHandshake(),
		"cloudevents": cloudEventsHandshake(),
		"discord":     discordHandshake(),
		"twitch":      twitchHandshake(),
		"braintree":   braintreeHandshake(),
		"sns":         snsHandshake(),
	}
}
