package admin

import (
	"net/http"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/queue"
	"github.com/hookd/hookd/internal/record"
)

// breakerStates are the values of the label state.
var breakerStates = []string{"closed", "half_open", "open"}

func (a *api) metrics(c *gin.Context) {
	lanes, err := a.allLanes(c)
	if err != nil {
		// A scrape without the queue would look like an empty queue.
		a.fail(c, err)
		return
	}
	e := &exposition{open: wantsOpenMetrics(c.GetHeader("Accept"))}
	s := a.Recorder.Snapshot()
	a.processMetrics(e, s)
	if st, ok := a.Store.(queue.Stater); ok {
		queueMetrics(e, st.State())
	}
	if a.Quarantine != nil {
		quarantineMetrics(e, a.Quarantine.Stats())
	}
	if a.EventLog != nil {
		eventLogMetrics(e, a.EventLog())
	}
	hookMetrics(e, s)
	deliveryMetrics(e, s)
	laneMetrics(e, lanes, s.Time)
	contentType := textMetrics
	if e.open {
		contentType = openMetrics
	}
	c.Header("Vary", "Accept")
	c.Data(http.StatusOK, contentType, e.finish())
}

func (a *api) processMetrics(e *exposition, s record.Snapshot) {
	e.family("hookd_build_info", "gauge", "Which build runs; always 1.")
	e.sample(1, label{"version", a.Version}, label{"go", runtime.Version()})
	e.family("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.")
	e.sample(float64(a.Started.UnixMilli()) / 1000)
	mem := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(mem)
	e.family("go_goroutines", "gauge", "Goroutines that exist now.")
	e.sample(float64(runtime.NumGoroutine()))
	e.family("hookd_memory_mapped_bytes", "gauge", "Memory that the Go runtime holds.")
	e.sample(float64(mem[0].Value.Uint64()))
	e.family("hookd_memory_heap_bytes", "gauge", "Memory in live objects and those not yet swept.")
	e.sample(float64(mem[1].Value.Uint64()))
	e.family("hookd_tails", "gauge", "Open tails.")
	e.sample(float64(s.Tails))
	e.family("hookd_tail_missed", "counter", "Facts that a tail had no room for.")
	e.count(s.Missed)
}

func queueMetrics(e *exposition, s queue.State) {
	writable := 0.0
	if s.Writable {
		writable = 1
	}
	e.family("hookd_queue_writable", "gauge", "1 while events can be accepted.")
	e.sample(writable)
	e.family("hookd_queue_disk_bytes", "gauge", "What the files of the queue take.")
	e.sample(float64(s.DiskUsed))
	e.family("hookd_queue_disk_limit_bytes", "gauge", "The most that they may take.")
	e.sample(float64(s.DiskMax))
	e.family("hookd_queue_disk_free_bytes", "gauge", "What the file system has left.")
	e.sample(float64(s.DiskFree))
}

func eventLogMetrics(e *exposition, s EventLogStats) {
	e.family("hookd_event_log_written", "counter", "Rows of the event log that were written.")
	e.count(s.Written)
	e.family("hookd_event_log_dropped", "counter", "Events that are not in the event log: they could not be written, or not in time.")
	e.count(s.Dropped)
	e.family("hookd_event_log_waiting", "gauge", "Events that wait to be written to the event log.")
	e.sample(float64(s.Waiting))
}

func hookMetrics(e *exposition, s record.Snapshot) {
	each := func(f func(l label, h record.HookStats)) {
		for name, h := range sorted(s.Hooks) {
			f(label{"hook", name}, h)
		}
	}
	e.family("hookd_events_accepted", "counter", "Events that are stored and acknowledged.")
	each(func(l label, h record.HookStats) { e.count(h.Accepted, l) })
	e.family("hookd_events_accepted_bytes", "counter", "Bytes of the bodies of accepted events.")
	each(func(l label, h record.HookStats) { e.count(h.Bytes, l) })
	e.family("hookd_events_duplicate", "counter", "Requests that repeated an event within its window.")
	each(func(l label, h record.HookStats) { e.count(h.Duplicates, l) })
	e.family("hookd_handshakes", "counter", "Verification requests of senders that were answered.")
	each(func(l label, h record.HookStats) { e.count(h.Handshakes, l) })
	e.family("hookd_requests_refused", "counter", "Requests that were refused, by the code of why.")
	each(func(l label, h record.HookStats) {
		for code, n := range sorted(h.Refused) {
			e.count(n, l, label{"code", code})
		}
	})
	e.family("hookd_accept_duration_seconds", "histogram", "From the request to its acknowledgement, of accepted events.")
	each(func(l label, h record.HookStats) { durations(e, h.Accept, l) })
}

func deliveryMetrics(e *exposition, s record.Snapshot) {
	each := func(f func(l label, h record.LaneStats)) {
		for name, st := range sorted(s.Lanes) {
			f(label{"lane", name}, st)
		}
	}
	e.family("hookd_deliveries_delivered", "counter", "Deliveries that the far end took responsibility for.")
	each(func(l label, st record.LaneStats) { e.count(st.Delivered, l) })
	e.family("hookd_deliveries_delivered_bytes", "counter", "Bytes delivered.")
	each(func(l label, st record.LaneStats) { e.count(st.Bytes, l) })
	e.family("hookd_deliveries_filtered", "counter", "Deliveries that a filter ended.")
	each(func(l label, st record.LaneStats) { e.count(st.Filtered, l) })
	e.family("hookd_deliveries_retried", "counter", "Failed attempts that another will follow.")
	each(func(l label, st record.LaneStats) { e.count(st.Retried, l) })
	e.family("hookd_deliveries_dead", "counter", "Deliveries that went to the dead letters.")
	each(func(l label, st record.LaneStats) { e.count(st.Died, l) })
	e.family("hookd_attempts_failed", "counter", "Failed attempts, by the code of why.")
	each(func(l label, st record.LaneStats) {
		for code, n := range sorted(st.Failed) {
			e.count(n, l, label{"code", code})
		}
	})
	e.family("hookd_delivery_duration_seconds", "histogram", "Duration of attempts that delivered.")
	each(func(l label, st record.LaneStats) { durations(e, st.Delivery, l) })
}

func laneMetrics(e *exposition, lanes []Lane, now time.Time) {
	gauge := func(name, help string, value func(l *Lane) float64) {
		e.family(name, "gauge", help)
		for i := range lanes {
			e.sample(value(&lanes[i]), label{"lane", lanes[i].Name})
		}
	}
	e.family("hookd_lane_deliveries", "gauge", "Deliveries in the queue, by where they stand.")
	for _, l := range lanes {
		name := label{"lane", l.Name}
		e.sample(float64(l.Ready), name, label{"state", "ready"})
		e.sample(float64(l.Delayed), name, label{"state", "delayed"})
		e.sample(float64(l.Leased), name, label{"state", "leased"})
		e.sample(float64(l.Dead), name, label{"state", "dead"})
	}
	gauge("hookd_lane_oldest_seconds", "Age of the oldest delivery that is not settled; 0 without any.", func(l *Lane) float64 {
		if l.Oldest.IsZero() {
			return 0
		}
		return max(0, now.Sub(l.Oldest).Seconds())
	})
	gauge("hookd_lane_paused", "1 while the lane is paused.", func(l *Lane) float64 {
		if l.Paused {
			return 1
		}
		return 0
	})
	e.family("hookd_lane_breaker", "gauge", "1 for the state that the breaker is in.")
	for _, l := range lanes {
		if l.Module == "" {
			continue // not configured: nobody tries
		}
		for _, state := range breakerStates {
			in := 0.0
			if l.Breaker == state {
				in = 1
			}
			e.sample(in, label{"lane", l.Name}, label{"state", state})
		}
	}
}

func durations(e *exposition, h record.Histogram, l label) {
	bounds := make([]float64, len(record.Bounds))
	for i, b := range record.Bounds {
		bounds[i] = b.Seconds()
	}
	e.histogram(bounds, h.Counts[:], h.Sum.Seconds(), l)
}
