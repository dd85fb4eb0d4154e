package history

import "time"

// Sink takes events. Implementations are safe for concurrent use and keep
// the order of calls of one goroutine.
type Sink interface {
	// Put hands over an event; its Seq is ignored. It does not wait for the
	// disk unless a bounded queue is full.
	Put(Event)
}

// RunClock measures time since a run's start. The zero value is not usable;
// see StartClock. It is safe for concurrent use.
type RunClock struct{ start time.Time }

// StartClock begins a run's time at now.
func StartClock() RunClock { return RunClock{start: time.Now()} }

// Now is the time since the run's start, by the monotonic clock.
func (c RunClock) Now() time.Duration { return time.Since(c.start) }

// At converts a time that was taken by time.Now in this process.
func (c RunClock) At(t time.Time) time.Duration { return t.Sub(c.start) }

// Start is the wall time of the run's start.
func (c RunClock) Start() time.Time { return c.start }

// SessionRef is a session that the load has had, so that it can be read
// again after the load.
type SessionRef struct {
	Session uint32 // see Call.Session
	User    string
	Cookie  string // the Cookie header that names it, as the client last had it
	Ended   bool   // a logout was sent
}
