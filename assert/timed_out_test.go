package assert

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// checks are looks at a server of lb1, a tenth of a second apart.
func checks(from time.Duration, up bool, check string, n int) []history.At[history.Server] {
	var out []history.At[history.Server]
	for i := range n {
		out = append(out, history.At[history.Server]{
			Time: from + time.Duration(i)*100*mil, V: history.Server{Balancer: "lb1", Server: "j1", Up: up, Check: check},
		})
	}
	return out
}

// TestTimedOut: a balancer's 503 is the machine's doing if checks of a server
// were not answered in time while the machine had nothing to spare, and only as
// long as the server is held for down.
func TestTimedOut(t *testing.T) {
	busy := func(share float64) []history.At[history.Host] {
		var out []history.At[history.Host]
		for i := range 60 {
			out = append(out, history.At[history.Host]{Time: time.Duration(i) * 250 * mil, V: history.Host{Busy: share}})
		}
		return out
	}
	// Up until 4.9 s, down from 5 s to 6.9 s, up again at 7 s.
	course := func(check string) []history.At[history.Server] {
		return append(append(checks(4*sec, true, "L7OK", 10), checks(5*sec, false, check, 20)...), checks(7*sec, true, "L7OK", 5)...)
	}
	no := history.Readiness{Node: "j1", Probe: "ready", Status: 503, Reason: "database: no answer within 500 ms"}
	ready := func(of ...history.Readiness) []history.At[history.Readiness] {
		out := []history.At[history.Readiness]{{Time: 4 * sec, V: history.Readiness{Node: "j1", Probe: "ready", Up: true, Status: 200}}}
		for i, r := range of { // the last just before it is held for down
			out = append(out, history.At[history.Readiness]{Time: 4900*mil + time.Duration(i)*50*mil, V: r})
		}
		return out
	}
	with := func(change func(r *history.Readiness)) history.Readiness {
		r := no
		change(&r)
		return r
	}
	said := map[string][]history.At[history.Readiness]{
		"the node said no for want of an answer":            ready(no),
		"that, and with time to spare":                      ready(no),
		"that, and refused the check":                       ready(no),
		"the node said no otherwise":                        ready(with(func(r *history.Readiness) { r.Reason = "stopping" })),
		"the node said no otherwise in the end":             ready(no, with(func(r *history.Readiness) { r.Reason = "stopping" })),
		"another node said no for want of an answer":        ready(with(func(r *history.Readiness) { r.Node = "j2" })),
		"the node's liveness said no for want of an answer": ready(with(func(r *history.Readiness) { r.Probe = "live" })),
		"the node said so too late":                         append(ready(), history.At[history.Readiness]{Time: 5100 * mil, V: no}),
	}
	for name, tc := range map[string]struct {
		host   float64
		looks  []history.At[history.Server]
		at     time.Duration
		by     string
		status uint16
		want   bool
	}{
		"the node said no for want of an answer":            {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, true},
		"that, and with time to spare":                      {0.8, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"that, and refused the check":                       {1, course("L4CON"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"the node said no otherwise":                        {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"the node said no otherwise in the end":             {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"another node said no for want of an answer":        {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"the node's liveness said no for want of an answer": {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"the node said so too late":                         {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"no answer to a check":                              {1, course("L7TOUT"), 6 * sec, "lb1", http.StatusServiceUnavailable, true},
		"no connection for it":                              {1, course("L4TOUT"), 6 * sec, "lb1", http.StatusServiceUnavailable, true},
		"no handshake for it":                               {1, course("L6TOUT"), 6 * sec, "lb1", http.StatusServiceUnavailable, true},
		"another is under way":                              {1, course("* L7TOUT"), 6 * sec, "lb1", http.StatusServiceUnavailable, true},
		"just after the last look at it up":                 {1, course("L7TOUT"), 4950 * mil, "lb1", http.StatusServiceUnavailable, true},
		"just before it was seen up again":                  {1, course("L7TOUT"), 6950 * mil, "lb1", http.StatusServiceUnavailable, true},
		"down at the last look":                             {1, course("L7TOUT")[:30], 6900 * mil, "lb1", http.StatusServiceUnavailable, true},
		"while it was up":                                   {1, course("L7TOUT"), 4800 * mil, "lb1", http.StatusServiceUnavailable, false},
		"after it was up again":                             {1, course("L7TOUT"), 7200 * mil, "lb1", http.StatusServiceUnavailable, false},
		"by another balancer":                               {1, course("L7TOUT"), 6 * sec, "lb2", http.StatusServiceUnavailable, false},
		"the check was refused":                             {1, course("L4CON"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"the node said no":                                  {1, course("L7STS"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"the check failed otherwise before":                 {1, append(course("L4CON")[:15], checks(5500*mil, false, "L7TOUT", 15)...), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"never seen up":                                     {1, checks(5*sec, false, "L7TOUT", 20), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"a machine with time to spare":                      {0.8, course("L7TOUT"), 6 * sec, "lb1", http.StatusServiceUnavailable, false},
		"another error":                                     {1, course("L7TOUT"), 6 * sec, "lb1", http.StatusBadGateway, false},
	} {
		t.Run(name, func(t *testing.T) {
			names := &history.Names{}
			h := &history.History{Names: names, Host: busy(tc.host), Servers: tc.looks, Readiness: said[name]}
			h.Ops = []history.Op{{
				Intended: tc.at - 5*mil, End: tc.at, Outcome: history.Failed, Status: tc.status, Balancer: uint16(names.Intern(tc.by)),
			}}
			v := judgeTwice(h, DefaultThreshold, func(skip func(*history.Op) bool) Verdict {
				if skip(&h.Ops[0]) {
					return Verdict{Status: Pass}
				}
				return Verdict{Status: Fail}
			})
			require.Equal(t, tc.want, v.Status == Inconclusive)
		})
	}
}

// TestBusyUntil: what a check waited for was the machine if that had next to
// nothing to spare in the second before.
func TestBusyUntil(t *testing.T) {
	m := machine{{0, 500 * mil, 1}, {500 * mil, 900 * mil, 1}, {900 * mil, sec, 0.5}, {sec, 2 * sec, 0.5}}
	require.True(t, m.busyUntil(sec), "50 ms to spare")
	require.True(t, m.busyUntil(1100*mil), "50 ms, and perhaps of the 100 ms after them all in use")
	require.False(t, m.busyUntil(1700*mil))
	require.False(t, m.busyUntil(2*sec))
	require.False(t, m.busyUntil(5*sec), "no look at the machine then")
}
