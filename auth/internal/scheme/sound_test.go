package scheme_test

import (
	"crypto/elliptic"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/auth/internal/scheme"
)

// TestUnsoundKinds: what is unsound of the other kinds and of items, pairs and
// clocks. Each case is a description that compiles, and one change of it.
func TestUnsoundKinds(t *testing.T) {
	t.Parallel()
	hmac := func() scheme.Alternative { return hexOf(scheme.SHA256, "X-Sig", "", "{body}")[0] }
	token := func() scheme.Alternative {
		return scheme.Alternative{Kind: scheme.Token, Sig: scheme.Sig{At: []string{"header:X-Token"}}}
	}
	basic := func() scheme.Alternative { return scheme.Alternative{Kind: scheme.Basic} }
	ed := func() scheme.Alternative { return signedAt(scheme.Ed25519, 0, scheme.Hex, scheme.Hex) }
	ec := func() scheme.Alternative { return signedAt(scheme.ECDSA, 0, scheme.Plain, scheme.Base64) }
	rs := func() scheme.Alternative { return signedAt(scheme.RSA, scheme.SHA1, scheme.Plain, scheme.Base64) }
	secrets := map[scheme.Kind]string{
		scheme.HMAC: "k", scheme.Token: "k", scheme.Basic: "u:p", scheme.Digest: "k", scheme.Ed25519: strings.Repeat("d75a9801", 8),
		scheme.ECDSA: ecdsaPair(t, elliptic.P256()).public, scheme.RSA: rsaPair(t).public,
	}
	items := func() scheme.Alternative { return perItem("{item:id}.{item:n}") }
	pairs := func() scheme.Alternative {
		a := hmac()
		a.Signed, a.Require = "{query:hash}", [][2]string{{"{query:hash}", "{hex:sha256:body}"}}
		return a
	}
	for name, c := range map[string]struct {
		good   func() scheme.Alternative
		change func(a *scheme.Alternative)
	}{
		"unknown kind":               {hmac, func(a *scheme.Alternative) { a.Kind = 99 }},
		"unknown hash":               {hmac, func(a *scheme.Alternative) { a.Hash = 99 }},
		"unknown encoding":           {hmac, func(a *scheme.Alternative) { a.Sig.Enc = 99 }},
		"unknown encoding of keys":   {hmac, func(a *scheme.Alternative) { a.Key.Enc = 99 }},
		"unknown form of the time":   {ed, func(a *scheme.Alternative) { a.Time.Format = 99 }},
		"signature without encoding": {hmac, func(a *scheme.Alternative) { a.Sig.Enc = scheme.Plain }},
		"nothing of the request":     {hmac, func(a *scheme.Alternative) { a.Signed = "constant" }},
		"pick without keys":          {hmac, func(a *scheme.Alternative) { a.Sig.Pick = "v1" }},
		"pick of no setting":         {hmac, func(a *scheme.Alternative) { a.Sig.KV, a.Sig.Pick = "|", "{param:key}" }},
		"no such setting":            {hmac, func(a *scheme.Alternative) { a.Signed = "{param:x}{body}" }},
		"signature from a setting":   {hmac, func(a *scheme.Alternative) { a.Sig.At = []string{"param:x"} }},
		"signature from its list":    {hmac, func(a *scheme.Alternative) { a.Sig.At = []string{"sig:v1"} }},
		"signature in the body":      {hmac, func(a *scheme.Alternative) { a.Sig.At = []string{"json:sig"} }},
		"signature in the form":      {hmac, func(a *scheme.Alternative) { a.Sig.At, a.Signed = []string{"form:sig"}, "{sorted_form}" }},
		"signature signs itself":     {hmac, func(a *scheme.Alternative) { a.Signed = "{header:x-sig}{body}" }},
		"key of a list that is none": {hmac, func(a *scheme.Alternative) { a.Signed = "{sig:t}{body}" }},
		"headers by prefix":          {hmac, func(a *scheme.Alternative) { a.Signed = "{header:X-*}{body}" }},
		"item of no items":           {hmac, func(a *scheme.Alternative) { a.Signed = "{item:id}" }},
		"signature in no item":       {hmac, func(a *scheme.Alternative) { a.Sig.At, a.Signed = []string{"item:sig"}, "{json:id}" }},
		"url with a query":           {hmac, func(a *scheme.Alternative) { a.Signed = "{url_query}" }},
		"url decoded":                {hmac, func(a *scheme.Alternative) { a.Signed = "{url_query_decoded}" }},
		"condition in the list":      {hmac, func(a *scheme.Alternative) { a.When = [2]string{"sig:v", "1"} }},
		"condition in an item":       {items, func(a *scheme.Alternative) { a.When = [2]string{"item:v", "1"} }},
		"private prefix":             {hmac, func(a *scheme.Alternative) { a.Key.Private = "whsk_" }},

		"encoded token":    {token, func(a *scheme.Alternative) { a.Sig.Enc = scheme.Hex }},
		"list of tokens":   {token, func(a *scheme.Alternative) { a.Sig.Split = "," }},
		"hash of a token":  {token, func(a *scheme.Alternative) { a.Sig.HashPrefix = true }},
		"key of a token":   {token, func(a *scheme.Alternative) { a.Key.Strip = "whsec_" }},
		"clock of a token": {token, func(a *scheme.Alternative) { a.Time = &scheme.Time{At: "header:X-T"} }},

		"Basic elsewhere":      {basic, func(a *scheme.Alternative) { a.Sig.At = []string{"header:X-Auth"} }},
		"Basic in the query":   {basic, func(a *scheme.Alternative) { a.Sig.At = []string{"query:authorization"} }},
		"Basic in two places":  {basic, func(a *scheme.Alternative) { a.Sig.At = []string{"header:Authorization", "header:X-Auth"} }},
		"Basic with a prefix":  {basic, func(a *scheme.Alternative) { a.Sig.Prefix = "Basic " }},
		"Basic that signs":     {basic, func(a *scheme.Alternative) { a.Signed = "{body}" }},
		"Basic more than once": {basic, func(a *scheme.Alternative) { a.Sig.Repeat = true }},
		"Basic in items":       {basic, func(a *scheme.Alternative) { a.ForEach = "json:list" }},

		"Ed25519 with a hash":       {ed, func(a *scheme.Alternative) { a.Hash = scheme.SHA512 }},
		"Ed25519 key of no form":    {ed, func(a *scheme.Alternative) { a.Key.Enc = scheme.Plain }},
		"Ed25519 key hashed":        {ed, func(a *scheme.Alternative) { a.Key.SHA1 = true }},
		"Ed25519 in items":          {ed, func(a *scheme.Alternative) { a.ForEach = "json:list" }},
		"Ed25519 and a secret":      {ed, func(a *scheme.Alternative) { a.Signed = "{secret}{time}{body}" }},
		"ECDSA with SHA-1":          {ec, func(a *scheme.Alternative) { a.Hash = scheme.SHA1 }},
		"ECDSA key in hex":          {ec, func(a *scheme.Alternative) { a.Key.Enc = scheme.Hex }},
		"ECDSA and the hash's name": {ec, func(a *scheme.Alternative) { a.Sig.HashPrefix = true }},
		"RSA key in base64":         {rs, func(a *scheme.Alternative) { a.Key.Enc = scheme.Base64 }},
		"RSA that signs nothing":    {rs, func(a *scheme.Alternative) { a.Signed, a.Time = "", nil }},

		"clock that is not signed":    {ed, func(a *scheme.Alternative) { a.Signed = "{body}" }},
		"clock in an unsigned JSON":   {ed, func(a *scheme.Alternative) { a.Signed, a.Time.At = "{header:x-id}", "json:at" }},
		"clock of the operator":       {ed, func(a *scheme.Alternative) { a.Time.At = "param:at" }},
		"negative tolerance":          {ed, func(a *scheme.Alternative) { a.Time.Tolerance = -1 }},
		"negative future":             {ed, func(a *scheme.Alternative) { a.Time.Future = -1 }},
		"time in no list":             {ed, func(a *scheme.Alternative) { a.Time.At = "sig:t" }},
		"time from headers by prefix": {ed, func(a *scheme.Alternative) { a.Time.At = "header:X-*" }},

		"items in a form":         {items, func(a *scheme.Alternative) { a.ForEach = "form:list" }},
		"items of nowhere":        {items, func(a *scheme.Alternative) { a.ForEach = "list" }},
		"one signature for all":   {items, func(a *scheme.Alternative) { a.Sig.At = []string{"header:X-Sig"} }},
		"two places of one item":  {items, func(a *scheme.Alternative) { a.Sig.At = append(a.Sig.At, "json:sig") }},
		"items and the body":      {items, func(a *scheme.Alternative) { a.Signed = "{item:id}{body}" }},
		"items and the document":  {items, func(a *scheme.Alternative) { a.Signed = "{item:id}{json:id}" }},
		"items that sign nothing": {items, func(a *scheme.Alternative) { a.Signed = "" }},
		"items sign themselves":   {items, func(a *scheme.Alternative) { a.Signed = "{item:sig}" }},
		"items and pairs":         {items, func(a *scheme.Alternative) { a.Require = [][2]string{{"{header:X-A}", "{header:X-B}"}} }},

		"pair of nothing":      {pairs, func(a *scheme.Alternative) { a.Require[0][0] = "" }},
		"pair of constants":    {pairs, func(a *scheme.Alternative) { a.Require[0] = [2]string{"a", "a"} }},
		"pair with the secret": {pairs, func(a *scheme.Alternative) { a.Require[0][1] = "{secret}" }},
		"pair without a clock": {pairs, func(a *scheme.Alternative) { a.Require[0][1] = "{time}" }},
		"pair that may lack":   {pairs, func(a *scheme.Alternative) { a.Require[0][1] = "{query?:hash}" }},
		"pair of no template":  {pairs, func(a *scheme.Alternative) { a.Require[0][1] = "{nothing}" }},
	} {
		a := c.good()
		secret := secrets[a.Kind]
		if _, err := scheme.Compile([]scheme.Alternative{a}, options(secret)); err != nil {
			t.Errorf("%s: the sound one is refused: %v", name, err)
		}
		c.change(&a)
		if _, err := scheme.Compile([]scheme.Alternative{a}, options(secret)); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}

// TestTolerance: the operator's replaces both directions.
func TestTolerance(t *testing.T) {
	t.Parallel()
	a := timed(hexOf(scheme.SHA256, "X-Sig", "", "{time}{body}"), "header:X-T", scheme.Unix, time.Minute)
	a[0].Time.Future = time.Hour
	o := options("k")
	for _, c := range []struct {
		set  time.Duration
		late time.Duration
		ok   bool
	}{{0, time.Minute, true}, {0, -time.Hour, true}, {0, 2 * time.Minute, false}, {time.Second, -2 * time.Second, false}, {2 * time.Hour, 2 * time.Hour, true}} {
		o.Tolerance = c.set
		s, err := scheme.Compile(a, o)
		if err != nil {
			t.Fatal(err)
		}
		r := request("body")
		r.Now = time.Unix(1772366400, 0)
		if err := s.Sign(r); err != nil {
			t.Fatal(err)
		}
		if r.Now = r.Now.Add(c.late); verifies(s, r) != c.ok {
			t.Errorf("tolerance %s, %s later: want %v", c.set, c.late, c.ok)
		}
	}
}
