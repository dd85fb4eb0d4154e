package assert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

const (
	sec = time.Second
	mil = time.Millisecond
)

// stage is a record in the making, with shorthand for what nodes say.
type stage struct{ *historytest.Builder }

func newStage() stage {
	b := historytest.New()
	b.Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{
			{Name: "unready", Limit: 500 * mil, Formula: "fall × inter", File: "haproxy.cfg"},
			{Name: "detected/frozen", Limit: sec},
		}
	})
	b.Phase("all", history.PhaseSteady, 0, 40*sec)
	return stage{b}
}

func (s stage) logs(node string, at time.Duration, what string) {
	s.See(at, history.Transition{Span: history.Span{Within: mil}, Node: node, What: what})
}

func (s stage) engine(node string, at time.Duration, action string) {
	s.See(at, history.Engine{Span: history.Span{Within: 2 * mil}, Node: node, Action: action})
}

// polls looks at the readiness endpoint every 100 ms; status 0 is no answer.
func (s stage) polls(node string, from, to time.Duration, status int) {
	for at := from; at < to; at += 100 * mil {
		s.See(at, history.Readiness{Node: node, Probe: "ready", Up: status == 200, Status: status, Took: 2 * mil})
	}
}

func (s stage) gauges(node string, from, to time.Duration, warm, database bool) {
	for at := from; at < to; at += 100 * mil {
		s.See(at, history.Truth{Node: node, Up: true, Warm: warm, Database: database})
	}
}

// arrives is a receipt; gets the balancer's line of a request that the node
// answered.
func (s stage) arrives(node string, at time.Duration, op uint64) {
	s.See(at, history.Receipt{Span: history.Span{Within: mil}, Node: node, What: "arrive", Op: op, Attempt: 1})
}

func (s stage) line(node string, at, connect, response time.Duration, op uint64) {
	s.See(at, history.Dispatch{Span: history.Span{Within: mil}, Balancer: "lb1", Number: op, Op: op, Attempt: 1, Server: node, Connect: connect, Response: response})
}

// rebirth kills j2 at 10 s and starts it at 20 s; it listens at 20.5 s, and
// is warm and ready at 22 s.
func (s stage) rebirth() stage {
	s.polls("j2", 0, 10*sec, 200)
	s.gauges("j2", 0, 10*sec, true, true)
	s.engine("j2", 10*sec, "die")
	s.polls("j2", 10*sec, 20500*mil, 0)
	s.engine("j2", 20*sec, "start")
	s.logs("j2", 20300*mil, "started")
	s.gauges("j2", 20550*mil, 22*sec, false, true)
	s.logs("j2", 22*sec, "warm")
	s.gauges("j2", 22050*mil, 40*sec, true, true)
	return s
}

// honest is a rebirth whose endpoint says what is.
func (s stage) honest() stage {
	s.rebirth()
	s.polls("j2", 20510*mil, 22*sec, 503)
	s.logs("j2", 22010*mil, "ready")
	s.polls("j2", 22010*mil, 40*sec, 200)
	return s
}

func TestReadinessGating(t *testing.T) {
	for _, c := range []struct {
		name   string
		build  func(stage)
		status Status
		none   bool   // not exercised
		says   string // in the summary, the reasons or the notes
		n      float64
	}{
		{name: "nothing observed", status: Inconclusive, says: "no node's readiness", build: func(stage) {}},
		{name: "never unready", status: Pass, none: true, build: func(s stage) { s.polls("j2", 0, 40*sec, 200) }},
		{
			name: "restarted, and never served again", status: Pass, none: true, says: "no request got to j2 after it was ready again",
			build: func(s stage) { s.honest() },
		},
		{
			name: "served once ready", status: Pass,
			build: func(s stage) { s.honest(); s.arrives("j2", 22500*mil, 7) },
		},
		{
			name: "a receipt before ready", status: Fail, n: 1, says: "operation 7, attempt 1 got to j2 498 ms before",
			build: func(s stage) { s.honest(); s.arrives("j2", 21510*mil, 7) },
		},
		{
			// The log says ready at 22.010 ± 1 ms; the receipt is ± 1 ms too.
			name: "at the last certain moment before ready", status: Fail, n: 1, says: "before it can have become ready",
			build: func(s stage) { s.honest(); s.arrives("j2", 22008*mil-1, 7) },
		},
		{
			name: "a balancer ended, and took no request with it", status: Pass,
			build: func(s stage) {
				s.honest()
				s.arrives("j2", 22500*mil, 7)
				s.See(40*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb1", Complete: true, Unknown: []history.Window{{From: 21200 * mil, To: 21300 * mil}}})
			},
		},
		{
			name: "a balancer ended, and took a request with it while all were ready", status: Pass,
			build: func(s stage) {
				s.honest()
				s.arrives("j2", 22500*mil, 7)
				s.Op(history.OpOrder, 22950*mil).End(23050 * mil).Info(history.ErrEOF)
				s.See(40*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb1", Complete: true, Unknown: []history.Window{{From: 23040 * mil, To: 23100 * mil}}})
			},
		},
		{
			name: "a balancer ended, and took a request with it while one was starting", status: Inconclusive, says: "operation 1, attempt 1 was under way when its balancer ended",
			build: func(s stage) {
				s.honest()
				s.arrives("j2", 22500*mil, 7)
				s.Op(history.OpOrder, 20950*mil).End(21050 * mil).Info(history.ErrEOF)
				s.See(40*sec, history.Coverage{Stream: history.StreamDispatch, Source: "lb1", Complete: true, Unknown: []history.Window{{From: 21040 * mil, To: 21100 * mil}}})
			},
		},
		{
			name: "at the first moment that may be after ready", status: Pass,
			build: func(s stage) { s.honest(); s.arrives("j2", 22008*mil, 7); s.arrives("j2", 23*sec, 8) },
		},
		{
			name: "a balancer's line before ready", status: Fail, n: 1, says: "the log of lb1",
			build: func(s stage) { s.honest(); s.line("j2", 21*sec, 2*mil, 5*mil, 7) },
		},
		{
			name: "both name one request", status: Fail, n: 1,
			build: func(s stage) { s.honest(); s.line("j2", 21*sec, 2*mil, 5*mil, 7); s.arrives("j2", 21002*mil, 7) },
		},
		{
			name: "a connection that never stood reached nobody", status: Pass,
			build: func(s stage) { s.honest(); s.line("j2", 20100*mil, -1, -1, 7); s.arrives("j2", 23*sec, 8) },
		},
		{
			name: "an endpoint that always says yes is caught by the gauges", status: Fail, n: 1, says: "its log",
			build: func(s stage) {
				s.rebirth()
				s.logs("j2", 20600*mil, "ready")
				s.polls("j2", 20510*mil, 40*sec, 200)
				s.arrives("j2", 21500*mil, 7)
			},
		},
		{
			name: "a cold answer", status: Fail, n: 1, says: "operation 1, attempt 1 was answered by j2, which said that it was not warm",
			build: func(s stage) { s.honest(); s.Op(history.OpOrder, 21*sec).On("j2").Cold().OK() },
		},
		{
			name: "killed: attempts at a dead node are the anatomy's", status: Pass,
			build: func(s stage) {
				s.honest()
				for i := range uint64(50) {
					s.line("j2", 10*sec+time.Duration(i)*100*mil, -1, -1, 100+i)
				}
				s.arrives("j2", 23*sec, 7)
			},
		},
		{
			name: "unready by its endpoint, served within the bound", status: Pass,
			build: func(s stage) { s.sulk(); s.arrives("j1", 10500*mil, 7) },
		},
		{
			// The first no ended at 10.002 s; the bound ends at 10.502 s.
			name: "unready by its endpoint, served at the bound", status: Pass,
			build: func(s stage) { s.sulk(); s.arrives("j1", 10503*mil, 7) },
		},
		{
			name: "unready by its endpoint, served after the bound", status: Fail, n: 1, says: "after it became unready by its readiness endpoint",
			build: func(s stage) { s.sulk(); s.arrives("j1", 10503*mil+1, 7) },
		},
		{
			// The last no began at 14.9 s.
			name: "at the last certain moment of unready", status: Fail, n: 1,
			build: func(s stage) { s.sulk(); s.arrives("j1", 14899*mil-1, 7) },
		},
		{
			name: "perhaps ready again", status: Pass,
			build: func(s stage) { s.sulk(); s.arrives("j1", 14899*mil, 7) },
		},
		{
			name: "unready by its log", status: Fail, n: 1, says: "by its log",
			build: func(s stage) {
				s.logs("j1", 10*sec, "unready")
				s.logs("j1", 15*sec, "ready")
				s.arrives("j1", 12*sec, 7)
			},
		},
		{
			name: "an endpoint that always says yes while the database is away", status: Fail, n: 1, says: "of the database",
			build: func(s stage) {
				s.polls("j1", 0, 40*sec, 200)
				s.gauges("j1", 0, 10*sec, true, true)
				s.gauges("j1", 10*sec, 15*sec, true, false)
				s.gauges("j1", 15*sec, 40*sec, true, true)
				s.arrives("j1", 12*sec, 7)
			},
		},
		{
			name: "the gauge may lag behind the database's return", status: Pass,
			build: func(s stage) {
				s.gauges("j1", 10*sec, 15*sec, true, false)
				s.gauges("j1", 15*sec, 40*sec, true, true)
				s.arrives("j1", 14*sec, 7)
				s.Op(history.OpOrder, 11*sec).OK()
			},
		},
		{
			name: "no bound for an unready node", status: Inconclusive, says: "states no bound",
			build: func(s stage) {
				s.sulk()
				s.Meta(func(m *history.Meta) { m.Bounds = nil })
			},
		},
		{
			name: "frozen: handed over and never answered", status: Fail, n: 1, says: "had stopped answering",
			build: func(s stage) {
				s.polls("j1", 0, 10*sec, 200)
				s.polls("j1", 10*sec, 15*sec, 0)
				s.line("j1", 10500*mil, 0, -1, 6) // within the bound
				s.line("j1", 12*sec, 0, -1, 7)
			},
		},
		{
			name: "one that is answered was not frozen", status: Pass, none: true,
			build: func(s stage) {
				s.polls("j1", 10*sec, 15*sec, 0)
				s.line("j1", 12*sec, 0, 3*mil, 7)
			},
		},
		{
			name: "liveness follows a dependency", status: Fail, n: 1, says: "liveness of j1 answered 503 while only its database was away",
			build: func(s stage) {
				s.gauges("j1", 10*sec, 15*sec, true, false)
				s.See(12*sec, history.Readiness{Node: "j1", Probe: "live", Status: 503, Took: mil})
			},
		},
		{
			name: "a node that answers nothing but 503 while it stops", status: Pass, says: "",
			build: func(s stage) {
				s.sulk()
				s.gauges("j1", 10*sec, 15*sec, false, false)
				s.See(12*sec, history.Readiness{Node: "j1", Probe: "live", Status: 503, Took: mil})
			},
		},
		{
			name: "liveness stays up", status: Pass,
			build: func(s stage) {
				s.sulk()
				s.gauges("j1", 10*sec, 15*sec, true, false)
				s.See(12*sec, history.Readiness{Node: "j1", Probe: "live", Up: true, Status: 200, Took: mil})
			},
		},
		{
			name: "back before it was marked down", status: Pass, says: "j2 was back before lb1 marked it down",
			build: func(s stage) {
				s.honest()
				s.arrives("j2", 23*sec, 7)
				for at := 10 * sec; at < 23*sec; at += 100 * mil {
					s.See(at, history.Server{Balancer: "lb1", Server: "j2", Up: true, Status: "UP"})
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			c.build(s)
			for i := range 40 { // traffic
				s.Op(history.OpSessionRead, time.Duration(i)*sec).OK()
			}
			h := s.Build(t)
			v := ReadinessGating{}.Check(h)
			said := strings.Join(append(append([]string{v.Summary}, v.Reasons...), v.Notes...), " ")
			require.Equal(t, c.status, v.Status, said)
			require.Equal(t, c.none, v.NotExercised, said)
			require.Contains(t, said, c.says)
			if c.status != Inconclusive {
				require.Equal(t, c.n, *v.Measured)
			}

			shift(h, 5*sec)
			again := ReadinessGating{}.Check(h)
			require.Equal(t, v.Status, again.Status)
			require.Equal(t, v.Measured, again.Measured)
		})
	}
}

// sulk has j1 answer no from 10 s to 15 s, and serve the other operations.
func (s stage) sulk() {
	s.polls("j1", 0, 10*sec, 200)
	s.polls("j1", 10*sec, 15*sec, 503)
	s.polls("j1", 15*sec, 40*sec, 200)
}

func TestReadinessEvidenceNamesTheLine(t *testing.T) {
	s := newStage().honest()
	s.arrives("j2", 21*sec, 42)
	h := s.Build(t)
	v := ReadinessGating{}.Check(h)
	require.Len(t, v.Evidence, 1)
	require.EqualValues(t, 42, v.Evidence[0].Op)
	require.Equal(t, "j2", v.Evidence[0].Node)
	require.Equal(t, "before ready", v.Evidence[0].Class)
	for _, o := range h.Receipts {
		require.Equal(t, o.Seq, v.Evidence[0].Seq)
	}
}

func TestReadyIsAnInterval(t *testing.T) {
	h := newStage().honest().Build(t)
	by, names := conditions(h)
	require.Equal(t, []string{"j2"}, names)
	lives := by["j2"].lives
	require.Len(t, lives, 1)
	require.True(t, lives[0].again)
	require.Equal(t, 20*sec-2*mil, lives[0].born)
	require.Equal(t, 22009*mil, lives[0].readyFrom, "its log is the last to say no")
	require.Equal(t, 22050*mil, lives[0].readyBy, "its gauges are the last to say yes")
}

// A look that began before another, and ended after it, may be the later one.
func TestChainMindsOverlappingLooks(t *testing.T) {
	got := chain([]look{
		{lo: 0, hi: 900, bad: false}, {lo: 100, hi: 102, bad: true}, {lo: 1000, hi: 1002, bad: true}, {lo: 1100, hi: 1101},
	}, "x", 1)
	require.Equal(t, spells{{from: 900, to: 1000, says: "x"}}, got)
}

// A node that opens its port only when it is ready is never seen to say no:
// that times its return, and accuses nobody.
func TestUnansweredLooksTimeReadyAndAccuseNobody(t *testing.T) {
	s := newStage()
	s.engine("j2", 10*sec, "die")
	s.engine("j2", 20*sec, "start")
	s.polls("j2", 10*sec, 22*sec, 0)
	s.polls("j2", 22*sec, 40*sec, 200)
	s.arrives("j2", 21*sec, 7)
	h := s.Build(t)
	by, _ := conditions(h)
	l := by["j2"].lives[0]
	require.Equal(t, 21900*mil, l.mute)
	require.Equal(t, l.born, l.readyFrom)
	require.Equal(t, 22002*mil, l.readyBy)
	require.Equal(t, Pass, ReadinessGating{}.Check(h).Status)
}

// TestAProcessThatStartsAgainIsARestart: the engine sees no end and no start
// where only the process crashed, and the container stayed.
func TestAProcessThatStartsAgainIsARestart(t *testing.T) {
	crashed := func() stage {
		s := newStage()
		s.polls("j2", 0, 10*sec, 200)
		s.gauges("j2", 0, 10*sec, true, true)
		s.polls("j2", 10*sec, 20500*mil, 0)
		s.logs("j2", 20300*mil, "started")
		s.gauges("j2", 20550*mil, 22*sec, false, true)
		s.polls("j2", 20510*mil, 22*sec, 503)
		s.logs("j2", 22*sec, "warm")
		s.logs("j2", 22010*mil, "ready")
		s.gauges("j2", 22050*mil, 40*sec, true, true)
		s.polls("j2", 22010*mil, 40*sec, 200)
		return s
	}
	s := crashed()
	s.arrives("j2", 23*sec, 1)
	v := ReadinessGating{}.Check(s.Build(t))
	require.Equal(t, Pass, v.Status, v.Summary)
	require.False(t, v.NotExercised, "it was restarted, and served")

	s = crashed()
	s.arrives("j2", 21*sec, 1)
	v = ReadinessGating{}.Check(s.Build(t))
	require.Equal(t, Fail, v.Status, v.Summary)
	require.Equal(t, uint64(1), v.Evidence[0].Op)
}
