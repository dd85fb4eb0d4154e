// Package load is the open-model workload: operations at a set rate over
// vegeta, each with an intended time, a session fixed by the schedule, and an
// outcome that is decided by what reached the wire.
package load

import "time"

// Config is a workload. The zero value of a field means its default; see
// Default.
type Config struct {
	Rate       int           // operations a second
	Sessions   int           // concurrent client sessions; 0: 100, or half the rate if that is more
	SessionOps int           // operations of a session from login to logout
	Timeout    time.Duration // the client's patience with one attempt
	NoRetry    bool          // do not retry an order after an unknown outcome
	MaxRetries int           // attempts after the first, of an order
	Late       time.Duration // a send later than this counts as late
	Ceiling    int           // outstanding operations beyond which one is dropped
	// Writes, Reads and Orders are the parts of the mix.
	Writes, Reads, Orders int
}

// Default is the workload of the built-in scenarios: 200 operations a
// second, a third each of session writes, session reads and orders.
func Default() Config {
	return Config{
		Rate: 200, SessionOps: 20,
		Timeout: 10 * time.Second, MaxRetries: 2, Late: 5 * time.Millisecond,
		Ceiling: 20000, Writes: 1, Reads: 1, Orders: 1,
	}
}
