package audit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/audit"
	"github.com/hachaos/hachaos/campaign"
	"github.com/hachaos/hachaos/catalogue"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

func run(scenario string, verdict harness.Verdict, said ...assert.Verdict) audit.Run {
	return audit.Run{Scenario: scenario, Verdict: verdict, Reason: "reason of " + scenario, Assertions: said}
}

var (
	held     = assert.Verdict{Name: "x", Status: assert.Pass, Summary: "all held"}
	idle     = assert.Verdict{Name: "x", Status: assert.Pass, NotExercised: true, Summary: "nothing came"}
	violated = assert.Verdict{Name: "x", Status: assert.Fail, Summary: "two were lost", Fix: "set y in z"}
	unsure   = assert.Verdict{Name: "x", Status: assert.Inconclusive, Summary: "nobody looked"}
	other    = assert.Verdict{Name: "y", Status: assert.Fail, Summary: "another"}
)

// One item that one assertion of one scenario answers, by its runs.
func TestAnAnswerIsWhatRunsShow(t *testing.T) {
	item := catalogue.Item{Refs: []string{"§1"}, Asks: "is it so?", Holds: "it is", By: []catalogue.Judge{{Scenarios: "a", Assertions: "x"}}}
	dirty := run("a", harness.VerdictPass, held)
	dirty.Dirty = true
	for name, tc := range map[string]struct {
		runs   []audit.Run
		answer audit.Answer
		text   string
	}{
		"no run":                               {nil, audit.NotShown, "there is no run of it"},
		"a run of another scenario":            {[]audit.Run{run("b", harness.VerdictPass, held)}, audit.NotShown, "there is no run of it"},
		"it held":                              {[]audit.Run{run("a", harness.VerdictPass, held)}, audit.Yes, "all held"},
		"it held, and another did not":         {[]audit.Run{run("a", harness.VerdictFail, other, held)}, audit.Yes, "all held"},
		"it met no occasion":                   {[]audit.Run{run("a", harness.VerdictPass, idle)}, audit.NotShown, "no occasion to be tested: nothing came"},
		"it was violated":                      {[]audit.Run{run("a", harness.VerdictFail, violated)}, audit.No, "two were lost"},
		"it has no verdict":                    {[]audit.Run{run("a", harness.VerdictFail, other, unsure)}, audit.NotShown, "nobody looked"},
		"its run has none":                     {[]audit.Run{run("a", harness.VerdictInconclusive, held)}, audit.NotShown, "no verdict: reason of a"},
		"violated in a run without a verdict":  {[]audit.Run{run("a", harness.VerdictInconclusive, violated)}, audit.NotShown, "no verdict: reason of a"},
		"its run was an error":                 {[]audit.Run{run("a", harness.VerdictError)}, audit.NotShown, "no word of it: reason of a"},
		"its run left something":               {[]audit.Run{dirty}, audit.NotShown, "left something behind"},
		"it held, and then not":                {[]audit.Run{run("a", harness.VerdictPass, held), run("a", harness.VerdictFail, violated)}, audit.No, "two were lost"},
		"it was violated, and then held":       {[]audit.Run{run("a", harness.VerdictFail, violated), run("a", harness.VerdictPass, held)}, audit.No, "two were lost"},
		"it had no verdict, and then held":     {[]audit.Run{run("a", harness.VerdictInconclusive, held), run("a", harness.VerdictPass, held)}, audit.Yes, "all held"},
		"an assertion that the scenario lacks": {[]audit.Run{run("a", harness.VerdictPass, other)}, audit.NotShown, "no word of it"},
	} {
		t.Run(name, func(t *testing.T) {
			f := one(t, item, tc.runs)
			require.Equal(t, tc.answer, f.Answer)
			require.Len(t, f.Evidence, 1)
			require.Contains(t, f.Evidence[0].Text, tc.text)
			require.Equal(t, tc.answer == audit.Yes, f.Holds != "", "what holds is said where it does")
			require.Equal(t, tc.answer == audit.No, f.Evidence[0].Fix != "")
		})
	}
}

// one is the finding of an item by itself.
func one(t *testing.T, i catalogue.Item, runs []audit.Run) audit.Finding {
	t.Helper()
	sections := audit.Fill([]audit.List{{Title: "One", Items: []catalogue.Item{i}}}, runs)
	require.Len(t, sections, 1)
	require.Len(t, sections[0].Findings, 1)
	return sections[0].Findings[0]
}

// Every assertion of every scenario that an item names must hold for a yes, and
// one that does not makes it a no.
func TestAYesIsOfAll(t *testing.T) {
	item := catalogue.Item{Refs: []string{"§1"}, Asks: "all", By: []catalogue.Judge{{Scenarios: "a b", Assertions: "x"}, {Scenarios: "a", Assertions: "y"}}}
	also := assert.Verdict{Name: "y", Status: assert.Pass, Summary: "fine"}
	a, b := run("a", harness.VerdictPass, held, also), run("b", harness.VerdictPass, held)
	require.Equal(t, audit.Yes, one(t, item, []audit.Run{a, b}).Answer)
	require.Equal(t, audit.NotShown, one(t, item, []audit.Run{a}).Answer)
	require.Equal(t, audit.NotShown, one(t, item, []audit.Run{b}).Answer)
	require.Equal(t, audit.No, one(t, item, []audit.Run{run("a", harness.VerdictFail, held, other)}).Answer, "a no needs no other")
}

// What nothing asks is not shown, whatever was run.
func TestWhatNothingAsksIsNotShown(t *testing.T) {
	f := one(t, catalogue.Item{Refs: []string{"§1"}, Asks: "zones", Why: "one machine has none"}, []audit.Run{run("a", harness.VerdictPass, held)})
	require.Equal(t, audit.NotShown, f.Answer)
	require.Equal(t, "one machine has none", f.Why)
	require.Empty(t, f.Evidence)
	f = one(t, catalogue.Item{Refs: []string{"§1"}, Asks: "keys", Yet: true, Why: "no load sends one"}, nil)
	require.Equal(t, audit.NotShown, f.Answer)
	require.Equal(t, "no test is written yet: no load sends one", f.Why)
	require.Equal(t, map[audit.Answer]int{audit.NotShown: 1}, audit.Count([]audit.Section{{Findings: []audit.Finding{f}}}))
}

// The lists are those of seed 003's §28 to §30, whole, and each of their questions
// says what a yes means.
func TestTheListsAreWhole(t *testing.T) {
	n := map[string]int{}
	for _, l := range audit.Lists() {
		n[l.Title] = len(l.Items)
		for _, i := range l.Items {
			if (l.Title == "Review questions" || l.Title == "Anti-patterns") && i.Tested() {
				require.NotEmpty(t, i.Holds, "%v %q", i.Refs, i.Asks)
			}
		}
	}
	require.Equal(t, map[string]int{
		"Anti-patterns": 7, "Application": 6, "Runtime": 6, "Load balancer": 6, "Deployment": 6, "Failure testing": 7, "Review questions": 15,
	}, n)
}

func TestChoose(t *testing.T) {
	count := func(places ...string) (n int, unknown []string) {
		lists, unknown := audit.Choose(audit.Lists(), places)
		for _, l := range lists {
			require.NotEmpty(t, l.Items)
			n += len(l.Items)
		}
		return n, unknown
	}
	all, _ := count()
	require.Equal(t, 53, all)
	for place, want := range map[string]int{"§30 7": 1, "30.7": 1, "30": 15, "29": 31, "29.3": 6, "§29.3": 6, " 28.1 ": 1, "3": 0, "": 0, "30.1": 1} {
		n, unknown := count(place)
		require.Equal(t, want, n, place)
		require.Equal(t, want == 0, len(unknown) == 1, place)
	}
	n, unknown := count("30.1", "31", "30.2")
	require.Equal(t, 2, n)
	require.Equal(t, []string{"31"}, unknown)
	lists, _ := audit.Choose(audit.Lists(), []string{"30.2"})
	require.Equal(t, []string{"unknown-outcome"}, audit.Scenarios(lists))
}

func TestRunsOfASuiteAndOfACampaign(t *testing.T) {
	res := &harness.Result{Verdict: harness.VerdictFail, Assertions: []assert.Verdict{violated}}
	got := audit.OfSuite(&suite.Result{Entries: []suite.Entry{
		{Scenario: "a", Verdict: harness.VerdictFail, Reason: "r", Run: res, Command: "hachaos run a", Dir: "d"},
		{Scenario: "b", Reason: "it was not run"},
	}})
	require.Equal(t, []audit.Run{{Scenario: "a", Verdict: harness.VerdictFail, Reason: "r", Assertions: res.Assertions, Command: "hachaos run a", Dir: "d"}}, got)

	rec := func(scenario, of string, said ...campaign.Said) campaign.Entry {
		i := campaign.Item{Scenario: scenario, Case: of, Repetition: 1}
		return campaign.Entry{Item: i, Record: &campaign.Record{Item: i, Verdict: harness.VerdictFail, Reason: "r", Assertions: said}}
	}
	said := campaign.Said{Name: "x", Status: assert.Fail, Summary: "two were lost", Fix: "set y in z"}
	got = audit.OfCampaign([]campaign.Entry{
		rec("a", campaign.AsItStands, said),
		rec("a", "a case", said),
		rec("old", campaign.AsItStands),
		{Item: campaign.Item{Scenario: "missing", Case: campaign.AsItStands}},
	})
	require.Equal(t, []audit.Run{{Scenario: "a", Verdict: harness.VerdictFail, Reason: "r", Assertions: []assert.Verdict{violated}}}, got)
}
