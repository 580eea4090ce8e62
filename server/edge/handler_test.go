package edge_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/server/edge"
	"github.com/hookd/hookd/server/ingest"
	"github.com/hookd/hookd/server/ingest/payload"
)

// sinkWriter is a ResponseWriter that is as cheap as can be.
type sinkWriter struct{ h http.Header }

func (w *sinkWriter) Header() http.Header         { return w.h }
func (w *sinkWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *sinkWriter) WriteHeader(int)             {}

// sunk is a queue that takes everything and keeps nothing.
type sunk struct{}

func (sunk) Put(_ context.Context, it queue.Item) (queue.Put, error) {
	return queue.Put{ID: event.ID{1}, Fresh: true}, nil
}
func (sunk) ReturnsBody() bool { return true }

// BenchmarkHandler is everything between net/http and the queue.
func BenchmarkHandler(b *testing.B) {
	check, err := payload.New(payload.Options{Type: "json"})
	if err != nil {
		b.Fatal(err)
	}
	hook := &ingest.Hook{ID: "github", Lanes: []string{"github/log-1"}, Auth: benchAuth(b), Body: ingest.Body{Type: "json", Check: check}}
	h := edge.NewHandler(edge.Options{Gate: &ingest.Gate{Hooks: hooks{"github": hook}, Queue: sunk{}}, Log: slog.New(slog.DiscardHandler)})
	raw, _ := githubRequest()
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	fields := map[string][]string{}
	for line := range strings.Lines(string(head)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && k != "Host" {
			fields[http.CanonicalHeaderKey(k)] = []string{v}
		}
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://x/webhook/github", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI, r.RemoteAddr, r.ContentLength = "/webhook/github", "192.0.2.1:1234", int64(len(body))
	w := &sinkWriter{h: http.Header{}}
	rd := bytes.NewReader(nil)
	r.Body = io.NopCloser(rd)
	b.ReportAllocs()
	for b.Loop() {
		rd.Reset(body)
		clear(r.Header)
		for k, v := range fields {
			r.Header[k] = v
		}
		clear(w.h)
		h.ServeHTTP(w, r)
		if w.h["Hookd-Event-Id"] == nil {
			b.Fatal("refused")
		}
	}
}
