package presets

import (
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// The forms that many senders share. An entry names one and changes what is its
// own.

const (
	week      = 7 * 24 * time.Hour
	tolerance = 5 * time.Minute // where a sender advises none
)

// bodyHex is an HMAC-SHA256 of the body, in hex behind prefix.
func bodyHex(header, prefix string) scheme.Alternative {
	return scheme.Alternative{
		Sig:    scheme.Sig{At: []string{"header:" + header}, Prefix: prefix, Enc: scheme.Hex},
		Signed: "{body}",
	}
}

// bodyBase64 is the same in base64.
func bodyBase64(header, prefix string) scheme.Alternative {
	a := bodyHex(header, prefix)
	a.Sig.Enc = scheme.Base64
	return a
}

// listed is an HMAC-SHA256 in hex, in a list of KEY=VALUE with commas between:
// pick is the key of the signature.
func listed(header, pick, signed string) scheme.Alternative {
	a := bodyHex(header, "")
	a.Sig.Split, a.Sig.KV, a.Sig.Pick = ",", "=", pick
	a.Signed = signed
	return a
}

// stamped is the form that Stripe began with: the time is in the same list,
// "t=1772366400,v1=…".
func stamped(header, pick string, f scheme.TimeFormat, old time.Duration) scheme.Alternative {
	return timed(listed(header, pick, "{time}.{body}"), "{time}.{body}", "sig:t", f, old)
}

// timed adds a clock to a signature over the template signed.
func timed(a scheme.Alternative, signed, at string, f scheme.TimeFormat, old time.Duration) scheme.Alternative {
	a.Signed = signed
	a.Time = &scheme.Time{At: at, Format: f, Tolerance: old}
	return a
}

// sha1 makes it HMAC-SHA1.
func sha1(a scheme.Alternative) scheme.Alternative {
	a.Hash = scheme.SHA1
	return a
}

// token is the secret itself in a header, behind prefix.
func token(header, prefix string) scheme.Alternative {
	return scheme.Alternative{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"header:" + header}, Prefix: prefix}}
}

// basic is HTTP Basic: the secret is "user:password".
func basic() scheme.Alternative {
	return scheme.Alternative{Kind: scheme.Basic, Sig: scheme.Sig{At: []string{"header:Authorization"}}}
}

// standard is Standard Webhooks: three headers that begin alike.
func standard(prefix string, key scheme.Key) scheme.Alternative {
	return scheme.Alternative{
		Key:    key,
		Sig:    scheme.Sig{At: []string{"header:" + prefix + "-signature"}, Split: " ", KV: ",", Pick: "v1", Enc: scheme.Base64},
		Signed: "{header:" + prefix + "-id}.{time}.{body}",
		Time:   &scheme.Time{At: "header:" + prefix + "-timestamp", Format: scheme.Unix, Tolerance: tolerance},
	}
}

// whsec is the key form of Standard Webhooks: base64 behind "whsec_".
func whsec() scheme.Key { return scheme.Key{Strip: "whsec_", Enc: scheme.Base64} }

// only is a sender with one way to prove.
func only(as ...scheme.Alternative) []scheme.Alternative { return as }

// at is a list of sources.
func at(sources ...string) []string { return sources }

// inJSONWith are the headers of a JSON body, and more as pairs of name and
// template.
func inJSONWith(pairs ...string) []Header {
	return withHeaders("application/json", pairs)
}

// inFormWith are those of a form.
func inFormWith(pairs ...string) []Header {
	return withHeaders("application/x-www-form-urlencoded", pairs)
}

func withHeaders(contentType string, pairs []string) []Header {
	hs := []Header{{"Content-Type", contentType}}
	for i := 0; i+1 < len(pairs); i += 2 {
		hs = append(hs, Header{pairs[i], pairs[i+1]})
	}
	return hs
}
