package mistakes_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/auth/internal/mistakes"
	"github.com/hookd/hookd/auth/internal/scheme"
	"github.com/hookd/hookd/internal/secret"
)

// FuzzExplain: whatever a stranger sends, the search ends, says nothing of the
// secret, and changes nothing of the request.
func FuzzExplain(f *testing.F) {
	f.Add(body, "X-Sig", "sha256="+hexMAC(key, body), "1772366400")
	f.Add(`{"a":[1,2,{"b":"\ud83d\ude00"}]}`, "X-Other-Signature", "v1="+hexMAC(key, "x"), "")
	f.Add("a=1&b=%zz", "X-Sig", "t=1,v1=00", "1772366400000")
	f.Add("\x1f\x8b\x08\x00", "Authorization", "Bearer "+strings.Repeat("A", 43)+"=", "x")
	f.Add(strings.Repeat("[", 300), "x-sig", "", "-1")
	f.Fuzz(func(t *testing.T, text, name, value, at string) {
		a := timed()
		o := scheme.Options{Name: "test", Secrets: []secret.String{secret.New(key)}}
		r := request(text, name, value, "X-Time", at)
		before := fmt.Sprint(r)
		x := mistakes.Explain(context.Background(), []scheme.Alternative{a}, o, r)
		if fmt.Sprint(r) != before {
			t.Error("the request was changed")
		}
		if right := hexMAC(key, at+"."+text); !strings.Contains(text+name+value+at, key) && !strings.Contains(text+name+at, right) {
			silent(t, x, key, right)
		}
	})
}
