package presets

import (
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// where names sources as a reader knows them: "header X-GitHub-Event".
func where(sources []string) string {
	texts := make([]string, 0, len(sources))
	for _, s := range sources {
		kind, name, _ := strings.Cut(s, ":")
		switch kind {
		case "json":
			texts = append(texts, "JSON member "+name)
		case "form":
			texts = append(texts, "form field "+name)
		case "query":
			texts = append(texts, "query parameter "+name)
		case "item":
			texts = append(texts, "member "+name+" of every item")
		case "sig":
			texts = append(texts, name+" of the signature header")
		case "param":
			texts = append(texts, "setting "+name)
		default:
			texts = append(texts, kind+" "+name)
		}
	}
	return strings.Join(texts, ", else ")
}

func form(a *scheme.Alternative) string {
	behind := ""
	if a.Sig.Prefix != "" {
		behind = " behind " + strings.TrimRight(a.Sig.Prefix, " ")
	}
	switch a.Kind {
	case scheme.Token:
		return "the secret itself" + behind
	case scheme.Basic:
		return "Basic, the secret is user:password"
	case scheme.HMAC, scheme.Digest, scheme.Ed25519, scheme.ECDSA, scheme.RSA:
	}
	enc := map[scheme.Encoding]string{scheme.Hex: "hex", scheme.Base64: "base64", scheme.Base64URL: "base64url"}[a.Sig.Enc]
	text := algorithm(a) + " in " + enc
	if a.Sig.Pick != "" {
		text += " as " + a.Sig.Pick
	}
	return text + behind
}

// algorithm names the signature as its readers know it: "RSA-SHA256".
func algorithm(a *scheme.Alternative) string {
	hash := strings.ToUpper(a.Hash.Name())
	switch a.Kind {
	case scheme.HMAC:
		return "HMAC-" + hash
	case scheme.ECDSA:
		return "ECDSA-" + hash
	case scheme.RSA:
		return "RSA-" + hash
	case scheme.Ed25519:
		return "Ed25519"
	case scheme.Digest, scheme.Token, scheme.Basic:
	}
	return hash
}

// signatureAt is where the signature is.
func signatureAt(a *scheme.Alternative) string {
	if a.Kind == scheme.Basic {
		return "header Authorization"
	}
	text := where(a.Sig.At)
	if a.ForEach != "" {
		text += " of " + where([]string{a.ForEach})
	}
	return text
}

// span is a length of time in words: "5 minutes".
func span(d time.Duration) string {
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch {
		case d == u.d:
			return "1 " + u.name
		case d >= u.d && d%u.d == 0:
			return strconv.Itoa(int(d/u.d)) + " " + u.name + "s"
		}
	}
	return d.String()
}
