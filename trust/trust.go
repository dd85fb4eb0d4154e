// Package trust shows that hachaos's verdicts are right, by breaking what they
// rest on. A mutant is hachaos with one thing broken, as real harnesses break:
// a fault that does nothing, a generator that stalls, a log that is lost, a
// record that is torn. The system under test is in order, so that a verdict
// that passes it has not noticed, and one that fails it blames it for what it
// did not do. Each mutant must end as inconclusive, error or dirty, and its
// reason must name what is broken.
//
// A mutant shows nothing unless the same run without the mutation passes: each
// has such a control.
package trust

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// Ending is what a run of a mutant must come to.
type Ending string

// The endings. A dirty run may have any verdict but a pass.
const (
	Inconclusive Ending = "inconclusive"
	Error        Ending = "error"
	Dirty        Ending = "dirty"
)

// Control is a run of which nothing is broken. It must pass. Controls of one
// name are the same.
type Control struct {
	Name string
	// Run makes the run below dir, which exists.
	Run func(ctx context.Context, dir string) (*harness.Result, error)
}

// Mutant is hachaos with one thing broken.
type Mutant struct {
	// Name is unique, with dashes.
	Name string
	// Title says in a sentence what is broken.
	Title string
	// Stands says in which way real harnesses come to be broken so.
	Stands string
	// Control is the same run without the mutation.
	Control Control
	// Ends is what it must come to.
	Ends Ending
	// Says are words that must be said of why: in the result's reason, or else
	// in the reasons of an assertion.
	Says []string
	// Containers says that it takes an engine, and the time of real runs.
	Containers bool
	// Run makes the run, or the runs, below dir, which exists, and returns what
	// came of each. control is the folder of the control's run, and must not be
	// changed.
	Run func(ctx context.Context, dir, control string) ([]Run, error)
}

// Run is one run of a mutant, or one record that was judged.
type Run struct {
	// Which of several it is, in words; empty if there is one only.
	Which  string
	Result *harness.Result
}

// Outcome is what came of one mutant.
type Outcome struct {
	Mutant Mutant
	// Verdict, Reason and Dirty are those of the mutant's run; of several, of
	// the first that is not as it must be, or else of the last. Where the
	// result's reason does not hold what must be said, that of the assertion
	// which does follows it.
	Verdict harness.Verdict
	Reason  string
	Dirty   bool
	// Runs is how many runs, or records, were judged.
	Runs int
	// Repeats is how often an inconclusive run was made again: see Trials.
	Repeats int
	// Wrong says what is not as it must be; empty if the mutant is caught.
	Wrong string
}

// Good says that the mutant ended as it must.
func (o Outcome) Good() bool { return o.Wrong == "" }

// Attempts is how often a run is made that is inconclusive and must not be.
const Attempts = 3

// Trials tries mutants, and runs each control once. An inconclusive run is made
// again where something else is expected, as a machine that is short makes any
// run inconclusive: up to Attempts times. Nothing else is ever repeated. It is
// safe for concurrent use.
type Trials struct {
	// Dir is where the runs' folders go; required.
	Dir string

	mu       sync.Mutex
	controls map[string]ran
}

// ran is what came of a control.
type ran struct {
	dir   string
	wrong string
}

// Try runs a mutant, after its control.
func (t *Trials) Try(ctx context.Context, m Mutant) Outcome {
	o := Outcome{Mutant: m}
	control := t.control(ctx, m.Control)
	if control.wrong != "" {
		o.Wrong = control.wrong
		return o
	}
	for ; ; o.Repeats++ {
		dir, err := t.dir(m.Name, o.Repeats)
		if err != nil {
			o.Wrong = err.Error()
			return o
		}
		runs, err := m.Run(ctx, dir, control.dir)
		o.take(runs, err)
		short := o.Verdict == harness.VerdictInconclusive && !o.Dirty && m.Ends != Inconclusive
		if !short || o.Repeats == Attempts-1 || ctx.Err() != nil {
			return o
		}
	}
}

// control runs one that was not run before.
func (t *Trials) control(ctx context.Context, c Control) ran {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.controls[c.Name]; ok {
		return r
	}
	r := t.pass(ctx, c)
	if t.controls == nil {
		t.controls = map[string]ran{}
	}
	t.controls[c.Name] = r
	return r
}

// pass runs a control until it is conclusive.
func (t *Trials) pass(ctx context.Context, c Control) ran {
	for repeat := 0; ; repeat++ {
		dir, err := t.dir("control-"+c.Name, repeat)
		if err != nil {
			return ran{wrong: err.Error()}
		}
		r, err := c.Run(ctx, dir)
		switch {
		case err != nil:
			return ran{wrong: fmt.Sprintf("control %s: %v", c.Name, err)}
		case r.Verdict == harness.VerdictPass && !r.Dirty:
			return ran{dir: r.Dir}
		case r.Verdict == harness.VerdictInconclusive && !r.Dirty && repeat < Attempts-1 && ctx.Err() == nil:
		default:
			return ran{wrong: fmt.Sprintf("control %s does not pass, so that the mutant shows nothing: %s: %s", c.Name, said(r.Verdict, r.Dirty), r.Reason)}
		}
	}
}

// dir makes a folder of its own for each run.
func (t *Trials) dir(name string, repeat int) (string, error) {
	if repeat > 0 {
		name = fmt.Sprintf("%s-%d", name, repeat+1)
	}
	dir := filepath.Join(t.Dir, name)
	return dir, os.MkdirAll(dir, 0o755)
}

// take holds the results against what the mutant must come to. An error that
// is harness.ErrDirty tells of a dirty run whose record was lost.
func (o *Outcome) take(runs []Run, err error) {
	o.Runs, o.Wrong = len(runs), ""
	untold := errors.Is(err, harness.ErrDirty)
	switch {
	case err != nil && !untold:
		o.Wrong = err.Error()
		return
	case len(runs) == 0:
		o.Wrong = "nothing was judged"
		return
	}
	for _, run := range runs {
		r := run.Result
		o.Verdict, o.Reason, o.Dirty = r.Verdict, r.Reason, r.Dirty
		if untold {
			o.Dirty, o.Reason = true, fmt.Sprintf("%s %v.", r.Reason, err)
		}
		if wrong := o.Mutant.wrong(o, r); wrong != "" {
			o.Wrong = strings.TrimPrefix(run.Which+": "+wrong, ": ")
			return
		}
	}
}

// wrong says what of a result is not as the mutant must have it; empty if
// nothing.
func (m Mutant) wrong(o *Outcome, r *harness.Result) string {
	ended := said(o.Verdict, o.Dirty)
	switch {
	case o.Verdict == harness.VerdictPass:
		return fmt.Sprintf("it ends as %s: nobody noticed", ended)
	case len(blamed(r)) > 0:
		return fmt.Sprintf("it ends as %s, and blames the system under test: %s", ended, strings.Join(blamed(r), ", "))
	case !m.ends(o.Verdict, o.Dirty):
		return fmt.Sprintf("it ends as %s instead of %s", ended, m.Ends)
	}
	for _, words := range m.Says {
		if !o.says(words, r) {
			return fmt.Sprintf("no reason says %q", words)
		}
	}
	return ""
}

// ends says whether a run that ended so ended as the mutant must.
func (m Mutant) ends(v harness.Verdict, dirty bool) bool {
	return dirty == (m.Ends == Dirty) && (m.Ends == Dirty || string(v) == string(m.Ends))
}

// Ended says whether what was kept of a run is what the mutant asks for now.
func (m Mutant) Ended(v harness.Verdict, dirty bool, reason string) bool {
	return v != harness.VerdictPass && m.ends(v, dirty) && !slices.ContainsFunc(m.Says, func(words string) bool { return !strings.Contains(Stable(reason), Stable(words)) })
}

// says looks for words in the reason, and adds the first of an assertion that
// has them where it has not.
func (o *Outcome) says(words string, r *harness.Result) bool {
	if strings.Contains(o.Reason, words) {
		return true
	}
	for _, v := range r.Assertions {
		for _, reason := range v.Reasons {
			if strings.Contains(reason, words) {
				o.Reason += fmt.Sprintf(" (%s: %s)", v.Name, reason)
				return true
			}
		}
	}
	return false
}

// blamed are the assertions about the system under test for which the run
// fails. That something is left behind is said of hachaos itself.
func blamed(r *harness.Result) []string {
	var names []string
	for _, v := range r.Assertions {
		if r.Verdict == harness.VerdictFail && v.Status == assert.Fail && v.Name != (assert.Leftovers{}).Name() {
			names = append(names, v.Name)
		}
	}
	return names
}

// said is a verdict as people are told it.
func said(v harness.Verdict, dirty bool) string {
	if dirty {
		return string(v) + ", dirty"
	}
	return string(v)
}
