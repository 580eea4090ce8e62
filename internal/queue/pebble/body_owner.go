package pebble

// ReturnsBody says that Put keeps nothing of Event.Body once it returned,
// whatever it returned: the body is packed into memory of the queue's own
// before anything waits. A caller may use the buffer again.
func (q *Queue) ReturnsBody() bool { return true }
