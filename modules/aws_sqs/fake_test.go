package awssqs_test

import (
	"crypto/md5" // #nosec G501 -- the sum that SQS gives
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/moduletest"
)

// fake answers as SQS does where it fails: no emulator throttles, forbids or
// takes half of a batch.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(ids, bodies []string) (status int, text string) // nil is success
	sizes  []int                                                // of the requests
}

func newFake(t *testing.T, tls bool) *fake {
	t.Helper()
	f := &fake{}
	handler := http.HandlerFunc(f.serve)
	if tls {
		f.Server = httptest.NewTLSServer(handler)
	} else {
		f.Server = httptest.NewServer(handler)
	}
	t.Cleanup(f.Close)
	return f
}

func (f *fake) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetQueueUrl") {
		fmt.Fprintf(w, `{"QueueUrl": "%s/000000000000/a"}`, f.URL)
		return
	}
	var in struct {
		Entries []struct {
			ID   string `json:"Id"`
			Body string `json:"MessageBody"`
		}
	}
	b, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(b, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var ids, bodies []string
	for _, e := range in.Entries {
		ids, bodies = append(ids, e.ID), append(bodies, e.Body)
	}
	f.sizes = append(f.sizes, len(ids))
	status, text := http.StatusOK, taken(ids, bodies)
	if f.answer != nil {
		status, text = f.answer(ids, bodies)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// taken is the answer to messages that were stored.
func taken(ids, bodies []string) string {
	var all []string
	for i, id := range ids {
		sum := md5.Sum([]byte(bodies[i])) // #nosec G401 -- as SQS gives it
		all = append(all, fmt.Sprintf(`{"Id": %q, "MessageId": "m-%s", "MD5OfMessageBody": %q}`, id, id, hex.EncodeToString(sum[:])))
	}
	return fmt.Sprintf(`{"Successful": [%s], "Failed": []}`, strings.Join(all, ","))
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// What SQS says when it does not take messages, and what looks like success and
// is none.
func TestAnswers(t *testing.T) {
	f := newFake(t, false)
	d := destination(t, connection(f.URL), `{"queue_name": "a"}`)
	refusal := func(code, message string) string {
		return fmt.Sprintf(`{"__type": "com.amazonaws.sqs#%s", "message": %q}`, code, message)
	}
	for what, c := range map[string]struct {
		status     int
		text       string
		kind       modules.FailureKind
		code, want string
	}{
		"throttled":        {400, refusal("RequestThrottled", "slow"), modules.Throttled, modules.CodeThrottled, "slow"},
		"throttled before": {400, refusal("ThrottlingException", "Rate exceeded"), modules.Throttled, modules.CodeThrottled, "Rate"},
		"throttled KMS":    {400, refusal("KmsThrottled", "x"), modules.Throttled, modules.CodeThrottled, ""},
		"429":              {429, refusal("Other", "x"), modules.Throttled, modules.CodeThrottled, ""},
		"no right":         {403, refusal("AccessDeniedException", "not authorized to perform: sqs:sendmessage"), modules.Retryable, modules.CodeAuthFailed, "sqs:sendmessage"},
		"wrong secret":     {403, refusal("SignatureDoesNotMatch", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"expired":          {400, refusal("ExpiredTokenException", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"unknown key":      {403, refusal("InvalidClientTokenId", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"KMS right":        {400, refusal("KmsAccessDenied", "x"), modules.Retryable, modules.CodeAuthFailed, ""},
		"missing":          {400, refusal("QueueDoesNotExist", "x"), modules.Retryable, modules.CodeNotFound, ""},
		"too long":         {400, refusal("BatchRequestTooLong", "x"), modules.Rejected, modules.CodeTooLarge, ""},
		"queue's limit":    {400, refusal("InvalidParameterValue", "Reason: Message must be shorter than 1024 bytes."), modules.Rejected, modules.CodeTooLarge, "1024"},
		"characters":       {400, refusal("InvalidMessageContents", "x"), modules.Rejected, modules.CodeRefused, ""},
		"something else":   {400, refusal("UnsupportedOperation", "x"), modules.Retryable, modules.CodeRefused, ""},
		"down":             {503, refusal("ServiceUnavailable", "x"), modules.Retryable, modules.CodeUnavailable, ""},
		"a page":           {502, "<html>Bad gateway</html>", modules.Retryable, modules.CodeUnavailable, ""},
		"moved":            {302, "", modules.Retryable, modules.CodeRefused, ""},
		"empty answer":     {200, `{}`, modules.Retryable, modules.CodeBadAnswer, "nothing"},
		"no answer of SQS": {200, "<html>Log in</html>", modules.Retryable, modules.CodeBadAnswer, ""},
		"no id":            {200, `{"Successful": [{"Id": "0"}]}`, modules.Retryable, modules.CodeBadAnswer, "no id"},
		"another body":     {200, `{"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "00"}]}`, modules.Retryable, modules.CodeBadAnswer, "checksum"},
		"one failed":       {200, `{"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": false}]}`, modules.Retryable, modules.CodeUnavailable, "InternalError"},
		"one throttled":    {200, `{"Failed": [{"Id": "0", "Code": "AWS.SimpleQueueService.RequestThrottled", "SenderFault": true}]}`, modules.Throttled, modules.CodeThrottled, ""},
		"one invalid":      {200, `{"Failed": [{"Id": "0", "Code": "InvalidMessageContents", "SenderFault": true}]}`, modules.Rejected, modules.CodeRefused, ""},
	} {
		f.mu.Lock()
		f.answer = func([]string, []string) (int, string) { return c.status, c.text }
		f.mu.Unlock()
		err := moduletest.Send(t, d, delivery(`{}`))
		if what == "a page" || what == "moved" {
			c.code = modules.FailureOf(err).Code // as the SDK names it: the kind is what counts
		}
		want(t, what, err, c.kind, c.code, c.want)
		if err == nil {
			continue
		}
		if !modules.KnownCode("aws_sqs", modules.FailureOf(err).Code) {
			t.Errorf("%s: code %s", what, modules.FailureOf(err).Code)
		}
		t.Logf("%s: %v", what, err)
	}
}

// Each message of a batch has its own end, and a request that is refused as a
// whole is tried one by one.
func TestPartialFailure(t *testing.T) {
	f := newFake(t, false)
	d := destination(t, connection(f.URL), `{"queue_name": "a"}`)
	ds := []*event.Delivery{delivery(`{"n":0}`), delivery(`{"n":1}`), delivery(`{"n":2}`), delivery(`{"n":3}`)}
	f.answer = func(ids, bodies []string) (int, string) {
		return 200, strings.Replace(taken(ids[:2], bodies[:2]), `"Failed": []`, `"Failed": [{"Id": "2", "Code": "InternalError", "SenderFault": false}]`, 1)
	}
	rs := d.SendBatch(t.Context(), ds)
	if rs[0].Err != nil || rs[1].Err != nil || rs[0].Receipt.Status != "message m-0" {
		t.Errorf("%+v", rs[:2])
	}
	want(t, "failed", rs[2].Err, modules.Retryable, modules.CodeUnavailable, "InternalError")
	want(t, "forgotten", rs[3].Err, modules.Retryable, modules.CodeBadAnswer, "nothing")
	for _, code := range []string{"BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"} {
		f.mu.Lock()
		f.sizes = nil
		f.answer = func(ids, bodies []string) (int, string) {
			if len(ids) > 1 || strings.Contains(bodies[0], "2") {
				return 400, `{"__type": "com.amazonaws.sqs#` + code + `", "message": "must be shorter than"}`
			}
			return 200, taken(ids, bodies)
		}
		f.mu.Unlock()
		for i, r := range d.SendBatch(t.Context(), ds) {
			if bad := i == 2; bad {
				want(t, code, r.Err, modules.Rejected, modules.CodeTooLarge, code)
			} else if r.Err != nil {
				t.Errorf("%s: item %d: %v", code, i, r.Err)
			}
		}
		if fmt.Sprint(f.sizes) != "[4 1 1 1 1]" {
			t.Errorf("%s: requests of %v messages", code, f.sizes)
		}
	}
}
