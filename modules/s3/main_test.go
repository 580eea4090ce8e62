package s3_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/internal/testinfra"
	"github.com/hookd/hookd/modules/moduletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testinfra.Cleanup()) }

const (
	key   = "hookd-secret-access-key"
	token = "hookd-session-token"
)

// store is Versity S3 Gateway behind a network that can fail, and a client in
// Python that knows nothing of hookd.
type store struct {
	*testinfra.Server
	proxy  *testinfra.Proxy
	peer   *testinfra.Peer
	bucket string // of this test
}

// message is a delivery as boto3 got it.
type message struct {
	Key    string            `json:"key"`
	ID     string            `json:"id"`
	Body   []byte            `json:"body"`
	Header map[string]string `json:"header"`
}

// object is one as boto3 got it.
type object struct {
	Key      string            `json:"key"`
	Body     []byte            `json:"body"`
	Type     string            `json:"type"`
	Encoding string            `json:"encoding"`
	Metadata map[string]string `json:"metadata"`
	Size     int               `json:"size"` // of the metadata, as it was sent
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := testinfra.S3(t)
	b := &store{
		Server: s, proxy: testinfra.NewProxy(t, s.Addr),
		bucket: strings.ReplaceAll(testinfra.Unique(t), ".", "-"),
		peer:   testinfra.NewPeer(t, "boto3", "testdata/peer.py", "http://"+s.Addr, testinfra.S3Region, s.User, s.Password),
	}
	b.do("create")
	t.Cleanup(func() { b.do("delete") })
	return b
}

// do has the peer do something with the bucket.
func (b *store) do(op string) []string {
	return b.peer.Ask(fmt.Sprintf(`[%q, %q]`, op, b.bucket))
}

func list[T any](lines []string) []T {
	all := make([]T, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &all[i]); err != nil {
			panic(fmt.Sprintf("%v: %s", err, line))
		}
	}
	return all
}

func (b *store) messages() []message { return list[message](b.do("messages")) }
func (b *store) objects() []object   { return list[object](b.do("objects")) }

// connection leads through the network that can fail.
func (b *store) connection() string {
	return connection("http://"+b.proxy.Addr(), b.User, b.Password)
}

func connection(endpoint, user, password string) string {
	return fmt.Sprintf(`{"aws_access_key_id": %q, "aws_secret_access_key": %q, "region": %q, "endpoint_url": %q}`,
		user, password, testinfra.S3Region, endpoint)
}

// options are those of the bucket and more.
func (b *store) options(more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{"bucket": %q%s}`, b.bucket, more)
}

// far has no poison and no refusal: nothing in a delivery makes S3 refuse it for
// good, and rights can come back. TestAnswers has what a far end can say.
func (b *store) far(t *testing.T, options string) *moduletest.Far {
	far := &moduletest.Far{
		Connection: b.connection(),
		Options:    b.options(options),
		Received: func() []moduletest.Message {
			var all []moduletest.Message
			for _, m := range b.messages() {
				h := make(http.Header)
				for name, v := range m.Header {
					h.Add(name, v)
				}
				all = append(all, moduletest.Message{ID: m.ID, Body: m.Body, Header: h})
			}
			return all
		},
		Secrets: []string{b.Password},
		Break:   func() { b.do("delete") },
		Restart: func() { b.Kill(t); b.Start(t) },
	}
	far.Through(b.proxy)
	return far
}
