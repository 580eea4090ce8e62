package deliver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/jq"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/server/deliver"
)

func program(t testing.TB, src string) *jq.Program {
	t.Helper()
	p, err := jq.Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// deliverOne puts one event through a lane and returns what the module got (nil
// when it got nothing) and where the delivery stands.
func deliverOne(t *testing.T, ev *event.Event, change func(*deliver.Lane)) (*event.Delivery, queue.DeliveryState) {
	t.Helper()
	var got *event.Delivery
	r := newRig(t, deliver.Options{})
	r.run(r.lane("h/a", sendFunc(func(_ context.Context, d *event.Delivery) (event.Receipt, error) {
		got = d
		return event.Receipt{}, nil
	}), change))
	p, err := r.q.Put(t.Context(), queue.Item{Event: ev, Lanes: []string{"h/a"}})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	st := r.state(p.ID, "h/a")
	r.stopped()
	return got, st
}

func sample(contentType, body string) *event.Event {
	id, _ := event.ParseID("00dc6acf-ac00-7000-8000-0000000000ff")
	return &event.Event{
		ID: id, Hook: "h", Type: "push", Received: time.Unix(946684800, 0), Body: []byte(body),
		Header: http.Header{"Content-Type": {contentType}, "X-Kept": {"1"}, "X-Other": {"for another lane"}},
	}
}

func TestHeaders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ev := sample("application/json; charset=utf-8", `{ "a": 1 }`)
		d, _ := deliverOne(t, ev, func(l *deliver.Lane) { l.Strip = []string{"x-other"} })
		want := map[string]string{
			"Hookd-Event-Id": ev.ID.String(), "Hookd-Delivery-Id": event.DeliveryID(ev.ID, "h/a").String(), "Hookd-Hook": "h",
			"Hookd-Attempt": "1", "Content-Type": "application/json; charset=utf-8",
		}
		for name, v := range want {
			if got := d.Header.Get(name); got != v {
				t.Errorf("%s: %q, want %q", name, got, v)
			}
		}
		if string(d.Body) != `{ "a": 1 }` {
			t.Errorf("body %s", d.Body)
		}
		if tp := d.Header.Get("traceparent"); !strings.HasPrefix(tp, "00-00dc6acfac00700080000000000000ff-") || !strings.HasSuffix(tp, "-01") || len(tp) != 55 {
			t.Errorf("traceparent %q", tp)
		}
		if d.Event.Header.Get("X-Other") != "" || d.Event.Header.Get("X-Kept") != "1" {
			t.Errorf("headers of the sender: %v", d.Event.Header)
		}
	})
}

func TestTraceparent(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for in, want := range map[string]string{
		"00-" + id + "-00f067aa0ba902b7-00":                      "00-" + id,
		"00-" + id + "-00f067aa0ba902b7-01":                      "00-" + id,
		"00-" + id + "-0000000000000000-01":                      "",
		"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01": "",
		"ff-" + id + "-00f067aa0ba902b7-01":                      "",
		"00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01":     "",
		"00-" + id + "-00f067aa0ba902b7-01-x":                    "",
		"00-" + id + "-00f067aa0ba902b7":                         "",
		"":                                                       "",
	} {
		t.Run(in, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ev := sample("", "{}")
				ev.Header.Set("Traceparent", in)
				ev.Header.Set("Tracestate", "a=1")
				d, _ := deliverOne(t, ev, func(*deliver.Lane) {})
				got, state := d.Header.Get("Traceparent"), d.Header.Get("Tracestate")
				if want == "" {
					if !strings.HasPrefix(got, "00-00dc6acf") || state != "" {
						t.Errorf("%q, %q", got, state)
					}
					return
				}
				if !strings.HasPrefix(got, want) || strings.Contains(got, "00f067aa0ba902b7") || got[53:] != in[53:] || state != "a=1" {
					t.Errorf("%q, %q", got, state)
				}
			})
		})
	}
}

func TestFilterAndTransform(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	multi := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\n\r\ncontent\r\n--x--\r\n"
	for name, c := range map[string]struct {
		kind              deliver.DataType
		contentType, body string
		filter, transform string
		want              string // body; "" is none sent
		status            queue.Status
		code              string
	}{
		"passes":              {deliver.JSON, "application/json", `{ "a": 1 }`, `.a == 1`, ``, `{ "a": 1 }`, queue.StatusDelivered, ""},
		"filtered":            {deliver.JSON, "application/json", `{"a":2}`, `.a == 1`, ``, ``, queue.StatusFiltered, ""},
		"filter by event":     {deliver.JSON, "application/json", `{}`, `$event.type == "push" and $event.headers["x-kept"] == "1"`, ``, `{}`, queue.StatusDelivered, ""},
		"filter fails":        {deliver.JSON, "application/json", `{"a":{}}`, `.a + 1`, ``, ``, queue.StatusDead, modules.CodeFilterError},
		"filter, not JSON":    {deliver.JSON, "application/json", `{`, `true`, ``, ``, queue.StatusDead, modules.CodeFilterError},
		"transform":           {deliver.JSON, "application/json", `{"a":1.10,"b":2}`, ``, `{x: .a}`, `{"x":1.10}`, queue.StatusDelivered, ""},
		"transform fails":     {deliver.JSON, "application/json", `{"a":"s3cret"}`, ``, `.a + 1`, ``, queue.StatusDead, modules.CodeTransformError},
		"transform to naught": {deliver.JSON, "application/json", `{}`, ``, `empty`, ``, queue.StatusDead, modules.CodeTransformError},
		"bomb":                {deliver.JSON, "application/json", `{}`, ``, `"a" * 1e9`, ``, queue.StatusDead, modules.CodeTransformError},
		"form":                {deliver.Form, form, `a=1&b=2&b=3`, `.a == "1"`, `.b`, `["2","3"]`, queue.StatusDelivered, ""},
		"multipart":           {deliver.Form, `multipart/form-data; boundary=x`, multi, ``, `.`, `{"a":"1","f":"n.txt"}`, queue.StatusDelivered, ""},
		"broken form":         {deliver.Form, "", `a=1`, `true`, ``, ``, queue.StatusDead, modules.CodeFilterError},
		"blob":                {deliver.Blob, "text/plain", `hello`, `. == "hello"`, `ascii_upcase`, `"HELLO"`, queue.StatusDelivered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, st := deliverOne(t, sample(c.contentType, c.body), func(l *deliver.Lane) {
					l.DataType = c.kind
					if c.filter != "" {
						l.Filter = program(t, c.filter)
					}
					if c.transform != "" {
						l.Transform = program(t, c.transform)
					}
				})
				if st.Status != c.status || st.Code != c.code {
					t.Errorf("%+v", st)
				}
				if c.want == "" {
					if d != nil {
						t.Errorf("sent %s", d.Body)
					}
					return
				}
				if d == nil || string(d.Body) != c.want {
					t.Fatalf("got %v, want %s", d, c.want)
				}
				if c.transform != "" && d.Header.Get("Content-Type") != "application/json" {
					t.Errorf("content type %q", d.Header.Get("Content-Type"))
				}
			})
		})
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	const head = `"id":"00dc6acf-ac00-7000-8000-0000000000ff","hook":"h","type":"push","received":"2000-01-01T00:00:00Z"`
	const ce = `{"specversion":"1.0","id":"00dc6acf-ac00-7000-8000-0000000000ff","source":"/webhook/h","type":"push","time":"2000-01-01T00:00:00Z","traceparent":"TP",`
	headers := func(ct string) string {
		return `"headers":{"content-type":["` + ct + `"],"x-kept":["1"],"x-other":["for another lane"]}`
	}
	for name, c := range map[string]struct {
		format            deliver.Format
		contentType, body string
		want, wantType    string
	}{
		"payload":           {deliver.Payload, "text/plain", "\x00\xff", "\x00\xff", "text/plain"},
		"envelope of JSON":  {deliver.Envelope, "application/json", `{"b": 1.10, "a":"<"}`, `{` + head + `,"content_type":"application/json",` + headers("application/json") + `,"body":{"b": 1.10, "a":"<"}}`, "application/json"},
		"envelope of text":  {deliver.Envelope, "text/plain", "a<\"b", `{` + head + `,"content_type":"text/plain",` + headers("text/plain") + `,"body":"a<\"b"}`, "application/json"},
		"envelope of bytes": {deliver.Envelope, "image/png", "\xff\x00", `{` + head + `,"content_type":"image/png",` + headers("image/png") + `,"body_base64":"/wA="}`, "application/json"},
		"event of JSON":     {deliver.CloudEvents, "application/json", `{"b": 1}`, ce + `"datacontenttype":"application/json","data":{"b": 1}}`, "application/cloudevents+json"},
		"event of text":     {deliver.CloudEvents, "text/plain", "1", ce + `"datacontenttype":"text/plain","data":"1"}`, "application/cloudevents+json"},
		"event of bytes":    {deliver.CloudEvents, "a/b", "\xff", ce + `"datacontenttype":"a/b","data_base64":"/w=="}`, "application/cloudevents+json"},
		"broken JSON":       {deliver.CloudEvents, "application/json", "{", ce + `"datacontenttype":"application/json","data":"{"}`, "application/cloudevents+json"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, st := deliverOne(t, sample(c.contentType, c.body), func(l *deliver.Lane) { l.Format = c.format })
				if d == nil {
					t.Fatalf("%+v", st)
				}
				got := strings.Replace(string(d.Body), d.Header.Get("Traceparent"), "TP", 1)
				if got != c.want || d.Header.Get("Content-Type") != c.wantType {
					t.Errorf("%s\nwant %s\ntype %q", got, c.want, d.Header.Get("Content-Type"))
				}
				if c.format != deliver.Payload && !json.Valid(d.Body) {
					t.Error("not JSON")
				}
			})
		})
	}
}

// Binary mode: attributes are headers, encoded as the HTTP binding wants it.
func TestCloudEventsBinary(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ev := sample("application/json", `{ "a":1 }`)
		ev.Type = "π \"50%\""
		d, _ := deliverOne(t, ev, func(l *deliver.Lane) { l.Format, l.HTTPHeaders = deliver.CloudEvents, true })
		for name, want := range map[string]string{
			"Ce-Specversion": "1.0", "Ce-Id": ev.ID.String(), "Ce-Source": "/webhook/h", "Ce-Type": "%CF%80%20%2250%25%22",
			"Ce-Time": "2000-01-01T00:00:00Z", "Ce-Traceparent": d.Header.Get("Traceparent"), "Content-Type": "application/json",
		} {
			if got := d.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if string(d.Body) != `{ "a":1 }` {
			t.Errorf("%s", d.Body)
		}
	})
}

func TestCleanup(t *testing.T) {
	t.Parallel()
	const form, m = "application/x-www-form-urlencoded", deliver.Mask
	multi := func(secret string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" + secret + "--x--\r\n"
	}
	part := func(v string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + v + "\r\n"
	}
	for name, c := range map[string]struct {
		kind        deliver.DataType
		contentType string
		remove      bool
		fields      string
		in, want    string
	}{
		"nested":             {in: `{"a":[{"password":"x","api_key":"y","keep":1.10}]}`, want: `{"a":[{"password":"` + m + `","api_key":"` + m + `","keep":1.10}]}`},
		"nothing to clean":   {in: "{ \"a\" : [ 1 ] }\n", want: "{ \"a\" : [ 1 ] }\n"},
		"order, duplicates":  {in: `{"z":1, "pwd":2, "a":3, "a":4}`, want: `{"z":1,"pwd":"` + m + `","a":3,"a":4}`},
		"remove":             {remove: true, in: `{"password":"x","a":1,"token":2,"b":{"secret":null}}`, want: `{"a":1,"b":{}}`},
		"remove the last":    {remove: true, in: `{"a":1,"token":2}`, want: `{"a":1}`},
		"container is kept":  {in: `{"auth":{"user":"u","password":"p"}}`, want: `{"auth":{"user":"u","password":"` + m + `"}}`},
		"array of strings":   {in: `{"token":["a","b",{"user":"u"},["c"]]}`, want: `{"token":["` + m + `","` + m + `",{"user":"u"},["` + m + `"]]}`},
		"array, removed":     {remove: true, in: `{"token":["a",{"user":"u"},"b"]}`, want: `{"token":[{"user":"u"}]}`},
		"any scalar":         {in: `{"secret":null,"pwd":1,"token":"","csrf":true}`, want: `{"secret":"` + m + `","pwd":"` + m + `","token":"` + m + `","csrf":"` + m + `"}`},
		"words, not letters": {in: `{"author":"a","monkey":"m","keyboard":"k","primary_key":1,"tokenizer":1,"secretary":"s","id":1,"key":1}`, want: `{"author":"a","monkey":"m","keyboard":"k","primary_key":1,"tokenizer":1,"secretary":"s","id":1,"key":1}`},
		"spellings":          {in: `{"accessToken":1,"API-Key":1,"apiKey":1,"X-Api-Key":1,"dbPassword":1,"SESSION_ID":1,"OAuthToken":1,"privateKey":1,"client.secret":1," Password ":1}`, want: strings.NewReplacer("1", `"`+m+`"`).Replace(`{"accessToken":1,"API-Key":1,"apiKey":1,"X-Api-Key":1,"dbPassword":1,"SESSION_ID":1,"OAuthToken":1,"privateKey":1,"client.secret":1," Password ":1}`)},
		"escaped name":       {in: `{"pass\u0077ord":"x"}`, want: `{"pass\u0077ord":"` + m + `"}`},
		"own fields":         {fields: "Iban, x", in: `{"iban":"x","ibanx":1}`, want: `{"iban":"` + m + `","ibanx":1}`},
		"top-level value":    {in: `"password"`, want: `"password"`},
		"text is kept":       {in: `{"a":"\u00e9\/","token":1,"n":1e400}`, want: `{"a":"\u00e9\/","token":"` + m + `","n":1e400}`},
		"form":               {kind: deliver.Form, contentType: form, in: `a=1&password=x&b=%20&api%5Fkey=y`, want: `a=1&password=%2A%2A%2AREDACTED%2A%2A%2A&b=%20&api%5Fkey=%2A%2A%2AREDACTED%2A%2A%2A`},
		"form, removed":      {kind: deliver.Form, contentType: form, remove: true, in: `a=1&password=x`, want: `a=1`},
		"form without":       {kind: deliver.Form, contentType: form, in: `a=1&&b`, want: `a=1&&b`},
		"multipart":          {kind: deliver.Form, contentType: "multipart/form-data; boundary=x", in: multi(part("p")), want: multi(part(m))},
		"multipart, removed": {kind: deliver.Form, contentType: "multipart/form-data; boundary=x", remove: true, in: multi(part("p")), want: multi("")},
		"blob":               {kind: deliver.Blob, in: `{"password":"x"}`, want: `{"password":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, st := deliverOne(t, sample(c.contentType, c.in), func(l *deliver.Lane) {
					l.DataType, l.Cleanup = c.kind, deliver.NewCleanup(c.remove, strings.Split(c.fields, ","))
				})
				if d == nil {
					t.Fatalf("%+v", st)
				}
				if string(d.Body) != c.want || string(d.Event.Body) != c.want {
					t.Errorf("%s\nwant %s", d.Body, c.want)
				}
			})
		})
	}
}

// The cleanup comes before the transform, so that a transform cannot carry a
// credential out under another name.
func TestCleanupBeforeTransform(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _ := deliverOne(t, sample("", `{"password":"x"}`), func(l *deliver.Lane) {
			l.Cleanup, l.Transform, l.Filter = deliver.NewCleanup(false, nil), program(t, `{note: .password}`), program(t, `.password == "x"`)
		})
		if d == nil || string(d.Body) != `{"note":"`+deliver.Mask+`"}` {
			t.Errorf("%v", d)
		}
	})
}
