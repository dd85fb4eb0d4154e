package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
	text := wrap(Clean(fmt.Sprintf(format, args...)), e.o.Width-len(pad), pad+"    ")
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
	e.line("%s  %s", headline(r), Clean(r.Scenario))
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
	if err := e.evidence(v, most(e.o.Limit, 3)); err != nil {
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
		e.line("  %s", Clean(fmt.Sprintf("%s %s%s; remove it with: %s", l.Kind, l.Name, parenthesis(l.Detail), l.Remove)))
	}
}

// failovers tell each fault, and what the system made of it.
func (e *explainer) failovers() {
	if len(e.h.Faults) == 0 {
		e.say(0, "No fault was injected.")
		return
	}
	steps := assert.Anatomise(e.h)
	for _, f := range e.h.Faults {
		e.say(0, "%s", e.struck(&f))
		for _, n := range f.Nodes {
			e.victim(f, n, slices.DeleteFunc(slices.Clone(steps), func(s assert.Step) bool { return s.Fault != f.ID || s.Node != n }))
		}
	}
}

// struck says what a fault did.
func (e *explainer) struck(f *history.Fault) string {
	text := fmt.Sprintf("The fault: %s on %s", f.Kind, strings.Join(f.Nodes, ", "))
	if from, to := f.Took(); from >= 0 && to >= from {
		text += fmt.Sprintf(", in effect at %s", moment(from+(to-from)/2, (to-from+1)/2))
	} else {
		text += fmt.Sprintf(", begun at %s", clock(f.Injected))
	}
	switch {
	case f.Proof == nil:
		text += "; it was not proven to bite"
	case f.Proof.OK:
		text += "; proven: " + f.Proof.Measured
	default:
		text += fmt.Sprintf("; NOT proven: asked %s, measured %s", f.Proof.Asked, f.Proof.Measured)
	}
	if f.Healed >= 0 {
		return text + fmt.Sprintf("; seen to be healed at %s.", clock(f.Healed))
	}
	return text + "; not seen to have healed."
}

// stepWords say what a step is; the verbs are of what was seen.
var stepWords = map[string]string{
	assert.StepFault: "it took effect", assert.StepFirstBad: "the first operation of its users that went wrong was due",
	assert.StepDetected: "%s held it for down", assert.StepDiverted: "the last request was on its way to it",
	assert.StepLastBad: "the last operation of its users that went wrong was due", assert.StepSteady: "all went well again for its users",
	assert.StepRestarted: "it was started again", assert.StepReady: "it was ready", assert.StepUp: "%s held it for up again", assert.StepRouted: "it got requests again",
}

// victim tells the way of a node through a fault, in the order of time. What a standby balancer saw
// is left out where others were judged.
func (e *explainer) victim(f history.Fault, node string, steps []assert.Step) {
	if len(steps) == 0 {
		return
	}
	e.say(1, "%s:", node)
	from, to := f.Took()
	inTime := slices.Clone(steps)
	slices.SortStableFunc(inTime, func(a, b assert.Step) int {
		return cmp.Or(cmp.Compare(unseen(a), unseen(b)), cmp.Compare(a.At, b.At))
	})
	for _, s := range inTime {
		judged := slices.ContainsFunc(steps, func(o assert.Step) bool { return o.Name == s.Name && o.Judged })
		if s.Name == assert.StepFault || s.By != "" && judged && !s.Judged || s.Name == assert.StepLastBad && !s.Seen {
			continue
		}
		e.say(2, "%s", stepText(s, from+max(0, to-from)/2))
	}
}

// unseen sorts the steps that were not seen behind the others.
func unseen(s assert.Step) int {
	if s.Seen {
		return 0
	}
	return 1
}

// stepText is a step in words: when, what, how long it took, against what.
func stepText(s assert.Step, fault time.Duration) string {
	what := stepWords[s.Name]
	if what == "" {
		what = s.Name
	}
	if strings.Contains(what, "%s") {
		by := s.By
		if by == "" {
			by = "the balancers"
		}
		what = fmt.Sprintf(what, by)
	}
	if s.Name == assert.StepFirstBad && !s.Seen {
		return "no operation of its users went wrong while it was in effect"
	}
	if !s.Seen {
		text := "not seen that " + what
		if s.Note != "" {
			text += " (" + s.Note + ")"
		}
		return text + limitText(s)
	}
	text := clock(s.At) + " " + what
	switch since := s.At - fault; {
	case s.After == assert.StepFault && s.TookMax >= 0:
		text += fmt.Sprintf(", %s after the fault", fromTo(s.TookMin, s.TookMax))
	case since < 0:
		text += fmt.Sprintf(", %s before the fault took effect", short(-since))
	default:
		text += fmt.Sprintf(", %s after the fault", short(since))
	}
	if s.Op > 0 {
		text += fmt.Sprintf(" (operation %d)", s.Op)
	}
	if s.After != "" && s.After != assert.StepFault && s.TookMax >= 0 {
		text += fmt.Sprintf(", %s after it was %q", fromTo(s.TookMin, s.TookMax), s.After)
	}
	if s.Note != "" {
		text += "; " + s.Note
	}
	return text + limitText(s)
}

// fromTo is a time of which only its limits are known.
func fromTo(low, high time.Duration) string {
	if l, h := short(max(0, low)), short(high); l != h {
		return l + " to " + h
	}
	return short(high)
}

func limitText(s assert.Step) string {
	if s.Bound == nil {
		return ""
	}
	after := s.After
	if after == "" {
		after = assert.StepFault
	}
	text := fmt.Sprintf("; allowed: %s after the %s", short(*s.Bound), after)
	if after != assert.StepFault {
		text = fmt.Sprintf("; allowed: %s after it was %q", short(*s.Bound), after)
	}
	if !s.Judged {
		text += ", shown only"
	}
	return text
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
		text := fmt.Sprintf("%s: %s", m.Name, withUnit(m.Value, m.Unit))
		if m.Bound != nil {
			text += fmt.Sprintf(" (held to %s)", withUnit(*m.Bound, m.Unit))
		}
		if m.Note != "" {
			text += "; " + m.Note
		}
		e.say(2, "%s", text)
	}
	return e.evidence(v, most(e.o.Limit, 5))
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

// bounds tell where an assertion's limits come from; whole tells the settings
// in their formulas, too, each once.
func (e *explainer) bounds(v *assert.Verdict, whole bool) {
	named := boundsOf(e.h, v)
	told := map[string]bool{}
	for _, b := range named {
		limit := short(b.Limit)
		if b.Limit == 0 {
			limit = fmt.Sprint(b.Count)
		}
		e.say(1, "The bound %s is %s = %s; set in %s", b.Name, limit, b.Formula, b.File)
		if !whole {
			continue
		}
		e.say(2, "from %s", b.Source)
		for _, value := range valuesOf(e.h, b) {
			if !told[value.Name] {
				e.say(2, "%s is %s in %s: %s", value.Name, value.Value, value.File, value.Reason)
			}
			told[value.Name] = true
		}
	}
	params := paramsOf(e.h, v.Name)
	if params != "" {
		e.say(1, "The scenario sets of it: %s.", params)
	}
	if v.Bound == nil || v.Unit == "ms" && len(named) > 0 || containsWords(params, number(*v.Bound)) {
		return
	}
	e.say(1, "The limit %s is the assertion's own.", bound(v))
}

// boundsOf are the bounds of the configuration that a verdict rests on: those
// that the scenario names, or that the failover was held to, and others whose
// formula or limit the verdict has.
func boundsOf(h *history.History, v *assert.Verdict) []history.Bound {
	params := paramsOf(h, v.Name)
	steps := map[string]bool{}
	if v.Name == (assert.FailoverAnatomy{}).Name() {
		for _, s := range assert.Anatomise(h) {
			for _, name := range strings.Split(s.BoundName, " + ") {
				steps[name] = steps[name] || s.Judged
			}
		}
	}
	var out []history.Bound
	for _, b := range h.Meta.Bounds {
		if steps[b.Name] || strings.Contains(params, fmt.Sprintf("%q", b.Name)) {
			out = append(out, b)
		}
	}
	for _, b := range h.Meta.Bounds {
		says := func(text string) bool { return b.Formula != "" && strings.Contains(text, b.Formula) }
		told := slices.ContainsFunc(out, func(o history.Bound) bool { return o.Formula == b.Formula })
		if !told && (says(v.Fix) || onlyLimit(h, v, b) || slices.ContainsFunc(v.Measures, func(m assert.Measure) bool { return says(m.Note) })) {
			out = append(out, b)
		}
	}
	return out
}

// onlyLimit says that the verdict's bound is this one's limit, and no other's.
func onlyLimit(h *history.History, v *assert.Verdict, b history.Bound) bool {
	if v.Bound == nil || v.Unit != "ms" || b.Limit == 0 {
		return false
	}
	is := func(b history.Bound) bool {
		return math.Abs(float64(b.Limit)/float64(time.Millisecond)-*v.Bound) < 1e-6
	}
	same := 0
	for _, other := range h.Meta.Bounds {
		if is(other) {
			same++
		}
	}
	return is(b) && same == 1
}

// valuesOf are the settings that a bound's formula names with their values:
// "fall 3" is the setting "haproxy: fall".
func valuesOf(h *history.History, b history.Bound) []history.Value {
	var out []history.Value
	for _, v := range h.Meta.Values {
		key := v.Name
		if _, after, ok := strings.Cut(v.Name, ": "); ok {
			key = after
		}
		if containsWords(b.Formula, key+" "+v.Value) {
			out = append(out, v)
		}
	}
	return out
}

// containsWords says that the text has these words, not as a part of longer
// ones.
func containsWords(text, words string) bool {
	edge := func(r byte) bool { return r == ' ' || r == '(' || r == ')' || r == ',' || r == '+' }
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(words)
		if (i == 0 || edge(text[i-1])) && (end == len(text) || edge(text[end])) {
			return true
		}
		from = i + 1
	}
}

// paramsOf are what the scenario set of an assertion, as "name value, …".
func paramsOf(h *history.History, name string) string {
	for _, m := range h.Meta.Asserts {
		if m.Name != name || len(m.Params) == 0 {
			continue
		}
		var params map[string]json.RawMessage
		if json.Unmarshal(m.Params, &params) != nil {
			return ""
		}
		var out []string
		for k, v := range params {
			out = append(out, fmt.Sprintf("%s %s", k, v))
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	return ""
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
