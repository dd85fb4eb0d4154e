package gameday

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Execution executes a runbook on a system. Book and System are required.
type Execution struct {
	Book   *runbook.Runbook
	System *System
	// Asker answers for people; nil is Stated.
	Asker Asker
	// Inputs are the variables that the runbook asks for; those that the system
	// tells itself need not be there.
	Inputs map[string]string
	// Variant says what the Plan changes of the runbook; empty is nothing.
	Variant string
	// Plan is what is carried out; nil is all of the runbook: see Whole.
	Plan []Part
	// Amiss are variables that have another value in one command: see Variant.
	Amiss map[int]string
	// Progress is told of each entry when it is over; nil is nobody.
	Progress func(Entry)
	// Confirm is asked before each step; an error ends the execution. Nil lets
	// all through.
	Confirm func(ctx context.Context, step Part) error
}

// Part is a heading's part of a runbook, with the section that it is in.
type Part struct {
	Section string
	*runbook.Part
}

// Whole is all of a runbook that is carried out, in its order: symptom,
// diagnosis, steps, verification.
func Whole(book *runbook.Runbook) []Part {
	var out []Part
	for _, title := range []string{runbook.Symptom, runbook.Diagnosis, runbook.Steps, runbook.Verification} {
		s := book.Section(title)
		if s == nil {
			continue
		}
		out = append(out, Part{title, &runbook.Part{Line: s.Line, Blocks: s.Blocks}})
		for _, p := range s.Parts {
			out = append(out, Part{title, p})
		}
	}
	return out
}

// ended is why an execution ends before its end.
type ended struct {
	how    Ending
	line   int
	reason string
}

func (e *ended) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// executing is one execution under way.
type executing struct {
	*Execution
	vars    map[string]string
	secrets []string
	began   time.Time
	t       *Transcript
}

// Run carries the plan out, one thing after the other, until something is not
// as expected. What comes of it is in the transcript, and never an error.
func (x *Execution) Run(ctx context.Context) *Transcript {
	e := &executing{
		Execution: x, vars: x.System.Inputs(), secrets: x.System.secrets(), began: time.Now(),
		t: &Transcript{Runbook: x.Book.Name, Variant: x.Variant, Ending: Done},
	}
	e.t.Began = e.began
	maps.Copy(e.vars, x.Inputs)
	for name, value := range x.Inputs {
		if secret(name) && len(value) > 3 {
			e.secrets = append(e.secrets, value)
		}
	}
	longestFirst(e.secrets)
	if end := e.run(ctx); end != nil {
		e.t.Ending, e.t.Reason, e.t.Line = end.how, mask(end.reason, e.secrets), end.line
		if ctx.Err() != nil {
			e.t.Ending, e.t.Reason = Interrupted, context.Cause(ctx).Error()
		}
	}
	e.t.Took, e.t.vars = time.Since(e.began), e.vars
	return e.t
}

func (e *executing) run(ctx context.Context) *ended {
	for _, in := range e.Book.Front.Inputs {
		if e.vars[in.Name] == "" {
			return &ended{Unanswered, in.Line, fmt.Sprintf("nobody said what %s is: %s", in.Name, in.About)}
		}
	}
	plan := e.Plan
	if plan == nil {
		plan = Whole(e.Book)
	}
	for _, p := range plan {
		if e.Confirm != nil && p.Section == runbook.Steps && p.Title != "" {
			if err := e.Confirm(ctx, p); err != nil {
				return &ended{Declined, p.Line, fmt.Sprintf("before step %q: %v", p.Title, err)}
			}
		}
		for _, b := range p.Blocks {
			if end := e.block(ctx, p, b); end != nil {
				if p.Undo != nil && end.how == Failed {
					e.t.Undo = p.Undo.Line
				}
				return end
			}
		}
	}
	return nil
}

// block does one thing.
func (e *executing) block(ctx context.Context, p Part, b runbook.Block) *ended {
	if ctx.Err() != nil {
		return &ended{Interrupted, b.At(), context.Cause(ctx).Error()}
	}
	switch b := b.(type) {
	case *runbook.Command:
		return e.command(ctx, p, b)
	case *runbook.Expect:
		return e.expect(ctx, p, b)
	case *runbook.Decide:
		return e.decide(ctx, p, b)
	case *runbook.Call:
		return e.call(ctx, p, b)
	}
	return nil
}

// command runs a command on each of its nodes, one after the other.
func (e *executing) command(ctx context.Context, p Part, c *runbook.Command) *ended {
	nodes, err := e.System.places(c.On, e.vars)
	if err != nil {
		return &ended{unexpected(p), c.Line, err.Error()}
	}
	told := map[string]string{}
	from := map[string]string{}
	for _, n := range nodes {
		entry, vars := e.on(ctx, p, c, n)
		for name, value := range vars {
			if known, set := e.vars[name]; set && value == known || value == "" && known != "" {
				continue // it was given this value, or says nothing
			}
			if before, ok := told[name]; ok && before != "" && value != "" && before != value {
				entry.Err = fmt.Sprintf("%s is %q on %s and %q on %s: they do not agree", name, shortened(before), from[name], shortened(value), n.Name())
			}
			if value != "" || told[name] == "" {
				told[name], from[name] = value, n.Name()
			}
		}
		e.note(entry)
		if entry.Err != "" {
			return &ended{unexpected(p), c.Line, fmt.Sprintf("on %s: %s", n.Name(), entry.Err)}
		}
	}
	maps.Copy(e.vars, told)
	return nil
}

// maxCompared is how much of an output is compared with what is expected.
const maxCompared = 1 << 20

// on runs a command on one node.
func (e *executing) on(ctx context.Context, p Part, c *runbook.Command, n topology.Node) (Entry, map[string]string) {
	began := time.Now()
	entry := e.entry(KindCommand, p, c.Line, began)
	entry.Node, entry.Text = n.Name(), c.Text // which everybody can read in the runbook
	vars := e.vars
	if name := e.Amiss[c.Line]; name != "" {
		vars = maps.Clone(vars)
		vars[name] = e.System.another(vars[name])
	}
	s := newScript(c, vars)
	bounded, cancel := context.WithTimeout(ctx, patience(c))
	defer cancel()
	out, err := n.Exec(bounded, s.argv...)
	entry.Took, entry.Code = time.Since(began), out.Code
	stderr, told, unread := s.told(string(out.Stderr))
	for name, value := range told {
		if secret(name) && len(value) > 3 {
			e.secrets = append(e.secrets, value)
		}
	}
	longestFirst(e.secrets)
	entry.Stdout, entry.Stderr = mask(string(out.Stdout), e.secrets), mask(stderr, e.secrets)
	switch {
	case errors.Is(err, topology.ErrNotRunning):
		entry.Err = "it could not be run: the node does not run"
	case err != nil:
		// The engine's words hold the command, with the values of its variables.
		entry.Err, entry.Unmade = "it could not be run: "+mask(cmp.Or(errors.Unwrap(err), err).Error(), e.secrets), true
	case overdue(out.Code) && entry.Took >= c.Timeout:
		entry.Err, entry.Overdue = fmt.Sprintf("it took more than its %v", c.Timeout), true
	case out.Code != 0:
		entry.Err = fmt.Sprintf("it ended with status %d", out.Code)
		if said := strings.TrimSpace(entry.Stderr); said != "" {
			entry.Err += ": " + shortened(said)
		}
	case unread != nil:
		entry.Err, entry.Unmade = unread.Error(), true
	case len(out.Stdout) > maxCompared:
		entry.Err = fmt.Sprintf("it printed %d KiB, of which no more than %d are compared with what is expected", len(out.Stdout)>>10, maxCompared>>10)
	default:
		if differs := Matches(c.Output, string(out.Stdout)); differs != nil {
			entry.Err = mask(differs.Error(), e.secrets)
		}
	}
	return entry, told
}

func (e *executing) expect(ctx context.Context, p Part, x *runbook.Expect) *ended {
	began := time.Now()
	entry := e.entry(KindExpect, p, x.Line, began)
	entry.Text = x.State
	_, err := e.System.Await(ctx, x.Within, x.State)
	entry.Took = time.Since(began)
	if err != nil {
		entry.Err = err.Error()
	}
	return e.over(p, entry)
}

func (e *executing) decide(ctx context.Context, p Part, d *runbook.Decide) *ended {
	began := time.Now()
	entry := e.entry(KindDecide, p, d.Line, began)
	answer, err := e.asker().Decide(ctx, d)
	entry.Text, entry.Answer, entry.Took = d.Question, answer, time.Since(began)
	if err == nil && !strings.EqualFold(strings.TrimSpace(answer), d.GoOn) {
		entry.Err = fmt.Sprintf("the answer is %q, and the runbook goes on with %q alone", answer, d.GoOn)
		e.note(entry)
		return &ended{Declined, d.Line, entry.Err}
	}
	return e.asked(entry, err)
}

func (e *executing) call(ctx context.Context, p Part, c *runbook.Call) *ended {
	began := time.Now()
	entry := e.entry(KindCall, p, c.Line, began)
	answer, err := e.asker().Call(ctx, c)
	entry.Text, entry.Answer, entry.Took = c.Text, answer, time.Since(began)
	return e.asked(entry, err)
}

// asked notes what a person was asked.
func (e *executing) asked(entry Entry, err error) *ended {
	if err == nil {
		e.note(entry)
		return nil
	}
	entry.Err = err.Error()
	e.note(entry)
	how := Failed
	if errors.Is(err, ErrNobody) {
		how = Unanswered
	}
	return &ended{how, entry.Line, entry.Err}
}

// over notes an entry, and ends the execution if it was not as expected.
func (e *executing) over(p Part, entry Entry) *ended {
	e.note(entry)
	if entry.Err == "" {
		return nil
	}
	return &ended{unexpected(p), entry.Line, entry.Err}
}

// unexpected is how an execution ends at what is not as expected: in the symptom
// and the diagnosis this is another incident, and nothing has been done yet.
func unexpected(p Part) Ending {
	if p.Section == runbook.Symptom || p.Section == runbook.Diagnosis {
		return NotThis
	}
	return Failed
}

func (e *executing) entry(kind string, p Part, line int, at time.Time) Entry {
	return Entry{Kind: kind, Section: p.Section, Part: p.Title, Line: line, At: at.Sub(e.began)}
}

func (e *executing) note(entry Entry) {
	entry.Err = mask(entry.Err, e.secrets)
	e.t.Entries = append(e.t.Entries, entry)
	if e.Progress != nil {
		e.Progress(entry)
	}
}

func (e *executing) asker() Asker {
	if e.Asker == nil {
		return Stated{}
	}
	return e.Asker
}
