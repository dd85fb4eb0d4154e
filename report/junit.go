package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// JUnit writes one suite with a case for each assertion. A failed one is a
// failure; an inconclusive one is an error, since a run that could not judge
// must not look green; one that was not exercised passes and says so in its
// output. A run without assertions, or a dirty one, has a case of its own, so
// that it cannot look green either.
func JUnit(w io.Writer, r *harness.Result) error {
	s := junit.Testsuite{Name: "hachaos." + xmlText(r.Scenario), Time: seconds(r), Timestamp: r.StartedAt.UTC().Format("2006-01-02T15:04:05")}
	for _, p := range [][2]string{
		{"verdict", string(r.Verdict)},
		{"seed", strconv.FormatUint(r.Seed, 10)},
		{"topology", r.Topology},
		{"profile", r.Profile},
		{"version", r.Version},
		{"id", r.ID},
	} {
		s.AddProperty(p[0], xmlText(p[1]))
	}
	for i := range r.Assertions {
		s.AddTestcase(testcase(r.Scenario, &r.Assertions[i]))
	}
	if tc, ok := runCase(r); ok {
		s.AddTestcase(tc)
	}
	all := junit.Testsuites{}
	all.AddSuite(s)
	return writeXML(w, all)
}

// runCase is the run itself as a case, where no assertion tells it.
func runCase(r *harness.Result) (junit.Testcase, bool) {
	tc := junit.Testcase{Name: "run", Classname: "hachaos." + xmlText(r.Scenario), Time: "0.000"}
	switch {
	case r.Dirty:
		tc.Failure = &junit.Result{Message: "dirty: something could not be healed or removed", Type: "dirty", Data: xmlText(leftoverText(r))}
	case r.Verdict == harness.VerdictError || len(r.Assertions) == 0:
		tc.Error = &junit.Result{Message: xmlText(r.Reason), Type: string(r.Verdict)}
	case r.Verdict == harness.VerdictInconclusive && !anyInconclusive(r):
		tc.Error = &junit.Result{Message: xmlText(r.Reason), Type: string(r.Verdict)}
	default:
		return tc, false
	}
	return tc, true
}

func anyInconclusive(r *harness.Result) bool {
	for i := range r.Assertions {
		if r.Assertions[i].Status == assert.Inconclusive {
			return true
		}
	}
	return false
}

func testcase(scenario string, v *assert.Verdict) junit.Testcase {
	tc := junit.Testcase{Name: xmlText(v.Name), Classname: "hachaos." + xmlText(scenario), Time: "0.000"}
	text := xmlText(details(v))
	switch v.Status {
	case assert.Fail:
		tc.Failure = &junit.Result{Message: xmlText(v.Summary), Type: "fail", Data: text}
	case assert.Inconclusive:
		tc.Error = &junit.Result{Message: xmlText("inconclusive: " + strings.Join(v.Reasons, "; ")), Type: "inconclusive", Data: text}
	case assert.Pass:
		tc.SystemOut = &junit.Output{Data: text}
	}
	return tc
}

// details is the assertion in plain text, one observation a line.
func details(v *assert.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: measured %s, bound %s\n%s\n", status(v), measured(v), bound(v), v.Summary)
	for i := range v.Evidence {
		fmt.Fprintln(&b, evidence(&v.Evidence[i]))
	}
	if v.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", v.More)
	}
	return b.String()
}

func leftoverText(r *harness.Result) string {
	var b strings.Builder
	for _, l := range r.Leftovers {
		fmt.Fprintf(&b, "%s %s: %s\n", l.Kind, l.Name, l.Remove)
	}
	return b.String()
}

func seconds(r *harness.Result) string { return fmt.Sprintf("%.3f", r.Took.Seconds()) }

// xmlText drops what XML 1.0 cannot carry (section 2.2, Char): the encoder
// of the CDATA sections would write it raw.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return r
		case r < 0x20, r == 0xFFFE, r == 0xFFFF, r >= 0xD800 && r <= 0xDFFF, r > utf8.MaxRune:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
