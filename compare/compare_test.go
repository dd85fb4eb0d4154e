package compare_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/suite"
)

var began = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

func number(f float64) *float64 { return &f }

// result is a run whose outage lasted so long (at most 500 ms is allowed), at
// a time of the day.
func result(at int, outage float64) *harness.Result {
	v := assert.Verdict{
		Name: "error-budget", Status: assert.Pass, Measured: number(99.9), Bound: number(99.5), Op: ">=", Unit: "% good",
		Measures: []assert.Measure{{Name: "Longest outage, of all", Value: outage, Unit: "ms", Bound: number(500)}},
	}
	r := &harness.Result{
		Scenario: "instance-kill", Verdict: harness.VerdictPass, Profile: "tuned", Version: "v1", ID: fmt.Sprint(at),
		StartedAt: began.Add(time.Duration(at) * time.Minute), Command: fmt.Sprintf("hachaos run instance-kill --seed %d", at),
	}
	if outage > 500 {
		v.Status, r.Verdict = assert.Fail, harness.VerdictFail
	}
	r.Assertions = []assert.Verdict{v}
	r.Measures = harness.Summarise(&history.History{Phases: []history.Phase{{Name: "steady", Kind: history.PhaseSteady, To: time.Second}}}, r.Assertions)
	r.Measures["operations"], r.Measures["steady.operations"] = 6000, 1200+float64(at)
	return r
}

func group(name string, from int, outages ...float64) compare.Group {
	g := compare.Group{Name: name}
	for i, o := range outages {
		r := compare.Of(result(from+2*i, o))
		r.Source = fmt.Sprintf("%s/%d", name, i)
		g.Runs = append(g.Runs, r)
	}
	return g
}

func row(t *testing.T, c compare.Comparison, assertion, figure string) compare.Row {
	t.Helper()
	for _, r := range c.Rows {
		if r.Assertion == assertion && r.Figure == figure {
			return r
		}
	}
	require.Failf(t, "no such row", "%s %s", assertion, figure)
	return compare.Row{}
}

func only(t *testing.T, o compare.Options, groups ...compare.Group) compare.Comparison {
	t.Helper()
	all := compare.Compare(groups, o)
	require.Len(t, all, 1)
	return all[0]
}

const longest = "longest_outage__of_all"

func TestADifferenceBeyondNoise(t *testing.T) {
	c := only(t, compare.Options{}, group("a", 0, 10, 12, 11, 9, 10), group("b", 1, 900, 880, 910, 905, 899))
	outage := row(t, c, "error-budget", longest)
	require.Equal(t, "ms", outage.Unit, "the figure's unit is found by its name in the result")
	require.Equal(t, []float64{9, 10, 10, 11, 12}, outage.Cells[0].Values)
	d := outage.Diffs[0]
	require.Equal(t, compare.Beyond, d.Told)
	require.InDelta(t, 890, *d.Shift, 1e-9)
	require.InDelta(t, 8900, *d.Percent, 1e-9)
	require.InDelta(t, 2.0/252, *d.P, 1e-9, "they do not overlap")
	verdict := row(t, c, "", "")
	require.Equal(t, compare.Tally{Fail: 5}, *verdict.Cells[1].Tally)
	require.Equal(t, compare.Beyond, verdict.Diffs[0].Told)
	require.Equal(t, "worse", verdict.Diffs[0].Effect)
	require.Equal(t, 3, c.Tested, "the run's verdict, the assertion's, and the outage: the rest never changes")
	require.InDelta(t, 2.0/252, *d.Adjusted, 1e-9, "all three are as unlikely")
	require.Empty(t, c.Notes)
}

func TestTheSameIsNoDifference(t *testing.T) {
	c := only(t, compare.Options{}, group("a", 0, 10, 12, 11, 9), group("b", 1, 11, 10, 9, 12))
	require.Equal(t, compare.Within, row(t, c, "error-budget", longest).Diffs[0].Told)
	measured := row(t, c, "error-budget", compare.Measured)
	require.Equal(t, compare.Same, measured.Diffs[0].Told)
	require.True(t, measured.Constant())
	require.Equal(t, 99.5, *measured.Cells[0].Bound)
	require.Equal(t, ">=", measured.Cells[0].Op)
}

// TestThreeRepeatsAreTooFew, however far apart the groups are.
func TestThreeRepeatsAreTooFew(t *testing.T) {
	c := only(t, compare.Options{}, group("a", 0, 1, 2, 3), group("b", 1, 901, 902, 903, 904))
	for _, r := range []compare.Row{row(t, c, "", ""), row(t, c, "error-budget", longest)} {
		require.Equal(t, compare.TooFew, r.Diffs[0].Told)
		require.Nil(t, r.Diffs[0].P)
		require.NotNil(t, r.Diffs[0].Shift, "it is shown all the same")
	}
	require.Zero(t, c.Tested)
}

// TestManyRowsAreNotManyChances: what is unlikely by itself is not so among
// many.
func TestManyRowsAreNotManyChances(t *testing.T) {
	a, b := group("a", 0, 1, 2, 3, 4), group("b", 1, 5, 6, 7, 8)
	for i := range a.Runs {
		for f := range 40 {
			name := fmt.Sprintf("extra_%d", f)
			a.Runs[i].Figures[name], b.Runs[i].Figures[name] = float64(i), float64(3-i)
		}
	}
	c := only(t, compare.Options{}, a, b)
	d := row(t, c, "error-budget", longest).Diffs[0]
	require.InDelta(t, 2.0/70, *d.P, 1e-9)
	require.Greater(t, *d.Adjusted, 0.5)
	require.Equal(t, compare.Perhaps, d.Told)
}

func TestPhasesAreLeftOutUnlessAskedFor(t *testing.T) {
	groups := []compare.Group{group("a", 0, 1, 2), group("b", 1, 1, 2)}
	whole, all := only(t, compare.Options{}, groups...), only(t, compare.Options{Phases: true}, groups...)
	require.Equal(t, compare.TooFew, row(t, all, "", "steady.operations").Diffs[0].Told)
	for _, r := range whole.Rows {
		require.NotEqual(t, "steady.operations", r.Figure)
	}
	require.Len(t, row(t, whole, "", "operations").Cells[0].Values, 2)
	for _, r := range whole.Rows {
		require.NotEqual(t, "good_percent", r.Figure, "it is the error budget's, and stands there")
	}
}

// TestOnlyWhatWasJudgedCounts: neither runs without a verdict nor assertions
// without one.
func TestOnlyWhatWasJudgedCounts(t *testing.T) {
	a, b := group("a", 0, 10, 20), group("b", 1, 30)
	a.Runs[1].Verdict = harness.VerdictInconclusive
	half := result(9, 777)
	half.Assertions[0].Status = assert.Inconclusive
	b.Runs = append(b.Runs, compare.Of(half))
	c := only(t, compare.Options{}, a, b)
	outage := row(t, c, "error-budget", longest)
	require.Equal(t, []float64{10}, outage.Cells[0].Values)
	require.Equal(t, []float64{30}, outage.Cells[1].Values)
	require.Equal(t, compare.Tally{Pass: 1, Other: 1}, *row(t, c, "", "").Cells[0].Tally)
	require.Equal(t, compare.Tally{Pass: 1, Other: 1}, *row(t, c, "error-budget", "").Cells[1].Tally)
	require.Contains(t, fmt.Sprint(c.Notes), "a: 1 of 2 runs gave no verdict")
}

func TestNotesTellWhatWeakensIt(t *testing.T) {
	a, b := group("a", 0, 1, 2, 3, 4), group("b", 100, 5, 6, 7, 8)
	b.Runs[0].Version, b.Runs[1].Command = "v2", "hachaos run instance-kill --short"
	b.Runs[2].Source = a.Runs[0].Source
	notes := fmt.Sprint(only(t, compare.Options{}, a, b).Notes)
	for _, want := range []string{
		"b mixes 2 versions of hachaos (v2; v1)", "b mixes 2 commands (hachaos run instance-kill; hachaos run instance-kill --short)",
		"a/0 is in a and in b", "all runs of a were made before those of b",
	} {
		require.Contains(t, notes, want)
	}
	require.Contains(t, fmt.Sprint(only(t, compare.Options{}, b, a).Notes), "all runs of a were made before those of b")
}

func TestSubjectsThatAreNotInAll(t *testing.T) {
	a, b := group("a", 0, 1), group("b", 1, 2)
	other := a.Runs[0]
	other.Subject = "db-slow"
	a.Runs = append(a.Runs, other)
	require.Len(t, compare.Compare([]compare.Group{a, b}, compare.Options{}), 1)
	require.Equal(t, []string{"db-slow: not in b"}, compare.Missing([]compare.Group{a, b}))
	require.Empty(t, compare.Compare([]compare.Group{a, {Name: "none"}}, compare.Options{}))
	d := only(t, compare.Options{}, a, compare.Group{Name: "c", Runs: []compare.Run{{Subject: "instance-kill", Verdict: harness.VerdictError}}})
	require.Equal(t, compare.NoMeasure, row(t, d, "", "").Diffs[0].Told)
	require.Equal(t, compare.NoMeasure, row(t, d, "error-budget", longest).Diffs[0].Told)
}

func TestThreeGroupsAreHeldToTheFirst(t *testing.T) {
	c := only(t, compare.Options{}, group("a", 0, 10, 10, 10, 10), group("b", 1, 10, 10, 10, 10), group("c", 2, 20, 21, 22, 23))
	d := row(t, c, "error-budget", longest).Diffs
	require.Len(t, d, 2)
	require.Equal(t, compare.Same, d[0].Told)
	require.Equal(t, compare.Beyond, d[1].Told)
}

// save writes a run's folder as far as the reader looks at it.
func save(t *testing.T, dir string, r *harness.Result) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, harness.JournalFile), nil, 0o644))
	writeJSON(t, filepath.Join(dir, harness.ResultFile), r)
}

func writeJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, b, 0o644))
}

var reader = compare.Reader{Profile: "tuned", Judge: func(dir string) (*harness.Result, error) {
	b, err := os.ReadFile(filepath.Join(dir, harness.ResultFile))
	if err != nil {
		return nil, err
	}
	r := &harness.Result{}
	return r, json.Unmarshal(b, r)
}}

func TestReadARunASuiteAndAFolderOfThem(t *testing.T) {
	root := t.TempDir()
	s := filepath.Join(root, "suite")
	save(t, filepath.Join(s, "one"), result(1, 10))
	save(t, filepath.Join(root, "single"), result(3, 30))
	writeJSON(t, filepath.Join(s, suite.File), suite.Result{Schema: suite.Schema, Version: "v1", Entries: []suite.Entry{
		{Scenario: "instance-kill", Verdict: harness.VerdictPass, Dir: "one"},
		{Scenario: "instance-kill", Verdict: harness.VerdictFail, Dir: "gone", Command: "hachaos run instance-kill --seed 2"},
		{Scenario: "instance-kill", Verdict: harness.VerdictFail, Dir: "../single"},
	}})
	runs, err := reader.Read(filepath.Join(root, "single"))
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.Equal(t, "hachaos run instance-kill", runs[0].Command)

	runs, err = reader.Read(s)
	require.NoError(t, err)
	require.Len(t, runs, 3)
	require.Equal(t, 10.0, runs[0].Figures["error-budget."+longest])
	require.Equal(t, harness.VerdictFail, runs[1].Verdict)
	require.Equal(t, "hachaos run instance-kill", runs[1].Command)
	require.Empty(t, runs[2].Source, "a suite's run is not looked for outside of its folder")

	runs, err = reader.Read(root)
	require.NoError(t, err)
	require.Len(t, runs, 4)
}

func TestReadACampaign(t *testing.T) {
	root := t.TempDir()
	rec := campaign.Record{
		Schema: campaign.Schema, Item: campaign.Item{Scenario: "db-slow", Case: "no pool", Repetition: 1}, Verdict: harness.VerdictFail,
		Failed: []string{"write-ledger"}, Command: "hachaos run db-slow --seed 3", Version: "v1",
		Measures: map[string]float64{"operations": 9, "steady.operations": 3, "leftovers": 0, "error-budget": 99, "error-budget.operations": 9},
		Before:   []campaign.Attempt{{Verdict: harness.VerdictInconclusive, Seed: 2}},
	}
	path := filepath.Join(root, "items", "db-slow", "no-pool.json")
	writeJSON(t, path, rec)
	rec.Case, rec.Profile, rec.Verdict, rec.Failed, rec.Before = campaign.AsItStands, "documented", harness.VerdictPass, nil, nil
	writeJSON(t, filepath.Join(root, "items", "db-slow", "whole.json"), rec)
	writeJSON(t, filepath.Join(root, "items", "db-slow", "other.json"), map[string]string{"schema": "another's"})

	runs, err := reader.Read(root)
	require.NoError(t, err)
	require.Len(t, runs, 3)
	require.Equal(t, "db-slow, no pool", runs[0].Subject)
	require.Equal(t, "tuned", runs[0].Profile)
	require.Equal(t, harness.VerdictInconclusive, runs[1].Verdict)
	require.Empty(t, runs[1].Figures)
	require.Equal(t, "db-slow", runs[2].Subject)
	require.Equal(t, "documented", runs[2].Profile)

	var names []string
	for _, a := range runs[0].Assertions {
		names = append(names, fmt.Sprint(a.Name, " ", a.Known, " ", a.Status))
	}
	require.Equal(t, []string{"error-budget false pass", "leftovers false pass", "write-ledger true fail"}, names,
		"of the others nobody knows whether they passed")
	require.True(t, runs[2].Assertions[0].Known)

	of, err := reader.Read(filepath.Join(root, "items", "db-slow"))
	require.NoError(t, err)
	require.Equal(t, runs, of, "the folder of one scenario will do")

	groups, err := compare.By(runs, "profile")
	require.NoError(t, err)
	require.Len(t, groups, 2)
	require.Equal(t, "tuned", groups[0].Name)
	require.Len(t, groups[0].Runs, 2)
	_, err = compare.By(runs, "colour")
	require.ErrorContains(t, err, "command, profile, version")
}

func TestReadRefuses(t *testing.T) {
	root := t.TempDir()
	_, err := reader.Read(root)
	require.ErrorIs(t, err, compare.ErrNoRuns)
	_, err = reader.Read(filepath.Join(root, "none"))
	require.ErrorIs(t, err, compare.ErrNoRuns)
	writeJSON(t, filepath.Join(root, suite.File), "a word")
	_, err = reader.Read(root)
	require.ErrorIs(t, err, compare.ErrNoRuns)

	broken := errors.New("broken")
	failing := compare.Reader{Judge: func(string) (*harness.Result, error) { return nil, broken }}
	save(t, filepath.Join(root, "run"), result(1, 1))
	_, err = failing.Read(filepath.Join(root, "run"))
	require.ErrorIs(t, err, broken)
}

// Of a folder of many one that cannot be read is left out, and told; the folder that
// was asked for is not.
func TestReadLeavesOutWhatCannotBeRead(t *testing.T) {
	root := t.TempDir()
	broken := errors.New("of another format")
	var left []string
	r := compare.Reader{
		Judge: func(dir string) (*harness.Result, error) {
			if strings.HasPrefix(filepath.Base(dir), "old") {
				return nil, broken
			}
			return result(1, 10), nil
		},
		LeaveOut: func(dir string, why error) { left = append(left, filepath.Base(dir)+": "+why.Error()) },
	}
	save(t, filepath.Join(root, "new"), result(1, 10))
	save(t, filepath.Join(root, "old"), result(1, 10))
	save(t, filepath.Join(root, "suite", "old too"), result(1, 10))
	writeJSON(t, filepath.Join(root, "suite", suite.File), suite.Result{Schema: suite.Schema, Entries: []suite.Entry{
		{Scenario: "instance-kill", Verdict: harness.VerdictFail, Dir: "old too"},
	}})
	runs, err := r.Read(root)
	require.NoError(t, err)
	require.Equal(t, []string{"old: of another format", "old too: of another format"}, left)
	require.Len(t, runs, 2)
	require.Equal(t, harness.VerdictFail, runs[1].Verdict, "a suite knows the verdict")
	require.Empty(t, runs[1].Figures)

	_, err = r.Read(filepath.Join(root, "old"))
	require.ErrorIs(t, err, broken)
	r.LeaveOut = nil
	_, err = r.Read(root)
	require.ErrorIs(t, err, broken)
}

// TestNoiseAloneIsSeldomCalledADifference: where nothing differs, a comparison
// of twenty figures names one in at most 5 % of the cases, though some figure
// has p ≤ 5 % by itself in most of them.
func TestNoiseAloneIsSeldomCalledADifference(t *testing.T) {
	draw := rand.New(rand.NewPCG(5, 20))
	const trials = 400
	beyond, alone := 0, 0
	for range trials {
		groups := []compare.Group{{Name: "a"}, {Name: "b"}}
		for g := range groups {
			for range 6 {
				r := compare.Run{Subject: "s", Verdict: harness.VerdictPass, Figures: map[string]float64{}}
				for f := range 20 {
					r.Figures[fmt.Sprint("figure_", f)] = draw.ExpFloat64() // far from normal
				}
				groups[g].Runs = append(groups[g].Runs, r)
			}
		}
		told := map[compare.Told]bool{}
		for _, r := range only(t, compare.Options{}, groups...).Rows {
			told[r.Diffs[0].Told] = true
		}
		if told[compare.Beyond] {
			beyond++
		}
		if told[compare.Perhaps] || told[compare.Beyond] {
			alone++
		}
	}
	require.LessOrEqual(t, float64(beyond)/trials, 0.06)
	require.Greater(t, float64(alone)/trials, 0.4, "which is why p is adjusted")
}
