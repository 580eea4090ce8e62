package siteverify

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/hookd/hookd/auth"
)

// FuzzReply: a reply that is taken is JSON, and lets a token pass only when it
// says so under the exact name.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		`{"success":true,"score":0.9,"action":"login","hostname":"a.example","error-codes":[]}`,
		`{"success":false,"error-codes":["timeout-or-duplicate","invalid-input-secret"]}`,
		`{"success":true,"success":false}`, `{"Success":true}`, `{"success":true,"score":1e400}`, `{"success":true}x`,
		`{"\u0073uccess":true,"score":null}`, `[]`, `{"success":true,"error-codes":[null]}`,
		`{"success":true,"":1e700}`,
	} {
		f.Add([]byte(seed))
	}
	least := 0.5
	expect := expectation{hostnames: []string{"a.example"}, action: "login", score: &least}
	f.Fuzz(func(t *testing.T, body []byte) {
		rep, err := parseReply(body)
		if err != nil {
			if errors.Is(err, errReply) || errors.Is(err, errNoObject) || errors.Is(err, errDuplicate) {
				return
			}
			t.Fatalf("%q: %v", body, err)
		}
		var all map[string]any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber() // members that are not known may hold any number
		if err := dec.Decode(&all); err != nil {
			t.Fatalf("%q is taken: %v", body, err)
		}
		if rep.success != (all["success"] == true) {
			t.Errorf("%q: success %v", body, rep.success)
		}
		code, err := expect.judge(rep)
		passes := code == "" && rep.fault() == nil
		number, _ := all["score"].(json.Number)
		score, _ := number.Float64() // 0 where there is none
		if passes != (all["success"] == true && score >= least && all["action"] == "login" && sameHost("a.example", rep.hostname)) {
			t.Errorf("%q: passes %v", body, passes)
		}
		if (code == "") != (err == nil) || code == auth.CodeInternal {
			t.Errorf("%q: %q, %v", body, code, err)
		}
	})
}
