package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
)

// section is what is known of one package.
type section struct {
	short   string
	entries []entry
	refused []string
}

// entry is a mutant with its result, if it was run.
type entry struct {
	m *mutant
	result
	run    bool
	reason string // why it survives, if it has been explained
}

// newSection gathers what is known of the mutants that the options are about. Results
// of others, such as those of a sample that tests were written against, are no part of
// the score: they were not drawn.
func newSection(p *pkg, b *book, base *baseline, o options) section {
	s := section{short: p.short}
	drawn := map[*mutant]bool{}
	for _, m := range asked(p.mutants, o) {
		drawn[m] = true
	}
	for _, m := range p.mutants {
		r, ok := b.result(m)
		s.entries = append(s.entries, entry{m: m, result: r, run: ok && drawn[m]})
	}
	if base != nil {
		s.refused = base.Refused
	}
	return s
}

// has says whether a source file is of the section's package.
func (s section) has(file string) bool { return path.Dir(file) == s.short }

// counts are of mutants. All but mutants and run are of those that were run,
// and each of these is in one of them.
type counts struct{ mutants, run, killed, timedOut, survived, explained, notCovered int }

func (s section) count() counts {
	c := counts{mutants: len(s.entries)}
	for _, e := range s.entries {
		if !e.run {
			continue
		}
		c.run++
		switch {
		case e.Verdict == killed:
			c.killed++
		case e.Verdict == timedOut:
			c.timedOut++
		case e.reason != "":
			c.explained++
		case e.Verdict == notCovered:
			c.notCovered++
		default:
			c.survived++
		}
	}
	return c
}

func (c counts) plus(o counts) counts {
	return counts{
		c.mutants + o.mutants, c.run + o.run, c.killed + o.killed, c.timedOut + o.timedOut,
		c.survived + o.survived, c.explained + o.explained, c.notCovered + o.notCovered,
	}
}

// score is the share of mutants that were killed or timed out; of a sample,
// with the interval that holds it of all mutants at 95 %. Explained survivors
// count against it.
func (c counts) score() string {
	if c.run == 0 {
		return "-"
	}
	good := c.killed + c.timedOut
	s := fmt.Sprintf("%.1f %%", 100*float64(good)/float64(c.run))
	if c.run < c.mutants {
		low, high := wilson(good, c.run)
		s += fmt.Sprintf(" (%.1f to %.1f)", 100*low, 100*high)
	}
	return s
}

// wilson is the score interval of a proportion at 95 % (Wilson 1927).
func wilson(good, n int) (low, high float64) {
	const z = normal95
	p, m := float64(good)/float64(n), float64(n)
	mid, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, (mid-half)/(1+z*z/m)), min(1, (mid+half)/(1+z*z/m))
}

// writeReport writes the results as Markdown, with what was drawn of the mutants.
func writeReport(out io.Writer, sections []section, o options) {
	if o.sample > 0 {
		fmt.Fprintf(out, "Sample: at most %d mutants of each package, drawn with seed %d.\n\n", o.sample, o.seed)
	}
	fmt.Fprintln(out, "| package | mutants | run | killed | timed out | survived | explained | not covered | score |")
	fmt.Fprintln(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	var all counts
	var each []counts
	for _, s := range sections {
		c := s.count()
		all, each = all.plus(c), append(each, c)
		writeRow(out, s.short, c, c.score())
	}
	if len(sections) > 1 {
		writeRow(out, "all", all, overall(each))
	}
	for _, s := range sections {
		writeSection(out, s)
	}
}

// leastSample is how many mutants of a package must have been run for it to count in
// the score of all.
const leastSample = 30

// overall is the score of several packages, each by its share of all mutants however
// many of its own were run (stratified sampling with a correction for finite
// populations: W. G. Cochran, Sampling Techniques, 3rd edition, 1977, 5.4 and 5.9), and
// "-" while of one too few were.
func overall(each []counts) string {
	share, half, ok := estimate(each)
	switch {
	case !ok:
		return "-"
	case half == 0:
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.1f %% (%.1f to %.1f)", 100*share, 100*max(0, share-half), 100*min(1, share+half))
}

// estimate is overall's score, and half of its interval: 0 if every mutant was run.
func estimate(each []counts) (share, half float64, ok bool) {
	mutants, whole := 0, true
	for _, c := range each {
		if c.run < min(leastSample, c.mutants) {
			return 0, 0, false
		}
		mutants, whole = mutants+c.mutants, whole && c.run == c.mutants
	}
	variance := 0.0
	for _, c := range each {
		if c.run == 0 {
			continue // it has no mutant
		}
		w, p := float64(c.mutants)/float64(mutants), float64(c.killed+c.timedOut)/float64(c.run)
		share += w * p
		// Two more of either, so that a sample without a survivor is not taken for certainty
		// (A. Agresti and B. A. Coull, The American Statistician 52, 1998).
		q := (float64(c.killed+c.timedOut) + 2) / (float64(c.run) + 4)
		variance += w * w * q * (1 - q) / float64(c.run+3) * (1 - float64(c.run)/float64(c.mutants))
	}
	if !whole {
		half = normal95 * math.Sqrt(variance)
	}
	return share, half, mutants > 0
}

// errTooFew says that there is no score yet.
var errTooFew = errors.New("too few mutants were run for a score")

// enough reports a score of all the sections below least, in percent, or none yet.
func enough(sections []section, least float64) error {
	var each []counts
	for _, s := range sections {
		each = append(each, s.count())
	}
	share, _, ok := estimate(each)
	switch {
	case !ok:
		return fmt.Errorf("--least %g: %w: at least %d of each package, or all", least, errTooFew, leastSample)
	case 100*share < least:
		return fmt.Errorf("--least %g: %.1f %% of the mutants are killed", least, 100*share)
	}
	return nil
}

// normal95 is the point of the normal distribution with 2.5 % beyond it.
const normal95 = 1.959964

func writeRow(out io.Writer, name string, c counts, score string) {
	fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %d | %d | %d | %s |\n",
		name, c.mutants, c.run, c.killed, c.timedOut, c.survived, c.explained, c.notCovered, score)
}

// writeSection lists what was not killed: the survivors one by one, those that
// no test reaches by function.
func writeSection(out io.Writer, s section) {
	var alive, explained []string
	bare := map[string]int{}
	for _, e := range s.entries {
		if !e.run || e.Verdict == killed || e.Verdict == timedOut {
			continue
		}
		line := fmt.Sprintf("`%s:%d`: %s: %s", path.Base(e.m.file), e.m.line, e.m.fn, code(shown(e.m)))
		switch {
		case e.reason != "":
			explained = append(explained, line+": "+e.reason)
		case e.Verdict == notCovered:
			bare[path.Base(e.m.file)+": "+e.m.fn]++
		default:
			alive = append(alive, line)
		}
	}
	var notReached []string
	for _, fn := range slices.Sorted(maps.Keys(bare)) {
		notReached = append(notReached, fmt.Sprintf("%s: %d", fn, bare[fn]))
	}
	writeList(out, s.short+": survived", alive)
	writeList(out, s.short+": survived, explained", explained)
	writeList(out, s.short+": not covered, by function", notReached)
	writeList(out, s.short+": tests that were refused", s.refused)
}

func writeList(out io.Writer, title string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(out, "\n%s:\n\n- %s\n", title, strings.Join(lines, "\n- "))
	}
}

// shown is a mutant's change with its number, as a reason names it.
func shown(m *mutant) string { return strings.TrimPrefix(m.key(), m.file+": "+m.fn+": ") }

// code is text as Markdown's code, whatever is in it.
func code(s string) string {
	ticks := "`"
	for strings.Contains(s, ticks) {
		ticks += "`"
	}
	pad := ""
	if len(ticks) > 1 {
		pad = " "
	}
	return ticks + pad + s + pad + ticks
}
