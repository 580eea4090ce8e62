package awssqs_test

import (
	"bytes"
	"fmt"
	"testing"

	awssqs "github.com/hookd/hookd/modules/aws_sqs"
	"github.com/hookd/hookd/modules/moduletest"
)

// maxBody leaves room for the attributes of the suite.
const maxBody = 1<<20 - 2048

// carries: the reader's XML has no carriage return at the end of a body.
// TestLineEnds reads it another way.
func carries(body []byte) bool { return !bytes.HasSuffix(body, []byte("\r")) }

// TestQueue is the form that the original service had: a queue's name.
func TestQueue(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: awssqs.Module(), MaxBody: maxBody, Carries: carries,
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, "")
			far := b.far(fmt.Sprintf(`{"queue_name": %q}`, b.queue))
			far.Restart = func() {
				b.Kill(t)
				b.Start(t)
				b.do("wait", b.queue)
			}
			return far
		},
		Bad: []moduletest.Bad{
			{Options: `{}`, Want: "without queue_url", Path: "queue_name"},
			{Options: `{"queue_name": "a", "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/a"}`, Want: "remove one", Path: "queue_url"},
			{Options: `{"queue_name": "a b"}`, Want: "1 to 80", Path: "queue_name"},
			{Options: `{"queue_name": "a.fifo.b"}`, Want: "1 to 80", Path: "queue_name"},
			{Options: `{"queue_url": "ftp://h/1/a"}`, Want: "http", Path: "queue_url"},
			{Options: `{"queue_url": "https://h/"}`, Want: "name of a queue", Path: "queue_url"},
			{Options: `{"queue_url": "https://h/1/a", "create": true}`, Want: "queue_name", Path: "create"},
			{Options: `{"queue_name": "a", "account_id": "12"}`, Want: "12 digits", Path: "account_id"},
			{Options: `{"queue_name": "a", "create": true, "account_id": "123456789012"}`, Want: "account of the credentials", Path: "create"},
			{Options: `{"queue_name": "a.fifo", "delay_seconds": 3}`, Want: "FIFO", Path: "delay_seconds"},
			{Options: `{"queue_name": "a", "delay_seconds": 901}`, Path: "delay_seconds"},
			{Options: `{"queue_name": "a", "message_group_id": "{x}"}`, Want: "not known", Path: "message_group_id"},
			{Options: `{"queue_name": "a", "attributes": {"hookd-hook": "x"}}`, Want: "set by hookd", Path: "attributes"},
			{Options: `{"queue_name": "a", "attributes": {"aws.x": "x"}}`, Want: "no name", Path: "attributes"},
			{Options: `{"queue_name": "a", "attributes": {"x": ""}}`, Want: "empty", Path: "attributes"},
			{Options: `{"queue_name": "a", "attributes": {"x": "1", "y": "2", "z": "3"}}`, Want: "more than 2", Path: "attributes"},
			{Connection: `{"aws_access_key_id": "x"}`, Want: "go together", Path: "aws_access_key_id"},
			{Connection: `{"aws_session_token": "x"}`, Want: "needs", Path: "aws_session_token"},
			{Connection: `{"access_key_id": "x", "secret_access_key": "y", "profile": "z"}`, Want: "remove one", Path: "profile"},
			{Connection: `{"external_id": "x"}`, Want: "role_arn", Path: "external_id"},
			{Connection: `{"endpoint_url": "http://h", "tls": true}`, Want: "https", Path: "tls"},
			{Connection: `{"endpoint_url": "ftp://h"}`, Want: "http", Path: "endpoint_url"},
		},
	})
}

// TestFIFO sends by URL to a queue that keeps order and drops repeats.
func TestFIFO(t *testing.T) {
	moduletest.Run(t, moduletest.Harness{
		Module: awssqs.Module(), MaxBody: maxBody, Carries: carries,
		Start: func(t *testing.T) *moduletest.Far {
			b := newBroker(t, ".fifo")
			return b.far(fmt.Sprintf(`{"queue_url": "http://%s/000000000000/%s"}`, b.Addr, b.queue))
		},
	})
}
