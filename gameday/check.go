package gameday

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Check carries documents of checks out during a runbook's incident, and holds what
// they say against what is so. Nobody mends the incident. The Trial's Control is
// empty or OnHealthy; its Variant, Patience and Again count for nothing.
type Check struct {
	Trial
	// Documents are carried out in their order, and each of their checks whatever
	// comes of the others.
	Documents []*runbook.Runbook
}

// Checked is what came of it.
type Checked struct {
	Runbook string `json:"runbook"`
	// Incident is the scenario; empty is none: nothing was wrong.
	Incident string `json:"incident,omitempty"`
	// Dir is the folder of the run's record, whose verdict is Run: of the data, and
	// of what was left behind.
	Dir    string          `json:"dir"`
	Run    harness.Verdict `json:"run"`
	Reason string          `json:"reason"`
	Dirty  bool            `json:"dirty,omitempty"`
	// NoSymptom is why the incident did not show, and BrokenOff why the run ended
	// before its time; with either, what is here says nothing.
	NoSymptom string `json:"noSymptom,omitempty"`
	BrokenOff string `json:"brokenOff,omitempty"`
	// From and To are when the checks were made, on the run's clock.
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	// Truth is what was so meanwhile of each state, by its name.
	Truth []Truth `json:"truth"`
	Said  []Said  `json:"said"`
}

// Truth is what looks at a state saw. The zero value is one that nobody looked at.
type Truth struct {
	State string `json:"state"`
	// Held is how many looks saw it hold, and Missed how many saw that it did not;
	// Unseen are those that could not see it, such as one at a node that is gone.
	Held   int `json:"held"`
	Missed int `json:"missed"`
	Unseen int `json:"unseen,omitempty"`
	// Missing is what the last look said that did not see it hold.
	Missing string `json:"missing,omitempty"`
}

// Said is what one check said, and what was so of the states that it is taken to
// speak of: by a look at each right before it, and one right after.
type Said struct {
	Document string  `json:"document"`
	Check    string  `json:"check"`
	Line     int     `json:"line"`
	Of       []Truth `json:"of"`
	// Complaint is what was not as the document expects; empty: all was well.
	Complaint string `json:"complaint,omitempty"`
	// Took is how long it took.
	Took time.Duration `json:"took"`
}

// Worth is what a check's word is worth.
type Worth string

// The worths.
const (
	// Right: it says that all is well, and so it is; or it complains, and a state
	// is missing that it speaks of.
	Right Worth = "right"
	// Blind: it says that all is well, and a state is missing that it speaks of.
	Blind Worth = "blind"
	// FalseAlarm: it complains, and all holds that it speaks of.
	FalseAlarm Worth = "false alarm"
	// Undecided: what it speaks of came or went meanwhile, or could not be seen.
	Undecided Worth = "undecided"
)

// Worth judges one check's word. It is pure.
func (s Said) Worth() Worth {
	missing := slices.ContainsFunc(s.Of, func(t Truth) bool { return t.Held+t.Unseen == 0 && t.Missed > 0 })
	holds := !slices.ContainsFunc(s.Of, func(t Truth) bool { return t.Held == 0 || t.Missed+t.Unseen > 0 })
	switch {
	case missing && s.Complaint == "":
		return Blind
	case missing:
		return Right
	case !holds:
		return Undecided
	case s.Complaint == "":
		return Right
	}
	return FalseAlarm
}

// Sight is what a whole document tells of an incident.
type Sight string

// The sights.
const (
	// Seen: a check complains of what is missing.
	Seen Sight = "seen"
	// Elsewhere: checks complain, and none of them is known to be right.
	Elsewhere Sight = "complains of something else"
	// Unnoticed: every check says that all is well.
	Unnoticed Sight = "not seen"
)

// Sight judges a document by what its checks said. It is pure.
func (c *Checked) Sight(document string) Sight {
	out := Unnoticed
	for _, s := range c.Said {
		switch {
		case s.Document != document || s.Complaint == "":
		case s.Worth() == Right:
			return Seen
		default:
			out = Elsewhere
		}
	}
	return out
}

// Decided says whether it can be judged by.
func (c *Checked) Decided() bool {
	return c.NoSymptom == "" && c.BrokenOff == "" && c.Run != harness.VerdictError && len(c.Said) > 0
}

// Run brings the system up, and the incident about, and carries the documents out.
// What cannot be run is an error that wraps harness.ErrUsage, and nothing was
// started.
func (c Check) Run(ctx context.Context) (*Checked, error) {
	out := &Checked{Runbook: c.Book.Name, Incident: c.Book.Front.Incident, NoSymptom: "the run did not come so far", Truth: []Truth{}, Said: []Said{}}
	if c.Control == OnHealthy {
		out.Incident = ""
	}
	act := &checking{documents: c.Documents, checked: out}
	w := &witness{sees: func(_ *System, clock history.RunClock) { act.now = clock.Now }}
	act.carrying = carrying{acting: acting{c.Book.Name}, trial: c.Trial, system: w.system, out: &Outcome{}}
	res, err := c.on(ctx, w, act)
	if res == nil {
		return nil, err
	}
	out.Dir, out.Run, out.Reason, out.Dirty = res.Dir, res.Verdict, res.Reason, res.Dirty || errors.Is(err, harness.ErrDirty)
	return out, err
}

// checking is the act of a run that carries documents of checks out.
type checking struct {
	carrying
	documents []*runbook.Runbook
	checked   *Checked
	now       func() time.Duration // the run's clock
}

var (
	_ fault.Lasting  = (*checking)(nil)
	_ fault.Directed = (*checking)(nil)
)

// Takes implements fault.Lasting.
func (c *checking) Takes() time.Duration {
	total := symptomWithin + time.Minute
	for _, d := range c.documents {
		for _, p := range Only(Whole(d), runbook.Verification) {
			total += longest(p.Blocks) + lookWithin
		}
	}
	return 2 * total
}

// Inject implements fault.Fault: it returns when all checks have been made. What
// they said is in the result.
func (c *checking) Inject(ctx context.Context, _ []topology.Node, _ fault.Recorder) error {
	began := time.Now()
	sys := c.system()
	if sys == nil {
		return errors.New("the system was never looked at")
	}
	defer func() {
		c.checked.NoSymptom = c.out.NoSymptom
		if ctx.Err() != nil {
			c.checked.BrokenOff = context.Cause(ctx).Error()
		}
	}()
	if c.trial.Control != OnHealthy && c.symptom(ctx, sys, began) == nil {
		return ctx.Err()
	}
	c.checked.From = c.now()
	all := looked{}
	before := sys.looks(ctx)
	all.add(before)
	for _, d := range c.documents {
		var vars map[string]string
		for _, p := range Only(Whole(d), runbook.Verification) {
			if len(commandsIn(p.Blocks)) == 0 || ctx.Err() != nil {
				continue
			}
			x := Execution{Book: d, System: sys, Asker: Stated{}, Inputs: vars, Plan: []Part{{p.Section, ofCommands(p.Part)}}, Progress: c.trial.Progress}
			t := x.Run(ctx)
			vars = t.vars
			after := sys.looks(ctx)
			all.add(after)
			c.checked.Said = append(c.checked.Said, said(d, p, t, before, after))
			before = after
		}
	}
	c.checked.To = c.now()
	c.checked.Truth = all.truths()
	return ctx.Err()
}

// said is what a check said, between two looks.
func said(d *runbook.Runbook, p Part, t *Transcript, before, after map[string]error) Said {
	out := Said{Document: d.Name, Check: p.Title, Line: p.Line, Took: t.Took}
	if t.Ending != Done {
		out.Complaint = fmt.Sprintf("line %d: %s", t.Line, t.Reason)
	}
	two := looked{}
	two.add(before)
	two.add(after)
	for _, b := range p.Blocks {
		if e, ok := b.(*runbook.Expect); ok {
			truth := Truth{State: e.State}
			if seen := two[e.State]; seen != nil {
				truth = *seen
			}
			out.Of = append(out.Of, truth)
		}
	}
	return out
}

// looked is what looks saw, by state.
type looked map[string]*Truth

// add adds a look at each state.
func (l looked) add(seen map[string]error) {
	for state, err := range seen {
		t := l[state]
		if t == nil {
			t = &Truth{State: state}
			l[state] = t
		}
		switch {
		case err == nil:
			t.Held++
			continue
		case isUnseen(err):
			t.Unseen++
		default:
			t.Missed++
		}
		t.Missing = err.Error()
	}
}

// truths are what was seen, by the states' names.
func (l looked) truths() []Truth {
	out := []Truth{}
	for _, state := range slices.Sorted(maps.Keys(l)) {
		out = append(out, *l[state])
	}
	return out
}

// commandsIn are those among blocks.
func commandsIn(blocks []runbook.Block) []*runbook.Command {
	var out []*runbook.Command
	for _, b := range blocks {
		if c, ok := b.(*runbook.Command); ok {
			out = append(out, c)
		}
	}
	return out
}

// ofCommands is a check without what it is taken to say.
func ofCommands(p *runbook.Part) *runbook.Part {
	out := *p
	out.Blocks = slices.DeleteFunc(slices.Clone(p.Blocks), func(b runbook.Block) bool { _, ok := b.(*runbook.Expect); return ok })
	return &out
}

// Active implements fault.Fault. What the checks said is judged by itself: they
// were made.
func (c *checking) Active(context.Context, []topology.Node) (fault.Proof, error) {
	p := fault.Proof{OK: true, Asked: "checks", Measured: fmt.Sprintf("%d made", len(c.checked.Said))}
	for _, s := range c.checked.Said {
		p.How = append(p.How, fmt.Sprintf("%s: %s", s.Check, s.Worth()))
	}
	return p, nil
}
