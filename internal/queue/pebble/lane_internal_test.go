package pebble

import (
	"testing"
	"time"

	"github.com/hookd/hookd/internal/event"
)

// A verdict that waits for a slow disk beyond its lease does not make those who
// wait for the lane spin; when it fails, the lease has ended.
func TestLeaseEndsWhileSettling(t *testing.T) {
	now := time.Now()
	q := &Queue{opt: Options{}.withDefaults()}
	l := newLane(&q.lanes, "h/a")
	h := &held{lane: l, id: event.ID{1}}
	l.claimed(h, now.Add(time.Minute))
	h.state = settling
	later := now.Add(time.Hour)
	l.expire(later)
	if wait := q.until(l, later); wait != q.opt.poll {
		t.Errorf("a Claim looks again after %v", wait)
	}
	(&settleOp{items: []settleItem{{h: h}}}).revert()
	if wait := q.until(l, later); wait != 0 {
		t.Errorf("a Claim waits %v for what is due", wait)
	}
	l.expire(later)
	if len(l.back) != 1 || l.count.leased != 0 {
		t.Errorf("%d came back, %d are leased", len(l.back), l.count.leased)
	}
}
