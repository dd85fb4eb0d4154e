package assert

import (
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// heldDown are the times in which a balancer held a server for down, by the
// balancer's name.
type heldDown map[string][]downTime

type downTime struct {
	server   string
	from, to time.Duration
}

// at says whether the balancer held any server for down at t.
func (d heldDown) at(balancer string, t time.Duration) bool {
	return slices.ContainsFunc(d[balancer], func(b downTime) bool { return b.from <= t && t <= b.to })
}

// has says whether the balancer held this server for down at t.
func (d heldDown) has(balancer, server string, t time.Duration) bool {
	return slices.ContainsFunc(d[balancer], func(b downTime) bool { return b.server == server && b.from <= t && t <= b.to })
}

// timeouts are HAProxy's words for a check that was not answered in time: no
// connection, no answer (Management Guide 9.3, check_status).
var timeouts = []string{"L4TOUT", "L6TOUT", "L7TOUT"}

// A node says no in time to a check (L7STS) that asked for what another did not
// answer in time; unansweredWithin are its readiness endpoint's words for that.
const (
	saidNo           = "L7STS"
	unansweredWithin = "no answer within"
)

// A server is held for down by several checks in a row. Of the last second
// before it, in which at least the last of them was waiting, the machine may have
// had a processor to spare for less than a check waits.
const (
	checked    = time.Second
	checkSpare = 100 * time.Millisecond
)

// timedOut are the times in which a balancer held a server for down because
// checks of it were not answered in time, or it said no itself since what it
// asked was not, and the machine had no processor to spare for the answer: from
// the last look that found it up until one that finds it up again, or the last
// look of all.
func timedOut(h *history.History, m machine) heldDown {
	out := heldDown{}
	type server struct{ balancer, name string }
	upAt := map[server]time.Duration{}
	open := map[server]int{}    // its place in out
	said := map[string]string{} // each node's last reason not to be ready
	next := 0
	for _, s := range h.Servers {
		for ; next < len(h.Readiness) && h.Readiness[next].Time <= s.Time; next++ {
			if r := h.Readiness[next].V; r.Probe != "live" {
				said[r.Node] = r.Reason
			}
		}
		of := server{s.V.Balancer, s.V.Server}
		place, down := open[of]
		if down {
			out[of.balancer][place].to = s.Time
		}
		if s.V.Up {
			upAt[of] = s.Time
			delete(open, of)
			continue
		}
		was, known := upAt[of]
		if down || !known {
			continue
		}
		delete(upAt, of)
		check := strings.TrimPrefix(s.V.Check, "* ")
		late := slices.Contains(timeouts, check) || check == saidNo && strings.Contains(said[of.name], unansweredWithin)
		if late && m.busyUntil(was) {
			open[of] = len(out[of.balancer])
			out[of.balancer] = append(out[of.balancer], downTime{of.name, was, s.Time})
		}
	}
	return out
}

// busyUntil says whether the machine had no processor to spare while the checks
// waited that ended at t.
func (m machine) busyUntil(t time.Duration) bool {
	return m.saturated(t-checked, t) && m.spare(t-checked, t) <= checkSpare
}
