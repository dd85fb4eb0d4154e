package harness

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/topology"
)

// Holds returns nil if the result is what the case says must be said: a pass,
// or exactly the failures that it names, each with evidence that says what it
// must. Else the error says what is not so. A dirty run is never what a case wants.
func (c Case) Holds(r *Result) error {
	want := VerdictPass
	if len(c.Fails) > 0 {
		want = VerdictFail
	}
	switch {
	case r.Dirty:
		return fmt.Errorf("it is dirty: %s", r.Reason)
	case r.Verdict != want:
		return fmt.Errorf("the verdict is %s instead of %s: %s", r.Verdict, want, r.Reason)
	}
	var failed []string
	for _, v := range r.Assertions {
		if v.Status != assert.Fail {
			continue
		}
		failed = append(failed, v.Name)
		if len(v.Evidence) == 0 {
			return fmt.Errorf("%s fails without evidence: %s", v.Name, v.Summary)
		}
		text := v.Evidence[0].Class + " " + v.Evidence[0].Text + " " + v.Summary
		if want := c.evidenceOf(v.Name); !strings.Contains(text, want) {
			return fmt.Errorf("the evidence of %s does not say %q: %s", v.Name, want, text)
		}
	}
	for _, name := range c.Fails {
		if !slices.Contains(failed, name) {
			return fmt.Errorf("%s does not fail, but %s: %s", name, strings.Join(failed, ", "), r.Reason)
		}
	}
	for _, name := range failed {
		if !c.Bears(name) {
			return fmt.Errorf("%s fails, too: %s", name, r.Reason)
		}
	}
	return nil
}

// Bears says whether the assertion of that name may fail: it must, or it fails
// for the same cause as those that must.
func (c Case) Bears(name string) bool {
	return slices.Contains(c.Fails, name) || slices.Contains(c.Also, name)
}

// evidenceOf is what the evidence of a failing assertion must say; empty may be
// anything.
func (c Case) evidenceOf(name string) string {
	if len(c.Fails) > 0 && name == c.Fails[0] {
		return c.Evidence
	}
	return c.Says[name]
}

// Resolved is what a run would be, as data: everything that its record and
// its verdict follow from but the seed, the machine and the program.
type Resolved struct {
	Scenario any           `json:"scenario"`
	Load     any           `json:"load"`
	Spec     topology.Spec `json:"spec"`
	// Faults and Asserts are the names of their types, in order.
	Faults  []string `json:"faults"`
	Asserts []string `json:"asserts"`
}

// Resolved returns what a run of s with opts would be. Its errors wrap
// ErrUsage.
func (r *Runner) Resolved(s Scenario, opts Options) (Resolved, error) {
	opts.Seed, opts.Command = 1, ""
	p, err := resolve(s, opts, r.lookup(), nil)
	if err != nil {
		return Resolved{}, err
	}
	p.id, p.Load.KeyPrefix = "", ""
	rec, err := p.record("")
	if err != nil {
		return Resolved{}, usage("scenario %s: %w", s.Name, err)
	}
	rec.About = ""
	out := Resolved{Scenario: rec, Load: p.Load, Spec: p.spec}
	for _, phase := range p.Phases {
		for _, in := range phase.Faults {
			out.Faults = append(out.Faults, typeName(in.Fault))
		}
	}
	for _, c := range p.Asserts {
		out.Asserts = append(out.Asserts, typeName(c))
	}
	return out, nil
}

// typeName is the name of v's type in its package.
func typeName(v any) string {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}
