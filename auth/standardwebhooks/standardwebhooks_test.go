package standardwebhooks_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	reference "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookd/hookd/auth"
	"github.com/hookd/hookd/auth/authtest"
	"github.com/hookd/hookd/auth/standardwebhooks"
)

// The published keys: of the reference library's tests (whsec), and of Svix's
// README (whsk and its public half); and what each signed.
const (
	whsec   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	whpk    = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	whsk    = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	byWhsec = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	byWhsk  = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)

// published is the message that both signed.
func published(signatures ...string) *auth.Request {
	r := authtest.Request()
	r.Header["Webhook-Id"] = []string{"msg_p5jXN8AQM9LWM0D4loKWxJek"}
	r.Header["Webhook-Timestamp"] = []string{"1614265330"}
	r.Header["Webhook-Signature"] = signatures
	r.Body = []byte(`{"test": 2432232314}`)
	r.Now = time.Unix(1614265330, 0)
	return r
}

func with(r *auth.Request, name string, values ...string) *auth.Request {
	r.Header[name] = values
	return r
}

func TestTable(t *testing.T) {
	t.Parallel()
	const sym, pub = `{"secret":"` + whsec + `"}`, `{"secret":"` + whpk + `"}`
	const both = `{"secret":["` + whpk + `","` + whsec + `"]}`
	row := authtest.Row
	later := published(byWhsec)
	later.Now = later.Now.Add(301 * time.Second)
	within := published(byWhsec)
	within.Now = within.Now.Add(301*time.Second - time.Nanosecond)                    // of a clock in whole seconds
	printed := published("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= " + byWhsk) // the specification's example
	printed.Header["Webhook-Id"], printed.Header["Webhook-Timestamp"] = []string{"msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"}, []string{"1674087231"}
	printed.Body = []byte(`{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}`)
	printed.Now = time.Unix(1674087231, 0)
	svix := published(byWhsec)
	svix.Header = http.Header{"Svix-Id": svix.Header["Webhook-Id"], "Svix-Timestamp": svix.Header["Webhook-Timestamp"], "Svix-Signature": {byWhsec}}
	authtest.Table(t, standardwebhooks.Method(), []authtest.Case{
		row("published v1", sym, published(byWhsec), ""),
		row("published v1a", pub, published(byWhsk), ""),
		row("published v1a, private key", `{"secret":"`+whsk+`"}`, published(byWhsk), ""),
		row("published v1, as late as may be", sym, within, ""),
		row("published v1, late", sym, later, auth.CodeTimestampTooOld),
		row("the printed example", both, printed, auth.CodeSignatureMismatch),
		row("either of two keys", both, published(byWhsec), ""),
		row("the other of two keys", both, published(byWhsk), ""),
		row("both signatures", sym, published(byWhsk+" "+byWhsec), ""),
		row("unknown version", sym, published("v3,abc "+byWhsec), ""),
		row("unknown version only", sym, published("v3,abc"), auth.CodeAlgorithm),
		row("v1 where v1a is wanted", pub, published(byWhsec), auth.CodeAlgorithm),
		row("malformed list", sym, published("v1"), auth.CodeMalformed),
		row("too many", sym, published(strings.Repeat("v1, ", 9)+byWhsec), auth.CodeTooLong),
		row("two signature headers", sym, published(byWhsec, byWhsec), auth.CodeDoubled),
		row("no signature", sym, published(), auth.CodeMissing),
		row("blank signature", sym, published(" \t "), auth.CodeMissing),
		row("no id", sym, with(published(byWhsec), "Webhook-Id"), auth.CodeMissing),
		row("two ids", sym, with(published(byWhsec), "Webhook-Id", "a", "b"), auth.CodeDoubled),
		row("id with a dot", sym, with(published(byWhsec), "Webhook-Id", "msg.1"), auth.CodeMalformed),
		row("id with a blank", sym, with(published(byWhsec), "Webhook-Id", "msg 1"), auth.CodeMalformed),
		row("id with a line break", sym, with(published(byWhsec), "Webhook-Id", "msg\n1"), auth.CodeMalformed),
		row("long id", sym, with(published(byWhsec), "Webhook-Id", strings.Repeat("m", 513)), auth.CodeTooLong),
		row("other id", sym, with(published(byWhsec), "Webhook-Id", "msg_1"), auth.CodeSignatureMismatch),
		row("no time", sym, with(published(byWhsec), "Webhook-Timestamp"), auth.CodeTimestampMissing),
		row("two times", sym, with(published(byWhsec), "Webhook-Timestamp", "1614265330", "1614265330"), auth.CodeDoubled),
		row("time with a sign", sym, with(published(byWhsec), "Webhook-Timestamp", "+1614265330"), auth.CodeMalformed),
		row("time with a fraction", sym, with(published(byWhsec), "Webhook-Timestamp", "1614265330.5"), auth.CodeMalformed),
		row("time with a blank", sym, with(published(byWhsec), "Webhook-Timestamp", " 1614265330"), auth.CodeMalformed),
		row("negative time", sym, with(published(byWhsec), "Webhook-Timestamp", "-1"), auth.CodeMalformed),
		row("time in hex", sym, with(published(byWhsec), "Webhook-Timestamp", "0x6037a332"), auth.CodeMalformed),
		row("huge time", sym, with(published(byWhsec), "Webhook-Timestamp", strings.Repeat("9", 30)), auth.CodeMalformed),
		row("time in milliseconds", sym, with(published(byWhsec), "Webhook-Timestamp", "1614265330000"), auth.CodeTimestampInFuture),
		row("time with zeros before it", sym, with(published(byWhsec), "Webhook-Timestamp", "001614265330"), auth.CodeSignatureMismatch),
		row("the other prefix", `{"secret":"`+whsec+`","prefix":"svix"}`, svix, ""),
		row("not the other prefix", sym, svix, auth.CodeMissing),
	})
	authtest.Refused(t, standardwebhooks.Method(),
		`{}`, `{"secret":""}`, `{"secret":[]}`, `{"secret":null}`, `{"secret":12}`, `{"secret":"s3cret"}`, `{"secret":"whsec_s3cret"}`,
		`{"secret":"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`, `{"secret":"whpk_s3crets3crets3crets3crets3crets3crets3cre"}`,
		`{"secret":["`+whsec+`","whsk_s3cret"]}`, `{"secret":[`+strings.Repeat(`"`+whsec+`",`, 8)+`"`+whsec+`"]}`,
		`{"secret":"`+whsec+`","tolerance":0}`, `{"secret":"`+whsec+`","tolerance":"25h"}`, `{"secret":"`+whsec+`","prefix":"a b"}`, `{"secret":"`+whsec+`","prefix":""}`,
	)
}

func decode(t *testing.T, config string) auth.Verifier {
	t.Helper()
	v, err := authtest.Decode(standardwebhooks.Method(), config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDuplicateType: a body with two event types is refused although it is
// signed.
func TestDuplicateType(t *testing.T) {
	t.Parallel()
	v := decode(t, `{"secret":"`+whsec+`"}`)
	for body, code := range map[string]string{
		`{"type":"a","type":"b"}`:                auth.CodeMalformed,
		`{"type":"a","data":{"type":"b"}}`:       "",
		`{"data":{"type":"b","type":"c"}}`:       "",
		`no JSON`:                                "",
		`{"ty\u0070e":"a","n":[{}],"type":"b" }`: auth.CodeMalformed,
	} {
		r := authtest.Request()
		r.Body = []byte(body)
		v.(auth.Preparer).Prepare(r, "", "msg_1")
		if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := v.Verify(context.Background(), r); err != nil {
			got = auth.DenialOf(err).Code
		}
		if got != code {
			t.Errorf("%s: code %q, want %q", body, got, code)
		}
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	v := decode(t, `{"secret":"`+whsec+`","prefix":"X-Acme"}`)
	for body, kind := range map[string]string{authtest.Body: "thing.made", "": "", "[1]": "", `{"type":7}`: "7", `{"type":{"a":1}}`: ""} {
		r := authtest.Request()
		r.Body = []byte(body)
		v.(auth.Preparer).Prepare(r, "thing.made", "msg_1")
		want := auth.Marks{DeliveryID: "msg_1", Covered: true, Type: kind, Window: 7 * 24 * time.Hour}
		if got := v.(auth.Marker).Mark(r); got != want {
			t.Errorf("%s: %+v, want %+v", body, got, want)
		}
	}
}

// TestSigning: by the first key that can sign; an id that is there stays.
func TestSigning(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"secret":["` + whsec + `","` + whsk + `"]}`: byWhsec,
		`{"secret":["` + whsk + `","` + whsec + `"]}`: byWhsk,
		`{"secret":["` + whpk + `","` + whsec + `"]}`: byWhsec,
	} {
		v, r := decode(t, config), published()
		v.(auth.Preparer).Prepare(r, "", "msg_other")
		if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if got := r.Header.Get("Webhook-Signature"); got != want {
			t.Errorf("signed %s, want %s", got, want)
		}
	}
	public := decode(t, `{"secret":"`+whpk+`"}`)
	if err := public.(auth.Signer).Sign(context.Background(), published()); err == nil || !strings.Contains(err.Error(), "whsk_") {
		t.Errorf("signing with a public key: %v", err)
	}
	bare := &auth.Request{}
	public.(auth.Preparer).Prepare(bare, "", "")
	if err := public.(auth.Signer).Sign(context.Background(), bare); err == nil || !strings.Contains(err.Error(), "Webhook-Id") {
		t.Errorf("signing without an id: %v", err)
	}
}

// TestReferenceLibrary: the senders' library for Go verifies what is signed
// here, and what it signs is accepted.
func TestReferenceLibrary(t *testing.T) {
	t.Parallel()
	theirs, err := reference.NewWebhook(whsec)
	if err != nil {
		t.Fatal(err)
	}
	v, r := decode(t, `{"secret":["`+whsec+`","`+whpk+`"]}`), authtest.Request()
	r.Now = time.Now()
	v.(auth.Preparer).Prepare(r, "", "msg_1")
	if err := v.(auth.Signer).Sign(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Verify(r.Body, r.Header); err != nil {
		t.Errorf("they refuse ours: %v", err)
	}
	sig, err := theirs.Sign("msg_2", r.Now, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(reference.HeaderWebhookID, "msg_2")
	r.Header.Set(reference.HeaderWebhookSignature, sig)
	if id, err := v.Verify(context.Background(), r); err != nil || id.Subject != "standard_webhooks:0" {
		t.Errorf("we refuse theirs: %+v %v", id, err)
	}
}

func FuzzHeaders(f *testing.F) {
	for _, seed := range [][3]string{
		{"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", byWhsec},
		{"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", byWhsk + " " + byWhsec},
		{"msg.1", "1614265330", "v1,"},
		{"", "01614265330", "v1a,v1a,"},
		{"msg_p5jXN8AQM9LWM0D4loKWxJek", "-1", "\t"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	v, err := authtest.Decode(standardwebhooks.Method(), `{"secret":["`+whsec+`","`+whpk+`"]}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id, at, list string) {
		r := with(with(published(list), "Webhook-Id", id), "Webhook-Timestamp", at)
		_, err := v.Verify(context.Background(), r)
		signed := id == "msg_p5jXN8AQM9LWM0D4loKWxJek" && at == "1614265330" && (strings.Contains(list, byWhsec) || strings.Contains(list, byWhsk))
		if err == nil && !signed {
			t.Errorf("accepted %q %q %q", id, at, list)
		}
	})
}
