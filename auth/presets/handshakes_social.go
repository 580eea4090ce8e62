package presets

import (
	"encoding/json"
	"net/http"
	"strings"
)

// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
func metaHandshake() attached {
	return attached{
		Handshake: Handshake{
			Doc: "The verification request, a GET, is answered with its challenge where its token is that of the setting `verify_token`, and with 403 otherwise.",
			Steps: []Step{{
				Methods: []string{http.MethodGet},
				When:    []Cond{{At: "query:hub.mode", Is: "subscribe"}},
				Token:   [2]string{"query:hub.verify_token", "verify_token"},
				Reply:   Reply{Body: "{query:hub.challenge}"},
			}},
		},
		Params: []Param{{
			Name: "verify_token",
			Doc:  "the *Verify Token* that you make up and type into the app's webhook settings; without it the verification request is refused",
		}},
	}
}

// https://www.dropbox.com/developers/reference/webhooks#documentation
func dropboxHandshake() attached {
	return attached{Handshake: Handshake{
		Doc:   "A GET with `challenge` in the query is answered with it.",
		Steps: []Step{{Methods: []string{http.MethodGet}, Reply: Reply{Body: "{query:challenge}"}}},
	}}
}

// The answer is made with the key that events are signed with, and anybody may
// ask for it. So only what could not be the body of an event is taken.
//
// https://docs.x.com/x-api/webhooks/introduction
func xHandshake() attached {
	return attached{Handshake: Handshake{
		Doc: "The CRC, a GET with `crc_token` at first and every hour, is answered with the HMAC of the token.",
		Steps: []Step{{
			Methods: []string{http.MethodGet},
			When:    []Cond{{At: "query:crc_token", Fits: isCRCToken}},
			Reply:   Reply{ContentType: jsonType, Body: `{"response_token":"sha256={hmac-base64:query:crc_token}"}`},
		}},
	}}
}

// isCRCToken takes a word that is not JSON, as the bodies of events are.
func isCRCToken(v string) bool {
	word := strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=+/.-") == ""
	return word && !json.Valid([]byte(v))
}
