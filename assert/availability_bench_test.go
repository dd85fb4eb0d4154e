package assert

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hachaos/hachaos/history"
)

// BenchmarkAvailability judges 10⁶ operations, each with a receipt and a line
// of a balancer's log, and 10⁷ where HACHAOS_BENCH_LARGE is set.
func BenchmarkAvailability(b *testing.B) {
	sizes := []int{1_000_000}
	if os.Getenv("HACHAOS_BENCH_LARGE") != "" {
		sizes = append(sizes, 10_000_000)
	}
	for _, n := range sizes {
		h := longRun(n)
		for _, c := range []Checker{ErrorBudget{OutageBound: "outage"}, ReadinessGating{}, FailoverAnatomy{}} {
			b.Run(fmt.Sprintf("%s/ops=%d", c.Name(), n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if v := c.Check(h); v.Status != Pass {
						b.Fatal(v.Summary, v.Reasons)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/float64(b.N), "ns/operation")
			})
		}
	}
}

// longRun is a clean failover of n operations at 1,000 a second, 0.1 % of
// which are bad.
func longRun(n int) *history.History {
	const step = time.Millisecond
	total := time.Duration(n) * step
	h := &history.History{Names: &history.Names{}, End: total, Ops: make([]history.Op, 0, n)}
	j1, j2 := h.Names.Intern("j1"), h.Names.Intern("j2")
	h.Meta.Bounds = []history.Bound{
		{Name: "outage", Limit: sec},
		{Name: "detected/vanished", Limit: sec},
		{Name: "diverted", Limit: sec},
		{Name: "unready", Limit: sec},
		{Name: "recovered", Limit: 3 * sec},
		{Name: "ready", Limit: sec},
	}
	dies, born := total/4, total/2
	h.Phases = []history.Phase{
		{Name: "before", Kind: history.PhaseSteady, To: dies},
		{Name: "without", Kind: history.PhaseBreak, From: dies, To: born},
		{Name: "after", Kind: history.PhaseSteady, From: born, To: total},
	}
	h.Faults = []history.Fault{{ID: 1, Kind: "instance-kill", Nodes: []string{"j2"}, Injected: dies, Active: dies + 20*mil, Heal: born, Healed: born + sec}}
	for i := range n {
		at := time.Duration(i) * step
		session := uint32(1 + i%500 + 500*(i/10000))
		node, name := j1, "j1"
		if session%2 == 0 && (at < dies || at > born+3*sec) {
			node, name = j2, "j2"
		}
		o := history.Op{
			ID: uint64(i + 1), Intended: at, Sent: at, End: at + 3*mil, Outcome: history.Good,
			Session: session, User: node, Type: history.Type(3 + i%3), Attempts: 1, Bound: node, Node: node,
		}
		if i%2000 == 1999 {
			o.Outcome = history.Unknown
		}
		if session%2 == 0 && at >= dies && at < dies+500*mil {
			o.Bound = j2
		}
		h.Ops = append(h.Ops, o)
		h.Receipts = append(h.Receipts, seen(at+mil, history.Receipt{Node: name, What: "arrive", Op: o.ID, Attempt: 1}))
		h.Dispatches = append(h.Dispatches, seen(at, history.Dispatch{Balancer: "lb1", Op: o.ID, Attempt: 1, Server: name, Response: mil}))
	}
	h.Engine = []history.At[history.Engine]{
		seen(dies, history.Engine{Node: "j2", Action: "die"}), seen(born, history.Engine{Node: "j2", Action: "start"}),
	}
	h.VIPs = []history.At[history.VIP]{seen(0, history.VIP{Balancer: "lb1", Known: true, Owner: true})}
	for at := time.Duration(0); at < total; at += 100 * mil {
		up := at < dies || at > born+2*sec
		h.Readiness = append(h.Readiness, seen(at, history.Readiness{Node: "j2", Probe: "ready", Up: up, Status: map[bool]int{true: 200}[up]}))
		h.Truth = append(h.Truth, seen(at, history.Truth{Node: "j2", Up: up, Warm: up, Database: up}))
		h.Servers = append(h.Servers, seen(at, history.Server{Balancer: "lb1", Server: "j2", Up: up}))
	}
	return h
}
