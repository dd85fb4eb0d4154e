package campaign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// stage is a campaign whose runs take a minute and end as they are told.
type stage struct {
	*Campaign
	t       *testing.T
	list    []harness.Scenario
	sources string
	ran     []string
	ends    func(command string, nth int) harness.Result
}

func newStage(t *testing.T, list ...harness.Scenario) *stage {
	s := &stage{t: t, list: list, sources: "s1"}
	s.Campaign = &Campaign{
		Store: Store{t.TempDir()}, Machine: "a machine",
		Shape:  func(j suite.Job) string { return strings.Join(sorted(j.Options.Set), ",") },
		Runner: &suite.Runner{Run: s.run},
	}
	return s
}

func (s *stage) run(_ context.Context, sc harness.Scenario, o harness.Options) (*harness.Result, error) {
	time.Sleep(time.Minute)
	s.ran = append(s.ran, o.Command)
	r := harness.Result{Verdict: harness.VerdictPass, Reason: "All held."}
	if s.ends != nil {
		r = s.ends(o.Command, len(s.ran))
	}
	r.Scenario, r.Command, r.Version = sc.Name, o.Command, "v1"
	r.StartedAt = time.Now()
	r.Dir = filepath.Join(s.Store.Runs(), strings.ReplaceAll(o.Command, " ", "-")+r.StartedAt.Format("150405"))
	require.NoError(s.t, os.MkdirAll(r.Dir, 0o755))
	return &r, nil
}

func (s *stage) look() []Entry {
	images := func(name string) (string, error) { return name, nil }
	entries, err := Look(s.Store, Items(s.list, ""), func(i Item) (string, error) {
		return i.Hash(memory(), Depends{images, constant(s.sources)})
	})
	require.NoError(s.t, err)
	return entries
}

func (s *stage) resume(ctx context.Context) *Outcome {
	out, err := s.Run(ctx, s.look())
	require.NoError(s.t, err)
	return out
}

func kept(t *testing.T, s *stage) int {
	list, err := os.ReadDir(s.Store.Runs())
	require.NoError(t, err)
	return len(list)
}

// fails is the result that noDedupe wants.
func fails() harness.Result {
	return harness.Result{Verdict: harness.VerdictFail, Reason: "write-ledger was violated.", Assertions: []assert.Verdict{
		{Name: "write-ledger", Status: assert.Fail, Evidence: []assert.Evidence{{Class: "duplicate"}}},
	}}
}

func TestACampaignGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, scenario("a", noDedupe), scenario("b"))
		s.ends = func(command string, _ int) harness.Result {
			if strings.Contains(command, "dedupe=off") {
				return fails()
			}
			return harness.Result{Verdict: harness.VerdictPass}
		}
		require.Equal(t, harness.ExitInconclusive, ExitCode(s.look()))
		require.Equal(t, []int{0, 4, 3, 1, 5, 2, 6}, s.todo(s.look()), "none twice before each once, and what shares a topology together")
		s.Budget = 150 * time.Second
		out := s.resume(t.Context())
		require.True(t, out.Spent)
		require.Equal(t, 3, out.Ran, "the third began before the budget was spent")
		require.Equal(t, "3 good, 4 missing", Totals(s.look()))
		require.Equal(t, runtime.Version(), s.look()[0].Record.Go, "what the hash depends on, and does not tell")
		s.Budget = 0
		out = s.resume(t.Context())
		require.Equal(t, 4, out.Ran)
		require.Equal(t, "7 good", Totals(s.look()))
		require.Equal(t, harness.ExitPass, ExitCode(s.look()))
		require.Equal(t, "hachaos run a --short --set dedupe=off", s.ran[2])
		require.Zero(t, kept(t, s), "what is as expected is not kept")
		require.Zero(t, s.resume(t.Context()).Ran)

		s.sources = "s2"
		require.Equal(t, "7 missing (7 of them good before a change)", Totals(s.look()), "the judges have changed")
		require.Equal(t, 4, Summarise(s.look())[0].Before, "what they found before is told")
		s.ends = func(string, int) harness.Result { return harness.Result{Verdict: harness.VerdictFail} }
		s.resume(t.Context())
		s.sources = "s3"
		require.Zero(t, Summarise(s.look())[0].Before, "the last of what they found before is")
		s.sources = "s1"
		require.Equal(t, "7 good", Totals(s.look()), "and are as they were")
	})
}

func TestAFailIsNeverRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, scenario("a", noDedupe))
		s.ends = func(_ string, nth int) harness.Result {
			if nth == 3 { // the first repetition: the case comes before it
				return fails()
			}
			return harness.Result{Verdict: harness.VerdictPass}
		}
		out := s.resume(t.Context())
		require.Equal(t, 4, out.Ran)
		require.Len(t, s.ran, 4)
		entries := s.look()
		require.Equal(t, []State{Good, Bad, Good, Bad}, []State{entries[0].State(), entries[1].State(), entries[2].State(), entries[3].State()},
			"a pass is not what a broken system must come to")
		require.Contains(t, entries[1].Record.Unlike, "the verdict is fail instead of pass")
		require.Equal(t, []string{"write-ledger"}, entries[1].Record.Failed)
		require.Equal(t, "write-ledger", entries[1].Record.Assertions[0].Name)
		require.Equal(t, assert.Fail, entries[1].Record.Assertions[0].Status)
		require.Empty(t, entries[3].Record.Assertions, "a case's are not what the system is like")
		require.DirExists(t, filepath.Join(s.Store.Dir, entries[1].Record.Folder), "it is kept")
		require.Equal(t, harness.ExitFail, ExitCode(entries))
		require.Zero(t, s.resume(t.Context()).Ran)
		sum := Summarise(entries)
		require.Equal(t, 2, sum[0].InARow)
		require.Equal(t, 3, sum[0].Of)
		require.Zero(t, sum[0].Cases)
		require.Len(t, sum[0].Bad, 2)
		require.Contains(t, sum[0].Bad[0], "bad: a (2): the verdict is fail")
	})
}

func TestAnInconclusiveRunIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, scenario("a"))
		s.ends = func(_ string, nth int) harness.Result {
			if nth <= 4 {
				return harness.Result{Verdict: harness.VerdictInconclusive, Reason: "The host was busy.", Seed: uint64(nth)}
			}
			return harness.Result{Verdict: harness.VerdictPass}
		}
		s.resume(t.Context())
		entries := s.look()
		require.Len(t, entries[0].Record.Before, 2)
		require.Equal(t, Open, entries[0].State(), "three attempts gave no verdict")
		require.Equal(t, Good, entries[1].State())
		require.Len(t, entries[1].Record.Before, 1)
		require.Equal(t, harness.ExitInconclusive, ExitCode(entries))
		s.resume(t.Context())
		entries = s.look()
		require.Equal(t, "3 good", Totals(entries))
		require.Len(t, entries[0].Record.Before, 3)
		require.Equal(t, uint64(2), entries[0].Record.Before[1].Seed)
		require.Equal(t, 4, Summarise(entries)[0].Repeated)
		require.Equal(t, 4, kept(t, s), "their folders are kept")
	})
}

// TestWhatHadNoVerdictComesLast: a machine that was short a moment ago may be so still,
// and other items are waiting.
func TestWhatHadNoVerdictComesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, scenario("a"), scenario("b"))
		s.ends = func(string, int) harness.Result {
			return harness.Result{Verdict: harness.VerdictInconclusive, Reason: "the machine was short."}
		}
		require.Equal(t, []int{0, 3, 1, 4, 2, 5}, s.todo(s.look()))
		s.Budget = time.Second
		require.Equal(t, 1, s.resume(t.Context()).Ran)
		require.Equal(t, Open, s.look()[0].State())
		require.Equal(t, []int{3, 1, 4, 2, 5, 0}, s.todo(s.look()))
	})
}

// A case that must fail by two assertions, of which one had no verdict for want of
// machine, is open; with anything else that is not as expected it is bad.
func TestARunThatDoesNotDecideWhatTheItemAsksIsRepeated(t *testing.T) {
	asks := harness.Case{Name: "two", Set: noDedupe.Set, Fails: []string{"write-ledger", "error-budget"}, Evidence: "duplicate"}
	duplicate := assert.Verdict{Name: "write-ledger", Status: assert.Fail, Evidence: []assert.Evidence{{Class: "duplicate"}}}
	slow := assert.Verdict{Name: "error-budget", Status: assert.Inconclusive}
	for name, tc := range map[string]struct {
		said      []assert.Verdict
		undecided []string
	}{
		"one is not decided":            {[]assert.Verdict{duplicate, slow}, []string{"error-budget"}},
		"the first is not decided":      {[]assert.Verdict{{Name: "write-ledger", Status: assert.Inconclusive}, {Name: "error-budget", Status: assert.Fail, Evidence: []assert.Evidence{{Class: "status"}}}}, []string{"write-ledger"}},
		"another fails, too":            {[]assert.Verdict{duplicate, slow, {Name: "vip", Status: assert.Fail, Evidence: []assert.Evidence{{}}}}, nil},
		"the evidence is another":       {[]assert.Verdict{{Name: "write-ledger", Status: assert.Fail, Evidence: []assert.Evidence{{Class: "lost"}}}, slow}, nil},
		"it holds":                      {[]assert.Verdict{duplicate, {Name: "error-budget", Status: assert.Pass}}, nil},
		"another has no verdict either": {[]assert.Verdict{duplicate, slow, {Name: "vip", Status: assert.Inconclusive}}, []string{"error-budget"}},
	} {
		t.Run(name, func(t *testing.T) {
			item := Items([]harness.Scenario{scenario("a", asks)}, "")[InARow]
			rec := record(item, "h", &harness.Result{Verdict: harness.VerdictFail, Assertions: tc.said}, nil)
			require.Equal(t, tc.undecided, rec.Undecided)
			if len(tc.undecided) > 0 {
				require.Equal(t, Open, rec.State())
				require.Contains(t, Entry{Item: item, Record: rec}.words(), "no verdict of "+tc.undecided[0])
			} else {
				require.Equal(t, Bad, rec.State())
			}
		})
	}
	dirty := record(Items([]harness.Scenario{scenario("a", asks)}, "")[InARow], "h", &harness.Result{Verdict: harness.VerdictFail, Dirty: true, Assertions: []assert.Verdict{duplicate, slow}}, nil)
	require.Equal(t, Bad, dirty.State())
}

// An interrupt is no verdict, and leaves a trace: whoever breaks runs off until one
// passes has them counted.
func TestAnInterruptLeavesAnOpenRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newStage(t, scenario("a"))
		s.ends = func(_ string, nth int) harness.Result {
			if nth == 2 {
				cancel()
				return harness.Result{Verdict: harness.VerdictInconclusive, Reason: "interrupted", BrokenOff: "interrupted"}
			}
			return harness.Result{Verdict: harness.VerdictPass}
		}
		out := s.resume(ctx)
		require.True(t, out.Interrupted)
		require.Equal(t, "1 good, 1 open, 1 missing", Totals(s.look()))
		broken := s.look()[1]
		require.Equal(t, "interrupted", broken.Record.BrokenOff)
		require.Contains(t, broken.words(), "it broke off: interrupted")
		s.ends = func(string, int) harness.Result { return harness.Result{Verdict: harness.VerdictPass} }
		s.resume(t.Context())
		require.Equal(t, "3 good", Totals(s.look()))
		require.Equal(t, 1, Summarise(s.look())[0].Repeated)
	})
}

// TestAnInterruptLosesNothingThatIsTrue: neither a violation nor what was left
// behind depends on when the user lost patience.
func TestAnInterruptLosesNothingThatIsTrue(t *testing.T) {
	lost := assert.Verdict{Name: "write-ledger", Status: assert.Fail, Safety: true, Evidence: []assert.Evidence{{Class: "lost"}}}
	slow := assert.Verdict{Name: "error-budget", Status: assert.Fail}
	for name, tc := range map[string]struct {
		item   harness.Case // what is interrupted: as it stands, or a case
		ends   harness.Result
		states string
	}{
		"whole and failed":        {ends: harness.Result{Verdict: harness.VerdictFail, Assertions: []assert.Verdict{slow}}, states: "1 bad, 2 missing"},
		"whole and passed":        {ends: harness.Result{Verdict: harness.VerdictPass}, states: "1 good, 2 missing"},
		"whole and inconclusive":  {ends: harness.Result{Verdict: harness.VerdictInconclusive}, states: "1 open, 2 missing"},
		"broken off and dirty":    {ends: harness.Result{Verdict: harness.VerdictInconclusive, BrokenOff: "interrupted", Dirty: true}, states: "1 bad, 2 missing"},
		"broken off and violated": {ends: harness.Result{Verdict: harness.VerdictFail, BrokenOff: "interrupted", Assertions: []assert.Verdict{lost}}, states: "1 bad, 2 missing"},
		"broken off, a case whose failure is expected": {
			item: harness.Case{Name: "two", Set: noDedupe.Set, Fails: []string{"write-ledger", "error-budget"}},
			ends: harness.Result{Verdict: harness.VerdictFail, BrokenOff: "interrupted", Assertions: []assert.Verdict{lost}}, states: "1 open, 3 missing",
		},
		"broken off, a case with another violation": {
			item: harness.Case{Name: "two", Set: noDedupe.Set, Fails: []string{"session-survival"}},
			ends: harness.Result{Verdict: harness.VerdictFail, BrokenOff: "interrupted", Assertions: []assert.Verdict{lost}}, states: "1 bad, 3 missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var cases []harness.Case
				if tc.item.Name != "" {
					cases = append(cases, tc.item)
				}
				s := newStage(t, scenario("a", cases...))
				s.Shape = func(j suite.Job) string { return "one" }
				s.ends = func(string, int) harness.Result { cancel(); return tc.ends }
				entries := s.look()
				if len(cases) > 0 {
					entries = entries[3:] // only the case is asked for
				}
				out, err := s.Run(ctx, entries)
				require.NoError(t, err)
				require.True(t, out.Interrupted, "be it in the last item")
				require.Len(t, s.ran, 1, "nothing is begun, and nothing repeated, after an interrupt")
				require.Equal(t, tc.states, Totals(s.look()))
			})
		})
	}
}

// TestWithoutAnEngineACampaignEnds instead of trying every item in vain.
func TestWithoutAnEngineACampaignEnds(t *testing.T) {
	gone := errors.New("no container engine answers")
	for name, tc := range map[string]struct {
		alive  error
		ran    int
		states string
	}{"it is gone": {gone, 1, "1 open, 2 missing"}, "it is there": {nil, 5, "3 good"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, scenario("a"))
				s.ends = func(_ string, nth int) harness.Result {
					if nth <= 2 {
						return harness.Result{Verdict: harness.VerdictError, Reason: "It did not start."}
					}
					return harness.Result{Verdict: harness.VerdictPass}
				}
				s.Alive = func(context.Context) error { return tc.alive }
				_, err := s.Run(t.Context(), s.look())
				require.ErrorIs(t, err, tc.alive)
				require.Len(t, s.ran, tc.ran)
				require.Equal(t, tc.states, Totals(s.look()))
			})
		})
	}
}

func TestADirtyItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, scenario("a"))
		s.ends = func(_ string, nth int) harness.Result {
			return harness.Result{Verdict: harness.VerdictPass, Dirty: nth == 1, Reason: "Dirty: a container."}
		}
		s.resume(t.Context())
		require.Equal(t, "2 good, 1 bad", Totals(s.look()))
		require.Equal(t, harness.ExitDirty, ExitCode(s.look()))
	})
}

// shutting is a driver in memory that knows what it has started.
type shutting struct {
	fake.Driver
	started []*fake.Cluster
}

func (d *shutting) Start(ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	c, err := d.Driver.Start(ctx, id, plan, opts)
	if err == nil {
		d.started = append(d.started, c.(*fake.Cluster))
	}
	return c, err
}

// TestARecordTellsWhyATopologyWasReplaced, by what the suite itself notes of it.
func TestARecordTellsWhyATopologyWasReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, driver := newStage(t, scenario("a")), &shutting{}
		s.Runner.Topologies = &suite.Keeper{Driver: driver, Shape: func(j suite.Job) harness.Shape {
			shape, err := memory().Shape(j.Scenario, j.Options)
			require.NoError(t, err)
			return shape
		}}
		s.ends = func(_ string, nth int) harness.Result {
			if nth == 1 {
				return harness.Result{Verdict: harness.VerdictInconclusive, Faults: []harness.FaultResult{{HealedAt: -1}}}
			}
			return harness.Result{Verdict: harness.VerdictPass, Dirty: nth == 3}
		}
		s.resume(t.Context())
		for _, c := range driver.started {
			c.Shut()
		}
		time.Sleep(time.Hour) // virtual: what still waits has ended
		entries := s.look()
		require.Contains(t, entries[0].Record.Before[0].Notes[0], " is new ")
		require.Contains(t, entries[1].Record.Notes[0], " is as new, ")
		replaced := Summarise(entries)[0].Replaced
		require.Len(t, replaced, 2)
		require.Regexp(t, `^before a \(1\): topology suite-\w+ is replaced: a fault of the run before was not seen to heal$`, replaced[0])
		require.Regexp(t, `^before a \(3\): topology suite-\w+ is replaced: the run before was dirty$`, replaced[1])
	})
}

// TestARecordWithoutNotesIsRead, as those of before they were kept; what the
// repeated runs of an item noted is told in their order.
func TestARecordWithoutNotesIsRead(t *testing.T) {
	s := Store{t.TempDir()}
	i := Items([]harness.Scenario{scenario("a")}, "")[0]
	require.NoError(t, s.Put(&Record{Schema: Schema, Item: i, Hash: "abc", Before: []Attempt{{Reason: "The host was busy."}}}))
	text, err := os.ReadFile(s.path(i, "abc"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "notes")
	r, err := s.Get(i, "abc")
	require.NoError(t, err)
	require.Empty(t, Summarise([]Entry{{Item: i, Record: r}})[0].Replaced)

	r.Before = []Attempt{{Notes: []string{"one is replaced: x"}}, {Notes: []string{"two could not be put back and is replaced: y"}}}
	r.Notes = []string{"three is replaced: z", "four is as new, by 5 facts"}
	require.Equal(t, []string{"before a (1): one is replaced: x", "before a (1): two could not be put back and is replaced: y", "before a (1): three is replaced: z"},
		Summarise([]Entry{{Item: i, Record: r}})[0].Replaced)
}

func TestRecordsThatAreNotTheItems(t *testing.T) {
	s := Store{t.TempDir()}
	i := Items([]harness.Scenario{scenario("a")}, "")[0]
	require.NoError(t, s.Put(&Record{Schema: Schema, Item: i, Hash: "abc"}))
	r, err := s.Get(i, "abc")
	require.NoError(t, err)
	require.Equal(t, i.Name(), r.Name())
	r, err = s.Get(i, "abd")
	require.NoError(t, err)
	require.Equal(t, Missing, r.State())
	require.NoError(t, os.WriteFile(s.path(i, "abd"), []byte("{"), 0o644))
	_, err = s.Get(i, "abd")
	require.ErrorContains(t, err, "remove it to have the item run again")
	require.NoError(t, os.Rename(s.path(i, "abc"), s.path(i, "abd")))
	_, err = s.Get(i, "abd")
	require.ErrorContains(t, err, "is not the record of")
}

// TestAVerdictIsFinal: whoever looked when there was none does not replace it.
func TestAVerdictIsFinal(t *testing.T) {
	s := Store{t.TempDir()}
	i := Items([]harness.Scenario{scenario("a")}, "")[0]
	of := func(v harness.Verdict, unlike string) *Record {
		return &Record{Schema: Schema, Item: i, Hash: "abc", Verdict: v, Unlike: unlike}
	}
	require.NoError(t, s.Put(of(harness.VerdictInconclusive, "no verdict")))
	require.NoError(t, s.Put(of(harness.VerdictFail, "it fails")), "what is open is run again")
	require.ErrorIs(t, s.Put(of(harness.VerdictPass, "")), ErrFinal)
	r, err := s.Get(i, "abc")
	require.NoError(t, err)
	require.Equal(t, Bad, r.State())

	i.Repetition = 2
	require.NoError(t, s.Put(of(harness.VerdictPass, "")))
	require.ErrorIs(t, s.Put(of(harness.VerdictFail, "it fails")), ErrFinal)
}

func TestACampaignHasItsFolderAlone(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "new")}
	unlock, err := s.Lock()
	require.NoError(t, err)
	_, err = s.Lock()
	require.ErrorIs(t, err, ErrInUse)
	other, err := Store{t.TempDir()}.Lock()
	require.NoError(t, err, "another folder is another campaign's")
	require.NoError(t, other())
	require.NoError(t, unlock())
	unlock, err = s.Lock()
	require.NoError(t, err)
	require.NoError(t, unlock())
}

func TestCosts(t *testing.T) {
	of := func(v harness.Verdict, m map[string]float64) Entry {
		return Entry{Record: &Record{Verdict: v, Measures: m}}
	}
	c := Costs([]Entry{
		of(harness.VerdictPass, map[string]float64{outageFigure: 10, budgetFigure: 0.1}),
		of(harness.VerdictFail, map[string]float64{outageFigure: 20, outageFigure + "_2": 20100, outageFigure + "_other": 1e9, brokenFigure: 3, brokenFigure + ".lost": 2, budgetFigure: 0.05}),
		of(harness.VerdictInconclusive, map[string]float64{outageFigure: 99999}),
		{},
	})
	require.Equal(t, "1 pass, 1 fail, 1 inconclusive", c.Verdicts)
	require.InDelta(t, 20100, *c.Outage, 0)
	require.InDelta(t, 3, *c.Broken, 0)
	require.Nil(t, c.OneOutage)
	require.Nil(t, c.Held)
	require.InDelta(t, 0.1, *c.Budget, 0)
	require.Nil(t, c.Duplicates)
	require.Empty(t, Costs(nil).Verdicts)
	all := Costs([]Entry{of(harness.VerdictPass, map[string]float64{allOutageFigure: 7})})
	require.InDelta(t, 7, *all.Outage, 0, "where the fault was aimed at no node of users")

	one := of(harness.VerdictPass, map[string]float64{outageFigure: 60, sessionOutage: 10700, operationsOutage + "_2": 900})
	one.Record.Held = 4 * time.Second
	c = Costs([]Entry{one})
	require.InDelta(t, 10700, *c.OneOutage, 0)
	require.InDelta(t, 4, *c.Held, 0)

	// What could not be judged is no figure, and a run that broke off is none.
	open := of(harness.VerdictFail, map[string]float64{outageFigure: 60, brokenFigure: 0, "write-ledger.duplicate": 2})
	open.Record.Assertions = []Said{{Name: "session-survival", Status: assert.Inconclusive}, {Name: "write-ledger", Status: assert.Fail}}
	broken := of(harness.VerdictFail, map[string]float64{outageFigure: 9e9})
	broken.Record.BrokenOff = "interrupted"
	dirty := of(harness.VerdictPass, map[string]float64{})
	dirty.Record.Dirty = true
	c = Costs([]Entry{open, broken, dirty})
	require.Nil(t, c.Broken)
	require.InDelta(t, 2, *c.Duplicates, 0)
	require.InDelta(t, 60, *c.Outage, 0)
	require.Equal(t, "1 pass, 1 fail, 1 inconclusive, 1 dirty", c.Verdicts)
}

// A case whose named assertion was tested and held is missed, whatever became of the
// others: it is not run again until it is caught.
func TestAMissedCaseIsFinal(t *testing.T) {
	items := Items([]harness.Scenario{scenario("a", noDedupe)}, "")
	item := items[len(items)-1]
	run := func(named assert.Status, idle bool) *Record {
		return record(item, "h", &harness.Result{Verdict: harness.VerdictInconclusive, Reason: "open.", Assertions: []assert.Verdict{
			{Name: item.expect.Fails[0], Status: named, NotExercised: idle}, {Name: "other", Status: assert.Inconclusive},
		}}, nil)
	}
	missed := run(assert.Pass, false)
	require.Equal(t, Bad, missed.State())
	require.Contains(t, missed.Unlike, "was tested and held, and must fail")
	require.Equal(t, Open, run(assert.Pass, true).State())
	require.Equal(t, Open, run(assert.Inconclusive, false).State())
}

// What this machine cannot carry out is left out, and all else is run.
func TestWhatCannotBeCarriedOutIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, scenario("a"), scenario("b"))
		s.ends = func(string, int) harness.Result { return harness.Result{Verdict: harness.VerdictPass} }
		s.Afford = func(_ context.Context, j suite.Job) error {
			if j.Scenario.Name == "a" {
				return fmt.Errorf("%w: no such kernel", harness.ErrUsage)
			}
			return nil
		}
		out, err := s.Run(t.Context(), s.look())
		require.NoError(t, err)
		require.Len(t, out.Without, 3)
		require.ErrorContains(t, out.Without[0], "a (1): usage: no such kernel")
		require.Equal(t, "3 good, 3 missing", Totals(s.look()))
		s.Afford = func(context.Context, suite.Job) error { return errors.New("the engine is gone") }
		_, err = s.Run(t.Context(), s.look())
		require.ErrorContains(t, err, "the engine is gone")
	})
}
