package scheme

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/hookd/hookd/auth"
)

// previewed is how many bytes of either end of the covered bytes are shown.
const previewed = 64

// Preview shows what the signature of an alternative covers in a request.
// Nothing of it depends on a secret: where a digest covers the secret, or a
// template one of the hook's settings, its name stands there in braces.
func Preview(d *Alternative, o Options, r *auth.Request) auth.Signed {
	out := auth.Signed{Template: d.Signed, Where: where(d.Sig.At), Form: form(d)}
	a, err := previewable(d)
	if err != nil {
		out.Code = auth.CodeInternal
		return out
	}
	in := input{r: r, url: o.URL, params: make(map[string]string, len(o.Params)), list: &a.sig, own: a.ownField()}
	for name := range o.Params {
		in.params[name] = "{param:" + name + "}"
	}
	values, code := a.values(&in, nil)
	out.Received = received(d, values, code)
	if len(a.signed) == 0 {
		return out
	}
	if len(values) > 0 {
		in.sig = values[0]
	}
	if a.clock != nil {
		if in.time, code = a.clock.at.read(&in); code != "" {
			out.Code = auth.CodeTimestampMissing
			return out
		}
	}
	w := &window{sum: sha256.New()}
	if out.Code = a.signed.write(&state{w: w, key: []byte("{secret}")}, &in); out.Code != "" {
		return out
	}
	out.Length, out.SHA256 = w.n, hex.EncodeToString(w.sum.Sum(nil))
	out.Head = w.head
	if w.n > len(w.head) {
		out.Tail = w.tail[max(0, len(w.tail)-(w.n-len(w.head))):]
	}
	return out
}

// previewable is the alternative without its keys.
func previewable(d *Alternative) (a alternative, err error) {
	a = alternative{kind: d.Kind, hash: d.Hash, sig: d.Sig}
	if a.at, err = ParseSources(d.Sig.At); err != nil {
		return a, err
	}
	if a.signed, err = parseTemplate(d.Signed); err != nil {
		return a, err
	}
	if d.Time != nil {
		a.clock, err = compileClock(d.Time)
	}
	return a, err
}

// Age is the time that the sender claims, as seconds before r.Now; ok is false
// where there is none.
func Age(d *Alternative, r *auth.Request) (seconds int64, ok bool) {
	a, err := previewable(d)
	if err != nil || a.clock == nil {
		return 0, false
	}
	in := input{r: r, list: &a.sig}
	if values, _ := a.values(&in, nil); len(values) > 0 {
		in.sig = values[0]
	}
	text, code := a.clock.at.read(&in)
	if code != "" {
		return 0, false
	}
	at, ok := a.clock.format.parse(text)
	return r.Now.Unix() - at.Unix(), ok
}

func where(at []string) string {
	var all []string
	for _, text := range at {
		kind, name, _ := strings.Cut(text, ":")
		all = append(all, kind+" "+name)
	}
	return strings.Join(all, " or ")
}

func form(d *Alternative) string {
	name := strings.ToUpper(d.Hash.Name())
	made := map[Kind]string{
		HMAC: "HMAC-" + name, Digest: name, Ed25519: "an Ed25519 signature", ECDSA: "an ECDSA signature", RSA: "an RSA signature",
	}[d.Kind]
	text := d.Sig.Enc.name() + " of " + made
	switch {
	case made == "":
		text = "the secret itself"
	case d.Sig.KV != "":
		text += fmt.Sprintf(", under %q of a list", d.Sig.Pick)
	case d.Sig.Split != "":
		text += ", in a list"
	}
	switch {
	case d.Sig.Prefix != "":
		text += fmt.Sprintf(", behind %q", d.Sig.Prefix)
	case d.Sig.HashPrefix:
		text += fmt.Sprintf(", behind %q or nothing", d.Hash.Name()+"=")
	}
	return text
}

// received describes what is where the signature should be.
func received(d *Alternative, values []string, code string) string {
	if code != "" {
		return code
	}
	var all []string
	for _, v := range values {
		text := fmt.Sprintf("%d bytes", len(v))
		switch s, ok := ReadShape(v); {
		case d.Kind == Token || d.Kind == Basic:
		case d.Sig.KV != "":
			text = "a list of " + keys(&d.Sig, v)
		case ok:
			text = s.String()
		}
		if all = append(all, text); len(all) == 3 {
			break
		}
	}
	return strings.Join(all, "; ")
}

// keys are the keys of a list, as far as they are words.
func keys(s *Sig, list string) string {
	var all []string
	for len(all) < 8 {
		k, _, rest, more, ok := s.next(list)
		if !more || !ok {
			break
		}
		if !(Shape{Prefix: k + "="}).plainPrefix() {
			k = "?"
		}
		all, list = append(all, k), rest
	}
	return strings.Join(all, ", ")
}

// window hashes what is written to it, and remembers both ends.
type window struct {
	sum        hash.Hash
	n          int
	head, tail []byte
}

func (w *window) Write(p []byte) (int, error) {
	w.n += len(p)
	w.head = append(w.head, p[:min(len(p), previewed-len(w.head))]...)
	w.tail = append(w.tail, p[max(0, len(p)-previewed):]...)
	w.tail = append(w.tail[:0], w.tail[max(0, len(w.tail)-previewed):]...)
	return w.sum.Write(p)
}
