package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// duplicated is a record in which j2 dies after it has committed an order, whose
// retry is written once more, and its users wait for too long.
func duplicated(t *testing.T) (*harness.Result, *history.History) {
	t.Helper()
	const ms = time.Millisecond
	b := historytest.New().Meta(func(m *history.Meta) {
		m.Scenario, m.About, m.Topology, m.Profile = "instance-kill", "One application node dies under load.", "jetty-ha", "tuned"
		m.Set, m.Command = map[string]string{"dedupe": "off"}, "hachaos run instance-kill --set dedupe=off --seed 1"
		m.StartedAt = time.Date(2026, 11, 20, 8, 15, 0, 0, time.UTC)
		m.Bounds = []history.Bound{
			{Name: "outage/refused", Limit: 50 * ms, Formula: "inter 20ms + allowance 30ms", Source: "the manual, 4.2", File: "haproxy.cfg"},
			{Name: "detected/vanished", Limit: 300 * ms, Formula: "fall 3 × inter 20ms + allowance 30ms", Source: "the manual, 5.2", File: "haproxy.cfg"},
		}
		m.Values = []history.Value{
			{Name: "haproxy: inter", Value: "20ms", Reason: "often enough", File: "haproxy.cfg"},
			{Name: "haproxy: fall", Value: "3", Reason: "one may be late", File: "haproxy.cfg"},
			{Name: "pool: inter", Value: "20", Reason: "it is another", File: "pool"},
		}
		m.Asserts = []history.AssertMeta{
			{Name: "write-ledger"},
			{Name: "error-budget", Params: json.RawMessage(`{"overall":50,"outageBound":"outage/refused"}`)},
			{Name: "failover-anatomy"},
			{Name: "upload-durability"},
		}
	})
	b.Phase("steady", history.PhaseSteady, 0, 500*ms)
	b.Phase("killed", history.PhaseBreak, 500*ms, 1000*ms)
	for i := range 50 {
		b.Op(history.OpSessionRead, time.Duration(10*i)*ms).Bound([]string{"j1", "j2"}[i%2]).Value(0).OK()
	}
	twice := b.Op(history.OpOrder, 505*ms).Bound("j2").On("j1").Via("lb1").Value(31).Status(201).
		Try(history.Try{End: 540 * ms, Outcome: history.Info, Error: history.ErrReset}).End(640 * ms).OK()
	b.Op(history.OpSessionWrite, 520*ms).Bound("j2").Sent(524 * ms).Late(2 * ms).End(600 * ms).Status(502).On("").Info(history.ErrStatus)
	b.Op(history.OpSessionRead, 530*ms).Bound("j2").NotSent().End(531 * ms).Fail(history.ErrRefused)
	b.Op(history.OpSessionRead, 700*ms).Bound("j1").OK()
	open := b.Op(history.OpOrder, 990*ms).Bound("j1").Open()
	b.Fault("instance-kill", 510*ms, "j2").Proof(515*ms, history.Proof{OK: true, Asked: "down", Measured: "j2: not running", From: 510 * ms, To: 512 * ms}).Heal(900 * ms)
	b.See(506*ms, history.Dispatch{Balancer: "lb1", Number: 1, Op: twice, Attempt: 1, Server: "j2", Status: -1, Term: "SH--", Total: 34 * ms})
	b.See(545*ms, history.Dispatch{Balancer: "lb1", Number: 2, Op: twice, Attempt: 2, Server: "j1", Status: 201, Retries: 2, Redispatched: true, Term: "--VN", Total: 90 * ms})
	b.See(546*ms, history.Dispatch{Balancer: "lb1", Number: 3, Op: open, Attempt: 1, Status: 503, Term: "CQ--"})
	b.See(507*ms, history.Receipt{Node: "j2", What: "arrive", Op: twice, Attempt: 1})
	b.See(509*ms, history.Receipt{Node: "j2", What: "commit", Op: twice, Attempt: 1, Order: 30})
	b.See(600*ms, history.Receipt{Node: "j1", What: "commit", Op: twice, Attempt: 2, Order: 31})
	b.Row(999*ms, 30, twice, 1, "j2").Row(999*ms, 31, twice, 2, "j1")
	b.Covered(999*ms, history.StreamLedger, history.StreamReceipt, history.StreamDispatch)
	dir := t.TempDir()
	b.Save(t, dir)
	r, h, err := harness.Judge(dir)
	require.NoError(t, err)
	return r, h
}

func explained(t *testing.T, o ExplainOptions) string {
	t.Helper()
	r, h := duplicated(t)
	o.Dir = "runs/x"
	var b bytes.Buffer
	require.NoError(t, Explain(&b, r, h, o))
	return b.String()
}

// TestExplainGolden has literal verdicts, so that the golden files do not
// depend on how the assertions word theirs.
func TestExplainGolden(t *testing.T) {
	r, h := duplicated(t)
	r.Reason = "write-ledger was violated: 1 write is there twice."
	r.Assertions = []assert.Verdict{
		{
			Name: "write-ledger", Status: assert.Fail, Measured: ptr(1), Bound: ptr(0), Op: "<=", Unit: "writes", Summary: "1 write is there twice.", Fix: "dedupe=on",
			Evidence: []assert.Evidence{{Seq: 123, Op: 51, At: 640 * time.Millisecond, Node: "j1", Class: "duplicate", Text: "orders 30 and 31"}}, More: 3,
		},
		{
			Name: "error-budget", Status: assert.Fail, Measured: ptr(94.5), Bound: ptr(50), Op: ">=", Unit: "% good", Summary: "The users of j2 were without service for 480 ms (at most 50 ms).",
			Evidence: []assert.Evidence{
				{Op: 55, At: 990 * time.Millisecond, Class: "info", Text: "never completed"},
				{Op: 52, At: 520 * time.Millisecond, Node: "j2", Class: "status", Text: "status 502"},
				{Op: 53, At: 530 * time.Millisecond, Class: "refused", Text: "refused"},
			},
			Measures: []assert.Measure{{Name: "longest outage", Value: 480, Unit: "ms", Bound: ptr(50), Note: "the users of j2"}}, Notes: []string{"a note"},
		},
		{Name: "recovery", Bound: ptr(300), Op: "<=", Unit: "ms", Reasons: []string{"nobody looked"}},
		{Name: "upload-durability", Status: assert.Pass, NotExercised: true, Measured: ptr(0), Bound: ptr(0), Op: "<=", Unit: "files", Summary: "No file was acknowledged."},
		{Name: "leftovers", Status: assert.Pass},
	}
	for file, o := range map[string]ExplainOptions{
		"explain.txt":           {Limit: 2},
		"explain-assertion.txt": {Assertion: "error-budget", Limit: 1, From: 2, Width: 80},
		"explain-op.txt":        {Op: 51},
	} {
		var b bytes.Buffer
		o.Dir = "runs/x"
		require.NoError(t, Explain(&b, r, h, o))
		golden(t, file, b.Bytes())
	}
}

// TestExplainTellsWhatItShould, by hand: the golden files could be made anew
// without a look.
func TestExplainTellsWhatItShould(t *testing.T) {
	run := explained(t, ExplainOptions{})
	for _, want := range []string{
		"FAIL  instance-kill", "jetty-ha, profile tuned, with dedupe=off",
		"instance-kill on j2", "proven: j2: not running", "not seen to have healed",
		"write-ledger: FAIL; measured 1 writes, held to ≤ 0 writes", "The limit ≤ 0 writes is the assertion's own",
		"The bound outage/refused is 50 ms = inter 20ms + allowance 30ms; set in haproxy.cfg",
		"+0.509s j2 committed 51.1 as order 30", "+0.600s j1 committed 51.2 as order 31",
		"lb1 took 51.1 and sent it to j2; no answer after 34 ms (SH--: the server ended or refused it while waiting for the server's answer)",
		"attempt 51.1 ended: outcome unknown (the connection broke after something was sent)",
		"To repeat it: hachaos run instance-kill --set dedupe=off --seed 1",
	} {
		require.Contains(t, strings.Join(strings.Fields(run), " "), strings.Join(strings.Fields(want), " "))
	}
	one := explained(t, ExplainOptions{Assertion: "error-budget"})
	require.Contains(t, one, "haproxy: inter is 20ms in haproxy.cfg: often enough")
	require.NotContains(t, one, "pool: inter", "another setting that only begins alike")
	require.NotContains(t, run+one, "+0.000s sent", "of what never completed nobody knows when it was sent")
	require.NotContains(t, run, "The limit ≥ 50", "the scenario set it")
	for _, line := range strings.Split(run, "\n") {
		require.LessOrEqual(t, visible(line), 120, line)
	}
}

// TestExplainPagesThroughAllEvidence: each piece comes once.
func TestExplainPagesThroughAllEvidence(t *testing.T) {
	r, h := duplicated(t)
	v := &r.Assertions[1]
	require.Equal(t, "error-budget", v.Name)
	require.Greater(t, len(v.Evidence), 1)
	for i := range v.Evidence {
		var b bytes.Buffer
		require.NoError(t, Explain(&b, r, h, ExplainOptions{Assertion: v.Name, From: i + 1, Limit: 1, Dir: "d"}))
		require.Contains(t, b.String(), fmt.Sprintf("Its evidence, %d to %d of %d", i+1, i+1, len(v.Evidence)))
		require.Contains(t, b.String(), fmt.Sprintf("%d. op %d,", i+1, v.Evidence[i].Op))
		require.Equal(t, i+1 < len(v.Evidence), strings.Contains(b.String(), fmt.Sprintf("hachaos explain d error-budget --from %d", i+2)))
	}
	v.More = 7
	var b bytes.Buffer
	require.NoError(t, Explain(&b, r, h, ExplainOptions{Assertion: v.Name}))
	require.Contains(t, b.String(), "There are 7 more of them")
}

func TestExplainOfNonsense(t *testing.T) {
	r, h := duplicated(t)
	for want, o := range map[string]ExplainOptions{
		`the run has no assertion "ledger": it has write-ledger, error-budget, failover-anatomy, upload-durability`: {Assertion: "ledger"},
		"the run has no operation 99: it has 1 to 55":                                                               {Op: 99},
		"--from 77: error-budget has 3 pieces of evidence":                                                          {Assertion: "error-budget", From: 77},
	} {
		err := Explain(io.Discard, r, h, o)
		require.ErrorIs(t, err, ErrUnknown)
		require.EqualError(t, err, want)
	}
	require.ErrorIs(t, Explain(failingWriter{}, r, h, ExplainOptions{}), io.ErrShortWrite)
	require.ErrorIs(t, Explain(failingWriter{}, r, h, ExplainOptions{Assertion: "error-budget"}), io.ErrShortWrite)
	require.ErrorIs(t, Explain(failingWriter{}, r, h, ExplainOptions{Op: 51}), io.ErrShortWrite)
}

func TestExplainOfNothing(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Explain(&b, &harness.Result{Verdict: harness.VerdictError, Reason: "no engine"}, &history.History{}, ExplainOptions{}))
	require.Contains(t, b.String(), "No fault was injected.")
	err := Explain(io.Discard, &harness.Result{}, &history.History{}, ExplainOptions{Assertion: "x"})
	require.EqualError(t, err, `the run has no assertion "x": it has none at all`)
	require.EqualError(t, Explain(io.Discard, &harness.Result{}, &history.History{}, ExplainOptions{Op: 1}), "the run has no operation 1: it has none at all")
}

// TestExplainNeverEmitsControlCharacters, whatever names the record has.
func TestExplainNeverEmitsControlCharacters(t *testing.T) {
	r, h := duplicated(t)
	bad := hostile().Scenario
	r.Scenario, r.Reason, r.Command, r.Dirty, r.Leftovers = bad, bad, bad, true, hostile().Leftovers
	h.Meta.About, h.Meta.Profile, h.Faults[0].Kind = bad, bad, bad
	h.Faults[0].Proof.Measured = bad
	for i := range h.Dispatches {
		h.Dispatches[i].V.Server, h.Dispatches[i].V.Term = bad, bad
	}
	for i := range r.Assertions {
		v := &r.Assertions[i]
		v.Summary, v.Fix, v.Reasons, v.Notes = bad, bad, []string{bad}, []string{bad}
		v.Measures = append(v.Measures, assert.Measure{Name: bad, Unit: bad, Note: bad})
	}
	for _, o := range []ExplainOptions{{}, {Assertion: "error-budget"}, {Op: 51}} {
		var b bytes.Buffer
		require.NoError(t, Explain(&b, r, h, o))
		require.False(t, strings.ContainsAny(b.String(), "\x1b\x00\u202e"))
	}
}

func TestTerminated(t *testing.T) {
	require.Equal(t, "SC--: the server ended or refused it while connecting to the server", terminated("SC--"))
	require.Empty(t, terminated("--VN"))
	require.Empty(t, cookieOf("--VN"))
	require.Empty(t, cookieOf("-"))
	require.Equal(t, "its cookie names a server that is down", cookieOf("--DN"))
	require.Empty(t, terminated("?"))
}
