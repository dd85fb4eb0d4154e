package gameday

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Trial is one run of an incident in which a variant of a runbook is carried
// out under load. Everything but Asker and Progress is required.
type Trial struct {
	Book *runbook.Runbook
	// Incident is the scenario that brings the incident about.
	Incident harness.Scenario
	Runner   harness.Runner
	Options  harness.Options
	Variant  Variant
	// Patience is how long after the symptom the states are waited for.
	Patience time.Duration
	// Control is what the trial is a control of; empty is the proof itself. OnHealthy
	// leaves the incident out, and for OnAnother it is not the runbook's.
	Control Control
	// Again carries the steps out a second time once the states are there.
	Again    bool
	Asker    Asker
	Progress func(Entry)

	// quiet is how long nothing happens before the incident, besides what the
	// scenario says.
	quiet time.Duration
}

// Outcome is what came of a trial.
type Outcome struct {
	Variant string `json:"variant,omitempty"`
	// Dir is the folder of the run's record, whose verdict is Run: of the data
	// alone, and of what was left behind.
	Dir    string          `json:"dir"`
	Run    harness.Verdict `json:"run"`
	Reason string          `json:"reason"`
	// Dirty says that something could not be healed or removed.
	Dirty bool `json:"dirty,omitempty"`
	// Alert is how long after the incident the runbook's alert fired; negative if it
	// did not, or nothing was waited for.
	Alert time.Duration `json:"alert"`
	// Symptom is how long after the incident the alert had fired and the runbook's
	// checks showed it; negative if that did not come about, and NoSymptom is why.
	Symptom   time.Duration `json:"symptom"`
	NoSymptom string        `json:"noSymptom,omitempty"`
	// Transcript is what was carried out; nil if nothing was. Second is that of
	// the second time.
	Transcript *Transcript `json:"transcript,omitempty"`
	Second     *Transcript `json:"second,omitempty"`
	// Restored is how long after the symptom all states held that the runbook
	// is to restore; negative if they did not, and Missing is what was missing.
	Restored time.Duration `json:"restored"`
	Missing  string        `json:"missing,omitempty"`
	// Lost is what was missing after the second time; empty is nothing.
	Lost string `json:"lost,omitempty"`
	// BrokenOff is why the trial ended before its time; empty is that it did not.
	// What it did not come to says nothing then.
	BrokenOff string `json:"brokenOff,omitempty"`
	// Control is what the trial was a control of; empty is the proof itself.
	Control Control `json:"control,omitempty"`
	// Worse is what was there on a healthy system, or during another incident, before
	// the runbook was carried out, and not after that; empty is nothing.
	Worse string `json:"worse,omitempty"`
	// Unserved is how long at a stretch nobody was served while the steps were carried
	// out and until all was restored, where most had been served before: see unserved.
	// 0 where no step was.
	Unserved time.Duration `json:"unserved,omitempty"`
	// Short says that the machine had no time of its own while this was tried, so that
	// what took too long says nothing; empty is that it had.
	Short string `json:"short,omitempty"`
}

// symptomWithin is how long a symptom is waited for, from the incident on.
const symptomWithin = 45 * time.Second

// Labels of the phases that a trial adds.
const (
	phaseQuiet    = "quiet"
	phaseRunbook  = "runbook"
	phaseRestored = "restored"
)

// Run brings the system up, and the incident about, and carries the variant out.
// What cannot be run is an error that wraps harness.ErrUsage, and nothing was
// started.
func (t Trial) Run(ctx context.Context) (*Outcome, error) {
	out := &Outcome{Variant: t.Variant.Name, Control: t.Control, Alert: -1, Symptom: -1, Restored: -1, NoSymptom: "the run did not come so far", Missing: "the run did not come so far"}
	act := &carrying{acting: acting{t.Book.Name}, trial: t, out: out}
	w := &witness{sees: func(_ *System, clock history.RunClock) { act.now = clock.Now }}
	act.system = w.system
	res, err := t.on(ctx, w, act)
	if res == nil {
		return nil, err
	}
	out.Dir, out.Run, out.Reason, out.Dirty = res.Dir, res.Verdict, res.Reason, res.Dirty || errors.Is(err, harness.ErrDirty)
	return out, errors.Join(err, act.served())
}

// served reads from the record whether users were served while the steps were carried
// out, and whether the machine was the run's own: what it did otherwise says nothing.
// A run that came to no step need not have a record.
func (c *carrying) served() error {
	h, err := history.Load(c.out.Dir)
	if err != nil && c.acted == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("what users saw of the runbook: %w", err)
	}
	looks, of, throughout := h.Stolen()
	switch {
	case throughout:
		c.out.Short = fmt.Sprintf("the machine was short: its hypervisor took time from it in %d of %d looks", looks, of)
	case c.acted > 0:
		c.out.Unserved = unserved(h, c.acted, c.over)
	}
	return nil
}

// servedBefore is for how long before its steps users must have been served, most of
// them, for an outage to be the steps' doing.
const servedBefore = 5 * time.Second

// unserved is the longest time between two moments, on the run's clock, in which no
// operation that was due was answered well and in time: 0 if of those that were due
// before them fewer than half were. A stretch that began before the first of the
// moments does not count.
func unserved(h *history.History, from, to time.Duration) time.Duration {
	last, longest := time.Duration(-1), time.Duration(0)
	due, served := 0, 0 // before
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Intended > to {
			break
		}
		latency, done := o.Latency()
		good := done && o.Outcome == history.Good && latency <= inTime
		if o.Intended < from && o.Intended >= from-servedBefore {
			due++
			if good {
				served++
			}
		}
		if !good {
			continue
		}
		if last >= from-inTime && o.Intended >= from {
			longest = max(longest, o.Intended-last)
		}
		last = o.Intended
	}
	if last >= from-inTime {
		longest = max(longest, to-last)
	}
	if 2*served < due || due == 0 {
		return 0
	}
	return longest
}

// Check says what keeps the incident from being brought about, or judged, as far as
// that is known before anything is started; the error wraps harness.ErrUsage.
func (t Trial) Check() error {
	_, err := t.checked(&carrying{})
	return err
}

// checked is the scenario in which act takes the place of the incident's heal.
func (t Trial) checked(act fault.Fault) (harness.Scenario, error) {
	for _, s := range t.Book.Front.Restores {
		if !CanLook(s.Name) {
			return harness.Scenario{}, fmt.Errorf("%w: %s:%d: there is no state %s: docs/runbooks.md has them", harness.ErrUsage, t.Book.Name, s.Line, s.Name)
		}
	}
	return t.scenario(act)
}

// on runs the incident, and then act instead of its heal, before a witness.
func (t Trial) on(ctx context.Context, w *witness, act fault.Fault) (*harness.Result, error) {
	s, err := t.checked(act)
	if err != nil {
		return nil, err
	}
	w.Suite = cmp.Or[harness.Suite](t.Runner.Suite, harness.Observed{})
	r := t.Runner
	r.Suite = w
	lookup := r.Lookup
	if lookup == nil {
		lookup = topology.Lookup
	}
	r.Lookup = func(name string) (topology.Definition, error) {
		def, err := lookup(name)
		return WithOperator(def), err
	}
	return r.Run(ctx, s, t.Options)
}

// scenario is the incident's, up to where it breaks; then comes the runbook. What
// it broke is healed only when the runbook's time is over.
func (t Trial) scenario(act fault.Fault) (harness.Scenario, error) {
	s := t.Incident
	breaks := slices.IndexFunc(s.Phases, func(p harness.Phase) bool { return len(p.Faults) > 0 })
	if breaks < 0 {
		return s, fmt.Errorf("%w: the scenario %s breaks nothing, so that there is no incident", harness.ErrUsage, s.Name)
	}
	inner := s.Apply
	s.Apply = func(s harness.Scenario, set map[string]string) (harness.Scenario, error) {
		if inner != nil {
			var err error
			if s, err = inner(s, set); err != nil {
				return s, err
			}
		}
		return t.shaped(s, act)
	}
	s.About = fmt.Sprintf("The runbook %s during its incident: %s", t.Book.Name, s.About)
	return s, nil
}

// shaped has a scenario end in the runbook, judged by what no incident may cost.
func (t Trial) shaped(s harness.Scenario, act fault.Fault) (harness.Scenario, error) {
	breaks := slices.IndexFunc(s.Phases, func(p harness.Phase) bool { return len(p.Faults) > 0 })
	if breaks < 0 {
		return s, fmt.Errorf("with these settings the scenario breaks nothing")
	}
	phases := slices.Clone(s.Phases[:breaks+1])
	last := &phases[breaks]
	// The runbook waits for the symptom by itself, once the incident is proven.
	last.For, last.Cover, last.Await = time.Second, nil, true
	if t.Control == OnHealthy {
		last.Faults, last.Kind = nil, history.PhaseSteady
	}
	last.Faults = allMended(last.Faults)
	if t.quiet > 0 {
		phases = slices.Insert(phases, breaks, harness.Phase{Name: phaseQuiet, Kind: history.PhaseSteady, For: t.quiet})
	}
	s.Phases = append(phases,
		harness.Phase{Name: phaseRunbook, Kind: history.PhaseRecover, For: time.Second, Await: true, Faults: []harness.Injection{{
			Label: phaseRunbook, Fault: act,
			Aim: harness.Select{Name: "the whole system", Pick: func(_ *rand.Rand, v harness.View) []topology.Node { return v.Nodes }},
		}}},
		// What no runbook has mended is healed while the load goes on, and given the time
		// to be noticed.
		harness.Phase{Name: phaseRestored, Kind: history.PhaseRecover, For: 6 * time.Second, Await: true, Heal: []string{"*"}},
	)
	s.Exercises, s.Cases = nil, nil
	s.Asserts = []assert.Checker{assert.SessionSurvival{Expect: assert.ExpectSurvive}, assert.WriteLedger{}, assert.Leftovers{}}
	return s, nil
}

// witness is a suite that remembers the cluster which it looks at.
type witness struct {
	harness.Suite
	// sees is told of the cluster once it stands, with the run's clock; nil is
	// nobody.
	sees func(*System, history.RunClock)

	mu  sync.Mutex
	sys *System
}

// Observers implements harness.Suite.
func (w *witness) Observers(c topology.Cluster, clock history.RunClock, dir string) []observe.Observer {
	w.mu.Lock()
	w.sys = NewSystem(c)
	sys := w.sys
	w.mu.Unlock()
	if w.sees != nil {
		w.sees(sys, clock)
	}
	return w.Suite.Observers(c, clock, dir)
}

func (w *witness) system() *System {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sys
}

// acting is what the acts of people in a run have in common: they break nothing
// and have nothing to undo; the record shows from when to when they lasted.
type acting struct {
	Book string `json:"book"`
}

// ActKind is the kind of the act in which people, or a runbook, mend the system, as
// the record of its run has it.
const ActKind = "runbook"

// Kind implements fault.Fault.
func (acting) Kind() string { return ActKind }

// Validate implements fault.Fault.
func (acting) Validate() error { return nil }

// Suffers implements fault.Directed: no node does, and the record names the
// operator's container, from where it is carried out.
func (acting) Suffers(n topology.Node) bool { return n.Role() == OperatorRole }

// Healed implements fault.Fault: there is nothing to undo.
func (acting) Healed(context.Context, []topology.Node) (fault.Proof, error) {
	return fault.Proof{OK: true, Asked: "nothing", Measured: "a runbook is not undone"}, nil
}

// carrying is the act of a run that carries the runbook out.
type carrying struct {
	acting
	trial  Trial
	system func() *System
	out    *Outcome
	now    func() time.Duration // the run's clock
	// acted is when the first command of a step was begun, and over when nothing more
	// was waited for, on the run's clock; 0 is that no step was carried out.
	acted, over time.Duration
}

var (
	_ fault.Lasting  = (*carrying)(nil)
	_ fault.Directed = (*carrying)(nil)
)

// Takes implements fault.Lasting.
func (c *carrying) Takes() time.Duration {
	total := symptomWithin + c.trial.Patience + time.Minute
	for _, p := range c.trial.Variant.Plan {
		total += longest(p.Blocks)
	}
	return 2 * total
}

// MostNodes is on how many nodes a command may run, one after the other: as many as
// the built-in topology takes of a role.
const MostNodes = 8

// longest is how long blocks may take.
func longest(blocks []runbook.Block) time.Duration {
	var total time.Duration
	for _, b := range blocks {
		switch b := b.(type) {
		case *runbook.Command:
			total += MostNodes * patience(b)
		case *runbook.Expect:
			total += b.Within + settled
		}
	}
	return total
}

// Inject implements fault.Fault: it returns when the states hold, or no longer
// can within the patience. What came of it is in the outcome.
func (c *carrying) Inject(ctx context.Context, _ []topology.Node, _ fault.Recorder) error {
	began := time.Now()
	sys := c.system()
	if sys == nil {
		return errors.New("the system was never looked at")
	}
	defer func() {
		if ctx.Err() != nil {
			c.out.BrokenOff = context.Cause(ctx).Error()
		}
	}()
	switch c.trial.Control {
	case OnHealthy:
		c.unneeded(ctx, sys)
		return ctx.Err()
	case OnAnother:
		c.elsewhere(ctx, sys)
		return ctx.Err()
	}
	seen := c.symptom(ctx, sys, began)
	if seen == nil {
		return ctx.Err()
	}
	alert := time.Now()
	if len(c.trial.Variant.Plan) > 0 {
		begins := c.now() - time.Since(seen.Began)
		// The checks that have just shown the symptom are not made once more: one
		// that comes and goes would be taken for another incident.
		further := Only(c.trial.Variant.Plan, runbook.Diagnosis, runbook.Steps, runbook.Verification)
		c.out.Transcript = seen.then(c.execute(ctx, sys, further, seen.vars))
		if at, ok := c.out.Transcript.acted(); ok {
			c.acted = begins + at
			defer func() { c.over = c.now() }()
		}
	}
	if next := c.trial.Variant.Next; next != nil {
		if c.trial.Control == StepsUndone {
			c.shows(ctx, sys)
		}
		c.out.Second = c.execute(ctx, sys, next, nil)
	}
	if t := c.out.Transcript; c.trial.Again && t != nil && t.Ending != Done {
		// A proof that has failed waits for nothing more.
		if err := sys.all(ctx, states(c.trial.Book)); err != nil && ctx.Err() == nil {
			c.out.Missing = err.Error()
		}
		return ctx.Err()
	}
	if !c.restored(ctx, sys, alert) || !c.trial.Again {
		return ctx.Err()
	}
	c.out.Second = c.execute(ctx, sys, Only(c.trial.Variant.Plan, runbook.Steps), c.out.Transcript.vars)
	c.out.Lost = c.missing(ctx, sys)
	return ctx.Err()
}

// shows waits until the symptom is there again once what had mended it was undone, or
// all that the runbook restores has been there all the while.
func (c *carrying) shows(ctx context.Context, sys *System) {
	bounded, cancel := context.WithTimeout(ctx, symptomWithin)
	defer cancel()
	since := time.Now()
	for bounded.Err() == nil && time.Since(since) < unchanged {
		if showing(bounded, c.trial.Book, sys).Ending == Done {
			return
		}
		if sys.all(bounded, states(c.trial.Book)) != nil {
			since = time.Now()
		}
		rest(bounded)
	}
}

// unneeded carries the runbook out on a healthy system.
func (c *carrying) unneeded(ctx context.Context, sys *System) {
	began := time.Now()
	c.out.NoSymptom = "nothing was wrong with the system"
	if _, err := sys.Await(ctx, worseAfter, states(c.trial.Book)...); err != nil {
		c.out.BrokenOff = "what it is to restore was not there on a healthy system: " + err.Error()
		return
	}
	held := sys.holding(ctx)
	c.out.Transcript = c.execute(ctx, sys, c.trial.Variant.Plan, nil)
	if c.restored(ctx, sys, began) {
		c.worse(ctx, sys, held)
	}
}

// worse looks whether what was there before the runbook was carried out is there after
// it.
func (c *carrying) worse(ctx context.Context, sys *System, held []string) {
	if _, err := sys.Await(ctx, worseAfter, held...); err != nil && ctx.Err() == nil {
		c.out.Worse = err.Error()
	}
}

// showsWithin is how long it is waited for that another incident shows, and
// unchanged how long what it leaves must have held for it to count: an incident
// takes one thing after the other.
const (
	showsWithin = 10 * time.Second
	unchanged   = 5 * time.Second
)

// worseAfter is how long what was there may be missing after the runbook was carried
// out during another incident: as long as a node takes to begin.
const worseAfter = 15 * time.Second

// elsewhere carries the runbook out during another incident, and looks whether what
// was there before is there after it.
func (c *carrying) elsewhere(ctx context.Context, sys *System) {
	c.out.NoSymptom = "it is another incident"
	held := sys.holding(ctx)
	last, until := time.Now(), time.Now().Add(showsWithin)
	for ctx.Err() == nil && (len(held) == len(sys.lookers) && time.Now().Before(until) || len(held) < len(sys.lookers) && time.Since(last) < unchanged) {
		rest(ctx)
		now := sys.holding(ctx)
		both := slices.DeleteFunc(slices.Clone(held), func(s string) bool { return !slices.Contains(now, s) })
		if len(both) < len(held) {
			held, last = both, time.Now()
		}
	}
	c.out.Transcript = c.execute(ctx, sys, c.trial.Variant.Plan, nil)
	if !c.out.Transcript.steps() {
		return // it has done nothing that could be for the worse
	}
	c.worse(ctx, sys, held)
}

// execute carries a plan out; vars are what is known before.
func (c *carrying) execute(ctx context.Context, sys *System, plan []Part, vars map[string]string) *Transcript {
	x := Execution{Book: c.trial.Book, System: sys, Asker: c.trial.Asker, Inputs: vars, Variant: c.trial.Variant.Name, Plan: plan, Amiss: c.trial.Variant.Amiss, Progress: c.trial.Progress}
	return x.Run(ctx)
}

// symptom waits until the runbook's alert has fired, its own checks show the symptom,
// and the states that it is to restore are not there. It returns what showed it, nil if
// nothing did.
func (c *carrying) symptom(ctx context.Context, sys *System, began time.Time) *Transcript {
	bounded, cancel := context.WithTimeout(ctx, symptomWithin)
	defer cancel()
	alert := pagerOf(c.trial.Book)
	for {
		if c.out.Alert < 0 && alert.fires(bounded, sys) {
			c.out.Alert = time.Since(began)
		}
		t := showing(bounded, c.trial.Book, sys)
		lost := sys.all(bounded, states(c.trial.Book))
		if c.out.Alert >= 0 && t.Ending == Done && lost != nil && bounded.Err() == nil {
			c.out.Symptom, c.out.NoSymptom = time.Since(began), ""
			return t
		}
		if bounded.Err() == nil {
			switch {
			case t.Ending != Done:
				c.out.NoSymptom = fmt.Sprintf("line %d: %s", t.Line, t.Reason)
			case lost == nil:
				c.out.NoSymptom = "its checks show the symptom, and yet all that it is to restore is there"
			default:
				c.out.NoSymptom = "its checks show the symptom, and yet " + alert.silent()
			}
		}
		if rest(bounded); bounded.Err() != nil {
			return nil
		}
	}
}

// showing carries the checks of a runbook's symptom out, for which nobody is asked.
func showing(ctx context.Context, book *runbook.Runbook, sys *System) *Transcript {
	x := Execution{Book: book, System: sys, Asker: Stated{}, Plan: Only(Whole(book), runbook.Symptom)}
	return x.Run(ctx)
}

// rest is the time between two looks; the end of ctx ends it.
func rest(ctx context.Context) {
	select {
	case <-time.After(lookEvery):
	case <-ctx.Done():
	}
}

// restored waits for the states for what is left of the patience.
func (c *carrying) restored(ctx context.Context, sys *System, alert time.Time) bool {
	left := max(c.trial.Patience-time.Since(alert), settled)
	since, err := sys.Await(ctx, left, states(c.trial.Book)...)
	if err != nil {
		c.out.Missing = err.Error()
		return false
	}
	c.out.Restored, c.out.Missing = max(0, since.Sub(alert)), ""
	return true
}

// missing is what is not there once a while has passed; empty is nothing.
func (c *carrying) missing(ctx context.Context, sys *System) string {
	if _, err := sys.Await(ctx, c.trial.Patience, states(c.trial.Book)...); err != nil && ctx.Err() == nil {
		return err.Error()
	}
	return ""
}

// Active implements fault.Fault. The proof is what the outcome says, which is
// judged by itself: the act was carried out.
func (c *carrying) Active(context.Context, []topology.Node) (fault.Proof, error) {
	p := fault.Proof{OK: true, Asked: "the runbook " + c.Book, Measured: "nothing was carried out"}
	if t := c.out.Transcript; t != nil {
		p.Measured = fmt.Sprintf("%s, after %s", t.Ending, sayTime(t.Took))
		for _, e := range t.Entries {
			line := fmt.Sprintf("line %d: as expected, after %s", e.Line, sayTime(e.Took))
			if e.Err != "" {
				line = fmt.Sprintf("line %d: %s", e.Line, e.Err)
			}
			p.How = append(p.How, line)
		}
	}
	return p, nil
}
