package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// ErrUnknown is what Explain's errors are that ask for something that the run
// does not have: an assertion, an operation, or so much evidence.
var ErrUnknown = errors.New("the run does not have it")

// unknownError says what there is instead.
type unknownError string

func (e unknownError) Error() string { return string(e) }

// Is makes it an ErrUnknown.
func (unknownError) Is(target error) bool { return target == ErrUnknown }

func unknown(format string, args ...any) error { return unknownError(fmt.Sprintf(format, args...)) }

// ExplainOptions choose what is told. The zero value tells the run, on 120
// columns.
type ExplainOptions struct {
	// Assertion is whose evidence is told, all of it; empty is the run.
	Assertion string
	// Op is a single operation to tell; 0 is none. It wins over Assertion.
	Op uint64
	// From is the first piece of evidence, counted from 1, and Limit how many
	// are told; 0 is the first, and three for the run, five for an assertion.
	From, Limit int
	// Width in columns; 0 is 120.
	Width int
	// Dir is the run's folder, as commands name it.
	Dir string
}

// Explain tells in words what happened in a run: the verdict, the failover
// step by step, and of each assertion that does not plainly pass what was
// measured, where its bound comes from, what would change it, and the first
// violations with what became of their operations. An error that is
// ErrUnknown asks for what the run does not have, and says what it has.
func Explain(w io.Writer, r *harness.Result, h *history.History, o ExplainOptions) error {
	if o.Width <= 0 {
		o.Width = 120
	}
	e := &explainer{printer: printer{w: w}, r: r, h: h, o: o}
	switch {
	case o.Op != 0:
		return e.operation(o.Op)
	case o.Assertion != "":
		return e.assertion(o.Assertion)
	}
	return e.run()
}

type explainer struct {
	printer
	r *harness.Result
	h *history.History
	o ExplainOptions
}

// say writes a paragraph, indented by depth steps.
func (e *explainer) say(depth int, format string, args ...any) {
	pad := strings.Repeat("  ", depth)
	text := wrap(Clean(cut(fmt.Sprintf(format, args...), maxTold)), e.o.Width-len(pad), pad+"    ")
	e.line("%s%s", pad, text)
}

func (e *explainer) operation(id uint64) error {
	o, ok := e.h.Op(id)
	if !ok {
		return unknown("the run has no operation %d: it has %s", id, numbers(e.h.Ops))
	}
	e.say(0, "operation %d, %s", id, asked(e.h, o))
	if p, in := e.h.PhaseOf(o); in {
		e.say(0, "It was due in phase %s.", p.Name)
	}
	e.trace(0, traces(e.h, []uint64{id})[id])
	return e.err
}

// numbers says which operations there are.
func numbers(ops []history.Op) string {
	if len(ops) == 0 {
		return "none at all"
	}
	return fmt.Sprintf("%d to %d", ops[0].ID, ops[len(ops)-1].ID)
}

func (e *explainer) trace(depth int, list []traced) {
	for _, t := range list {
		e.say(depth, "%s  %s", clock(t.at), t.text)
	}
}

func (e *explainer) run() error {
	r := e.r
	e.line("%s  %s", headline(r), Clean(cut(r.Scenario, maxTold)))
	e.say(0, "%s", r.Reason)
	if e.h.Meta.About != "" {
		e.say(0, "The scenario: %s", e.h.Meta.About)
	}
	e.say(0, "The system: %s", e.system())
	e.say(0, "The load: %s", e.load())
	e.line("")
	e.failovers()
	for i := range r.Assertions {
		if v := &r.Assertions[i]; !plainPass(v) {
			e.line("")
			if err := e.inShort(v); err != nil {
				return err
			}
		}
	}
	if held := names(r, plainPass); held != "" {
		e.line("")
		e.say(0, "These held: %s.", held)
	}
	e.left()
	if r.Command != "" {
		e.line("")
		e.say(0, "To repeat it: %s", r.Command)
	}
	return e.err
}

// inShort tells an assertion that does not plainly pass: all of a failed one's
// bounds, and the first of its evidence.
func (e *explainer) inShort(v *assert.Verdict) error {
	e.verdict(v)
	if v.Status == assert.Pass {
		return e.err
	}
	e.bounds(v, v.Status == assert.Fail)
	if err := e.evidence(v, cmp.Or(e.o.Limit, 3)); err != nil {
		return err
	}
	e.say(1, "All of it: hachaos explain %s %s", e.o.Dir, v.Name)
	return e.err
}

// system is what the run was made on.
func (e *explainer) system() string {
	m := e.h.Meta
	text := m.Topology
	if m.Profile != "" {
		text += ", profile " + m.Profile
	}
	var set []string
	for k, v := range m.Set {
		set = append(set, k+"="+v)
	}
	slices.Sort(set)
	if len(set) > 0 {
		text += ", with " + strings.Join(set, ", ")
	}
	if m.Machine != "" {
		text += "; the machine: " + m.Machine
	}
	return text + "."
}

// load is what users did, and what became of it in the judged phases.
func (e *explainer) load() string {
	m := e.r.Measures
	text := fmt.Sprintf("%d operations a second of %s for %s", e.h.Meta.Load.Rate, plural(e.h.Meta.Load.Sessions, "session"), short(e.r.Took.Round(time.Second)))
	if all := m["operations"]; all > 0 {
		text += fmt.Sprintf("; of %.0f in the judged phases %.0f were ok, %.0f failed and %.0f had an unknown outcome", all, m["ok"], m["fail"], m["info"])
	}
	return text + "."
}

// left says what is left over.
func (e *explainer) left() {
	if !e.r.Dirty {
		return
	}
	e.line("")
	e.say(0, "It is dirty; this is left behind:")
	for _, l := range e.r.Leftovers {
		e.line("  %s", cut(leftoverLine(l), maxTold))
	}
}

// assertion tells one assertion, with all its figures and evidence.
func (e *explainer) assertion(name string) error {
	i := slices.IndexFunc(e.r.Assertions, func(v assert.Verdict) bool { return v.Name == name })
	if i < 0 {
		all := names(e.r, func(*assert.Verdict) bool { return true })
		if all == "" {
			all = "none at all"
		}
		return unknown("the run has no assertion %q: it has %s", name, all)
	}
	v := &e.r.Assertions[i]
	e.verdict(v)
	e.bounds(v, true)
	if about := e.about(name); about != "" {
		e.say(1, "It asks: %s.", strings.TrimSuffix(about, "."))
	}
	for _, n := range v.Notes {
		e.say(1, "Note: %s.", strings.TrimSuffix(n, "."))
	}
	if len(v.Measures) > 0 {
		e.say(1, "Its figures:")
	}
	for _, m := range v.Measures {
		text := fmt.Sprintf("%s: %s", m.Name, ofMeasure(&m, m.Value))
		if m.Bound != nil {
			text += fmt.Sprintf(" (held to %s)", ofMeasure(&m, *m.Bound))
		}
		if m.Note != "" {
			text += "; " + m.Note
		}
		e.say(2, "%s", text)
	}
	return e.evidence(v, cmp.Or(e.o.Limit, 5))
}

// about is what the checker says that it expects; empty if it is not known.
func (e *explainer) about(name string) string {
	for _, m := range e.h.Meta.Asserts {
		if m.Name != name {
			continue
		}
		if c, err := assert.Decode(m.Name, m.Params, nil); err == nil {
			return c.About()
		}
	}
	return ""
}

// verdict tells what an assertion came to, and where its bound is from.
func (e *explainer) verdict(v *assert.Verdict) {
	text := fmt.Sprintf("%s: %s", v.Name, strings.ToUpper(status(v)))
	if v.Measured != nil {
		text += fmt.Sprintf("; measured %s", measured(v))
	}
	if v.Bound != nil {
		text += fmt.Sprintf(", held to %s", bound(v))
	}
	e.say(0, "%s.", text)
	if v.Summary != "" {
		e.say(1, "%s", v.Summary)
	}
	for _, why := range v.Reasons {
		e.say(1, "Why there is no verdict: %s.", strings.TrimSuffix(why, "."))
	}
	if v.NotExercised && v.Status == assert.Pass {
		e.say(1, "It met no occasion to be tested, so that its pass says little.")
	}
	if v.Fix != "" {
		e.say(1, "What would change it: %s", v.Fix)
	}
}

// evidence tells a part of an assertion's evidence, with the operations.
func (e *explainer) evidence(v *assert.Verdict, limit int) error {
	all := len(v.Evidence)
	if all == 0 {
		return e.err
	}
	from := max(1, e.o.From)
	if from > all {
		return unknown("--from %d: %s has %d pieces of evidence", from, v.Name, all)
	}
	to := min(all, from-1+limit)
	part := v.Evidence[from-1 : to]
	e.say(1, "Its evidence, %d to %d of %d, the worst first:", from, to, all)
	var ids []uint64
	for _, x := range part {
		ids = append(ids, x.Op)
	}
	told := traces(e.h, ids)
	for i := range part {
		x := &part[i]
		text := evidence(x)
		if x.Seq > 0 {
			text += fmt.Sprintf(" (line %d of the journal)", x.Seq)
		}
		e.say(2, "%d. %s", from+i, text)
		e.trace(3, told[x.Op])
	}
	if to < all && e.o.Assertion != "" {
		e.say(1, "The next ones: hachaos explain %s %s --from %d", e.o.Dir, v.Name, to+1)
	}
	if v.More > 0 {
		e.say(1, "There are %d more of them; a result keeps the worst %d, and the journal has all.", v.More, assert.MaxEvidence)
	}
	return e.err
}
