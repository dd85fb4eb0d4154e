package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// overloaded is a run whose database is away from 10 s to 20 s: each node is
// looked at every 100 ms, has 100 threads and answers within 3 s. Twenty
// requests arrive at j1 each second, which works on five at a time.
func overloaded() *historytest.Builder {
	b := historytest.New().Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{
			{Name: "answered", Limit: 3 * sec, Formula: "timeout server 3s", File: "profiles.go"},
			{Name: "threads", Count: 99, Formula: "maxThreads 100 − 1", File: "profiles.go"},
		}
	})
	b.Phase("steady", history.PhaseSteady, 0, 10*sec).
		Phase("away", history.PhaseBreak, 10*sec, 20*sec).
		Phase("back", history.PhaseRecover, 20*sec, 30*sec)
	b.Fault("database-down", 10*sec, "db").Active(10100 * mil).Heal(20 * sec).Healed(21 * sec)
	for at := time.Duration(0); at < 30*sec; at += 100 * mil {
		for _, n := range []string{"j1", "j2"} {
			b.See(at, history.Readiness{Node: n, Probe: "live", Up: true, Status: 200})
			t := history.Truth{Node: n, Up: true, Warm: true, Threads: 8}
			if n == "j1" {
				t.InFlight, t.Active, t.Waiting = 5, 2, 3
			}
			b.See(at, t)
		}
	}
	for at := time.Duration(0); at < 30*sec; at += 50 * mil {
		b.See(at, history.Receipt{Node: "j1", What: "arrive", Op: 1, Attempt: 1})
	}
	return b
}

func TestOverloadContract(t *testing.T) {
	refuse := func(b *historytest.Builder, due, took time.Duration, status int) {
		b.Op(history.OpSessionRead, due).Status(status).End(due + took).Fail(history.ErrStatus)
	}
	for _, c := range []struct {
		name   string
		change func(*historytest.Builder)
		status Status
		says   string
		class  string // of the first evidence
		n      float64
	}{
		{
			name: "refused in time", status: Pass, says: "2 attempts answered within 3 s, 1 of them by a clear refusal",
			change: func(b *historytest.Builder) {
				b.Op(history.OpSessionRead, 11*sec).OK()
				refuse(b, 12*sec, 600*mil, 503)
			},
		},
		{
			name: "a timeout of the balancer's", status: Pass, says: "1 of them by a clear refusal",
			change: func(b *historytest.Builder) { refuse(b, 12*sec, 3*sec, 504) },
		},
		{
			name: "what was before the fault does not count", status: Pass, says: "1 attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 5*sec, 100*mil, 500)
				refuse(b, 12*sec, 600*mil, 503)
			},
		},
		{
			name: "too late", status: Fail, class: classTooLate, n: 1, says: "answered 503 after 3.01 s, later than 3 s",
			change: func(b *historytest.Builder) { refuse(b, 12*sec, 3010*mil, 503) },
		},
		{
			name: "one that began before the fault, too", status: Fail, class: classTooLate, n: 1, says: "later than",
			change: func(b *historytest.Builder) { refuse(b, 9*sec, 4*sec, 503) },
		},
		{
			name: "no clear word", status: Fail, class: classUnclear, n: 1, says: "was answered 500",
			change: func(b *historytest.Builder) { refuse(b, 12*sec, 10*mil, 500) },
		},
		{
			name: "closed without an answer", status: Fail, class: classNoAnswer, n: 1, says: "got no answer: eof",
			change: func(b *historytest.Builder) { b.Op(history.OpSessionRead, 12*sec).Fail(history.ErrEOF) },
		},
		{
			name: "each attempt has its own time", status: Pass, says: "2 attempts answered within 3 s",
			change: func(b *historytest.Builder) {
				b.Op(history.OpOrder, 12*sec).With(func(c *history.Call) {
					c.Attempts = 2
					c.Tries = []history.Try{{End: 14900 * mil, Outcome: history.Info, Status: 503, Error: history.ErrStatus}}
				}).End(17900 * mil).OK()
			},
		},
		{
			name: "an earlier attempt was late", status: Fail, class: classTooLate, n: 1, says: "attempt 1 was answered 504",
			change: func(b *historytest.Builder) {
				b.Op(history.OpOrder, 12*sec).With(func(c *history.Call) {
					c.Attempts = 2
					c.Tries = []history.Try{{End: 15500 * mil, Outcome: history.Info, Status: 504, Error: history.ErrStatus}}
				}).End(16 * sec).OK()
			},
		},
		{
			name: "threads used up", status: Fail, class: classThreads, n: 1, says: "j2 had 100 busy threads, more than 99",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Truth{Node: "j2", Up: true, Threads: 100})
			},
		},
		{
			name: "one thread is left", status: Pass, says: "at most 99 threads",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Truth{Node: "j2", Up: true, Threads: 99})
			},
		},
		{
			name: "threads used up while the machine was short", status: Inconclusive, says: "Threads were exhausted, and only while the machine was short: j2 had 100 busy threads, more than 99, at 15.050 s.",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(14900*mil, history.Host{}).See(15100*mil, history.Host{Busy: 1})
				b.See(15050*mil, history.Truth{Node: "j2", Up: true, Threads: 100}).See(15060*mil, history.Truth{Node: "j1", Up: true, Threads: 100})
			},
		},
		{
			name: "threads used up behind a short moment", status: Inconclusive, says: "only while the machine was short",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(4*sec, history.Host{}).See(5*sec, history.Host{Busy: 0.5}).See(14*sec, history.Host{}).See(15*sec, history.Host{Busy: 1}).See(15200*mil, history.Host{Busy: 0.5})
				b.See(15050*mil, history.Truth{Node: "j2", Up: true, Threads: 100})
			},
		},
		{
			name: "threads used up while the machine was short, and not only then", status: Fail, class: classThreads, n: 1, says: "j2 had 101 busy threads",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(14900*mil, history.Host{}).See(15100*mil, history.Host{Busy: 1}).See(18*sec, history.Host{Busy: 0.2})
				b.See(15050*mil, history.Truth{Node: "j2", Up: true, Threads: 100}).See(17*sec, history.Truth{Node: "j2", Up: true, Threads: 101})
			},
		},
		{
			name: "work that nobody waits for", status: Fail, class: classQueue, n: 1, says: "worked on 10 requests (0 in flight, 10 holding a connection, 0 waiting for one), and only 0 had arrived",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Truth{Node: "j2", Up: true, Threads: 12, Active: 10})
			},
		},
		{
			name: "a queue as long as what arrived", status: Pass, says: "attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Truth{Node: "j1", Up: true, Threads: 70, Active: 10, Waiting: 50})
			},
		},
		{
			name: "liveness says no", status: Fail, class: classLiveness, n: 1, says: "liveness of j2 answered 503",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Readiness{Node: "j2", Probe: "live", Status: 503})
			},
		},
		{
			name: "readiness may say no", status: Pass, says: "attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Readiness{Node: "j2", Probe: "ready", Status: 503})
			},
		},
		{
			name: "liveness silent for once", status: Pass, says: "attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(15050*mil, history.Readiness{Node: "j2", Probe: "live"})
			},
		},
		{
			name: "liveness silent", status: Fail, class: classLiveness, n: 1, says: "liveness of j2 did not answer 3 times in a row",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				for i := range 5 {
					b.See(15010*mil+time.Duration(i)*mil, history.Readiness{Node: "j2", Probe: "live"})
				}
			},
		},
		{
			name: "liveness silent for a second, which many looks were under way in", status: Pass, says: "attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				for i := range 12 {
					b.See(15001*mil+time.Duration(i), history.Readiness{Node: "j2", Probe: "live", Took: sec})
				}
			},
		},
		{
			name: "liveness silent, and no processor was to spare", status: Pass, says: "attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				for i := range 5 {
					b.See(15010*mil+time.Duration(i)*mil, history.Readiness{Node: "j2", Probe: "live"})
				}
				b.See(14*sec, history.Host{Busy: 1})
				b.See(16*sec, history.Host{Busy: 1})
			},
		},
		{
			name: "no connection was to be had", status: Fail, class: classNoAnswer, n: 2, says: "operation 2, attempt 1 got no answer: refused after 1 ms",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.Op(history.OpSessionRead, 13*sec).NotSent().End(13*sec + mil).Fail(history.ErrRefused)
				b.Op(history.OpSessionRead, 14*sec).NotSent().End(24 * sec).Fail(history.ErrConnect)
			},
		},
		{
			name: "more violations than can be shown", status: Fail, class: classLiveness, n: 62, says: "62 violations: liveness down (1), no answer (61)",
			change: func(b *historytest.Builder) {
				b.See(15050*mil, history.Readiness{Node: "j2", Probe: "live", Status: 503})
				for range 61 {
					b.Op(history.OpSessionRead, 13*sec).NotSent().End(13*sec + mil).Fail(history.ErrRefused)
				}
			},
		},
		{
			name: "a node is restarted", status: Fail, class: classRestarted, n: 2, says: "the engine reports die of j1",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(13*sec, history.Engine{Node: "j1", Action: "die"})
				b.See(14*sec, history.Engine{Node: "j1", Action: "start"})
			},
		},
		{
			name: "the database may be", status: Pass, says: "attempt answered",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(13*sec, history.Engine{Node: "db", Action: "die"})
			},
		},
		{
			name: "a process is restarted", status: Fail, class: classRestarted, n: 1, says: "j1 logged that it is started",
			change: func(b *historytest.Builder) {
				refuse(b, 12*sec, 600*mil, 503)
				b.See(14*sec, history.Transition{Node: "j1", What: "started"})
			},
		},
		{name: "nobody asked", status: Inconclusive, says: "Nothing was seen", change: func(*historytest.Builder) {}},
		{
			name: "no limits known", status: Inconclusive, says: "limits are not known",
			change: func(b *historytest.Builder) { b.Meta(func(m *history.Meta) { m.Bounds = nil }) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := overloaded()
			c.change(b)
			v := OverloadContract{}.Check(b.Build(t))
			require.Equal(t, c.status, v.Status, "%s %v", v.Summary, v.Reasons)
			require.Contains(t, v.Summary, c.says)
			if c.class != "" {
				require.Equal(t, c.class, v.Evidence[0].Class)
				require.InDelta(t, c.n, *v.Measured, 0)
				require.InDelta(t, c.n, len(v.Evidence)+v.More, 0)
				require.NotEmpty(t, v.Fix)
			}
		})
	}
}

func TestOverloadContractWithoutOverload(t *testing.T) {
	b := historytest.New().Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{{Name: "answered", Limit: 3 * sec}, {Name: "threads", Count: 99}}
	}).Phase("steady", history.PhaseSteady, 0, 10*sec).Phase("away", history.PhaseBreak, 10*sec, 20*sec)
	require.Equal(t, Inconclusive, OverloadContract{}.Check(b.Build(t)).Status, "no fault")
	b.Fault("latency", 10*sec, "j1").Active(10100 * mil).Heal(20 * sec)
	b.Op(history.OpSessionRead, 12*sec).OK()
	b.See(12*sec, history.Truth{Node: "j1", Up: true, Threads: 4})
	v := OverloadContract{}.Check(b.Build(t))
	require.Equal(t, Pass, v.Status)
	require.True(t, v.NotExercised)
}
