package mistakes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// maxPlaces is how many headers are looked at for a signature.
const maxPlaces = 50

// forms are other forms of the signature at its own place.
func forms(t *trial) []mistake {
	var all []mistake
	for _, at := range t.alt.Sig.At {
		name, ok := header(at)
		if !ok {
			continue
		}
		for i, v := range t.r.Header[name] {
			if m, ok := form(t, v); ok {
				all = append(all, m)
			}
			if len(t.r.Header[name]) > 1 {
				all = append(all, mistake{auth.Mistake{
					Kind: "place", Text: fmt.Sprintf("only value %d of %s is there", i+1, name),
					Advice: "The header comes more than once, which is refused: somebody on the way adds one.",
				}, func(t *trial) bool {
					t.r = with(t.r)
					t.r.Header[name] = []string{v}
					return true
				}})
			}
			if i == 3 {
				break
			}
		}
	}
	return all
}

// form reads v as what it looks like, where that is not what is configured.
func form(t *trial, v string) (mistake, bool) {
	s, ok := scheme.ReadShape(strings.TrimSpace(v))
	if !ok || t.alt.Kind != scheme.HMAC && t.alt.Kind != scheme.Digest {
		return mistake{}, false
	}
	var differs []string
	if s.Enc != t.alt.Sig.Enc {
		differs = append(differs, "is "+encodings[s.Enc]+", not "+encodings[t.alt.Sig.Enc])
	}
	if s.Hash != t.alt.Hash {
		differs = append(differs, "is made with "+s.Hash.Name()+", not "+t.alt.Hash.Name())
	}
	if !prefixFits(&t.alt, s) {
		differs = append(differs, fmt.Sprintf("has %s before it, not %s", quoted(s.Prefix), quoted(t.alt.Sig.Prefix)))
	}
	if len(differs) == 0 {
		return mistake{}, false
	}
	return mistake{auth.Mistake{
		Kind: "form", Text: "the signature " + strings.Join(differs, " and "),
		Advice: "Set the proof's algorithm, encoding and prefix to what the sender sends, or use its provider.",
	}, func(t *trial) bool {
		shape(t, s)
		return true
	}}, true
}

var encodings = map[scheme.Encoding]string{scheme.Plain: "text", scheme.Hex: "hex", scheme.Base64: "base64", scheme.Base64URL: "base64url"}

func prefixFits(a *scheme.Alternative, s scheme.Shape) bool {
	if a.Sig.HashPrefix {
		return s.Prefix == "" || strings.EqualFold(s.Prefix, s.Hash.Name()+"=")
	}
	return s.Prefix == a.Sig.Prefix
}

func quoted(prefix string) string {
	if prefix == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", prefix)
}

// shape makes the alternative read signatures of the form s.
func shape(t *trial, s scheme.Shape) {
	t.alt.Hash = s.Hash
	t.alt.Sig = scheme.Sig{At: t.alt.Sig.At, Prefix: s.Prefix, Enc: s.Enc}
}

// places are other headers that hold what looks like a signature, and for a
// token every other header.
func places(t *trial) []mistake {
	var all []mistake
	for _, name := range slices.Sorted(maps.Keys(t.r.Header)) {
		vs := t.r.Header[name]
		if len(vs) != 1 || slices.Contains(t.alt.Sig.At, "header:"+name) || len(all) == maxPlaces {
			continue
		}
		s, looks := scheme.ReadShape(vs[0])
		bare := t.alt.Kind == scheme.Token
		if !bare && !looks || own(&t.alt, name) {
			continue
		}
		text := "the signature is read from " + name
		if !bare {
			text += fmt.Sprintf(", %s of %s behind %s", encodings[s.Enc], s.Hash.Name(), quoted(s.Prefix))
		}
		all = append(all, mistake{auth.Mistake{
			Kind: "place", Text: text, Advice: "The sender uses another header than this proof reads: set `header`, or use the sender's provider.",
		}, func(t *trial) bool {
			t.alt.Sig.At, t.alt.When = []string{"header:" + name}, [2]string{}
			if bare {
				t.alt.Sig.Prefix = ""
			} else {
				shape(t, s)
			}
			return true
		}})
		if bare {
			all = append(all, bearer(name)...)
		}
	}
	return all
}

// bearer are words that may stand before a token.
func bearer(name string) []mistake {
	var all []mistake
	for _, prefix := range []string{"Bearer ", "Token "} {
		all = append(all, mistake{auth.Mistake{
			Kind: "place", Text: fmt.Sprintf("the token is read from %s, behind %q", name, prefix),
			Advice: "The sender uses another header than this proof reads: set `header`, or use the sender's provider.",
		}, func(t *trial) bool {
			t.alt.Sig.At, t.alt.When = []string{"header:" + name}, [2]string{}
			t.alt.Sig.Prefix = prefix
			return true
		}})
	}
	return all
}

// own reports whether the alternative reads the header already.
func own(a *scheme.Alternative, name string) bool {
	return slices.ContainsFunc(a.Sig.At, func(at string) bool {
		h, ok := header(at)
		return ok && h == name
	})
}

// header is the canonical header of a source.
func header(at string) (string, bool) {
	src, err := scheme.ParseSource(at)
	if err != nil || src.Header() == "" {
		return "", false
	}
	return src.Header(), true
}
