package queue

// State is how a queue is, for readiness and metrics. Sizes are in bytes; a
// backend that does not know one leaves it 0.
type State struct {
	// Writable: Put can succeed now. False while Full, ReadOnly or closed.
	Writable bool
	// Full: Put answers ErrFull until work is settled or space is freed.
	Full bool
	// ReadOnly: a write failed and Put answers ErrReadOnly.
	ReadOnly bool
	// Reason says why the queue is not writable and what to do; nil when it is.
	Reason error

	DiskUsed int64 // what the queue's files take
	DiskMax  int64 // the most they may take
	DiskFree int64 // what the file system has left for hookd
}

// Stater is implemented by backends that can tell their State. It is cheap
// enough for every readiness probe and safe for concurrent use.
type Stater interface {
	State() State
}
