package assert

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// FuzzAvailabilityCheckers: whatever a record holds, the checkers of
// availability do not panic, say the same twice, give a reason for being
// inconclusive, and pass nothing that holds no operation.
func FuzzAvailabilityCheckers(f *testing.F) {
	for seed := range uint64(100) {
		f.Add(seed, uint16(seed*7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, size uint16) {
		h := anyHistory(rand.New(rand.NewPCG(seed, 1)), int(size)%500)
		for _, c := range []Checker{
			ErrorBudget{},
			ErrorBudget{OutageBound: "b0", Steady: 50, Overall: 100},
			ReadinessGating{SettleBound: "b1", SilentBound: "b2"},
			FailoverAnatomy{},
			FailoverAnatomy{DetectBound: "b0", DivertBound: "b1", RecoveredBound: "b2", ReadyBound: "b3"},
		} {
			v := c.Check(h)
			require.Equal(t, asJSON(t, v), asJSON(t, c.Check(h)))
			require.NotEmpty(t, v.Summary)
			require.LessOrEqual(t, len(v.Evidence), MaxEvidence)
			if v.Status == Inconclusive {
				require.NotEmpty(t, v.Reasons)
			}
			if v.Status == Fail {
				require.NotEmpty(t, v.Evidence)
			}
		}
		require.Equal(t, asJSON(t, Anatomise(h)), asJSON(t, Anatomise(h)))
		h.Ops = nil
		require.NotEqual(t, Pass, ErrorBudget{}.Check(h).Status)
	})
}

func asJSON(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// anyHistory is a record that need not make sense: times out of order,
// steps missing, names unknown.
func anyHistory(r *rand.Rand, n int) *history.History {
	h := &history.History{Names: &history.Names{}}
	nodes := []string{"j1", "j2", "lb1", "lb2", "db", ""}
	node := func() string { return nodes[r.IntN(len(nodes))] }
	at := func() time.Duration { return time.Duration(r.Int64N(int64(22*sec))) - sec }
	span := func() history.Span { return history.Span{Within: time.Duration(r.IntN(int(5 * mil)))} }
	short := func() time.Duration { return time.Duration(r.IntN(int(sec))) - mil }
	name := func() history.Name { return h.Names.Intern(node()) }
	classes := []string{"", history.ErrDropped, history.ErrCancelled, history.ErrReset}
	h.Meta.Nodes = []history.NodeMeta{{Name: "j1", Role: "application"}, {Name: "lb1", Role: "balancer"}}
	h.Meta.Load.Late = time.Duration(r.IntN(int(5 * mil)))
	for _, b := range []string{"b0", "b1", "b2", "b3"} {
		h.Meta.Bounds = append(h.Meta.Bounds, history.Bound{Name: b, Limit: time.Duration(r.IntN(int(3 * sec)))})
	}
	for i := range n {
		h.Ops = append(h.Ops, history.Op{
			ID: uint64(i + 1), Intended: at(), Sent: at(), End: at(), Late: short(), Session: uint32(r.IntN(9)),
			Node: name(), Bound: name(), User: name(), Error: uint16(h.Names.Intern(classes[r.IntN(len(classes))])),
			Type: history.Type(r.IntN(8)), Outcome: history.Outcome(r.IntN(4)), Attempts: uint8(r.IntN(4)), Flags: history.Flags(r.IntN(8)),
		})
	}
	if r.IntN(2) == 0 {
		slices.SortFunc(h.Ops, func(a, b history.Op) int { return int(a.Intended - b.Intended) })
	}
	kinds := []string{history.PhaseWarmUp, history.PhaseSteady, history.PhaseBreak, history.PhaseRecover}
	for range r.IntN(5) {
		h.Phases = append(h.Phases, history.Phase{Name: node(), Kind: kinds[r.IntN(4)], From: at(), To: at()})
	}
	for i := range r.IntN(4) {
		h.Faults = append(h.Faults, history.Fault{ID: i, Nodes: nodes[:r.IntN(4)], Injected: at(), Active: at(), Heal: at(), Healed: at()})
	}
	actions := []string{"start", "die", "kill", "pause"}
	words := []string{"started", "listening", "warm", "ready", "unready", "database-up", "database-down", "stopping", "stopped"}
	for range n / 4 {
		up := r.IntN(2) == 0
		h.Readiness = append(h.Readiness, seen(at(), history.Readiness{Node: node(), Probe: []string{"ready", "live"}[r.IntN(2)], Up: up, Status: r.IntN(2) * 503, Took: short()}))
		h.Truth = append(h.Truth, seen(at(), history.Truth{Node: node(), Up: up, Warm: r.IntN(2) == 0, Database: r.IntN(2) == 0}))
		h.Transitions = append(h.Transitions, seen(at(), history.Transition{Span: span(), Node: node(), What: words[r.IntN(len(words))]}))
		h.Receipts = append(h.Receipts, seen(at(), history.Receipt{Span: span(), Node: node(), What: "arrive", Op: uint64(r.IntN(n + 2)), Attempt: 1}))
		h.Dispatches = append(h.Dispatches, seen(at(), history.Dispatch{Span: span(), Balancer: node(), Op: uint64(r.IntN(n + 2)), Server: node(), Redispatched: up, Wait: short(), Connect: short(), Response: short()}))
		h.Servers = append(h.Servers, seen(at(), history.Server{Balancer: node(), Server: node(), Up: up, Took: short()}))
		h.VIPs = append(h.VIPs, seen(at(), history.VIP{Balancer: node(), Known: true, Owner: up}))
		h.Engine = append(h.Engine, seen(at(), history.Engine{Span: span(), Node: node(), Action: actions[r.IntN(len(actions))]}))
	}
	h.End = 21 * sec
	byTime(h.Readiness)
	byTime(h.Truth)
	byTime(h.Transitions)
	byTime(h.Receipts)
	byTime(h.Dispatches)
	byTime(h.Servers)
	byTime(h.VIPs)
	byTime(h.Engine)
	return h
}

func seen[T any](at time.Duration, v T) history.At[T] { return history.At[T]{Seq: 1, Time: at, V: v} }

func byTime[T any](l []history.At[T]) {
	slices.SortStableFunc(l, func(a, b history.At[T]) int { return int(a.Time - b.Time) })
}
