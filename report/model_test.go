package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

const ms = time.Millisecond

// planted is a second of a run in which j2 dies under an order that it has
// committed, and the order is applied again by j1.
func planted(t testing.TB) *history.History {
	b := historytest.New()
	b.Meta(func(m *history.Meta) {
		m.Asserts = []history.AssertMeta{{Name: "error-budget", Params: json.RawMessage(`{"threshold":200000000}`)}}
	})
	b.Phase("warm-up", history.PhaseWarmUp, 0, 100*ms)
	b.Phase("steady", history.PhaseSteady, 100*ms, 400*ms)
	b.Phase("killed", history.PhaseBreak, 400*ms, 700*ms)
	b.Phase("restarted", history.PhaseRecover, 700*ms, 1000*ms)
	b.Fault("instance-kill", 400*ms, "j2").Proof(440*ms, history.Proof{OK: true, Asked: "dead", Measured: "dead", From: 405 * ms, To: 410 * ms}).Heal(700 * ms).Healed(800 * ms)
	b.Op(history.OpLogin, 110*ms).In(1).On("j2").OK()
	write := b.Op(history.OpSessionWrite, 200*ms).In(1).On("j2").Value(1).OK()
	slow := b.Op(history.OpSessionRead, 300*ms).In(1).On("j2").End(550 * ms).Value(1).OK()
	order := b.Op(history.OpOrder, 402*ms).In(1).Bound("j2").On("j1").End(522 * ms).Value(8).
		Try(history.Try{End: 430 * ms, Outcome: history.Info, Error: history.ErrReset, Node: "j2"}).OK()
	lost := b.Op(history.OpSessionWrite, 500*ms).In(2).Bound("j2").Info(history.ErrTimeout)
	b.Row(990*ms, 7, order, 1, "j2").Row(990*ms, 8, order, 2, "j1")
	b.See(401*ms, history.Dispatch{Balancer: "lb1", Op: order, Attempt: 1, Server: "j2", Status: -1, Term: "SHVN", Retries: 1, Total: 30 * ms})
	b.See(450*ms, history.Dispatch{Balancer: "lb1", Op: order, Attempt: 2, Server: "j1", Status: 201, Term: "--VN", Total: 60 * ms})
	b.See(420*ms, history.Receipt{Node: "j2", What: "commit", Op: order, Attempt: 1, Order: 7})
	b.See(480*ms, history.Receipt{Node: "j1", What: "commit", Op: order, Attempt: 2, Order: 8})
	for _, at := range []time.Duration{50 * ms, 450 * ms, 850 * ms} {
		up := at != 450*ms
		b.See(at, history.Server{Balancer: "lb1", Server: "j2", Status: map[bool]string{true: "UP", false: "DOWN"}[up], Up: up, Current: 2})
		b.See(at, history.Truth{Node: "j2", Up: up, Warm: up, Database: up, InFlight: 3})
		b.See(at, history.Readiness{Node: "j2", Probe: "live", Up: up, Status: map[bool]int{true: 200}[up]})
		b.See(at, history.VIP{Balancer: "lb1", Known: true, Owner: true})
		b.See(at, history.Connections{Known: up, Total: 4, Max: 100})
	}
	b.See(990*ms, history.SessionState{Session: 1, Via: "vip", Known: true, Found: true, ID: "s1", User: "u1", Count: 1, Ops: []uint64{write}})
	b.Covered(1000*ms, history.StreamLedger, history.StreamDispatch)
	require.Less(t, write, slow)
	require.Less(t, order, lost)
	return b.Build(t)
}

func judged(h *history.History) *harness.Result {
	r := &harness.Result{Scenario: "planted", Verdict: harness.VerdictFail, Reason: "write-ledger was violated."}
	r.Assertions = assert.Judge(h, []assert.Checker{assert.WriteLedger{}, assert.SessionSurvival{}, assert.ErrorBudget{}})
	return r
}

// TestModelOfAPlantedHistory holds the page's data model to a file; UPDATE=1
// writes it anew.
func TestModelOfAPlantedHistory(t *testing.T) {
	h := planted(t)
	got, err := json.MarshalIndent(dataOf(judged(h), h), "", " ")
	require.NoError(t, err)
	got = append(got, '\n')
	path := filepath.Join("testdata", "model.json")
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// TestModelTellsWhatWasPlanted says in words what the file above must hold.
func TestModelTellsWhatWasPlanted(t *testing.T) {
	h := planted(t)
	m := dataOf(judged(h), h)
	require.InDelta(t, 200, m.Threshold, 0, "the run's own threshold")
	require.Len(t, m.Bands, 1)
	require.Equal(t, []float64{0.405, 0.8}, []float64{m.Bands[0].From, m.Bands[0].To}, "from the proof to the heal")
	byOrigin := map[string][]string{}
	for _, o := range m.Origins {
		byOrigin[o.By] = o.Names
	}
	require.Equal(t, map[string][]string{
		"client":   {"slow", "timeout"},
		"balancer": {"SH: the server broke it off or refused it before the answer's headers"},
		"status":   {"200, from the application", "no answer"},
		"instance": {"answered by j2", "no node answered, session on j2"},
	}, byOrigin)
	d := m.Details
	require.Equal(t, "duplicate", d.Names[d.Writes[0][1].(int)])
	require.Len(t, d.Writes[0][4].([]cells), 2, "both applications")
	require.Len(t, d.Tries, 1)
	require.Len(t, d.Requests, 2)
	require.Len(t, d.Receipts, 2)
	require.Len(t, d.States, 1)
	require.Equal(t, []string{"j2", "lb1 to j2"}, m.UnderWay.Names)
	require.Equal(t, []string{
		"run/phase", "run/instance-kill j2", "vip/VIP owner", "balancer/lb1 sees j2",
		"node/j1 serving", "node/j2 alive", "node/j2 ready", "node/j2 routed", "node/j2 serving", "database/database",
		"alert/alert 14.4× (1 h)", "alert/alert 6× (6 h)",
	}, laneNames(m.Lanes))
}

func laneNames(ls []lane) (out []string) {
	for _, l := range ls {
		out = append(out, l.Group+"/"+l.Name)
	}
	return out
}

// TestWritesAreClassedAsTheJudgeDoes: the table of writes and the verdict must
// not contradict each other.
func TestWritesAreClassedAsTheJudgeDoes(t *testing.T) {
	for seed := range uint64(6) {
		h := historytest.Generate(historytest.Config{
			Seed: seed, Ops: 4000, Kill: seed%2 == 0, Unknown: 0.02, Receipts: true, Dispatches: true,
			Plant: []historytest.Violation{historytest.DuplicateOrder, historytest.LostOrder, historytest.PhantomOrder},
		}).History(t)
		v := assert.WriteLedger{}.Check(h)
		want := map[string]float64{}
		for _, m := range v.Measures {
			if m.Unit == "writes" && m.Value > 0 && m.Name != "committed but absent" {
				want[m.Name] = m.Value
			}
		}
		whole, _ := h.CoverageOf(history.StreamLedger)
		got := map[string]float64{}
		for _, w := range writesOf(h) {
			got[w.class(whole)]++
		}
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// TestVictimsAreCountedAsTheJudgeDoes: so must not the table of sessions.
func TestVictimsAreCountedAsTheJudgeDoes(t *testing.T) {
	for seed := range uint64(4) {
		h := historytest.Generate(historytest.Config{Seed: seed, Ops: 6000, Kill: true}).History(t)
		want := 0.0
		for _, m := range (assert.SessionSurvival{}).Check(h).Measures {
			if m.Name == "on a victim" {
				want = m.Value
			}
		}
		got := 0
		for _, f := range sessionsOf(h) {
			got += flag(f.victim)
		}
		require.Positive(t, want)
		require.InDelta(t, want, got, 0, "seed %d", seed)
	}
}

// TestViolationsAreOnThePage: whatever is planted among many, the page holds
// the operation with its log lines, and its session or its write.
func TestViolationsAreOnThePage(t *testing.T) {
	run := historytest.Generate(historytest.Config{
		Seed: 3, Ops: 60_000, Rate: 1000, Kill: true, Receipts: true, Dispatches: true,
		Plant: []historytest.Violation{historytest.DuplicateOrder, historytest.LostOrder, historytest.LostUpdate, historytest.LeakedSession},
	})
	h := run.History(t)
	r := judged(h)
	m := dataOf(r, h).Details
	require.NotEmpty(t, run.Planted())
	held := map[uint64]bool{}
	for _, o := range m.Ops {
		held[o[0].(uint64)] = true
	}
	for _, p := range run.Planted() {
		require.True(t, held[p.Op], "%s: operation %d is not on the page", p.Violation, p.Op)
		if p.Violation == historytest.LostUpdate || p.Violation == historytest.LeakedSession {
			require.True(t, slices.ContainsFunc(m.Sessions[:10], func(s cells) bool { return s[0] == p.Session && s[9] == 1 }), "%s: session %d is not among the first, with its operations", p.Violation, p.Session)
			continue
		}
		require.True(t, slices.ContainsFunc(m.Writes[:10], func(w cells) bool { return w[0] == p.Key }), "%s: write %s is not among the first", p.Violation, p.Key)
	}
}

// TestAlertsFireAsTheBudgetSays: the lanes and the verdict replay the same
// alerts.
func TestAlertsFireAsTheBudgetSays(t *testing.T) {
	for _, bad := range []int{300, 3000} {
		b := historytest.New()
		b.Phase("steady", history.PhaseSteady, 0, 40*time.Second)
		b.Phase("break", history.PhaseBreak, 40*time.Second, 100*time.Second)
		b.Fault("instance-kill", 40*time.Second, "j1").Active(40 * time.Second)
		for i := range 10_000 {
			op := b.Op(history.OpSessionRead, time.Duration(i)*10*ms)
			if i >= 4000 && i < 4000+bad {
				op.Fail(history.ErrRefused)
			} else {
				op.OK()
			}
		}
		h := b.Build(t)
		v := assert.ErrorBudget{}.Check(h)
		fired := map[string]bool{}
		for _, m := range v.Measures {
			if strings.HasPrefix(m.Name, "burn rate") {
				fired[m.Name] = strings.HasPrefix(m.Note, "would have paged")
			}
		}
		require.Len(t, fired, 2)
		ls := alertLanes(h)
		require.Len(t, ls, 2)
		for i, name := range []string{"burn rate 1 h/5 min", "burn rate 6 h/30 min"} {
			last := ls[i].Spans[len(ls[i].Spans)-1].State
			require.Equal(t, fired[name], last == "would fire", "%s with %d bad", name, bad)
		}
	}
}

// TestSizeOfAMillionOperations: the page stays under 2 MB, with all that the
// most troubled run could fill it with.
func TestSizeOfAMillionOperations(t *testing.T) {
	h := historytest.Generate(historytest.Config{Ops: 1_000_000, Rate: 2000, Kill: true, Unknown: 0.05}).History(t)
	for i := range 40_000 {
		o := &h.Ops[i*7]
		h.Dispatches = append(h.Dispatches, history.At[history.Dispatch]{Time: o.Intended, V: history.Dispatch{
			Balancer: "lb1", Server: "j2", Op: o.ID, Attempt: 1, Term: "SHVN", Retries: 1,
		}})
		h.Servers = append(h.Servers, history.At[history.Server]{Time: o.Intended, V: history.Server{
			Balancer: "lb1", Server: "j2", Status: map[bool]string{true: "UP", false: "DOWN"}[i%2 == 0], Up: i%2 == 0,
		}})
	}
	r := judged(h)
	var page bytes.Buffer
	require.NoError(t, HTML(&page, r, h))
	require.Less(t, page.Len(), 2_000_000)
	m := dataOf(r, h)
	require.LessOrEqual(t, len(m.Series.Time), maxBuckets+1)
	require.LessOrEqual(t, len(m.Details.Ops), maxOps+maxStories)
	require.Len(t, m.Details.Writes, maxWrites)
	for _, l := range m.Lanes {
		require.LessOrEqual(t, len(l.Spans), maxSpans, l.Name)
	}
}

// TestSameBytes: the page is a function of the record alone.
func TestSameBytes(t *testing.T) {
	h := historytest.Generate(historytest.Config{Ops: 3000, Kill: true, Receipts: true, Dispatches: true, Plant: []historytest.Violation{historytest.DuplicateOrder}}).History(t)
	r := judged(h)
	var first, second bytes.Buffer
	require.NoError(t, HTML(&first, r, h))
	require.NoError(t, HTML(&second, r, h))
	require.True(t, bytes.Equal(first.Bytes(), second.Bytes()))
}

// TestDecidingFigure: the banner shows the figure that broke its bound, which
// need not be the assertion's own.
func TestDecidingFigure(t *testing.T) {
	v := assert.Verdict{
		Status: assert.Fail, Measured: ptr(99.6), Bound: ptr(99.5), Op: ">=", Unit: "% good",
		Measures: []assert.Measure{
			{Name: "good in phase steady", Value: 100, Unit: "%", Bound: ptr(99.9)},
			{Name: "longest outage", Value: 255, Unit: "ms", Bound: ptr(250)},
		},
	}
	require.Equal(t, measureView{Name: "longest outage", Value: "255 ms", Bound: "≤ 250 ms"}, deciding(&v))
	v.Measured = ptr(99.1)
	require.Equal(t, measureView{Name: "measured", Value: "99.1 % good", Bound: "≥ 99.5 % good"}, deciding(&v))
	v.Measured, v.Measures[0].Value = ptr(99.6), 99.2
	require.Equal(t, "≥ 99.9 %", deciding(&v).Bound)
}

func TestClip(t *testing.T) {
	require.Equal(t, "short", cut("short", 5))
	require.Equal(t, "ab… (3 bytes more)", cut("abcde", 2))
	require.Equal(t, "é… (2 bytes more)", cut("éé", 3), "never within a character")
	require.Equal(t, `\xff\xff… (8 bytes more)`, Clean(cut(strings.Repeat("\xff", 10), 2)))
}

func TestCoarseLanes(t *testing.T) {
	spans := make([]span, 0, 4000)
	for i := range 4000 {
		tone := "good"
		if i == 2000 {
			tone = "bad"
		}
		spans = append(spans, span{float64(i), float64(i + 1), "s" + string(rune('a'+i%2)), tone})
	}
	got := coarse(spans, 4000*time.Second, maxSpans)
	require.LessOrEqual(t, len(got), maxSpans)
	require.InDelta(t, 4000, got[len(got)-1].To, 0)
	for i := 1; i < len(got); i++ {
		require.InDelta(t, got[i-1].To, got[i].From, 0, "no gap")
	}
	require.True(t, slices.ContainsFunc(got, func(s span) bool { return s.Tone == "bad" && s.From <= 2000 && 2000 < s.To }), "the worst shows")
}

// A server that was taken out by order is no failure, and a node that says it
// is ready while it cannot work is one.
func TestTonesOfLanes(t *testing.T) {
	s := historytest.New()
	s.Phase("steady", history.PhaseSteady, 0, 8*time.Second)
	for i, status := range []string{"UP", "DRAIN", "MAINT", "MAINT (via x)", "DOWN"} {
		s.See(time.Duration(i+4)*time.Second, history.Server{Balancer: "lb1", Server: "j1", Up: status == "UP", Status: status})
	}
	says := func(at time.Duration, up, database bool) {
		status := 503
		if up {
			status = 200
		}
		s.See(at, history.Readiness{Node: "j1", Probe: "ready", Up: up, Status: status})
		s.See(at+10*ms, history.Truth{Node: "j1", Up: true, Warm: true, Database: database})
	}
	says(time.Second, true, true)
	says(2*time.Second, true, false)
	says(3*time.Second, false, false)
	says(4*time.Second, false, true)
	says(5*time.Second, true, true)
	h := s.Build(t)

	require.Equal(t, []string{"good UP", "warn DRAIN", "warn MAINT", "warn MAINT (via x)", "bad DOWN"}, told(serverLanes(h), "lb1 sees j1"))
	require.Equal(t, []string{
		"good ready", "bad says ready: no database", "warn no database", "warn unready", "good ready",
	}, told(nodeLanes(h), "j1 ready"))
}

// told are the tones and states of a lane.
func told(of []lane, name string) (out []string) {
	for _, l := range of {
		if l.Name != name {
			continue
		}
		for _, x := range l.Spans {
			out = append(out, x.Tone+" "+x.State)
		}
	}
	return out
}

// What nobody looked at any more, or what was asked and said nothing, is not told
// as it was seen last.
func TestLanesDoNotGoOnInTheDark(t *testing.T) {
	const second = time.Second
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 60*second)
	server := func(at time.Duration, lb, status string) {
		b.See(at, history.Server{Balancer: lb, Server: "j1", Status: status, Up: status == "UP"})
	}
	for at := second; at <= 10*second; at += second {
		server(at, "lb1", "UP")
		b.See(at, history.VIP{Balancer: "lb1", Known: true, Owner: true})
		b.See(at, history.Connections{Known: true, Total: 1, Max: 10})
		b.See(at, history.Readiness{Node: "j1", Probe: "ready", Up: true, Status: 200})
		b.See(at, history.Readiness{Node: "j1", Probe: "live", Up: true, Status: 200})
	}
	// lb2 ends, and answers again.
	server(second, "lb2", "UP")
	b.See(2*second, history.BalancerInfo{Balancer: "lb2"})
	b.See(3*second, history.BalancerInfo{Balancer: "lb2"})
	b.See(4*second, history.BalancerInfo{Balancer: "lb2", Up: true})
	server(4*second, "lb2", "DOWN")
	// After the last look at it the database refused.
	b.See(12*second, history.Refusal{})
	h := b.Build(t)

	require.Equal(t, []string{"good UP", "warn not known"}, told(serverLanes(h), "lb1 sees j1"))
	spans := serverLanes(h)[0].Spans
	require.Equal(t, []float64{1, 13, 13, h.End.Seconds()}, []float64{spans[0].From, spans[0].To, spans[1].From, spans[1].To}, "from the last look on, and a little")
	require.Equal(t, []string{"good UP", "warn no answer", "bad DOWN", "warn not known"}, told(serverLanes(h), "lb2 sees j1"))
	require.Equal(t, []string{"good answers", "bad refuses connections", "warn not known"}, told(databaseLanes(h), "database"))
	require.Equal(t, []string{"good lb1", "warn not known"}, told(vipLanes(h), "VIP owner"))
	lanes := nodeLanes(h)
	require.Equal(t, []string{"good ready", "warn not known"}, told(lanes, "j1 ready"), "the endpoint says all where nobody asked the gauges")
	require.Equal(t, []string{"good alive", "warn not known"}, told(lanes, "j1 alive"))
	require.Equal(t, []string{"good routed", "warn routed by lb1", "warn not known"}, told(lanes, "j1 routed"))
}

// A balancer that was asked and did not answer may hold the address.
func TestNobodyHoldsTheAddressOnlyIfAllSaidSo(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 5*time.Second)
	vip := func(at time.Duration, lb string, known, owner bool) {
		b.See(at, history.VIP{Balancer: lb, Known: known, Owner: owner})
	}
	vip(1*time.Second, "lb1", true, true)
	vip(1100*ms, "lb2", true, false)
	vip(2*time.Second, "lb1", false, false)
	vip(3*time.Second, "lb1", true, false)
	require.Equal(t, []string{"good lb1", "warn not known", "bad nobody"}, told(vipLanes(b.Build(t)), "VIP owner"))
}

// A node's time out of service is held against balancers only while they answer.
func TestOneThatDoesNotAnswerRoutesNothing(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 10*time.Second)
	b.See(time.Second, history.Server{Balancer: "lb1", Server: "j1", Status: "UP", Up: true})
	b.See(3*time.Second, history.BalancerInfo{Balancer: "lb1"})
	b.See(6*time.Second, history.Server{Balancer: "lb1", Server: "j1", Status: "UP", Up: true})
	h := b.Build(t)
	require.Equal(t, 4*time.Second, routedFor(h, "j1", 0, 8*time.Second))
	require.Equal(t, time.Second, routedFor(h, "j1", 2*time.Second, 5*time.Second))
}

// An alert that fired is silent again when its window has passed what it counted.
func TestAnAlertEnds(t *testing.T) {
	b := historytest.New()
	b.Phase("steady", history.PhaseSteady, 0, 20*time.Minute)
	for at := time.Duration(0); at < 20*time.Minute; at += time.Second {
		op := b.Op(history.OpSessionRead, at)
		if at >= 60*time.Second && at < 120*time.Second {
			op.Fail(history.ErrRefused)
		} else {
			op.OK()
		}
	}
	ls := alertLanes(b.Build(t))
	require.Equal(t, []string{"good silent", "bad would fire", "good silent"}, told(ls[:1], ls[0].Name))
	last := ls[0].Spans[2]
	require.Greater(t, last.From, 360.0, "five minutes after the first bad operation")
	require.Less(t, last.From, 420.0, "and before five after the last")
}
