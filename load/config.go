// Package load is the open-model workload: operations at a set rate over
// vegeta, each with an intended time, a session fixed by the schedule, and an
// outcome that is decided by what reached the wire.
//
// Vegeta's attacker drives the hits; a RoundTripper of this package carries
// each of them out, so that vegeta's own latency, which begins when a worker
// picks a hit up, is never used.
package load

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// Config is a workload. The zero value of a field means its default, but a
// rate of 0 is refused; see Default and Validate.
type Config struct {
	Rate       int // operations a second
	Sessions   int // concurrent client sessions; 0: half the rate, so that each asks twice a second, but 50 at the least
	SessionOps int // operations of a session from login to logout, both included
	// Timeout is the client's patience: with the wait behind its session,
	// counted from the intended time, and again with the operation itself,
	// from the first attempt on, retries included.
	Timeout    time.Duration
	NoRetry    bool          // do not retry an order after an unknown outcome
	MaxRetries int           // attempts after the first, of an order
	Late       time.Duration // a send later than this counts as late
	Ceiling    int           // outstanding operations beyond which one is dropped
	// Writes, Reads and Orders are the parts of the mix; all 0 is the
	// default's.
	Writes, Reads, Orders int
	// OrderWork is how long a healthy system works on an order.
	OrderWork time.Duration
	// KeyPrefix begins the idempotency keys and makes them unique to a run;
	// empty is the run's start in nanoseconds.
	KeyPrefix string
}

// MaxRate is the highest rate that Validate accepts, twice what the
// generator was measured to send on time on two cores that it shares with
// the server.
const MaxRate = 20000

// Limits beyond which a workload is a slip of the pen: each session has a
// connection, and one address has some 28,000 of them to one target.
const (
	MaxSessions = 20000
	MaxMix      = 1000 // of each part
	MaxTimeout  = 5 * time.Minute
)

// Default is the workload of the built-in scenarios: 125 operations a
// second, a third each of session writes, session reads and orders. Two slow
// processors bear that beside a whole stack of which a part starts anew: at 200 they
// were busy to three quarters before any fault, and what came of one could not be told
// from what the machine did.
func Default() Config {
	return Config{
		Rate: 125, SessionOps: 20,
		Timeout: 10 * time.Second, MaxRetries: 2, Late: 5 * time.Millisecond,
		Ceiling: 20000, Writes: 1, Reads: 1, Orders: 1,
		OrderWork: 250 * time.Millisecond,
	}
}

// Resolved returns c with every default put in, but for Rate and KeyPrefix.
func (c Config) Resolved() Config {
	d := Default()
	c.Sessions = or(c.Sessions, max(50, c.Rate/2))
	c.SessionOps = or(c.SessionOps, d.SessionOps)
	c.Timeout = or(c.Timeout, d.Timeout)
	c.MaxRetries = or(c.MaxRetries, d.MaxRetries)
	c.Late = or(c.Late, d.Late)
	c.Ceiling = or(c.Ceiling, d.Ceiling)
	c.OrderWork = or(c.OrderWork, d.OrderWork)
	if c.Writes == 0 && c.Reads == 0 && c.Orders == 0 {
		c.Writes, c.Reads, c.Orders = d.Writes, d.Reads, d.Orders
	}
	return c
}

// Interval is the time between the intended sends of two operations; 0 if
// there is no rate. It is history.LoadMeta's.
func (c Config) Interval() time.Duration { return c.Meta().Interval() }

// Meta is the workload as the journal keeps it, with the defaults put in.
func (c Config) Meta() history.LoadMeta {
	c = c.Resolved()
	return history.LoadMeta{
		Rate: c.Rate, Sessions: c.Sessions, Timeout: c.Timeout,
		Retry: !c.NoRetry, Late: c.Late,
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
