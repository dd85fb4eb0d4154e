package trust_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/trust"
)

// ended is a result with assertions that failed.
func ended(v harness.Verdict, dirty bool, failed ...string) *harness.Result {
	r := &harness.Result{Verdict: v, Dirty: dirty, Reason: "the generator was late."}
	for _, name := range failed {
		r.Assertions = append(r.Assertions, assert.Verdict{Name: name, Status: assert.Fail})
	}
	r.Assertions = append(r.Assertions, assert.Verdict{Name: "distribution", Reasons: []string{"heal proven: it did not heal"}})
	return r
}

// passes is a control.
func passes(name string) trust.Control {
	return trust.Control{Name: name, Run: func(_ context.Context, dir string) (*harness.Result, error) {
		return &harness.Result{Verdict: harness.VerdictPass, Dir: dir}, nil
	}}
}

// comesTo is a mutant whose runs have these results.
func comesTo(ends trust.Ending, results ...*harness.Result) trust.Mutant {
	return trust.Mutant{Name: "late", Control: passes("plain"), Ends: ends, Says: []string{"late"}, Run: func(context.Context, string, string) ([]trust.Run, error) {
		var runs []trust.Run
		for i, r := range results {
			runs = append(runs, trust.Run{Which: fmt.Sprintf("run %d", i+1), Result: r})
		}
		return runs, nil
	}}
}

// TestWhatAMutantMustComeTo: never a pass, never a failure of the system.
func TestWhatAMutantMustComeTo(t *testing.T) {
	for name, tc := range map[string]struct {
		ends    trust.Ending
		says    string
		results []*harness.Result
		wrong   string
	}{
		"inconclusive":          {ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictInconclusive, false)}},
		"error":                 {ends: trust.Error, results: []*harness.Result{ended(harness.VerdictError, false)}},
		"dirty":                 {ends: trust.Dirty, results: []*harness.Result{ended(harness.VerdictInconclusive, true)}},
		"only something left":   {ends: trust.Dirty, results: []*harness.Result{ended(harness.VerdictFail, true, "leftovers")}},
		"named by an assertion": {ends: trust.Inconclusive, says: "did not heal", results: []*harness.Result{ended(harness.VerdictInconclusive, false)}},
		"found in what is torn": {ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictInconclusive, false, "write-ledger")}},
		"a pass":                {ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictPass, false)}, wrong: "run 1: it ends as pass: nobody noticed"},
		"a pass that is dirty":  {ends: trust.Dirty, results: []*harness.Result{ended(harness.VerdictPass, true)}, wrong: "run 1: it ends as pass, dirty: nobody noticed"},
		"a failure": {
			ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictFail, false, "write-ledger", "leftovers")},
			wrong: "run 1: it ends as fail, and blames the system under test: write-ledger",
		},
		"a failure that is dirty": {
			ends: trust.Dirty, results: []*harness.Result{ended(harness.VerdictFail, true, "write-ledger")},
			wrong: "run 1: it ends as fail, dirty, and blames the system under test: write-ledger",
		},
		"not clean":       {ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictInconclusive, true)}, wrong: "run 1: it ends as inconclusive, dirty instead of inconclusive"},
		"clean":           {ends: trust.Dirty, results: []*harness.Result{ended(harness.VerdictError, false)}, wrong: "run 1: it ends as error instead of dirty"},
		"another verdict": {ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictError, false)}, wrong: "run 1: it ends as error instead of inconclusive"},
		"another reason":  {ends: trust.Inconclusive, says: "torn", results: []*harness.Result{ended(harness.VerdictInconclusive, false)}, wrong: `run 1: no reason says "torn"`},
		"one of several": {
			ends: trust.Inconclusive, results: []*harness.Result{ended(harness.VerdictInconclusive, false), ended(harness.VerdictPass, false)},
			wrong: "run 2: it ends as pass: nobody noticed",
		},
		"nothing": {ends: trust.Inconclusive, wrong: "nothing was judged"},
	} {
		t.Run(name, func(t *testing.T) {
			m := comesTo(tc.ends, tc.results...)
			if tc.says != "" {
				m.Says = append(m.Says, tc.says)
			}
			o := (&trust.Trials{Dir: t.TempDir()}).Try(t.Context(), m)
			require.Equal(t, tc.wrong, o.Wrong)
			require.Equal(t, tc.wrong == "", o.Good())
			require.Equal(t, len(tc.results), o.Runs)
			if tc.wrong == "" && tc.says != "" {
				require.Equal(t, "the generator was late. (distribution: heal proven: it did not heal)", o.Reason)
			}
		})
	}
}

// TestARunThatCannotBeMade is no caught mutant, unless it says that it is dirty.
func TestARunThatCannotBeMade(t *testing.T) {
	m := comesTo(trust.Dirty)
	m.Run = func(context.Context, string, string) ([]trust.Run, error) { return nil, os.ErrPermission }
	o := (&trust.Trials{Dir: t.TempDir()}).Try(t.Context(), m)
	require.Equal(t, os.ErrPermission.Error(), o.Wrong)

	m.Run = func(context.Context, string, string) ([]trust.Run, error) {
		return []trust.Run{{Result: ended(harness.VerdictInconclusive, false)}}, fmt.Errorf("%w: j1 is down", harness.ErrDirty)
	}
	o = (&trust.Trials{Dir: t.TempDir()}).Try(t.Context(), m)
	require.Empty(t, o.Wrong)
	require.True(t, o.Dirty)
	require.Contains(t, o.Reason, "j1 is down")
}

// TestOnlyWhatMustNotBeInconclusiveIsRepeated, and nothing else ever is.
func TestOnlyWhatMustNotBeInconclusiveIsRepeated(t *testing.T) {
	for name, tc := range map[string]struct {
		ends    trust.Ending
		first   *harness.Result
		repeats int
	}{
		"expected":            {trust.Inconclusive, ended(harness.VerdictInconclusive, false), 0},
		"another is expected": {trust.Error, ended(harness.VerdictInconclusive, false), trust.Attempts - 1},
		"it is dirty":         {trust.Error, ended(harness.VerdictInconclusive, true), 0},
		"a pass":              {trust.Error, ended(harness.VerdictPass, false), 0},
		"a failure":           {trust.Error, ended(harness.VerdictFail, false, "vip"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := (&trust.Trials{Dir: t.TempDir()}).Try(t.Context(), comesTo(tc.ends, tc.first))
			require.Equal(t, tc.repeats, o.Repeats)
		})
	}
}

// TestAControlThatDoesNotPassShowsNothing: its mutants are not run, and it is
// run once.
func TestAControlThatDoesNotPassShowsNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		result *harness.Result
		err    error
		runs   int
		wrong  string
	}{
		"it passes":          {result: ended(harness.VerdictPass, false), runs: 1},
		"it fails":           {result: ended(harness.VerdictFail, false), runs: 1, wrong: "control plain does not pass, so that the mutant shows nothing: fail: the generator was late."},
		"it is dirty":        {result: ended(harness.VerdictPass, true), runs: 1, wrong: "control plain does not pass, so that the mutant shows nothing: pass, dirty: the generator was late."},
		"it is inconclusive": {result: ended(harness.VerdictInconclusive, false), runs: trust.Attempts, wrong: "control plain does not pass, so that the mutant shows nothing: inconclusive: the generator was late."},
		"it cannot be made":  {err: errors.New("no engine"), runs: 1, wrong: "control plain: no engine"},
	} {
		t.Run(name, func(t *testing.T) {
			controls, mutants := 0, 0
			m := comesTo(trust.Inconclusive)
			m.Control.Run = func(context.Context, string) (*harness.Result, error) {
				controls++
				return tc.result, tc.err
			}
			m.Run = func(context.Context, string, string) ([]trust.Run, error) {
				mutants++
				return []trust.Run{{Result: ended(harness.VerdictInconclusive, false)}}, nil
			}
			trials := &trust.Trials{Dir: t.TempDir()}
			for range 2 {
				require.Equal(t, tc.wrong, trials.Try(t.Context(), m).Wrong)
			}
			require.Equal(t, tc.runs, controls)
			require.Equal(t, tc.wrong == "", mutants == 2)
		})
	}
}

func TestMarkdown(t *testing.T) {
	m := trust.Mutant{Name: "a|b", Title: "It is *late*.", Stands: "a pause", Control: trust.Control{Name: "plain"}}
	require.Equal(t, `| mutant | what is broken | as when | control | ends as | reason |
|---|---|---|---|---|---|
| a\|b | It is \*late\*. | a pause | plain | inconclusive, dirty | late |
| a\|b | It is \*late\*. | a pause | plain | error (each of 12) | late |
| a\|b | It is \*late\*. | a pause | plain | **pass**: nobody noticed | All held. |
| a\|b | It is \*late\*. | a pause | plain | **not shown**: no engine |  |

2 of 4 mutants end as they must.
`, trust.Markdown([]trust.Outcome{
		{Mutant: m, Verdict: harness.VerdictInconclusive, Dirty: true, Runs: 1, Reason: "late"},
		{Mutant: m, Verdict: harness.VerdictError, Runs: 12, Reason: "late"},
		{Mutant: m, Verdict: harness.VerdictPass, Runs: 3, Reason: "All held.", Wrong: "nobody noticed"},
		{Mutant: m, Wrong: "no engine"},
	}))
}
