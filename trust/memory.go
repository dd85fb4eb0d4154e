package trust

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// memory is a whole run of hachaos over a system in memory: its own runner,
// load, observers, journal and judges. A mutant replaces one thing of it.
type memory struct {
	scenario harness.Scenario
	options  harness.Options
	runner   harness.Runner
	system   fake.Driver
	standing bool // the topology stands before the run, and after

	// cluster is what the driver gives in place of the system's own; nil is
	// that.
	cluster func(*fake.Cluster) topology.Cluster
	// observers changes what watches; nil changes nothing.
	observers func([]observe.Observer) []observe.Observer
	// reads changes what is read after the load on its way into the record;
	// nil changes nothing.
	reads func(history.Sink) history.Sink
	// quiesce, ledger and sessions take the place of what waits and reads
	// after the load; nil is the suite's own.
	quiesce  func(context.Context) error
	ledger   func(context.Context, history.Sink) error
	sessions func(context.Context, history.Sink) error
	// at is called once, when the phase of that name has begun.
	at map[string]func()
}

// standingName is the name of the topology that stands.
const standingName = "blue"

// run makes the run below dir.
func (m *memory) run(ctx context.Context, dir string) (*harness.Result, error) {
	m.runner.Dir, m.runner.Version = dir, "trust"
	m.runner.Lookup, m.runner.Suite = m.lookup, suite{m: m}
	m.runner.Driver, m.runner.Progress = driver{&m.system, m}, &moments{at: m.at}
	defer m.shut()
	if m.standing {
		if err := m.stand(ctx); err != nil {
			return nil, err
		}
	}
	return m.runner.Run(ctx, m.scenario, m.options)
}

// stand has the topology stand before the run.
func (m *memory) stand(ctx context.Context) error {
	plan, err := fake.Definition(m.system.Options).Plan(topology.Options{})
	if err != nil {
		return err
	}
	_, err = m.system.Start(ctx, "feed", plan, topology.StartOptions{Standing: standingName})
	m.options.On = standingName
	return err
}

// shut ends what runs in memory, which a mutant may have kept from ending.
func (m *memory) shut() {
	if c := m.system.Last(); c != nil {
		c.Shut()
	}
}

func (m *memory) lookup(name string) (topology.Definition, error) {
	if name != inMemory {
		return topology.Definition{}, topology.ErrNotFound
	}
	return fake.Definition(m.system.Options), nil
}

// node is the one that the system's own driver has under that name.
func (m *memory) node(name string) topology.Container {
	for _, n := range m.system.Last().Nodes() {
		if n.Name() == name {
			return n.(topology.Container)
		}
	}
	return nil
}

// driver gives the cluster that the mutant wants.
type driver struct {
	*fake.Driver
	m *memory
}

// Start implements topology.Driver.
func (d driver) Start(ctx context.Context, id string, plan topology.Plan, opts topology.StartOptions) (topology.Cluster, error) {
	return d.m.given(d.Driver.Start(ctx, id, plan, opts))
}

// Attach implements topology.Driver.
func (d driver) Attach(ctx context.Context, name string) (topology.Cluster, error) {
	return d.m.given(d.Driver.Attach(ctx, name))
}

func (m *memory) given(c topology.Cluster, err error) (topology.Cluster, error) {
	own, ok := c.(*fake.Cluster)
	if err != nil || !ok || m.cluster == nil {
		return c, err
	}
	return m.cluster(own), nil
}

// suite looks at the cluster that the driver gave, and changes on the way what
// the mutant changes.
type suite struct {
	fake.Suite
	m *memory
}

// Observers are the system's own suite's, but that they look through the
// driver's cluster wherever they can.
func (s suite) Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer {
	all := s.Suite.Observers(s.m.system.Last(), clock, dir)
	through := map[string]observe.Observer{}
	for _, o := range observe.All(c, clock, dir) {
		through[o.Name()] = o
	}
	for i, o := range all {
		if w, ok := through[o.Name()]; ok && !strings.HasPrefix(o.Name(), "connections ") {
			all[i] = w
		}
	}
	if s.m.observers != nil {
		return s.m.observers(all)
	}
	return all
}

// Quiesce implements harness.Suite.
func (s suite) Quiesce(ctx context.Context, _ topology.Cluster) error {
	if s.m.quiesce != nil {
		return s.m.quiesce(ctx)
	}
	return s.Suite.Quiesce(ctx, s.m.system.Last())
}

// Ledger implements harness.Suite.
func (s suite) Ledger(ctx context.Context, _ topology.Cluster, sink history.Sink) error {
	if s.m.ledger != nil {
		return s.m.ledger(ctx, sink)
	}
	return s.Suite.Ledger(ctx, s.m.system.Last(), s.m.read(sink))
}

// Sessions implements harness.Suite.
func (s suite) Sessions(ctx context.Context, _ topology.Cluster, refs []history.SessionRef, sink history.Sink) error {
	if s.m.sessions != nil {
		return s.m.sessions(ctx, sink)
	}
	return s.Suite.Sessions(ctx, s.m.system.Last(), refs, s.m.read(sink))
}

func (m *memory) read(sink history.Sink) history.Sink {
	if m.reads == nil {
		return sink
	}
	return m.reads(sink)
}

// moments calls what is to be done in a phase.
type moments struct {
	mu sync.Mutex
	at map[string]func()
}

// Step implements harness.Progress.
func (*moments) Step(string) {}

// Tick implements harness.Progress.
func (p *moments) Tick(t harness.Tick) {
	p.mu.Lock()
	do := p.at[t.Phase]
	delete(p.at, t.Phase)
	p.mu.Unlock()
	if do != nil {
		do()
	}
}

// The phases of the scenarios in memory.
const (
	warmUp      = "warm-up"
	steady      = "steady"
	broken      = "broken"
	healed      = "healed"
	steadyAgain = "steady again"
)

// inMemory is the topology's name.
const inMemory = "memory-ha"

// breaking is a scenario in memory that injects f: long enough for a budget of
// 98 %, so that a run costs little.
func breaking(f fault.Fault, aim harness.Select) harness.Scenario {
	return harness.Scenario{
		Name: "memory-" + f.Kind(), About: "a fault, and its end, over a system in memory", Topology: inMemory,
		Load: load.Config{Rate: 40, SessionOps: 4},
		Phases: []harness.Phase{
			{Name: warmUp, Kind: history.PhaseWarmUp, For: time.Second},
			{Name: steady, Kind: history.PhaseSteady, For: 1500 * time.Millisecond},
			{Name: broken, Kind: history.PhaseBreak, For: 3500 * time.Millisecond, Faults: []harness.Injection{{Label: "f", Fault: f, Aim: aim}}},
			{Name: healed, Kind: history.PhaseRecover, For: 2500 * time.Millisecond, Heal: []string{"f"}},
			{Name: steadyAgain, Kind: history.PhaseSteady, For: 2 * time.Second},
		},
		Asserts: []assert.Checker{
			assert.SessionSurvival{Expect: assert.ExpectSurvive},
			assert.WriteLedger{},
			assert.ErrorBudget{Steady: 98, Overall: 95, OutageBound: topology.BoundOutageVanished},
			assert.ReadinessGating{},
			assert.FailoverAnatomy{},
			assert.Distribution{},
			assert.Leftovers{},
		},
	}
}

// inject puts another fault in the place of the scenario's.
func (m *memory) inject(f fault.Fault) { m.scenario.Phases[2].Faults[0].Fault = f }

// aim has it hit what s selects.
func (m *memory) aim(s harness.Select) { m.scenario.Phases[2].Faults[0].Aim = s }

// system is a system in which an order's answer takes less than the threshold
// of availability even if its node dies under it.
func system() fake.Options { return fake.Options{Work: 100 * time.Millisecond} }

// suffering is a run with that fault.
func suffering(f fault.Fault, aim harness.Select) *memory {
	return &memory{
		scenario: breaking(f, aim), options: harness.Options{Seed: 7}, system: fake.Driver{Options: system()},
		runner: harness.Runner{Budgets: budgets()},
	}
}

// budgets are a tenth of the defaults or so, for a system that needs no more:
// what hangs costs the less.
func budgets() harness.Budgets {
	return harness.Budgets{
		Act: time.Second, Prove: 2 * time.Second, Undo: 2 * time.Second, Heal: 3 * time.Second,
		Quiesce: 3 * time.Second, Read: 6 * time.Second,
	}
}

// killed is a run in which a node is killed.
func killed() *memory {
	return suffering(fault.InstanceKill{}, harness.Named("j1"))
}

// standing is the same on a topology that stands.
func standing() *memory {
	m := killed()
	m.standing = true
	return m
}

// control is a control that makes the run that of gives.
func control(name string, of func() *memory) Control {
	return Control{Name: name, Run: func(ctx context.Context, dir string) (*harness.Result, error) { return of().run(ctx, dir) }}
}

// once is a mutant's one run: what of gives, after the mutation.
func once(of func() *memory, mutate func(*memory)) func(context.Context, string, string) ([]Run, error) {
	return each(of, []string{""}, func(m *memory, _ string) { mutate(m) })
}

// each is a mutant's several runs, one for each mutation by its name.
func each(of func() *memory, names []string, mutate func(m *memory, name string)) func(context.Context, string, string) ([]Run, error) {
	return func(ctx context.Context, dir, _ string) ([]Run, error) {
		var all []Run
		for _, name := range names {
			m := of()
			mutate(m, name)
			r, err := m.run(ctx, filepath.Join(dir, strings.ReplaceAll(name, " ", "-")))
			if r != nil {
				all = append(all, Run{name, r})
			}
			if err != nil {
				return all, err
			}
		}
		return all, nil
	}
}

// assertOnly keeps the assertions of those names.
func (m *memory) assertOnly(names ...string) {
	m.scenario.Asserts = slices.DeleteFunc(m.scenario.Asserts, func(c assert.Checker) bool { return !slices.Contains(names, c.Name()) })
}
