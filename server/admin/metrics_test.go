package admin_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
	"github.com/hookd/hookd/server/admin"
)

const nasty = "a\\b\"c\nd{e=\"f\"} \xff"

// scrape reads the text form back with the parser of the Prometheus project.
func scrape(t *testing.T, b *bench) map[string]*dto.MetricFamily {
	t.Helper()
	w := b.do("GET", "/metrics", "")
	if ct := w.Result().Header.Get("Content-Type"); w.Code != 200 || ct != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("scrape: %d %s", w.Code, ct)
	}
	var p expfmt.TextParser
	families, err := p.TextToMetricFamilies(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, w.Body)
	}
	return families
}

// value finds the sample with these labels, in the order given.
func value(t *testing.T, m map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, s := range m[name].GetMetric() {
		var got []string
		for _, l := range s.GetLabel() {
			got = append(got, l.GetName(), l.GetValue())
		}
		if fmt.Sprint(got) == fmt.Sprint(labels) {
			return s.GetCounter().GetValue() + s.GetGauge().GetValue() + float64(s.GetHistogram().GetSampleCount())
		}
	}
	t.Errorf("no %s with %q", name, labels)
	return -1
}

func loaded(t *testing.T) *bench {
	b := newBench(t, func(o *admin.Options) {
		o.Version = nasty
		o.EventLog = func() admin.EventLogStats { return admin.EventLogStats{Written: 5, Dropped: 3, Waiting: 2} }
	})
	b.put("push", "{}", "github/log-1", "gone/x-1")
	b.put("push", "{}", "github/log-1")
	b.settle("github/log-1", queue.Dead, "refused")
	b.lanes.Pause("github/log-1")
	for _, f := range []record.Fact{
		{Kind: record.Accepted, Hook: "github", Bytes: 10, Duration: 3 * time.Millisecond},
		{Kind: record.Accepted, Hook: "github", Bytes: 5, Duration: time.Minute},
		{Kind: record.Duplicate, Hook: "github"},
		{Kind: record.Refused, Hook: "github", Code: "unauthorized"},
		{Kind: record.Refused, Hook: "github", Code: nasty},
		{Kind: record.Refused, Hook: "never/configured", Code: "unknown_hook"},
		{Kind: record.Delivered, Hook: "github", Lane: "github/log-1", Duration: time.Millisecond, Bytes: 7},
		{Kind: record.Retried, Hook: "github", Lane: "github/log-1", Code: "timeout"},
		{Kind: record.Died, Hook: "github", Lane: "github/log-1", Code: "timeout"},
	} {
		b.rec.Tell(f)
	}
	return b
}

func TestMetricsText(t *testing.T) {
	t.Parallel()
	m := scrape(t, loaded(t))
	shown := strings.ToValidUTF8(nasty, "\uFFFD")
	for _, tc := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{2, "hookd_events_accepted_total", []string{"hook", "github"}},
		{15, "hookd_events_accepted_bytes_total", []string{"hook", "github"}},
		{1, "hookd_events_duplicate_total", []string{"hook", "github"}},
		{0, "hookd_handshakes_total", []string{"hook", "github"}},
		{1, "hookd_requests_refused_total", []string{"hook", "github", "code", "unauthorized"}},
		{1, "hookd_requests_refused_total", []string{"hook", "github", "code", shown}},
		{1, "hookd_requests_refused_total", []string{"hook", "other", "code", "unknown_hook"}},
		{2, "hookd_accept_duration_seconds", []string{"hook", "github"}},
		{1, "hookd_deliveries_delivered_total", []string{"lane", "github/log-1"}},
		{7, "hookd_deliveries_delivered_bytes_total", []string{"lane", "github/log-1"}},
		{1, "hookd_deliveries_retried_total", []string{"lane", "github/log-1"}},
		{1, "hookd_deliveries_dead_total", []string{"lane", "github/log-1"}},
		{2, "hookd_attempts_failed_total", []string{"lane", "github/log-1", "code", "timeout"}},
		{1, "hookd_delivery_duration_seconds", []string{"lane", "github/log-1"}},
		{1, "hookd_lane_deliveries", []string{"lane", "github/log-1", "state", "ready"}},
		{1, "hookd_lane_deliveries", []string{"lane", "github/log-1", "state", "dead"}},
		{1, "hookd_lane_deliveries", []string{"lane", "gone/x-1", "state", "ready"}},
		{0, "hookd_lane_deliveries", []string{"lane", "github/http_webhook-1", "state", "ready"}},
		{1, "hookd_lane_paused", []string{"lane", "github/log-1"}},
		{1, "hookd_lane_breaker", []string{"lane", "github/log-1", "state", "closed"}},
		{0, "hookd_lane_breaker", []string{"lane", "github/log-1", "state", "open"}},
		{5, "hookd_event_log_written_total", nil},
		{3, "hookd_event_log_dropped_total", nil},
		{2, "hookd_event_log_waiting", nil},
	} {
		if got := value(t, m, tc.name, tc.labels...); got != tc.want {
			t.Errorf("%s%q = %v, want %v", tc.name, tc.labels, got, tc.want)
		}
	}
	for _, l := range m["hookd_build_info"].GetMetric()[0].GetLabel() {
		if l.GetName() == "version" && l.GetValue() != shown {
			t.Errorf("version %q, want %q", l.GetValue(), shown)
		}
	}
	for name, f := range m {
		if f.GetHelp() == "" || f.GetType() == dto.MetricType_UNTYPED || (f.GetType() == dto.MetricType_COUNTER) != strings.HasSuffix(name, "_total") {
			t.Errorf("family %s: type %v, help %q", name, f.GetType(), f.GetHelp())
		}
	}
	h := m["hookd_accept_duration_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleSum() != 60.003 || len(h.GetBucket()) != len(record.Bounds)+1 {
		t.Errorf("histogram: %v", h)
	}
	for _, k := range h.GetBucket() {
		want := uint64(0)
		if k.GetUpperBound() >= 0.005 {
			want = 1
		}
		if k.GetUpperBound() > 30 {
			want = 2
		}
		if k.GetCumulativeCount() != want {
			t.Errorf("bucket %v: %d, want %d", k.GetUpperBound(), k.GetCumulativeCount(), want)
		}
	}
}

// OpenMetrics differs in few places; the rest is what the text form's parser
// has read.
func TestOpenMetrics(t *testing.T) {
	t.Parallel()
	b := loaded(t)
	w := b.do("GET", "/metrics", "", "Accept", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1")
	if ct := w.Result().Header.Get("Content-Type"); ct != "application/openmetrics-text; version=1.0.0; charset=utf-8" {
		t.Fatalf("content type %s", ct)
	}
	text := w.Body.String()
	if !strings.HasSuffix(text, "\n# EOF\n") || strings.Contains(text, "\n\n") {
		t.Errorf("the end is not marked, or a line is empty")
	}
	for _, want := range []string{
		"# TYPE hookd_events_accepted counter\n", "\nhookd_events_accepted_total{hook=\"github\"} 2\n",
		"\nhookd_accept_duration_seconds_bucket{hook=\"github\",le=\"1.0\"} 1\n", "le=\"+Inf\"} 2\n",
		"\nhookd_requests_refused_total{hook=\"github\",code=\"a\\\\b\\\"c\\nd{e=\\\"f\\\"} \uFFFD\"} 1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	families := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			if name = strings.Fields(name)[0]; families[name] || strings.HasSuffix(name, "_total") {
				t.Errorf("family %s comes twice or has the name of a sample", name)
			}
			families[name] = true
		}
	}
}

func TestMetricsNegotiation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for accept, open := range map[string]bool{
		"": false, "*/*": false, "text/plain": false, "application/json": false,
		"application/openmetrics-text": true,
		"application/openmetrics-text; version=1.0.0,application/openmetrics-text; version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1": true,
		"application/openmetrics-text;q=0.1, text/plain":         false,
		"application/openmetrics-text;q=0":                       false,
		"application/openmetrics-text;version=2.0.0, text/plain": false,
		";;;,, text/plain;q=x":                                   false,
	} {
		w := b.do("GET", "/metrics", "", "Accept", accept)
		if got := strings.HasPrefix(w.Result().Header.Get("Content-Type"), "application/openmetrics-text"); got != open || w.Code != 200 {
			t.Errorf("%q: %d openmetrics=%v, want %v", accept, w.Code, got, open)
		}
	}
}

// Whatever a code holds, it comes back as one label of one sample.
func FuzzMetricLabel(f *testing.F) {
	f.Add("timeout")
	f.Add(nasty)
	f.Add("\r\n# EOF\n")
	f.Fuzz(func(t *testing.T, code string) {
		b := newBench(t)
		b.rec.Tell(record.Fact{Kind: record.Refused, Hook: "github", Code: code})
		value(t, scrape(t, b), "hookd_requests_refused_total", "hook", "github", "code", strings.ToValidUTF8(code, "\uFFFD"))
	})
}
