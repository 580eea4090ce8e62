package mistakes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/internal/scheme"
)

// notes say what is noticed about the request without computing anything.
func notes(alts []scheme.Alternative, r *auth.Request) []string {
	var all []string
	there := false
	for i := range alts {
		for _, at := range alts[i].Sig.At {
			name, ok := header(at)
			if !ok {
				there = true // not in a header: nothing to say here
				continue
			}
			switch vs := r.Header[name]; {
			case len(vs) > 1 && !alts[i].Sig.Repeat:
				all = append(all, fmt.Sprintf("%s comes %d times, which is refused: nobody can tell which one is meant.", name, len(vs)))
				there = true
			case len(vs) == 1 || strings.HasSuffix(at, "*"):
				there = true
			}
		}
	}
	if !there {
		if like := lookalikes(r); len(like) > 0 {
			all = append(all, "The header with the signature is not there. These look like one: "+strings.Join(like, ", ")+".")
		} else {
			all = append(all, "The header with the signature is not there, nor one that looks like it: the sender does not sign, or a proxy takes the header off.")
		}
	}
	for i := range alts {
		if age, ok := scheme.Age(&alts[i], r); ok && (age > 30 || age < -30) {
			all = append(all, skew(age))
			break
		}
	}
	return all
}

// lookalikes are headers that carry a signature by the look of their name.
func lookalikes(r *auth.Request) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		lower := strings.ToLower(name)
		for _, word := range []string{"sign", "hmac", "digest", "token", "auth", "sha256", "sha1"} {
			if strings.Contains(lower, word) && len(name) <= 100 {
				all = append(all, name)
				break
			}
		}
		if len(all) == 8 {
			break
		}
	}
	return all
}
