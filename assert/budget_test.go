package assert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// killed is a run of 40 s at 200 operations a second of 100 sessions, of
// which the even ones are bound to j2: steady to 10 s, j2 dead from 10 s to
// 20 s, recovering to 30 s, steady again. All of it is good.
func killed() *history.History {
	h := &history.History{Names: &history.Names{}, End: 40 * time.Second}
	j1, j2 := h.Names.Intern("j1"), h.Names.Intern("j2")
	h.Meta.Load = history.LoadMeta{Rate: 200, Sessions: 100, Timeout: 10 * time.Second, Late: 5 * time.Millisecond}
	h.Meta.Nodes = []history.NodeMeta{{Name: "j1", Role: "application"}, {Name: "j2", Role: "application"}, {Name: "lb1", Role: "balancer"}}
	h.Meta.Bounds = []history.Bound{{Name: "outage/vanished", Limit: time.Second, Formula: "inter + fall × 200 ms = 1 s", File: "haproxy.cfg"}}
	for i := range 8000 {
		at := time.Duration(i) * 5 * time.Millisecond
		o := history.Op{
			ID: uint64(i + 1), Intended: at, Sent: at, End: at + 3*time.Millisecond, Outcome: history.Good,
			Session: uint32(1 + i%100), Type: history.Type(3 + i%3), Attempts: 1, Bound: j1, Node: j1,
		}
		if o.Session%2 == 0 && at < 10500*time.Millisecond {
			o.Bound = j2
			if at < 10*time.Second {
				o.Node = j2
			}
		}
		h.Ops = append(h.Ops, o)
	}
	s := time.Second
	h.Coverage = undisturbed()
	h.Phases = []history.Phase{
		{Name: "before", Kind: history.PhaseSteady, From: 0, To: 10 * s},
		{Name: "without", Kind: history.PhaseBreak, From: 10 * s, To: 20 * s},
		{Name: "back", Kind: history.PhaseRecover, From: 20 * s, To: 30 * s},
		{Name: "after", Kind: history.PhaseSteady, From: 30 * s, To: 40 * s},
	}
	h.Faults = []history.Fault{{
		ID: 1, Kind: "instance-kill", Nodes: []string{"j2"},
		Injected: 10 * s, Active: 10*s + 20*time.Millisecond, Heal: 20 * s, Healed: 21 * s,
		Proof: &history.Proof{OK: true}, HealProof: &history.Proof{OK: true},
	}}
	return h
}

// spoil makes the operations between two times bad whose session the filter
// takes.
func spoil(h *history.History, from, to time.Duration, sessions func(uint32) bool) (n int) {
	reset := uint16(h.Names.Intern(history.ErrReset))
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Intended >= from && o.Intended < to && sessions(o.Session) {
			o.Outcome, o.Error, o.Node = history.Unknown, reset, 0
			n++
		}
	}
	return n
}

// refuseOrders makes the orders between two times fail, by a fault that is no
// application node's and whose bound bears it.
func refuseOrders(h *history.History, from, to time.Duration) {
	h.Faults[0].Nodes = []string{"lb1"}
	h.Meta.Bounds[0].Limit = 6 * time.Second
	h.Phases[1].To, h.Phases[2].From = 22*time.Second, 22*time.Second
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Type == history.Order && o.Intended >= from && o.Intended < to {
			o.Outcome = history.Failed
		}
	}
}

func anySession(uint32) bool  { return true }
func onVictim(s uint32) bool  { return s%2 == 0 }
func onlyTwo(s uint32) bool   { return s == 2 }
func elsewhere(s uint32) bool { return s%2 == 1 }

func TestErrorBudget(t *testing.T) {
	s, ms := time.Second, time.Millisecond
	for _, c := range []struct {
		name   string
		change func(*history.History)
		check  ErrorBudget
		status Status
		says   string // in the summary or a reason
	}{
		{name: "all good", status: Pass},
		{
			name: "as many bad as a steady phase may have", status: Pass,
			change: func(h *history.History) { spoil(h, s, s+10*ms, anySession) }, // 2 of 2,000
		},
		{
			name: "one more", status: Fail, says: "99.85 % of 2000 operations in phase before",
			change: func(h *history.History) { spoil(h, s, s+15*ms, anySession) },
		},
		{
			name: "the last steady phase counts too", status: Fail, says: "phase after",
			change: func(h *history.History) { spoil(h, 35*s, 35*s+15*ms, anySession) },
		},
		{
			name: "as many bad as the run may have", status: Pass,
			change: func(h *history.History) { spoil(h, 25*s, 25*s+200*ms, anySession) }, // 40 of 8,000
		},
		{
			name: "the run", status: Fail, says: "99.487 % of 8000 operations in the judged run",
			change: func(h *history.History) { spoil(h, 25*s, 25*s+205*ms, anySession) },
		},
		{
			name: "no operation", status: Inconclusive, says: "too few operations in phase before: 0",
			change: func(h *history.History) { h.Ops = nil },
		},
		{
			name: "too few, all good", status: Inconclusive, says: "takes at least 1000",
			change: func(h *history.History) { h.Ops = h.Ops[1001:] },
		},
		{
			name: "too few, one bad", status: Inconclusive, says: "takes at least 1000",
			change: func(h *history.History) { h.Ops = h.Ops[1001:]; h.Ops[0].Outcome = history.Failed },
		},
		{
			name: "too few, and bad even if the rest had been good", status: Fail, says: "phase before",
			change: func(h *history.History) {
				h.Ops = h.Ops[1001:]
				h.Ops[0].Outcome, h.Ops[1].Outcome = history.Failed, history.Failed
			},
		},
		{
			name: "no steady phase", status: Inconclusive, says: "no steady phase",
			change: func(h *history.History) { h.Phases = h.Phases[1:2] },
		},
		{
			name: "warm-up is not judged", status: Pass,
			change: func(h *history.History) {
				h.Phases = append([]history.Phase{{Name: "warm", Kind: history.PhaseWarmUp, To: 2 * s}}, h.Phases...)
				h.Phases[1].From = 2 * s
				spoil(h, 0, 2*s, anySession)
			},
		},
		{
			name: "an outage as long as the bound", status: Pass, check: ErrorBudget{Overall: 90},
			change: func(h *history.History) { spoil(h, 10*s, 11*s, onVictim) },
		},
		{
			name: "a longer outage", status: Fail, says: "were without service for 1.01 s", check: ErrorBudget{Overall: 90},
			change: func(h *history.History) { spoil(h, 10*s, 11*s+10*ms, onVictim) },
		},
		{
			name: "an outage that good operations elsewhere interrupt", status: Fail, says: "The users of j2 were without service for 3 s", check: ErrorBudget{Overall: 50},
			change: func(h *history.History) { spoil(h, 10*s, 13*s, onVictim) },
		},
		{
			name: "an outage elsewhere is not the victim's", status: Pass, check: ErrorBudget{Overall: 50},
			change: func(h *history.History) { spoil(h, 10*s, 13*s, elsewhere) },
		},
		{
			name: "one session's outage that its neighbours interrupt", status: Fail, says: "Session 2 of the users of j2 was without service for 2.5 s (at most 2 s), from operation 2002 to 2502, and no good one between", check: ErrorBudget{Overall: 50},
			change: func(h *history.History) { spoil(h, 10*s, 13*s, onlyTwo) },
		},
		{
			name: "one victim's outage that the users of another, back sooner, interrupt", status: Fail, says: "The users of j2 were without service for 1.5 s (at most 1 s)", check: ErrorBudget{Overall: 50},
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"j1", "j2"}
				spoil(h, 10*s, 10500*ms, elsewhere)
				spoil(h, 10*s, 11500*ms, onVictim)
			},
		},
		{
			name: "a fault that was in place for less than the bound", status: Inconclusive, says: "was in place for 980 ms, and so could cause no outage of 1 s", check: ErrorBudget{Overall: 50},
			change: func(h *history.History) { h.Faults[0].Heal = 11 * s },
		},
		{
			name: "one type's outage that the others interrupt", status: Fail, says: "For operations of type order the users of j2 were", check: ErrorBudget{Overall: 50},
			change: func(h *history.History) {
				for i := range h.Ops {
					if o := &h.Ops[i]; o.Type == history.Order && o.Intended >= 10*s && o.Intended < 12100*ms {
						o.Outcome = history.Failed
					}
				}
			},
		},
		{
			name: "one session alone has twice the bound", status: Pass, check: ErrorBudget{Overall: 50},
			change: func(h *history.History) { spoil(h, 9500*ms, 12100*ms, onlyTwo) },
		},
		{
			name: "an outage that never ends", status: Fail, says: "until the phase ended", check: ErrorBudget{Overall: 10},
			change: func(h *history.History) { spoil(h, 10*s, 50*s, onVictim) },
		},
		{
			name: "the victim is a balancer: all traffic counts", status: Fail, says: "All users were without service for 1.5 s", check: ErrorBudget{Overall: 50},
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				spoil(h, 10*s, 11500*ms, anySession)
			},
		},
		{
			// The fault took effect by 10.02 s: 204 operations were due until the
			// bound after it, and 38 of the other 7,796 may be bad.
			name: "everybody's outage, and as many bad as the rest may have", status: Pass, check: ErrorBudget{Everybody: true},
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				spoil(h, 10*s, 11*s, anySession)
				spoil(h, 25*s, 25*s+190*ms, anySession)
			},
		},
		{
			name: "everybody's outage, and one more", status: Fail, check: ErrorBudget{Everybody: true},
			says: "99.499 % of 7796 operations in the judged run but for what is expected were good (at least 99.5 %)",
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				spoil(h, 10*s, 11*s, anySession)
				spoil(h, 25*s, 25*s+195*ms, anySession)
			},
		},
		{
			name: "no outage of everybody, and half of them refused long after it was due", status: Fail, check: ErrorBudget{Everybody: true}, says: "but for what is expected",
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				spoil(h, 11500*ms, 12300*ms, onVictim)
			},
		},
		{
			name: "what was under way when everybody's outage began", status: Pass, check: ErrorBudget{Everybody: true, Overall: 100},
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				h.Ops[1990].Outcome, h.Ops[1990].End = history.Unknown, 10*s+ms // due 50 ms before
			},
		},
		{
			name: "what was bad before everybody's outage began", status: Fail, check: ErrorBudget{Everybody: true, Overall: 100}, says: "99.987 % of 7796",
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				h.Ops[1980].Outcome = history.Failed // and over
			},
		},
		{
			name: "an outage at the heal, and none is expected", status: Fail, check: ErrorBudget{Everybody: true}, says: "but for what is expected",
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				spoil(h, 20*s, 21*s, anySession)
			},
		},
		{
			name: "an outage at the heal", status: Pass, check: ErrorBudget{Everybody: true, AtHeal: true},
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				spoil(h, 20*s, 21*s, anySession)
			},
		},
		{
			name: "an outage at the heal, by the proof of when that was", status: Fail, check: ErrorBudget{Everybody: true, AtHeal: true}, says: "but for what is expected",
			change: func(h *history.History) {
				h.Faults[0].Nodes = []string{"lb1"}
				h.Faults[0].HealProof.From, h.Faults[0].HealProof.To = 20*s, 20*s+100*ms
				spoil(h, 21200*ms, 21900*ms, anySession)
			},
		},
		{
			name: "orders are refused", status: Fail, says: "in the judged run were good",
			change: func(h *history.History) { refuseOrders(h, 10*s, 21*s) },
		},
		{
			name: "orders are refused, as they should", status: Pass, check: ErrorBudget{Refused: []string{"order"}},
			change: func(h *history.History) { refuseOrders(h, 10*s, 21*s) },
		},
		{
			name: "orders are refused long after there is room", status: Fail, check: ErrorBudget{Refused: []string{"order"}}, says: "but for what is expected",
			change: func(h *history.History) { refuseOrders(h, 10*s, 21900*ms) },
		},
		{
			name: "orders are refused, and so is a tenth of the others", status: Fail, check: ErrorBudget{Refused: []string{"order"}}, says: "but for what is expected",
			change: func(h *history.History) {
				refuseOrders(h, 10*s, 21*s)
				spoil(h, 10*s, 20*s, func(n uint32) bool { return n%10 == 1 })
			},
		},
		{
			name: "no operation bears the type's name", status: Fail, check: ErrorBudget{Refused: []string{"orders"}}, says: "but for what is expected",
			change: func(h *history.History) { refuseOrders(h, 10*s, 21*s) },
		},
		{
			name: "nobody was on the victim", status: Inconclusive, says: "no session was bound to j3",
			change: func(h *history.History) { h.Faults[0].Nodes = []string{"j3"} },
		},
		{
			name: "too few on the victim", status: Inconclusive, says: "at least 10",
			change: func(h *history.History) {
				j1, _ := h.Names.Find("j1")
				for i := range h.Ops {
					if h.Ops[i].Session != 2 {
						h.Ops[i].Bound = j1
					}
				}
			},
		},
		{
			name: "the break is too short", status: Inconclusive, says: "lengthen the break phase",
			change: func(h *history.History) { h.Phases[1].To = 12*s - 1; h.Phases[2].From = 12*s - 1 },
		},
		{
			name: "the break is just long enough", status: Pass,
			change: func(h *history.History) { h.Phases[1].To = 12 * s; h.Phases[2].From = 12 * s },
		},
		{
			name: "no such bound", status: Inconclusive, says: `no bound "outage/refused": name one of outage/vanished`,
			check: ErrorBudget{OutageBound: "outage/refused"},
		},
		{
			name: "no fault", status: Inconclusive, says: "no fault was injected",
			change: func(h *history.History) { h.Faults = nil },
		},
		{
			name: "a bad result that hangs on late sends", status: Inconclusive, says: "sent 3 operations more than 5 ms late, and the result hangs on them: fail with them, pass without",
			change: func(h *history.History) {
				spoil(h, s, s+15*ms, anySession)
				for i := range h.Ops {
					if h.Ops[i].Intended >= s && h.Ops[i].Intended < s+15*ms {
						h.Ops[i].Late = 6 * ms
					}
				}
			},
		},
		{
			name: "a bad result in spite of late sends", status: Fail, says: "phase before",
			change: func(h *history.History) {
				spoil(h, s, s+25*ms, anySession)
				h.Ops[200].Late = 6 * ms
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := killed()
			if c.change != nil {
				c.change(h)
			}
			if c.check.OutageBound == "" {
				c.check.OutageBound = "outage/vanished"
			}
			v := c.check.Check(h)
			said := v.Summary + " " + strings.Join(v.Reasons, " ")
			require.Equal(t, c.status, v.Status, said)
			require.Contains(t, said, c.says)
			if c.status == Inconclusive {
				require.NotEmpty(t, v.Reasons)
			}
			require.LessOrEqual(t, len(v.Evidence), MaxEvidence)
		})
	}
}

// A wall clock that jumps moves the fault, and with it the outage that it is
// to blame for, out of sight.
func TestErrorBudgetNeedsTheClock(t *testing.T) {
	s := time.Second
	judge := func(shift time.Duration) Verdict {
		h := killed()
		spoil(h, 10*s, 10*s+1200*time.Millisecond, onVictim)
		h.Faults[0].Proof.From, h.Faults[0].Proof.To = 10*s+shift, 10*s+shift+20*time.Millisecond
		h.Clock = []history.ClockPair{{Mono: 0}, {Mono: 10 * s, Wall: int64(10*s - shift)}, {Mono: 40 * s, Wall: int64(40*s - shift)}}
		return Judge(h, []Checker{ErrorBudget{OutageBound: "outage/vanished", Overall: 90}})[0]
	}
	require.Equal(t, Fail, judge(0).Status)
	v := judge(6 * s)
	require.Equal(t, Inconclusive, v.Status, v.Summary)
	require.Contains(t, strings.Join(v.Reasons, "; "), "clock steady: the wall clock moved by -6s")
}

func TestErrorBudgetNamesTheWorst(t *testing.T) {
	h := killed()
	n := spoil(h, 10*time.Second, 12*time.Second, onVictim)
	h.Ops[2101].End = h.Ops[2101].Intended + 5*time.Second     // operation 2102, of session 2
	h.Ops[2001].End = -1                                       // operation 2002, of session 2
	h.Ops[2002].Outcome, h.Ops[2002].End = history.Unknown, -1 // bad, and not the victim's
	h.Ops[7001].Outcome, h.Ops[7001].End = history.Unknown, -1 // bad, and of another time
	v := ErrorBudget{OutageBound: "outage/vanished", Overall: 90}.Check(h)
	require.Equal(t, Fail, v.Status)
	require.Equal(t, MaxEvidence, len(v.Evidence))
	require.Equal(t, n-MaxEvidence, v.More)
	require.EqualValues(t, 2002, v.Evidence[0].Op)
	require.EqualValues(t, 2102, v.Evidence[1].Op)
	require.Equal(t, "session-read: reset, after 5 s, session bound to j1", textOf(v, 2102))
	require.InDelta(t, 97.475, *v.Measured, 0.001)
	require.Equal(t, "% good", v.Unit)
	require.Equal(t, "haproxy.cfg: inter + fall × 200 ms = 1 s", v.Fix)
}

func textOf(v Verdict, op uint64) string {
	for _, e := range v.Evidence {
		if e.Op == op {
			return e.Text
		}
	}
	return ""
}

// The result does not depend on the clock's zero, nor on what nodes are called.
func TestErrorBudgetMetamorphic(t *testing.T) {
	h := killed()
	spoil(h, 10*time.Second, 11200*time.Millisecond, onVictim)
	check := ErrorBudget{OutageBound: "outage/vanished"}
	want := check.Check(h)
	shift(h, 7*time.Second)
	got := check.Check(h)
	require.Equal(t, want.Status, got.Status)
	require.Equal(t, want.Summary, got.Summary)
	require.Equal(t, want.Measured, got.Measured)
	for i := range h.Ops { // j1 and j2 change places
		h.Ops[i].Bound, h.Ops[i].Node = 3-h.Ops[i].Bound, (3-h.Ops[i].Node)%3
	}
	h.Faults[0].Nodes = []string{"j1"}
	require.Equal(t, strings.ReplaceAll(want.Summary, "j2", "j1"), check.Check(h).Summary)
}

func TestErrorBudgetMeasures(t *testing.T) {
	h := killed()
	n := spoil(h, 10*time.Second, 10500*time.Millisecond, onVictim)
	h.Ops[100].Attempts = 3
	v := ErrorBudget{OutageBound: "outage/vanished"}.Check(h)
	m := map[string]Measure{}
	for _, x := range v.Measures {
		require.NotContains(t, m, x.Name)
		m[x.Name] = x
	}
	require.EqualValues(t, 8002, m["attempts"].Value)
	require.EqualValues(t, n, m["bad operations"].Value)
	require.Equal(t, 500.0, m["longest outage of the victim's share"].Value)
	require.Equal(t, 5.0, m["longest outage of all traffic"].Value)
	require.InDelta(t, 100*float64(n)/(200*86400*30*0.001), m["budget spent"].Value, 1e-9)
	require.Contains(t, m["burn rate 1 h/5 min"].Note, "would not have paged")
	require.Contains(t, m["good in phase before"].Note, "1 good ones took more than one attempt")
}

// What a fault caught under way is not evidence against the phase before it.
func TestEvidenceLeavesOutWhatTheFaultStruck(t *testing.T) {
	h := killed()
	spoil(h, time.Second, time.Second+15*time.Millisecond, anySession)
	struck := &h.Ops[1990] // due 50 ms before the fault
	struck.Outcome, struck.End = history.Unknown, -1
	v := ErrorBudget{OutageBound: "outage/vanished"}.Check(h)
	require.Equal(t, Fail, v.Status)
	require.Contains(t, v.Summary, "phase before")
	require.Len(t, v.Evidence, 3)
	require.Empty(t, textOf(v, struck.ID))
}

// undisturbed are the accounts of those who watch the engine and the nodes.
func undisturbed() []history.At[history.Coverage] {
	account := func(stream string) history.At[history.Coverage] {
		return history.At[history.Coverage]{Time: time.Hour, V: history.Coverage{Stream: stream, Complete: true}}
	}
	return []history.At[history.Coverage]{account(history.StreamEngine), account(history.StreamNode)}
}
