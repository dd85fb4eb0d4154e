package report

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
)

// Lengths, in bytes, at which the page cuts what others wrote. A log line of
// megabytes must not make a page of megabytes.
const (
	maxName = 80
	maxText = 1500
)

// maxTold is the same for what is written to a terminal, which has no other place for it.
const maxTold = 16 << 10

// cut cuts s after at most most bytes, between two characters, and says how
// much is left out.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	at := most
	for at > most-utf8.UTFMax && at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return fmt.Sprintf("%s… (%d bytes more)", s[:at], len(s)-at)
}

// cleanName makes a name safe to show, and no longer than a name needs to be.
func cleanName(s string) string { return Clean(cut(s, maxName)) }

// cleanText makes a text safe to show, and no longer than a person reads.
func cleanText(s string) string { return Clean(cut(s, maxText)) }

// shortEvidence is evidence whose text is cut.
func shortEvidence(e *assert.Evidence, most int) string {
	c := *e
	c.Node, c.Class, c.Text = cut(c.Node, maxName), cut(c.Class, maxName), cut(c.Text, most)
	return evidence(&c)
}

// shortLeftover is what was left behind, with its texts cut.
func shortLeftover(l history.Leftover) string {
	l.Kind, l.Name, l.Detail, l.Remove = cut(l.Kind, maxName), cut(l.Name, maxName), cut(l.Detail, maxText), cut(l.Remove, maxText)
	return leftoverLine(l)
}

// legible is a result without what no screen has room for: what lays it out takes the more
// time for a text the longer that is, and a log may make one of megabytes.
func legible(r *harness.Result) *harness.Result {
	const most = maxTold
	each := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = cut(s, most)
		}
		return out
	}
	short := *r
	short.Scenario, short.Reason = cut(r.Scenario, most), cut(r.Reason, most)
	short.Faults = slices.Clone(r.Faults)
	for i := range short.Faults {
		f := &short.Faults[i]
		f.Kind, f.Nodes, f.Measured = cut(f.Kind, most), each(f.Nodes), cut(f.Measured, most)
	}
	short.Leftovers = slices.Clone(r.Leftovers)
	for i := range short.Leftovers {
		l := &short.Leftovers[i]
		l.Kind, l.Name, l.Detail, l.Remove = cut(l.Kind, most), cut(l.Name, most), cut(l.Detail, most), cut(l.Remove, most)
	}
	short.Assertions = slices.Clone(r.Assertions)
	for i := range short.Assertions {
		v := &short.Assertions[i]
		v.Name, v.Unit, v.Summary, v.Fix = cut(v.Name, most), cut(v.Unit, maxName), cut(v.Summary, most), cut(v.Fix, most)
		v.Reasons, v.Notes, v.Evidence = each(v.Reasons), each(v.Notes), slices.Clone(v.Evidence)
		for j := range v.Evidence {
			e := &v.Evidence[j]
			e.Node, e.Class, e.Text = cut(e.Node, most), cut(e.Class, most), cut(e.Text, most)
		}
	}
	return &short
}
