package load

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// schedule fixes, by arithmetic alone, when an operation is due, which client
// makes it and what it is. Nothing in it depends on how the system behaves,
// so that an outage can move no load to where it does not hurt.
type schedule struct {
	interval   time.Duration
	clients    uint64
	sessionOps uint64
	mix        []string // the cycle of operations between login and logout
}

// newSchedule makes the schedule of a resolved configuration.
func newSchedule(c Config) schedule {
	return schedule{
		interval:   c.Interval(),
		clients:    uint64(c.Sessions),
		sessionOps: uint64(c.SessionOps),
		mix:        cycle(c.Writes, c.Reads, c.Orders),
	}
}

// due is when operation n, counted from 1, is to be sent, from the load's
// beginning.
func (s schedule) due(n uint64) time.Duration { return time.Duration(n-1) * s.interval }

// turn is the client of operation n, from 0, and which of its operations it
// is, from 0.
func (s schedule) turn(n uint64) (client, k uint64) {
	return (n - 1) % s.clients, (n - 1) / s.clients
}

// kind is what client's k-th operation is, given whether it has a session.
//
// A session is SessionOps long: a login, the mix, a logout. The clients begin
// at different places of it, so that logins are spread evenly over time; the
// first session of a client is as much shorter. A client without a session
// logs in wherever the schedule has it: at its beginning, and after a login
// that did not succeed. If that was the last place of a session, the login is
// followed by a whole further session rather than by a logout.
func (s schedule) kind(client, k uint64, loggedIn bool) string {
	place := k + client%s.sessionOps
	generation, at := place/s.sessionOps, place%s.sessionOps
	switch {
	case !loggedIn:
		return history.OpLogin
	case at == s.sessionOps-1:
		return history.OpLogout
	}
	// Counting only the places of the mix keeps its parts exact whatever
	// SessionOps is; the client's number starts each of them elsewhere.
	parts := uint64(len(s.mix))
	i := generation*(s.sessionOps-2) + at + client + parts - 1 // at is 1 for the first
	return s.mix[i%parts]
}

// cycle spreads the parts of the mix as evenly as they go, by smooth weighted
// round robin: at each step every kind gains its weight, and the richest is
// taken and pays the whole.
func cycle(writes, reads, orders int) []string {
	kinds := [...]string{history.OpSessionWrite, history.OpSessionRead, history.OpOrder}
	weights := [...]int{writes, reads, orders}
	g := gcd(gcd(writes, reads), orders)
	whole := 0
	for i := range weights {
		weights[i] /= g
		whole += weights[i]
	}
	var credit [len(kinds)]int
	out := make([]string, 0, whole)
	for range whole {
		best := 0
		for i, w := range weights {
			credit[i] += w
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= whole
		out = append(out, kinds[best])
	}
	return out
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
