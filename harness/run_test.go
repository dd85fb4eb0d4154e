package harness_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// short is a scenario of a few seconds that asserts little.
func short(f fault.Fault) harness.Scenario {
	s := kill()
	s.Load = load.Config{Rate: 20}
	s.Phases = []harness.Phase{
		{Name: "steady", Kind: history.PhaseSteady, For: 2 * time.Second},
		{Name: "broken", Kind: history.PhaseBreak, For: 2 * time.Second, Faults: []harness.Injection{{Label: "f", Fault: f, Aim: harness.OneApplication()}}},
		{Name: "healed", Kind: history.PhaseRecover, For: 2 * time.Second, Heal: []string{"f"}},
	}
	s.Asserts = []assert.Checker{assert.SessionSurvival{Expect: assert.ExpectSurvive}, assert.Leftovers{}}
	return s
}

func loadHistory(t *testing.T, res *harness.Result) *history.History {
	t.Helper()
	h, err := history.Load(res.Dir)
	require.NoError(t, err)
	require.Equal(t, history.Whole, h.Integrity.State, h.Integrity.Reason)
	return h
}

// TestEachFaultIsProvenAndHealed: in the record stand the intention before
// the act, the interval in which it took effect, and the heal.
func TestEachFaultIsProvenAndHealed(t *testing.T) {
	for _, f := range []fault.Fault{fault.InstanceKill{}, fault.ProcessCrash{}, fault.PowerLoss{}} {
		t.Run(f.Kind(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				res := r.run(t, t.Context(), short(f))
				require.Equal(t, harness.VerdictPass, res.Verdict, res.Reason)
				h := loadHistory(t, res)
				require.Len(t, h.Faults, 1)
				got := h.Faults[0]
				require.Equal(t, f.Kind(), got.Kind)
				require.True(t, got.Proof.OK)
				require.True(t, got.HealProof.OK)
				require.Equal(t, []harness.FaultResult{{
					Kind: f.Kind(), Nodes: got.Nodes, At: got.Injected, HealedAt: got.Healed,
					Proven: true, Asked: got.Proof.Asked, Measured: got.Proof.Measured, How: got.Proof.How,
				}}, res.Faults)
				require.NotEmpty(t, got.Proof.Asked)
				require.NotEmpty(t, got.Proof.Measured)
				require.Equal(t, h.Phases[1].From, got.Injected)
				require.GreaterOrEqual(t, got.Active, got.Injected)
				require.Equal(t, h.Phases[2].From, got.Heal)
				require.GreaterOrEqual(t, got.Healed, got.Heal)
				from, to := got.Took()
				require.GreaterOrEqual(t, from, got.Injected)
				require.GreaterOrEqual(t, to, from)
				require.LessOrEqual(t, to, got.Active)
				require.Less(t, to-got.Injected, 100*time.Millisecond, "virtual: the effect follows the act")
				require.Equal(t, h.Phases[2].To-h.Phases[0].From, 6*time.Second, "nothing that a fault waits for delays a phase")
			})
		})
	}
}

// TestTheKillBeginsWithTheEnginesEvent: never when an API call returned.
func TestTheKillBeginsWithTheEnginesEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		h := loadHistory(t, r.run(t, t.Context(), short(fault.InstanceKill{})))
		var event time.Duration
		for _, e := range h.Engine {
			if e.V.Action == "kill" {
				event = e.Time
			}
		}
		from, _ := h.Faults[0].Took()
		require.NotZero(t, event)
		require.Equal(t, event, from)
		require.Greater(t, from, h.Faults[0].Injected)
	})
}

func TestTheSeedDecides(t *testing.T) {
	victims := map[uint64]string{}
	for _, seed := range []uint64{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.opts.Seed = seed
			res := r.run(t, t.Context(), short(fault.InstanceKill{}))
			require.Equal(t, seed, res.Seed)
			victim := res.Faults[0].Nodes[0]
			if before, ok := victims[seed]; ok {
				require.Equal(t, before, victim, "seed %d", seed)
			}
			victims[seed] = victim
		})
	}
	require.Contains(t, victims, uint64(1))
	seen := map[string]bool{}
	for _, v := range victims {
		seen[v] = true
	}
	require.Len(t, seen, 2, "six seeds, and always the same victim")
}

func TestASeedIsDrawnAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.opts = harness.Options{Command: "hachaos run memory-kill"}
		res := r.run(t, t.Context(), short(fault.InstanceKill{}))
		require.NotZero(t, res.Seed)
		require.Regexp(t, `^hachaos run memory-kill --seed \d+$`, res.Command)
		b, err := os.ReadFile(filepath.Join(res.Dir, harness.ScenarioFile))
		require.NoError(t, err)
		require.Contains(t, string(b), res.Command)
	})
}

// TestMostSessions aims by what the load knows when the fault is injected.
func TestMostSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s := newRig(t), short(fault.InstanceKill{})
		r.opts.Set = map[string]string{"weight.j1": "20", "weight.j2": "200"}
		s.Phases[1].Faults[0].Aim = harness.MostSessions()
		res := r.run(t, t.Context(), s)
		require.Equal(t, []string{"j2"}, res.Faults[0].Nodes)
		h := loadHistory(t, res)
		require.Equal(t, map[string]string{"weight.j1": "20", "weight.j2": "200"}, h.Meta.Set)
		for _, n := range h.Meta.Nodes {
			require.Equal(t, map[string]int{"j1": 20, "j2": 200}[n.Name], n.Weight, n.Name)
			spec, ok := r.driver.Last().Spec().NodeByName(n.Name)
			require.True(t, ok)
			require.Equal(t, spec.Addr.String(), n.Addr)
			require.Equal(t, string(spec.Role), n.Role)
			require.Equal(t, spec.Image, n.Image)
		}
	})
}

// TestServingUser aims at the node that serves a user now.
func TestServingUser(t *testing.T) {
	spec := map[string]string{"u1": "j2", "u2": "j1", "u3": "gone"}
	for name, tc := range map[string]struct {
		user string
		on   map[string]string
		want []string
	}{
		"by name":         {"u1", spec, []string{"j2"}},
		"drawn":           {"", map[string]string{"u2": "j1"}, []string{"j1"}},
		"not logged in":   {"u9", spec, nil},
		"on no node":      {"u3", spec, nil},
		"nobody is there": {"", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			aim := harness.ServingUser(tc.user)
			if tc.user == "" {
				require.Equal(t, "the node that serves a user who is logged in, by the seed", aim.Name)
			} else {
				require.Equal(t, "the node that serves "+tc.user, aim.Name)
			}
			view := harness.View{Nodes: []topology.Node{named{"j1"}, named{"j2"}}, Users: tc.on}
			var got []string
			for _, n := range aim.Pick(rand.New(rand.NewPCG(1, 1)), view) {
				got = append(got, n.Name())
			}
			require.Equal(t, tc.want, got)
		})
	}
}

// TestSelects: each takes whom it says, and nobody where there is none.
func TestSelects(t *testing.T) {
	lb1, lb2 := balancer{named{"lb1"}}, balancer{named{"lb2"}}
	j1, j2, j3 := named{"j1"}, named{"j2"}, named{"j3"}
	all := []topology.Node{lb1, j1, j2, lb2, j3}
	for _, tc := range []struct {
		aim  harness.Select
		view harness.View
		want []string
	}{
		{harness.VIPOwner(), harness.View{Nodes: all, Owner: "lb2"}, []string{"lb2"}},
		{harness.VIPOwner(), harness.View{Nodes: all}, nil},
		{harness.VIPOwner(), harness.View{Nodes: all, Owner: "j1"}, nil},
		{harness.VIPStandby(), harness.View{Nodes: all, Owner: "lb2"}, []string{"lb1"}},
		{harness.VIPStandby(), harness.View{Nodes: all}, nil},
		{harness.MostSessions(), harness.View{Nodes: all, Serving: map[string]int{"j1": 3, "j2": 5, "j3": 5, "lb1": 9}}, []string{"j2"}},
		{harness.MostSessions(), harness.View{Nodes: all}, []string{"j1"}},
		{harness.MostSessions(), harness.View{Nodes: []topology.Node{lb1}}, nil},
		{harness.OneApplication(), harness.View{Nodes: []topology.Node{lb1, j3}}, []string{"j3"}},
		{harness.OneApplication(), harness.View{Nodes: []topology.Node{lb1}}, nil},
		{harness.All(topology.Balancer), harness.View{Nodes: all}, []string{"lb1", "lb2"}},
		{harness.Named("lb2"), harness.View{Nodes: all}, []string{"lb2"}},
		{harness.Named("j9"), harness.View{Nodes: all}, nil},
		{harness.Applications(3), harness.View{Nodes: all}, []string{"j1", "j2", "j3"}},
		{harness.Applications(4), harness.View{Nodes: all}, nil},
		{harness.Applications(0), harness.View{Nodes: all}, nil},
	} {
		var got []string
		for _, n := range tc.aim.Pick(rand.New(rand.NewPCG(1, 1)), tc.view) {
			got = append(got, n.Name())
		}
		slices.Sort(got)
		require.Equal(t, tc.want, got, "%s in %+v", tc.aim.Name, tc.view)
	}
	drawn := map[string]bool{}
	for seed := range uint64(50) {
		one := harness.Applications(2).Pick(rand.New(rand.NewPCG(seed, 1)), harness.View{Nodes: all})
		require.Len(t, one, 2)
		drawn[one[0].Name()+one[1].Name()] = true
	}
	require.Len(t, drawn, 6, "every pair in every order")
}

// balancer is a node of that role that only has a name.
type balancer struct{ named }

func (balancer) Role() topology.Role { return topology.Balancer }

// named is a node that only has a name.
type named struct{ name string }

func (n named) Name() string      { return n.name }
func (named) Role() topology.Role { return topology.Application }
func (named) Exec(context.Context, ...string) (topology.Output, error) {
	return topology.Output{}, topology.ErrNotRunning
}

// TestTheGuardIsLetGoOnlyFromACleanRun: what could not be removed is left to
// it.
func TestTheGuardIsLetGoOnlyFromACleanRun(t *testing.T) {
	for name, tc := range map[string]struct {
		stuck    []string
		released int
	}{"clean": {nil, 1}, "dirty": {[]string{"j1"}, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.driver.Options.Stuck = tc.stuck
				released := 0
				var guarded harness.Guarded
				r.runner.Guard = func(_ context.Context, g harness.Guarded) (func(context.Context) error, error) {
					require.Nil(t, r.driver.Last(), "something ran before the guard stood")
					guarded = g
					return func(context.Context) error { released++; return nil }, nil
				}
				res := r.run(t, t.Context(), short(fault.InstanceKill{}))
				require.Equal(t, tc.released, released)
				require.Equal(t, res.ID, guarded.ID)
				require.Equal(t, harness.UndoFile, filepath.Base(guarded.UndoLog))
				require.Empty(t, guarded.Standing)
				entries, err := fault.ReadLog(guarded.UndoLog)
				require.NoError(t, err)
				require.Empty(t, entries, "what was undone is marked so")
			})
		})
	}
}

// TestOnAStandingTopology: it is healed and stays, and what it held before
// is not held against it.
func TestOnAStandingTopology(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		plan, err := fake.Definition(r.driver.Options).Plan(topology.Options{Nodes: 3})
		require.NoError(t, err)
		c, err := r.driver.Start(t.Context(), "feed", plan, topology.StartOptions{Standing: "blue", Subnet: netip.MustParsePrefix("198.18.3.0/24")})
		require.NoError(t, err)
		r.opts.On = "blue"
		s := short(fault.InstanceKill{})
		s.Asserts = []assert.Checker{assert.WriteLedger{}, assert.Leftovers{}}
		s.Phases[2].Heal = nil // the end heals
		r.runner.Suite = r.suite
		for range 2 {
			res, err := r.runner.Run(t.Context(), s, r.opts)
			require.NoError(t, err)
			ledger := res.Assertions[0]
			require.Empty(t, ledger.Evidence, "orders of an earlier run")
			require.Empty(t, res.Leftovers, "what stands is no leftover")
			for _, n := range c.Nodes() {
				state, err := n.(topology.Container).Inspect(t.Context())
				require.NoError(t, err)
				require.True(t, state.Running, n.Name())
			}
			h := loadHistory(t, res)
			require.True(t, h.Meta.Standing)
			require.Len(t, h.Meta.Nodes, 6, "the nodes that stand, not those of the default plan")
		}
		r.driver.Last().Shut()
		time.Sleep(time.Hour)
	})
}

func TestOnATopologyThatDoesNotStand(t *testing.T) {
	r := newRig(t)
	r.opts.On = "green"
	_, err := r.runner.Run(t.Context(), short(fault.InstanceKill{}), r.opts)
	require.ErrorIs(t, err, harness.ErrUsage)
	require.ErrorContains(t, err, `--on green: standing topology "green": not found`)
	require.Empty(t, entriesOf(t, r.runner.Dir), "nothing was started")
}

// TestOnWhatStandsOtherwise: a scenario runs on what stands exactly if that
// is what the scenario and the user ask for; else nothing is started, and the
// command is named that brings up what would do.
func TestOnWhatStandsOtherwise(t *testing.T) {
	for name, tc := range map[string]struct {
		stands  topology.Options
		set     map[string]string // the scenario's own
		nodes   int
		options harness.Options // the user's
		err     string
	}{
		"nothing asked":      {stands: topology.Options{Nodes: 3, Set: map[string]string{"dedupe": "off"}}},
		"the scenario's set": {stands: topology.Options{Set: map[string]string{"dedupe": "off"}}, set: map[string]string{"dedupe": "off"}},
		"its default":        {set: map[string]string{"dedupe": "on"}},
		"its nodes":          {stands: topology.Options{Nodes: 3}, nodes: 3},
		"the user's":         {stands: topology.Options{Set: map[string]string{"dedupe": "off"}}, options: harness.Options{Set: map[string]string{"dedupe": "off"}, Nodes: 2, Profile: "tuned"}},
		"the user wins":      {set: map[string]string{"dedupe": "off"}, options: harness.Options{Set: map[string]string{"dedupe": "on"}}},
		"another set": {
			set: map[string]string{"dedupe": "off"}, nodes: 3,
			err: "--on blue: it stands with 2 application nodes instead of 3, dedupe=on instead of off, and memory-kill cannot run on it: " +
				"`hachaos down blue`, then `hachaos up memory-ha --name blue --nodes 3 --set dedupe=off`",
		},
		"a changed one": {
			stands: topology.Options{Set: map[string]string{"dedupe": "off"}}, set: map[string]string{"dedupe": "on"},
			err: "it stands with dedupe=off instead of on",
		},
		"subnet": {options: harness.Options{Subnet: netip.MustParsePrefix("198.18.7.0/24")}, err: "--on blue: the topology stands already"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				plan, err := fake.Definition(r.driver.Options).Plan(tc.stands)
				require.NoError(t, err)
				_, err = r.driver.Start(t.Context(), "feed", plan, topology.StartOptions{Standing: "blue"})
				require.NoError(t, err)
				s := short(fault.InstanceKill{})
				s.Set, s.Nodes = tc.set, tc.nodes
				tc.options.On, tc.options.Seed = "blue", 7
				r.runner.Suite = r.suite
				res, err := r.runner.Run(t.Context(), s, tc.options)
				if tc.err != "" {
					require.ErrorIs(t, err, harness.ErrUsage)
					require.ErrorContains(t, err, tc.err)
					require.Empty(t, entriesOf(t, r.runner.Dir), "nothing was started")
				} else {
					require.NoError(t, err)
					require.Equal(t, harness.VerdictPass, res.Verdict, res.Reason)
					if tc.stands.Set != nil {
						require.Equal(t, "off", loadHistory(t, res).Meta.Set["dedupe"], "the record has what stands")
					}
				}
				r.driver.Last().Shut()
				time.Sleep(time.Hour)
			})
		})
	}
}

// TestHurry: the second interrupt leaves out what only makes the record
// better, and still heals and removes.
func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.suite.Busy = true
		hurry := make(chan struct{})
		r.runner.Hurry = hurry
		ctx, cancel := context.WithCancelCause(t.Context())
		began := time.Now()
		go func() {
			time.Sleep(5 * time.Second)
			cancel(errors.New("first"))
			time.Sleep(time.Second)
			close(hurry)
		}()
		var took time.Duration
		r.runner.Progress = steps(func(s string) {
			if strings.HasPrefix(s, "wait until") {
				took = time.Since(began)
			}
		})
		res := r.run(t, ctx, short(fault.InstanceKill{}))
		require.Equal(t, harness.VerdictInconclusive, res.Verdict)
		require.Equal(t, "The run was broken off: interrupted: first.", res.Reason)
		require.False(t, res.Dirty)
		require.Equal(t, 6*time.Second, took.Round(100*time.Millisecond), "the wait for quiet ends with the second")
	})
}

// What is under way when the last phase ends is part of the run.
func TestInterruptedWhileTheLastOperationsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s := newRig(t), small()
		ctx, cancel := context.WithCancelCause(t.Context())
		r.runner.Progress = steps(func(step string) {
			if strings.HasPrefix(step, "steady again") {
				time.AfterFunc(s.Phases[4].For+20*time.Millisecond, func() { cancel(errors.New("enough")) })
			}
		})
		res := r.run(t, ctx, s)
		require.Equal(t, harness.VerdictInconclusive, res.Verdict, res.Reason)
		require.Equal(t, "The run was broken off: interrupted: enough.", res.Reason)
		require.False(t, res.Dirty)
	})
}

type steps func(string)

func (s steps) Step(text string)  { s(text) }
func (s steps) Tick(harness.Tick) {}

// TestProgressShowsTheRun: what people see agrees with what happens.
func TestProgressShowsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := &ticks{}
		r.runner.Progress = p
		r.run(t, t.Context(), short(fault.InstanceKill{}))
		var phases []string
		faults := map[string]bool{}
		least := 9
		for _, k := range p.all {
			if len(phases) == 0 || phases[len(phases)-1] != k.Phase {
				phases = append(phases, k.Phase)
			}
			faults[strings.Join(k.Faults, ", ")] = true
			if len(k.Faults) > 0 {
				least = min(least, k.Ready())
			}
			require.Len(t, k.Nodes, 2)
			require.Equal(t, len(phases), k.Number)
			require.Equal(t, 3, k.Of)
			require.LessOrEqual(t, k.At, k.Ends+time.Second)
		}
		require.Equal(t, []string{"steady", "broken", "healed"}, phases)
		require.Len(t, faults, 2, "with and without the fault: %v", faults)
		require.Equal(t, 1, least, "one of two nodes up")
		require.InDelta(t, 20, p.all[len(p.all)-1].Load.LastSecond.Sent, 4)
		require.NotZero(t, p.all[len(p.all)-1].Load.OK)
	})
}

type ticks struct{ all []harness.Tick }

func (*ticks) Step(string)           {}
func (p *ticks) Tick(t harness.Tick) { p.all = append(p.all, t) }

// TestARecordThatWasTouched: an edit is an error, a tear is inconclusive.
func TestARecordThatWasTouched(t *testing.T) {
	root, dir := t.TempDir(), ""
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.runner.Dir = root
		dir = r.run(t, t.Context(), short(fault.InstanceKill{})).Dir
	})
	journal := filepath.Join(dir, harness.JournalFile)
	whole, err := os.ReadFile(journal)
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		file    string
		text    string
		verdict harness.Verdict
	}{
		"an edited journal":  {journal, strings.Replace(string(whole), `"kind":"ok"`, `"kind":"fail"`, 1), harness.VerdictError},
		"a torn journal":     {journal, string(whole[:len(whole)/2]), harness.VerdictInconclusive},
		"no seal":            {journal, string(whole[:strings.LastIndex(string(whole[:len(whole)-1]), "\n")+1]), harness.VerdictInconclusive},
		"an edited log":      {filepath.Join(dir, harness.LogsDir, "j1.log"), "nothing happened\n", harness.VerdictError},
		"an edited scenario": {filepath.Join(dir, harness.ScenarioFile), "{}", harness.VerdictError},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := os.ReadFile(tc.file)
			require.NoError(t, err)
			defer func() { require.NoError(t, os.WriteFile(tc.file, before, 0o600)) }()
			require.NoError(t, os.WriteFile(tc.file, []byte(tc.text), 0o600))
			res, _, err := harness.Judge(dir)
			require.NoError(t, err)
			require.Equal(t, tc.verdict, res.Verdict, res.Reason)
		})
	}
	res, _, err := harness.Judge(dir)
	require.NoError(t, err)
	require.Equal(t, harness.VerdictPass, res.Verdict, res.Reason)
}

// TestWhatTheScenarioIsAboutMustHappen: the record has it, so that the run
// and a later check say the same.
func TestWhatTheScenarioIsAboutMustHappen(t *testing.T) {
	for about, want := range map[string]harness.Verdict{"session-survival": harness.VerdictPass, "timeout-order": harness.VerdictInconclusive} {
		t.Run(about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := short(fault.InstanceKill{})
				s.Asserts = append(s.Asserts, assert.TimeoutOrder{})
				s.Exercises = []string{about}
				res := newRig(t).run(t, t.Context(), s)
				require.Equal(t, want, res.Verdict, res.Reason)
				require.Equal(t, want != harness.VerdictPass, strings.Contains(res.Reason, "timeout-order met no occasion"), res.Reason)
				again, h, err := harness.Judge(res.Dir)
				require.NoError(t, err)
				require.Equal(t, s.Exercises, h.Meta.Exercises)
				require.Equal(t, res.Verdict, again.Verdict)
				require.Equal(t, res.Reason, again.Reason)
				kept, err := os.ReadFile(filepath.Join(res.Dir, harness.ScenarioFile))
				require.NoError(t, err)
				require.Contains(t, string(kept), `"exercises"`)
			})
		})
	}
}

func TestJudgeOfWhatIsNoRun(t *testing.T) {
	_, _, err := harness.Judge(t.TempDir())
	require.ErrorIs(t, err, history.ErrNotRun)
}
