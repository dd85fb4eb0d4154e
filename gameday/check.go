package gameday

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Check carries documents of checks out during a runbook's incident, and holds what
// they say against what is so. Nobody mends the incident. All but Healthy and
// Progress is required.
type Check struct {
	Book *runbook.Runbook
	// Incident is the scenario that brings the incident about.
	Incident harness.Scenario
	Runner   harness.Runner
	Options  harness.Options
	// Healthy leaves the incident out.
	Healthy bool
	// Documents are carried out in their order, and each of their checks whatever
	// comes of the others.
	Documents []*runbook.Runbook
	Progress  func(Entry)
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
	// Rounds are one a document.
	Rounds []Round `json:"rounds"`
}

// Round is what came of one document.
type Round struct {
	Document string `json:"document"`
	// From and To are when it was carried out, on the run's clock.
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	// Truth is what was so meanwhile of each state, by its name.
	Truth []Truth `json:"truth"`
	Said  []Said  `json:"said"`
	// Amiss is why it says nothing: the incident was over before it began or ended,
	// or something was wrong where nothing was to be. Empty is nothing.
	Amiss string `json:"amiss,omitempty"`
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
	Check string        `json:"check"`
	Line  int           `json:"line"`
	Took  time.Duration `json:"took"`
	Of    []Truth       `json:"of"`
	// Complaint is what was not as the document expects; empty: all was well, unless
	// one of the others says otherwise.
	Complaint string `json:"complaint,omitempty"`
	// Hung is where it was ended since it took too long: by itself it says nothing.
	Hung string `json:"hung,omitempty"`
	// Unmade is why it could not be carried out: that says nothing of the system.
	Unmade string `json:"unmade,omitempty"`
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
	// Hangs: it had not ended when it was ended, and says nothing.
	Hangs Worth = "hangs"
	// Undecided: what it speaks of came or went meanwhile, or could not be seen; or
	// it could not be carried out.
	Undecided Worth = "undecided"
)

// Worth judges one check's word. It is pure.
func (s Said) Worth() Worth {
	missing := slices.ContainsFunc(s.Of, func(t Truth) bool { return t.Held+t.Unseen == 0 && t.Missed > 0 })
	holds := !slices.ContainsFunc(s.Of, func(t Truth) bool { return t.Held == 0 || t.Missed+t.Unseen > 0 })
	switch {
	case s.Unmade != "":
		return Undecided
	case s.Hung != "":
		return Hangs
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

// The sights, each of which goes before those below it.
const (
	// Seen: a check complains of what is missing.
	Seen Sight = "seen"
	// Unclear: a check complains, and whether it is right is not known.
	Unclear Sight = "complains, and may be right"
	// Elsewhere: all that it complains of is well.
	Elsewhere Sight = "complains of what is well"
	// Mute: a check hangs, and none complains.
	Mute Sight = "hangs, and says nothing"
	// Unnoticed: no check complains.
	Unnoticed Sight = "not seen"
)

// Sight judges a document by what its checks said. It is pure.
func (r Round) Sight() Sight {
	sights := []Sight{Seen, Unclear, Elsewhere, Mute, Unnoticed}
	best := len(sights) - 1
	for _, s := range r.Said {
		of := Unnoticed
		switch worth := s.Worth(); {
		case worth == Hangs:
			of = Mute
		case s.Complaint == "" || s.Unmade != "":
		case worth == Right:
			of = Seen
		case worth == FalseAlarm:
			of = Elsewhere
		default:
			of = Unclear
		}
		best = min(best, slices.Index(sights, of))
	}
	return sights[best]
}

// FalseAlarms are the checks that complain of what is well.
func (r Round) FalseAlarms() int {
	n := 0
	for _, s := range r.Said {
		if s.Worth() == FalseAlarm {
			n++
		}
	}
	return n
}

// Well says whether the document said what it should: that it saw the incident, or,
// where there was none, nothing; and in neither case a false alarm. It is pure.
func (c *Checked) Well(r Round) bool {
	if c.Incident == "" {
		return r.Sight() == Unnoticed
	}
	return r.Sight() == Seen && r.FalseAlarms() == 0
}

// Undecided is why it cannot be judged by; empty if it can.
func (c *Checked) Undecided() string {
	switch {
	case c.BrokenOff != "":
		return "broken off: " + c.BrokenOff
	case c.NoSymptom != "":
		return "no symptom: " + c.NoSymptom
	case c.Run == harness.VerdictError:
		return c.Reason
	case len(c.Rounds) == 0:
		return "no check was made"
	}
	for _, r := range c.Rounds {
		if r.Amiss != "" {
			return r.Document + ": " + r.Amiss
		}
	}
	return ""
}

// Run brings the system up, and the incident about, and carries the documents out.
// What cannot be run is an error that wraps harness.ErrUsage, and nothing was
// started. With an error that wraps harness.ErrDirty there is a result all the same.
func (c Check) Run(ctx context.Context) (*Checked, error) {
	out := &Checked{Runbook: c.Book.Name, Incident: c.Book.Front.Incident, NoSymptom: "the run did not come so far", Rounds: []Round{}}
	t := Trial{Book: c.Book, Incident: c.Incident, Runner: c.Runner, Options: c.Options, Progress: c.Progress}
	if c.Healthy {
		out.Incident, t.Control = "", OnHealthy
	}
	act := &checking{documents: c.Documents, checked: out}
	w := &witness{sees: func(_ *System, clock history.RunClock) { act.now = clock.Now }}
	act.carrying = carrying{acting: acting{c.Book.Name}, trial: t, system: w.system, out: &Outcome{}}
	res, err := t.on(ctx, w, act)
	switch {
	case res != nil:
		out.Dir, out.Run, out.Reason, out.Dirty = res.Dir, res.Verdict, res.Reason, res.Dirty || errors.Is(err, harness.ErrDirty)
	case errors.Is(err, harness.ErrDirty):
		out.Run, out.Reason, out.Dirty = harness.VerdictError, err.Error(), true
	default:
		return nil, err
	}
	return out, err
}

// checking is the act of a run that carries documents of checks out.
type checking struct {
	carrying
	documents []*runbook.Runbook
	checked   *Checked
}

var (
	_ fault.Lasting  = (*checking)(nil)
	_ fault.Directed = (*checking)(nil)
)

// Takes implements fault.Lasting.
func (c *checking) Takes() time.Duration {
	total := symptomWithin + time.Minute
	for _, d := range c.documents {
		for _, p := range checksOf(d) {
			total += longest(p.Blocks) + lookWithin
		}
	}
	return total
}

// checksOf are the checks of a document.
func checksOf(d *runbook.Runbook) []Part {
	return slices.DeleteFunc(Only(Whole(d), runbook.Verification), func(p Part) bool {
		return !slices.ContainsFunc(p.Blocks, isCommand)
	})
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
		if ctx.Err() != nil {
			c.checked.BrokenOff = context.Cause(ctx).Error()
		}
	}()
	if c.trial.Control != OnHealthy {
		c.out.NoSymptom = fmt.Sprintf("its checks took longer than the %v that there are", symptomWithin)
		if c.symptom(ctx, sys, began) == nil {
			c.checked.NoSymptom = c.out.NoSymptom
			return ctx.Err()
		}
	}
	c.checked.NoSymptom = ""
	before := sys.looks(ctx)
	for _, d := range c.documents {
		var r Round
		r, before = c.round(ctx, sys, d, before)
		if ctx.Err() != nil {
			break
		}
		c.checked.Rounds = append(c.checked.Rounds, r)
	}
	return ctx.Err()
}

// round carries one document out; before is the last look, and so is what it
// returns.
func (c *checking) round(ctx context.Context, sys *System, d *runbook.Runbook, before map[string]error) (Round, map[string]error) {
	r := Round{Document: d.Name, From: c.now(), Said: []Said{}}
	all, first := looked{}, before
	all.add(before)
	var vars map[string]string
	for _, p := range checksOf(d) {
		if ctx.Err() != nil {
			break
		}
		x := Execution{Book: d, System: sys, Asker: Stated{}, Inputs: vars, Plan: []Part{{p.Section, withoutClaims(p.Part)}}, Progress: c.trial.Progress}
		t := x.Run(ctx)
		vars = t.vars
		after := sys.looks(ctx)
		all.add(after)
		r.Said = append(r.Said, said(p, t, before, after))
		before = after
	}
	r.To, r.Truth = c.now(), all.truths()
	r.Amiss = c.amiss(r, first, before)
	return r, before
}

// amiss says why a round cannot be judged by.
func (c *checking) amiss(r Round, looks ...map[string]error) string {
	if c.trial.Control == OnHealthy {
		for _, t := range r.Truth {
			if t.Held == 0 || t.Missed+t.Unseen > 0 {
				return fmt.Sprintf("nothing was to be wrong, and %s did not always hold: %s", t.State, t.Missing)
			}
		}
		return ""
	}
	for _, seen := range looks {
		if !slices.ContainsFunc(states(c.trial.Book), func(state string) bool { return seen[state] != nil }) {
			return "the incident did not last: all was there again that the runbook restores"
		}
	}
	return ""
}

// said is what a check said, between two looks.
func said(p Part, t *Transcript, before, after map[string]error) Said {
	out := Said{Check: p.Title, Line: p.Line, Took: t.Took, Of: []Truth{}}
	if t.Ending != Done {
		out.complain(t)
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

// complain notes why a check did not end as all well. Only what a command said, or
// that its node does not run, is a complaint.
func (s *Said) complain(t *Transcript) {
	reason := fmt.Sprintf("line %d: %s", t.Line, strings.Join(strings.Fields(t.Reason), " "))
	var last Entry
	if n := len(t.Entries); n > 0 {
		last = t.Entries[n-1]
	}
	switch {
	case last.Kind != KindCommand || last.Err == "" || last.Unmade:
		s.Unmade = reason
	case last.Overdue:
		s.Hung = reason
	default:
		s.Complaint = reason
	}
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

// withoutClaims is a check without what it is taken to say.
func withoutClaims(p *runbook.Part) *runbook.Part {
	out := *p
	out.Blocks = slices.DeleteFunc(slices.Clone(p.Blocks), func(b runbook.Block) bool { _, ok := b.(*runbook.Expect); return ok })
	return &out
}

// Active implements fault.Fault. What the checks said is judged by itself: they
// were made.
func (c *checking) Active(context.Context, []topology.Node) (fault.Proof, error) {
	p := fault.Proof{OK: true, Asked: "checks"}
	for _, r := range c.checked.Rounds {
		for _, s := range r.Said {
			p.How = append(p.How, fmt.Sprintf("%s: %s", s.Check, s.Worth()))
		}
	}
	p.Measured = fmt.Sprintf("%d made", len(p.How))
	return p, nil
}
