package rabbitmq

import (
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// blockedPatience is how long a send waits for confirms of a broker that takes
// nothing more: the alarm may be a short one, and what was sent is most likely
// stored when it ends.
const blockedPatience = 5 * time.Second

// blocked knows whether the broker has stopped publishers, which RabbitMQ does
// when it runs out of memory or disk. It tells a connection with its first
// message, and does not read what comes after.
type blocked struct {
	mu    sync.Mutex
	why   string        // "" when it is not
	over  chan struct{} // closed when it is blocked and the patience is over
	timer *time.Timer   // of the patience; nil when it is not running
}

func newBlocked() *blocked { return &blocked{over: make(chan struct{})} }

// watch follows the broker's words until the connection ends.
func (b *blocked) watch(words <-chan amqp.Blocking) {
	for w := range words {
		b.set(w)
	}
	b.set(amqp.Blocking{})
}

func (b *blocked) set(w amqp.Blocking) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !w.Active:
		if b.timer == nil && b.why != "" {
			b.over = make(chan struct{}) // the old one is closed
		}
		if b.timer != nil {
			b.timer.Stop()
		}
		b.why, b.timer = "", nil
	case b.why == "":
		b.why = "it has blocked publishers: " + w.Reason
		var t *time.Timer
		t = time.AfterFunc(blockedPatience, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.timer == t {
				close(b.over)
				b.timer = nil
			}
		})
		b.timer = t
	}
}

// reason is why publishers are stopped; "" when they are not.
func (b *blocked) reason() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why
}

// hopeless is closed when waiting for a confirm makes no sense any more.
func (b *blocked) hopeless() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}
