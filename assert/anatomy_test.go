package assert

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// failover is a stage on which j2 dies between 10.000 s and 10.020 s, is
// started again at 20 s, ready at 22 s, and of which lb1 owns the VIP.
type failover struct {
	stage
	faultKind string
	healAt    time.Duration
}

func newFailover() *failover {
	f := &failover{stage: newStage(), faultKind: "instance-kill", healAt: 20 * sec}
	f.Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{
			{Name: "detected/vanished", Limit: sec, Formula: "inter + fall × 200 ms", Source: "HAProxy 3.0 manual 5.2", File: "haproxy.cfg"},
			{Name: "diverted", Limit: 400 * mil, Formula: "retries × connect"},
			{Name: "recovered", Limit: 3 * sec, Formula: "boot"},
			{Name: "ready", Limit: 600 * mil, Formula: "rise × inter"},
		}
	})
	f.See(0, history.VIP{Balancer: "lb1", Known: true, Owner: true})
	f.See(0, history.VIP{Balancer: "lb2", Known: true})
	return f
}

// views has a balancer looked at every 100 ms, each look taking 4 ms.
func (f *failover) views(lb string, from, to time.Duration, up bool) {
	for at := from; at < to; at += 100 * mil {
		f.See(at, history.Server{Balancer: lb, Server: "j2", Up: up, Took: 4 * mil})
	}
}

// sane has lb1 hold j2 for down from 10.5 s to 22.4 s, and serve it again
// from 23 s on.
func (f *failover) sane() {
	f.views("lb1", 0, 10500*mil, true)
	f.views("lb1", 10500*mil, 22400*mil, false)
	f.views("lb1", 22400*mil, 40*sec, true)
	f.honest()
	f.line("j1", 10700*mil, 0, mil, 50)
	f.line("j2", 23*sec, 0, mil, 51)
}

// takesAt has lb2 end between two times; operation 1 of the clients, and no
// other, may have been taken with it.
func (f *failover) takesAt(from, to time.Duration) {
	f.Op(history.OpOrder, from).Sent(from).End(to).Info(history.ErrEOF)
	f.See(39*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb2", Complete: true, Unknown: []history.Window{{From: from + 40*mil, To: to}}})
}

func (f *failover) build(t *testing.T) *history.History {
	f.Fault(f.faultKind, 10*sec, "j2").Proof(10500*mil, history.Proof{OK: true, From: 10 * sec, To: 10020 * mil}).Heal(f.healAt).Healed(22100 * mil)
	for i := range 400 {
		f.Op(history.OpSessionRead, time.Duration(i)*100*mil).OK()
	}
	return f.Build(t)
}

func TestFailoverAnatomy(t *testing.T) {
	for _, c := range []struct {
		name   string
		build  func(*failover)
		change func(*history.History)
		check  FailoverAnatomy
		status Status
		says   string
	}{
		{name: "in time", status: Pass, says: "Detection of j2 by lb1 took 442 ms (at most 1 s)", build: (*failover).sane},
		{name: "nothing observed", status: Inconclusive, says: "no view of j2", build: func(*failover) {}},
		{
			name: "a balancer took a request with it, in time", status: Pass,
			build: func(f *failover) {
				f.sane()
				f.takesAt(11*sec, 11050*mil)
			},
		},
		{
			name: "a balancer took a request with it, perhaps too late", status: Inconclusive, says: "too coarse",
			build: func(f *failover) {
				f.sane()
				f.takesAt(12*sec, 12050*mil)
			},
		},
		{
			name: "another kind of fault", status: Inconclusive, says: "no fault of kind network-loss was injected",
			build: (*failover).sane, check: FailoverAnatomy{Fault: "network-loss"},
		},
		{
			name: "never detected", status: Fail, says: "Never in 9.88 s did lb1 mark j2 down (at most 1 s)",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				for i := range h.Servers {
					h.Servers[i].V.Up = true
				}
			},
		},
		{
			// The last look that shows it up began at 11.020 s: exactly the
			// bound after the latest time of the fault.
			name: "perhaps too late", status: Inconclusive, says: "too coarse",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				markedBetween(h, 11020*mil, 11100*mil)
			},
		},
		{
			name: "certainly too late", status: Fail, says: "Detection of j2 by lb1",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				markedBetween(h, 11020*mil+1, 11100*mil)
			},
		},
		{
			// The look that shows it down ended at 11.000 s: the bound after
			// the earliest time of the fault.
			name: "certainly in time", status: Pass,
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				markedBetween(h, 10900*mil, 10996*mil)
			},
		},
		{
			name: "perhaps in time", status: Inconclusive, says: "too coarse",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				markedBetween(h, 10900*mil, 10996*mil+1)
			},
		},
		{
			name: "the standby's view does not count", status: Pass,
			build: func(f *failover) { f.sane(); f.views("lb2", 0, 40*sec, true) },
		},
		{
			name: "a second owner's view counts", status: Fail, says: "did lb2 mark j2 down",
			build: func(f *failover) {
				f.sane()
				f.views("lb2", 0, 40*sec, true)
				f.See(12*sec, history.VIP{Balancer: "lb2", Known: true, Owner: true})
			},
		},
		{
			name: "it was down already", status: Inconclusive, says: "lb1 held j2 for so already before",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				for i := range h.Servers {
					h.Servers[i].V.Up = h.Servers[i].V.Up && h.Servers[i].Time > 20*sec
				}
			},
		},
		{
			name: "a request on its way too long", status: Fail, says: "The last request was on its way to j2",
			build: func(f *failover) { f.sane(); f.line("j2", 11430*mil, -1, -1, 60) },
		},
		{
			name: "a request sent on from it too long", status: Fail, says: "The last request was on its way to j2",
			build: func(f *failover) {
				f.sane()
				f.See(10500*mil, history.Dispatch{Balancer: "lb1", Number: 60, Op: 60, Server: "j1", Redispatched: true, Wait: 1500 * mil, Connect: 200 * mil, Response: mil})
			},
		},
		{
			name: "a request sent on from another one, long after", status: Pass,
			build: func(f *failover) {
				f.sane()
				f.See(12*sec, history.Dispatch{Balancer: "lb1", Number: 60, Op: 60, Server: "j1", Redispatched: true, Connect: 200 * mil, Response: mil})
			},
		},
		{
			name: "a request sent on from it in time", status: Pass, says: "took",
			build: func(f *failover) {
				f.sane()
				f.See(10400*mil, history.Dispatch{Balancer: "lb1", Number: 60, Op: 60, Server: "j1", Redispatched: true, Connect: 200 * mil, Response: mil})
			},
		},
		{
			name: "the balancers' logs say nothing", status: Inconclusive, says: "logged no request",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				h.Dispatches = nil
			},
		},
		{
			name: "ready too late", status: Fail, says: "Becoming ready took j2 2.03 s from its restart (at most 1 s)",
			build: func(f *failover) {
				f.sane()
				f.Meta(func(m *history.Meta) { m.Bounds[2].Limit = sec })
			},
		},
		{
			name: "never ready", status: Fail, says: "Never in 19.91 s did j2 become ready after its restart",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				for i := range h.Readiness {
					if o := &h.Readiness[i]; o.Time > 20*sec {
						o.V.Up, o.V.Status = false, 503
					}
				}
			},
		},
		{
			name: "not held for up again", status: Fail, says: "did lb1 hold j2 for up",
			build: func(f *failover) { f.sane() },
			change: func(h *history.History) {
				for i := range h.Servers {
					h.Servers[i].V.Up = h.Servers[i].Time < 10*sec
				}
			},
		},
		{
			name: "no such bound", status: Inconclusive, says: `no bound "detected/refused": name one of detected/vanished`,
			build: (*failover).sane, check: FailoverAnatomy{DetectBound: "detected/refused"},
		},
		{
			name: "healed too soon to tell", status: Inconclusive, says: "lengthen the phase",
			build: func(f *failover) {
				f.views("lb1", 0, 12*sec, true)
				f.line("j1", 10400*mil, 0, mil, 50)
				f.healAt = 10600 * mil
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFailover()
			c.build(f)
			h := f.build(t)
			if c.change != nil {
				c.change(h)
			}
			v := c.check.Check(h)
			said := strings.Join(append([]string{v.Summary}, v.Reasons...), " ")
			require.Equal(t, c.status, v.Status, said)
			require.Contains(t, said, c.says)
			if c.status == Inconclusive {
				require.NotEmpty(t, v.Reasons)
			}

			shift(h, 5*sec)
			again := c.check.Check(h)
			require.Equal(t, v.Status, again.Status, again.Summary)
			require.Equal(t, v.Summary, again.Summary)
			require.Equal(t, v.Measured, again.Measured)
		})
	}
}

// A victim that the fault itself starts again, at 20 s, before detection is
// due: no balancer can be found late, and a longer phase would not help.
func TestFailoverAnatomyOfARestart(t *testing.T) {
	for _, c := range []struct {
		name         string
		limit, heals time.Duration
		seen         bool
		status       Status
		says         string
	}{
		{name: "not detected before it was started again", limit: 12 * sec, heals: 30 * sec, status: Pass, says: "the detection of j2 is not judged: it was started again 9.98 s after instance-kill took effect"},
		{name: "detected, by chance", limit: 12 * sec, heals: 30 * sec, seen: true, status: Pass, says: "the detection of j2 is not judged"},
		{name: "not detected in time, and then started again", limit: sec, heals: 30 * sec, status: Fail, says: "did lb1 mark j2 down"},
		{name: "started again by the heal", limit: 12 * sec, heals: 19900 * mil, status: Inconclusive, says: "lengthen the phase"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFailover()
			f.sane()
			f.healAt = c.heals
			f.Meta(func(m *history.Meta) { m.Bounds[0].Limit = c.limit })
			h := f.build(t)
			for i := range h.Servers {
				if o := &h.Servers[i]; o.Time < 20100*mil && !c.seen {
					o.V.Up = true
				}
			}
			v := FailoverAnatomy{}.Check(h)
			said := strings.Join(slices.Concat([]string{v.Summary}, v.Reasons, v.Notes), " ")
			require.Equal(t, c.status, v.Status, said)
			require.Contains(t, said, c.says)
			require.Equal(t, c.limit == 12*sec && c.heals == 30*sec, len(v.Notes) == 1, v.Notes)
			if c.status == Pass {
				require.Nil(t, v.Measured)
			}
		})
	}
}

// markedBetween leaves two looks around the moment of the mark: one that shows
// j2 up, and one that shows it down.
func markedBetween(h *history.History, up, down time.Duration) {
	var kept []history.At[history.Server]
	for _, o := range h.Servers {
		if o.Time < 10*sec || o.Time > 20*sec {
			kept = append(kept, o)
			continue
		}
		if len(kept) > 0 && kept[len(kept)-1].Time < 10*sec {
			o.Time, o.V.Up = up, true
			kept = append(kept, o)
			o.Time, o.V.Up = down, false
			kept = append(kept, o)
		}
	}
	h.Servers = kept
}

func TestAnatomise(t *testing.T) {
	f := newFailover()
	f.sane()
	f.views("lb2", 0, 40*sec, true)
	bad := f.Op(history.OpOrder, 9900*mil).Bound("j2").Sent(9900 * mil).End(10500 * mil).Info(history.ErrReset)
	f.Op(history.OpOrder, 10800*mil).In(1).Bound("j1").OK()
	h := f.build(t)
	byName := map[string]Step{}
	var names []string
	for _, s := range Anatomise(h) {
		names = append(names, strings.TrimSuffix(s.Name+" by "+s.By, " by "))
		byName[names[len(names)-1]] = s
		require.Equal(t, "j2", s.Node)
		require.Equal(t, 1, s.Fault)
	}
	require.Equal(t, []string{
		"fault", "first bad", "detected by lb1", "detected by lb2", "diverted", "last bad", "steady",
		"restarted", "ready", "up again by lb1", "up again by lb2", "routed again",
	}, names)
	require.Equal(t, 10010*mil, byName["fault"].At)
	require.Equal(t, 10*mil, byName["fault"].Within)
	require.Equal(t, bad, byName["first bad"].Op)
	require.Equal(t, 9900*mil, byName["first bad"].At)

	d := byName["detected by lb1"]
	require.True(t, d.Judged)
	require.Equal(t, 10452*mil, d.At, "between the look at 10.4 s and the end of that at 10.5 s")
	require.Equal(t, 52*mil, d.Within)
	require.Equal(t, 380*mil, d.TookMin)
	require.Equal(t, 504*mil, d.TookMax)
	require.Equal(t, sec, *d.Bound)
	require.Equal(t, "HAProxy 3.0 manual 5.2", d.Source)
	require.True(t, h.Servers[0].Seq > 0 && d.Seq > 0)
	require.False(t, byName["detected by lb2"].Judged)
	require.False(t, byName["detected by lb2"].Seen)
	require.Equal(t, 1400*mil, *byName["diverted"].Bound)
	require.Equal(t, bad, byName["last bad"].Op)
	require.Equal(t, 10800*mil, byName["steady"].At)
	require.Equal(t, 20*sec, byName["restarted"].At)
	require.EqualValues(t, 51, byName["routed again"].Op)
}

// The run's own bounds are those that its record names.
func TestAnatomiseTakesTheRunsBounds(t *testing.T) {
	f := newFailover()
	f.sane()
	f.Meta(func(m *history.Meta) {
		m.Bounds = append(m.Bounds, history.Bound{Name: "detected/refused", Limit: 300 * mil})
		m.Asserts = []history.AssertMeta{{Name: "failover-anatomy", Params: []byte(`{"detectBound":"detected/refused"}`)}}
	})
	for _, s := range Anatomise(f.build(t)) {
		if s.Name == StepDetected {
			require.Equal(t, 300*mil, *s.Bound)
		}
	}
}

func TestAnatomyEvidenceBeginsWithWhatBroke(t *testing.T) {
	f := newFailover()
	f.sane()
	f.Meta(func(m *history.Meta) { m.Bounds[0].Limit = 100 * mil })
	v := FailoverAnatomy{}.Check(f.build(t))
	require.Equal(t, Fail, v.Status)
	require.Equal(t, StepDetected, v.Evidence[0].Class)
	require.NotZero(t, v.Evidence[0].Seq)
	require.Equal(t, "haproxy.cfg: inter + fall × 200 ms", v.Fix)
	require.InDelta(t, 442, *v.Measured, 0.001)
	require.EqualValues(t, 100, *v.Bound)
}

// A node whose log lost the word was not slow.
func TestAnatomyNeedsTheNodesLog(t *testing.T) {
	f := newFailover()
	f.sane()
	f.See(39*sec, history.Coverage{Stream: history.StreamTransition, Source: "j2", Missed: 1, Reason: "a torn line"})
	h := f.build(t)
	h.Transitions = slices.DeleteFunc(h.Transitions, func(o history.At[history.Transition]) bool {
		return o.V.What == "ready" && o.Time > 20*sec
	})
	h.Transitions = append([]history.At[history.Transition]{{V: history.Transition{Node: "j2", What: "ready"}}}, h.Transitions...)
	require.Equal(t, Fail, FailoverAnatomy{}.Check(h).Status)
	v := Judge(h, []Checker{FailoverAnatomy{}})[0]
	require.Equal(t, Inconclusive, v.Status)
	require.Contains(t, strings.Join(v.Reasons, "; "), "observer complete (transition): transition of j2: 1 missed: a torn line")
}

// Where the generator starves, a node that boots starves, too.
func TestAnatomyNeedsTheGenerator(t *testing.T) {
	f := newFailover()
	f.sane()
	f.Meta(func(m *history.Meta) { m.Bounds[2].Limit, m.Load.Rate = sec, 10 })
	h := f.build(t)
	require.Equal(t, Fail, FailoverAnatomy{}.Check(h).Status, "a slow boot")
	for i := 200; i < 221; i++ {
		h.Ops[i].Late = 20 * mil
	}
	v := Judge(h, []Checker{FailoverAnatomy{}})[0]
	require.Equal(t, Inconclusive, v.Status)
	require.Contains(t, v.Reasons, "generator on time: in phase all 21 of 400 operations were sent more than 5ms late (at most 5 %)")
}

// A restart that comes by itself ends the fault's reign.
func TestSupervisorRestartsBeforeTheHeal(t *testing.T) {
	f := newFailover()
	f.sane()
	f.healAt = 30 * sec
	f.line("j2", 25*sec, 0, mil, 70) // served again, and that is right
	v := FailoverAnatomy{}.Check(f.build(t))
	require.Equal(t, Pass, v.Status, v.Summary)
}

// Where the machine had no processor to spare a node boots slowly, whatever
// the generator managed; but for what it took beyond the time without one.
func TestAnatomyOnABusyMachine(t *testing.T) {
	judge := func(busy float64, from, to time.Duration) Status {
		f := newFailover()
		f.sane()
		f.Meta(func(m *history.Meta) { m.Bounds[2].Limit = sec })
		h := f.build(t)
		for at := time.Duration(0); at <= h.End; at += 250 * mil {
			b := 0.5
			if at >= from && at <= to {
				b = busy
			}
			h.Host = append(h.Host, history.At[history.Host]{Time: at, V: history.Host{Busy: b}})
		}
		return FailoverAnatomy{}.Check(h).Status
	}
	require.Equal(t, Fail, judge(0.5, 0, 0), "a slow boot")
	require.Equal(t, Inconclusive, judge(1, 0, time.Hour))
	require.Equal(t, Fail, judge(0.9, 0, time.Hour))
	require.Equal(t, Fail, judge(1, 0, 5*sec), "busy before")
}
