package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// recovered is the run of killed with what was observed of its nodes: j2 ends
// at 10 s, is started at 20.1 s and ready at 22 s; the load ends at 40 s and
// the record at 41 s. The bounds sum up to 4 s.
func recovered() *history.History {
	h := killed()
	h.End = 41 * sec
	h.Meta.Nodes = append(h.Meta.Nodes, history.NodeMeta{Name: "db", Role: "database"})
	h.Meta.Bounds = append(h.Meta.Bounds,
		history.Bound{Name: "recovered", Limit: 3 * sec, Formula: "boot 3s", File: "profiles.go"},
		history.Bound{Name: "ready", Limit: sec, Formula: "rise × inter"})
	seq := uint64(0)
	for at := time.Duration(0); at < h.End; at += 100 * mil {
		for _, n := range []string{"j1", "j2"} {
			up := n == "j1" || at < 10*sec || at >= 20500*mil
			truth := history.Truth{Node: n, Up: up, Warm: up, Database: up, Threads: 5, Active: 2, InFlight: 4}
			if at >= 40*sec {
				truth.Threads, truth.Active, truth.InFlight = 3, 0, 0
			}
			if !up {
				truth = history.Truth{Node: n}
			}
			ready := history.Readiness{Node: n, Probe: "ready", Up: up && (n == "j1" || at < 10*sec || at >= 22*sec), Took: 2 * mil}
			if up {
				ready.Status = 200
			}
			seq += 2
			h.Truth = append(h.Truth, history.At[history.Truth]{Seq: seq, Time: at, V: truth})
			h.Readiness = append(h.Readiness, history.At[history.Readiness]{Seq: seq + 1, Time: at, V: ready})
			held(h, "lb1", n, at, ready.Up)
			held(h, "lb2", n, at, ready.Up)
		}
		h.Connections = append(h.Connections, history.At[history.Connections]{Seq: seq + 2, Time: at, V: history.Connections{Known: true, Total: 8, Max: 200}})
	}
	h.Coverage = append(h.Coverage, history.At[history.Coverage]{Time: time.Hour, V: history.Coverage{Stream: history.StreamConnections, Source: "db", Complete: true}})
	begin(h, "j2", 20100*mil)
	return h
}

// begin has the engine start a node.
func begin(h *history.History, node string, at time.Duration) {
	h.Engine = append(h.Engine, history.At[history.Engine]{Seq: 9000 + uint64(len(h.Engine)), Time: at, V: history.Engine{Node: node, Action: "start"}})
}

// wakes has a node's log tell of a start.
func wakes(h *history.History, node string, at time.Duration) {
	h.Transitions = append(h.Transitions, history.At[history.Transition]{Seq: 9500, Time: at, V: history.Transition{Node: node, What: "started"}})
}

// gauge changes what was seen of a node's gauges between two times.
func gauge(h *history.History, node string, from, to time.Duration, change func(*history.Truth)) {
	for i := range h.Truth {
		if o := &h.Truth[i]; o.V.Node == node && o.Time >= from && o.Time < to {
			change(&o.V)
		}
	}
}

// views changes a balancer's view of a server between two times.
func views(h *history.History, lb, server string, from, to time.Duration, up bool) {
	for i := range h.Servers {
		if o := &h.Servers[i]; o.V.Balancer == lb && o.V.Server == server && o.Time >= from && o.Time < to {
			o.V.Up, o.V.Status = up, "DOWN"
		}
	}
}

// owns has a balancer own the VIP from a time on, and no other.
func owns(h *history.History, lb string, from time.Duration) {
	for _, other := range []string{"lb1", "lb2", "lb3"} {
		h.VIPs = append(h.VIPs, history.At[history.VIP]{Time: from, V: history.VIP{Balancer: other, Known: true, Owner: other == lb}})
	}
}

func TestRecovery(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*history.History)
		check  Recovery
		status Status
		says   string
		class  string // of the first evidence
	}{
		{name: "whole", status: Pass, says: "The service was steady 0 s after the heal of instance-kill began (at most 4 s); no node was started more than once from its heal on"},
		{
			name: "unsteady up to the bound", status: Pass, says: "steady 3.98 s after the heal",
			change: func(h *history.History) { spoil(h, 20*sec, 24*sec, anySession) },
		},
		{
			name: "unsteady for longer", status: Fail, says: "The service was steady 4.08 s after the heal of instance-kill began (at most 4 s)", class: "reset",
			change: func(h *history.History) { spoil(h, 20*sec, 24100*mil, anySession) },
		},
		{
			name: "a stray bad one is within the objective", status: Pass,
			change: func(h *history.History) { spoil(h, 30*sec, 30005*mil, anySession) },
		},
		{
			name: "what is bad while the fault is in place does not count", status: Pass, says: "steady 0 s after",
			change: func(h *history.History) { spoil(h, 10*sec, 20*sec, anySession) },
		},
		{
			name: "a few stray ones, late", status: Pass, says: "steady 0 s after",
			change: func(h *history.History) {
				spoil(h, 36*sec, 36005*mil, anySession)
				spoil(h, 38*sec, 38005*mil, anySession)
			},
		},
		{
			name: "too few operations", status: Inconclusive, says: "too few operations",
			change: func(h *history.History) { h.Ops = h.Ops[:5000] },
		},
		{
			name: "bad to the end", status: Fail, says: "The service was not steady again by the end, 20 s after the heal of instance-kill began (at most 4 s)",
			change: func(h *history.History) { spoil(h, 20*sec, 40*sec, anySession) },
		},
		{
			name: "no such bound", status: Inconclusive, says: `no bound "born again"`, check: Recovery{Bounds: []string{"born again"}},
		},
		{
			name: "a shorter bound", status: Fail, says: "at most 1 s", check: Recovery{Bounds: []string{"ready"}},
			change: func(h *history.History) { spoil(h, 20*sec, 23*sec, anySession) },
		},
		{
			name: "the log's start belongs to the engine's", status: Pass,
			change: func(h *history.History) { wakes(h, "j2", 20300*mil) },
		},
		{
			name: "a victim started twice", status: Fail, says: "J2 was started 2 times from its heal on (at most once)", class: "restart",
			change: func(h *history.History) { begin(h, "j2", 25*sec) },
		},
		{
			name: "twice is allowed", status: Pass, check: Recovery{Starts: 2},
			change: func(h *history.History) { begin(h, "j2", 25*sec) },
		},
		{
			name: "a process started by its supervisor counts", status: Fail, says: "J2 was started 2 times", class: "restart",
			change: func(h *history.History) { wakes(h, "j2", 20300*mil); wakes(h, "j2", 25*sec) },
		},
		{
			name: "starts while the fault is in place are its own", status: Pass,
			change: func(h *history.History) { begin(h, "j2", 12*sec); begin(h, "j2", 14*sec) },
		},
		{
			name: "restarted by the fault, once", status: Pass, check: Recovery{FromFault: true}, says: "no node was started more than once from the fault on",
			change: func(h *history.History) { h.Engine = nil; begin(h, "j2", 12*sec) },
		},
		{
			name: "a storm while the fault is in place", status: Fail, says: "J2 was started 3 times from the fault on (at most once)", class: "restart", check: Recovery{FromFault: true},
			change: func(h *history.History) {
				h.Engine = nil
				begin(h, "j2", 12*sec)
				begin(h, "j2", 14*sec)
				begin(h, "j2", 16*sec)
			},
		},
		{
			name: "a storm before the heal and one start after it", status: Fail, says: "J2 was started 2 times from the fault on (at most once)", class: "restart", check: Recovery{FromFault: true},
			change: func(h *history.History) { h.Engine = nil; begin(h, "j2", 12*sec); begin(h, "j2", 25*sec) },
		},
		{
			name: "another node restarted", status: Fail, says: "J1 was started once, and no fault was aimed at it", class: "restart",
			change: func(h *history.History) { begin(h, "j1", 15*sec) },
		},
		{
			name: "a balancer restarted", status: Fail, says: "Lb1 was started once", class: "restart",
			change: func(h *history.History) { begin(h, "lb1", 39*sec) },
		},
		{
			name: "started before the fault", status: Pass,
			change: func(h *history.History) { begin(h, "j1", 5*sec) },
		},
		{
			name: "not ready at the end", status: Fail, says: "J2 was not ready at the end", class: "not ready",
			change: func(h *history.History) {
				for i := range h.Readiness {
					if o := &h.Readiness[i]; o.V.Node == "j2" && o.Time > 39*sec {
						o.V.Up, o.V.Status = false, 503
					}
				}
			},
		},
		{
			name: "one look that failed", status: Pass,
			change: func(h *history.History) {
				for i := range h.Readiness {
					if o := &h.Readiness[i]; o.Time >= 39900*mil && o.Time < 40*sec {
						o.V.Up, o.V.Status = false, 0
					}
				}
			},
		},
		{
			name: "ready, and held down for ever", status: Fail, says: "Lb1 held j2 for DOWN at the end", class: "not in service",
			change: func(h *history.History) { views(h, "lb1", "j2", 10*sec, 40*sec, false); owns(h, "lb1", 0) },
		},
		{
			name: "held down by a standby", status: Pass, says: "all nodes were in service at the end",
			change: func(h *history.History) { views(h, "lb2", "j2", 10*sec, 40*sec, false); owns(h, "lb1", 0) },
		},
		{
			name: "held down by a standby that took over", status: Fail, says: "Lb2 held j2 for DOWN at the end", class: "not in service",
			change: func(h *history.History) {
				views(h, "lb2", "j2", 10*sec, 40*sec, false)
				owns(h, "lb1", 0)
				owns(h, "lb2", 30*sec)
			},
		},
		{
			name: "held down by one of two owners", status: Fail, says: "Lb2 held j1 for DOWN at the end", class: "not in service",
			change: func(h *history.History) { views(h, "lb2", "j1", 10*sec, 40*sec, false) },
		},
		{
			name: "held down for a moment at the end", status: Pass,
			change: func(h *history.History) { views(h, "lb1", "j2", 39900*mil, 40*sec, false) },
		},
		{
			name: "held up again only when the load was over", status: Fail, says: "Lb1 held j2 for DOWN", class: "not in service",
			change: func(h *history.History) { views(h, "lb1", "j2", 30*sec, 40*sec, false) },
		},
		{
			name: "the owner was not asked", status: Inconclusive, says: "lb3 was not asked for what it holds j1 for",
			change: func(h *history.History) { owns(h, "lb3", 0) },
		},
		{
			name: "no balancer was asked", status: Inconclusive, says: "no balancer was asked",
			change: func(h *history.History) { h.Servers = nil },
		},
		{
			name: "nobody looked", status: Inconclusive, says: "nobody looked at the readiness of j1",
			change: func(h *history.History) { h.Readiness = nil },
		},
		{
			name: "threads that hang", status: Fail, says: "Busy threads of j2 never fell below 8 after the recovery (before the fault 5)", class: "exhausted",
			change: func(h *history.History) { gauge(h, "j2", 24*sec, 41*sec, func(t *history.Truth) { t.Threads = 8 }) },
		},
		{
			name: "within the slack", status: Pass,
			change: func(h *history.History) { gauge(h, "j2", 24*sec, 41*sec, func(t *history.Truth) { t.Threads = 7 }) },
		},
		{
			name: "threads that were busy for long", status: Pass,
			change: func(h *history.History) { gauge(h, "j2", 24*sec, 39*sec, func(t *history.Truth) { t.Threads = 80 }) },
		},
		{
			name: "one connection that is never given back", status: Fail, says: "Pooled connections in use of j1 never fell below 1", class: "exhausted",
			change: func(h *history.History) {
				gauge(h, "j1", 24*sec, 41*sec, func(t *history.Truth) { t.Active = max(1, t.Active) })
			},
		},
		{
			name: "the look's own request", status: Pass,
			change: func(h *history.History) {
				gauge(h, "j1", 24*sec, 41*sec, func(t *history.Truth) { t.InFlight = max(1, t.InFlight) })
			},
		},
		{
			name: "a request that hangs beside it", status: Fail, says: "Requests in flight of j1 never fell below 2", class: "exhausted",
			change: func(h *history.History) {
				gauge(h, "j1", 24*sec, 41*sec, func(t *history.Truth) { t.InFlight = max(2, t.InFlight) })
			},
		},
		{
			name: "without a look after the load the floor is that under load", status: Pass,
			change: func(h *history.History) {
				gauge(h, "j1", 24*sec, 41*sec, func(t *history.Truth) { t.Active = max(3, t.Active) })
				gauge(h, "j1", 40*sec, 41*sec, func(t *history.Truth) { t.Up = false })
			},
		},
		{
			name: "few looks at the gauges", status: Inconclusive, says: "too few looks at the gauges of j1",
			change: func(h *history.History) { gauge(h, "j1", 25*sec, 41*sec, func(t *history.Truth) { t.Up = false }) },
		},
		{
			name: "the database's connections used up", status: Fail, says: "used up at every look after the recovery: 180 of 200", class: "exhausted",
			change: func(h *history.History) {
				for i := range h.Connections {
					h.Connections[i].V.Total = 180
				}
			},
		},
		{
			name: "and given back", status: Pass,
			change: func(h *history.History) {
				for i := range h.Connections[:400] {
					h.Connections[i].V.Total = 180
				}
			},
		},
		{
			name: "the database was not observed", status: Inconclusive, says: "no observer gave an account",
			change: func(h *history.History) { h.Coverage = nil },
		},
		{
			name: "the database told nothing", status: Inconclusive, says: "told nothing of its connections",
			change: func(h *history.History) { h.Connections = nil },
		},
		{
			name: "a system without one", status: Pass, says: "there is no database",
			change: func(h *history.History) {
				h.Meta.Nodes, h.Coverage, h.Connections = h.Meta.Nodes[:3], nil, nil
			},
		},
		{
			name: "never healed", status: Inconclusive, says: "no fault was injected and healed",
			change: func(h *history.History) { h.Faults[0].Heal = -1 },
		},
		{
			name: "no steady phase", status: Inconclusive, says: "no steady phase",
			change: func(h *history.History) { h.Phases = h.Phases[1:3] },
		},
		{name: "nothing", status: Inconclusive, says: "no fault was injected", change: func(h *history.History) { *h = history.History{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := recovered()
			if c.change != nil {
				c.change(h)
			}
			v := c.check.Check(h)
			require.Equal(t, c.status, v.Status, "%s %v", v.Summary, v.Reasons)
			require.Contains(t, v.Summary+" "+list(v.Reasons, 9), c.says)
			if c.class != "" {
				require.Equal(t, c.class, v.Evidence[0].Class)
			}
			require.Equal(t, c.status == Fail, len(v.Evidence) > 0)
		})
	}
}

// Faults whose reigns overlap have one recovery; of two that do not, each is
// judged, the first until the second begins.
func TestReigns(t *testing.T) {
	h := recovered()
	h.Faults[0].Heal = 12 * sec
	h.Faults = append(h.Faults,
		history.Fault{ID: 2, Kind: "b", Nodes: []string{"j1"}, Injected: 11 * sec, Active: 11 * sec, Heal: 14 * sec},
		history.Fault{ID: 3, Kind: "c", Nodes: []string{"j2"}, Injected: 25 * sec, Active: 25 * sec, Heal: 26 * sec},
		history.Fault{ID: 4, Kind: "d", Nodes: []string{"j2"}, Injected: 27 * sec, Heal: -1})
	got := reigns(h)
	require.Len(t, got, 2)
	require.Equal(t, []time.Duration{10 * sec, 14 * sec, 25 * sec}, []time.Duration{got[0].from, got[0].heal, got[0].until})
	require.Equal(t, "instance-kill, b", got[0].names())
	_, at, ok := got[0].aimedAt("j2")
	require.True(t, ok)
	require.Equal(t, 12*sec, at)
	_, _, ok = got[0].aimedAt("lb1")
	require.False(t, ok)
	require.Equal(t, []time.Duration{25 * sec, 26 * sec, 40 * sec}, []time.Duration{got[1].from, got[1].heal, got[1].until})
	require.True(t, got[1].last)
}
