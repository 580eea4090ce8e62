package record

import "time"

// Snapshot is everything that was counted. Hooks and lanes that are configured
// are in it although nothing happened; Other is in it once something did.
type Snapshot struct {
	Time    time.Time            `json:"time"`
	Started time.Time            `json:"started"`
	Hooks   map[string]HookStats `json:"hooks"`
	Lanes   map[string]LaneStats `json:"lanes"`
	Tails   int                  `json:"tails"`        // subscribers now
	Missed  int64                `json:"tails_missed"` // facts that a subscriber had no room for
}

// Snapshot reads all counters. Each is right by itself; they are not read at
// one instant.
func (r *Recorder) Snapshot() Snapshot {
	n, now := r.names.Load(), time.Now()
	s := Snapshot{
		Time: now, Started: r.started, Missed: r.missed.Load(),
		Hooks: make(map[string]HookStats, len(n.hooks)+1), Lanes: make(map[string]LaneStats, len(n.lanes)+1),
	}
	for name, h := range n.hooks {
		s.Hooks[name] = h.read(now)
	}
	for name, l := range n.lanes {
		s.Lanes[name] = l.read()
	}
	if h := n.hook.read(now); h.Accepted+h.Duplicates+h.Handshakes > 0 || len(h.Refused) > 0 {
		s.Hooks[Other] = h
	}
	if l := n.lane.read(); l.Delivered+l.Filtered+l.Retried+l.Died > 0 {
		s.Lanes[Other] = l
	}
	if tails := r.tails.Load(); tails != nil {
		s.Tails = len(*tails)
	}
	return s
}
