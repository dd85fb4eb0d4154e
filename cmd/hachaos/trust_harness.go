package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/report"
	"github.com/hachaos/hachaos/trust"
)

func (a *app) trustHarness() *cobra.Command {
	var (
		f                  trustFlags
		status, containers bool
	)
	c := &cobra.Command{
		Use:         "harness [MUTANT…]",
		Annotations: brings("--status"),
		Short:       "Break hachaos itself, in each of many ways: it must say so, and never pass or blame the system",
		Long: `A harness mutant is hachaos with one thing broken, as real harnesses break: a fault
that does nothing, a generator that stalls, a log that is lost, a record that is torn.
The system under test is in order, and in memory; time is virtual, so that all take
some seconds, and no engine is needed. The same run without the mutation must pass.
Each mutant must end as inconclusive, error or dirty, with the reason by name.

--containers runs the few that take an engine instead, of a program that was built with
-tags docker. Two of them take root and disturb whatever else runs on the machine: they
freeze the engine's shims of the balancers for 5 s, and step its clock by 50 ms for 2 s.

Exit codes: 0 all ended as they must, 1 one did not, 2 usage, 3 one has no result
(--status), 4 error.`,
		Example: "  hachaos trust harness\n  hachaos trust harness fault-does-nothing clock-stepped\n  hachaos trust harness --status --dir docs/trust --markdown",
		RunE: func(c *cobra.Command, names []string) error {
			mutants, err := harnessMutants(names, containers)
			if err != nil {
				return err
			}
			if !status {
				if err := runHarness(c.Context(), f, mutants, containers); err != nil {
					return err
				}
			}
			all, err := trust.ReadShown(f.file(harnessFile))
			if err != nil {
				return err
			}
			return a.printHarness(f, outcomesOf(mutants, all), all)
		},
	}
	f.add(c)
	f.addForms(c)
	c.Flags().BoolVar(&status, "status", false, "show the last results, and run nothing")
	c.Flags().BoolVar(&containers, "containers", false, "those that take an engine, one after another")
	return c
}

// harnessMutants are those that are named, or all of the kind.
func harnessMutants(names []string, containers bool) ([]trust.Mutant, error) {
	all := slices.DeleteFunc(trust.Harness(), func(m trust.Mutant) bool { return m.Containers != containers })
	if len(all) == 0 {
		return nil, usage("this program has no harness mutant on containers: build it with `go build -tags docker ./cmd/hachaos`")
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(m trust.Mutant) bool { return m.Name == name }) {
			return nil, usage("no harness mutant %q: `hachaos trust harness --status` lists them", name)
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(m trust.Mutant) bool { return !slices.Contains(names, m.Name) }), nil
}

// runHarness runs mutants and keeps what came of them.
func runHarness(ctx context.Context, f trustFlags, mutants []trust.Mutant, containers bool) error {
	store, unlock, err := exclusively(f.dir)
	if err != nil {
		return err
	}
	defer unlock()
	if !containers {
		now, err := inVirtualTime(ctx, mutants)
		if err != nil {
			return err
		}
		return trust.KeepShown(f.file(harnessFile), now)
	}
	trials := &trust.Trials{Dir: store.Runs()}
	for _, m := range mutants {
		o := trials.Try(ctx, m)
		if ctx.Err() != nil {
			return fmt.Errorf("harness mutant %s: interrupted", m.Name)
		}
		if err := trust.KeepShown(f.file(harnessFile), []trust.Shown{trust.ShownOf(o, buildVersion(), wiring.Machine(), time.Now())}); err != nil {
			return err
		}
	}
	return nil
}

// outcomesOf are what the records say of the mutants; one without a record has
// no verdict.
func outcomesOf(mutants []trust.Mutant, all []trust.Shown) []trust.Outcome {
	var out []trust.Outcome
	for _, m := range mutants {
		o := trust.Outcome{Mutant: m, Wrong: notMeasured}
		if i := slices.IndexFunc(all, func(s trust.Shown) bool { return s.Name == m.Name }); i >= 0 {
			s := all[i]
			o.Verdict, o.Dirty, o.Reason, o.Runs, o.Repeats, o.Wrong = s.Verdict, s.Dirty, s.Reason, s.Runs, s.Repeats, s.Wrong
			if s.Good() && !m.Ended(s.Verdict, s.Dirty, s.Reason) {
				o.Wrong = notMeasured // it was shown when something else was asked of it
			}
		}
		out = append(out, o)
	}
	return out
}

// notMeasured is what is said where there is no result.
const notMeasured = "not measured yet"

// harnessCode is 1 if a mutant did not end as it must, 3 if one has no result.
func harnessCode(outcomes []trust.Outcome) int {
	code := harness.ExitPass
	for _, o := range outcomes {
		switch {
		case o.Wrong == notMeasured:
			code = max(code, harness.ExitInconclusive)
		case !o.Good():
			return harness.ExitFail
		}
	}
	return code
}

func (a *app) printHarness(f trustFlags, outcomes []trust.Outcome, all []trust.Shown) error {
	a.code = harnessCode(outcomes)
	switch {
	case f.asJSON:
		return writeJSON(a.out, orEmpty(slices.DeleteFunc(all, func(s trust.Shown) bool {
			return !slices.ContainsFunc(outcomes, func(o trust.Outcome) bool { return o.Mutant.Name == s.Name })
		})))
	case f.markdown:
		_, err := fmt.Fprint(a.out, trust.Markdown(outcomes))
		return err
	}
	g := report.Grid{Head: []string{"mutant", "must end as", "ended as", "what is broken", "reason"}}
	for _, o := range outcomes {
		reason := o.Reason
		if !o.Good() {
			reason = strings.TrimSpace(o.Wrong + ". " + o.Reason)
		}
		g.Rows = append(g.Rows, []string{o.Mutant.Name, string(o.Mutant.Ends), endedAs(o), o.Mutant.Title, reason})
	}
	if err := report.GridTable(a.out, g, a.tableOptions(), 24, 14, 14, 30); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, harnessCount(outcomes))
	return err
}

// endedAs is how a mutant ended, with a mark if it must not.
func endedAs(o trust.Outcome) string {
	text := string(o.Verdict)
	switch {
	case o.Wrong == notMeasured:
		return notMeasured
	case text == "":
		text = "not shown"
	case o.Dirty:
		text += ", dirty"
	}
	if !o.Good() {
		text += " ✗"
	}
	return text
}

func harnessCount(outcomes []trust.Outcome) string {
	good, missing := 0, 0
	for _, o := range outcomes {
		switch {
		case o.Good():
			good++
		case o.Wrong == notMeasured:
			missing++
		}
	}
	text := fmt.Sprintf("%d of %d mutants ended as they must", good, len(outcomes))
	if missing > 0 {
		text += fmt.Sprintf(", %d are not measured yet", missing)
	}
	return text
}
