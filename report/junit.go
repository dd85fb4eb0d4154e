package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/suite"
)

// How long a JUnit file's texts may be, in bytes. All bodies together stay
// below junitBodies, and so the file below the 30 MB that GitLab reads, even if
// every byte of them has to be escaped.
const (
	junitBodies  = 4 << 20
	junitBody    = 16 << 10
	junitAtLeast = 512
	junitMessage = 1 << 10
	// junitPassing is how much of a passing case's output Jenkins keeps.
	junitPassing = 1000
)

// carriedOut is the case of the run itself.
const carriedOut = "carried-out"

// JUnit writes a test suite with a case for each assertion and one for the
// run itself: that it was carried out, judged, and left nothing behind. That
// case has the run's time, and the words of a verdict that no assertion tells.
//
// A failed assertion is a failure; an inconclusive one is an error, since a run
// that could not judge must not look green; one that met no occasion to be
// tested is skipped. What a failure says is in its body, too, since GitLab
// shows nothing else of it. Bodies are cut: see junitBodies.
func JUnit(w io.Writer, r *harness.Result) error {
	return writeJUnit(w, []junitRun{{Result: r, class: "hachaos." + r.Scenario, took: r.Took, folder: r.Dir}}, nil, r.Took)
}

// SuiteJUnit writes a test suite for each run, as JUnit does. The classes of
// the second repetition and those after it bear its number, because GitLab
// ignores a case whose class and name it has seen before. What of a suite is
// no run's (it was interrupted, or left something of a shared topology behind)
// is a test suite of its own.
func SuiteJUnit(w io.Writer, s *suite.Result) error {
	var runs []junitRun
	for i := range s.Entries {
		e := &s.Entries[i]
		class := "hachaos." + e.Scenario
		if e.Repetition > 1 {
			class += fmt.Sprintf(" (%d)", e.Repetition)
		}
		runs = append(runs, junitRun{Result: resultOf(e), class: class, took: e.Took, folder: e.Dir})
	}
	return writeJUnit(w, runs, ownCases(s), s.Took)
}

// resultOf is an entry's result with the entry's own words, which say more
// where the run's folder is not whole.
func resultOf(e *suite.Entry) *harness.Result {
	r := e.Result()
	r.Reason, r.Seed, r.Command = e.Reason, e.Seed, e.Command
	return r
}

// ownCases are a suite's own.
func ownCases(s *suite.Result) []junit.Testcase {
	var out []junit.Testcase
	own := func(name string) junit.Testcase {
		return junit.Testcase{Name: junitName(name), Classname: "hachaos.suite", Time: "0.000"}
	}
	if s.Interrupted || len(s.Entries) == 0 {
		why := "inconclusive: the suite was interrupted"
		if !s.Interrupted {
			why = "inconclusive: nothing was run"
		}
		tc := own("whole")
		tc.Error = junitResult("inconclusive", why, why, junitBody)
		out = append(out, tc)
	}
	for _, l := range s.Leftovers[:min(len(s.Leftovers), maxLeftovers)] {
		tc := own("left behind: " + l.Kind + " " + l.Name)
		tc.Failure = junitResult("dirty", "dirty: it could not be removed", cleanText(l.Detail)+"\nRemove it: "+cleanText(l.Remove), junitBody)
		out = append(out, tc)
	}
	return out
}

// junitRun is a run that becomes a test suite.
type junitRun struct {
	*harness.Result
	class, folder string
	took          time.Duration
}

// writeJUnit writes runs as test suites, and own as one more.
func writeJUnit(w io.Writer, runs []junitRun, own []junit.Testcase, took time.Duration) error {
	cases := len(own)
	for _, r := range runs {
		cases += 1 + len(r.Assertions)
	}
	limit := min(junitBody, max(junitAtLeast, junitBodies/max(1, cases)))
	all := junit.Testsuites{Name: "hachaos", Time: seconds(took)}
	seen := map[string]int{}
	for _, r := range runs {
		s := r.suite(limit)
		s.ID = len(all.Suites)
		unrepeated(seen, s.Testcases)
		all.AddSuite(s)
	}
	if len(own) > 0 {
		s := junit.Testsuite{Name: "hachaos.suite", Time: "0.000", ID: len(all.Suites)}
		for _, tc := range own {
			s.AddTestcase(tc)
		}
		unrepeated(seen, s.Testcases)
		all.AddSuite(s)
	}
	all.Skipped = 0 // the schema that Jenkins validates by has it of a test suite only
	return writeXML(w, all)
}

// unrepeated numbers cases whose class and name are there already.
func unrepeated(seen map[string]int, cases []junit.Testcase) {
	for i := range cases {
		c := &cases[i]
		key := c.Classname + "\n" + c.Name
		if seen[key]++; seen[key] > 1 {
			c.Name = fmt.Sprintf("%s (%d)", c.Name, seen[key])
		}
	}
}

// suite is the run's; limit is how long each body may be.
func (r junitRun) suite(limit int) junit.Testsuite {
	s := junit.Testsuite{Name: junitName(r.class), Time: seconds(r.took)}
	if !r.StartedAt.IsZero() {
		s.Timestamp = r.StartedAt.UTC().Format("2006-01-02T15:04:05")
	}
	for _, p := range [][2]string{
		{"verdict", string(r.Verdict)},
		{"seed", strconv.FormatUint(r.Seed, 10)},
		{"topology", r.Topology},
		{"profile", r.Profile},
		{"version", r.Version},
		{"id", r.ID},
	} {
		s.AddProperty(p[0], junitName(p[1]))
	}
	for i := range r.Assertions {
		s.AddTestcase(r.assertion(&r.Assertions[i], limit))
	}
	s.AddTestcase(r.itself(limit))
	return s
}

// itself is the case of the run.
func (r junitRun) itself(limit int) junit.Testcase {
	tc := junit.Testcase{Name: carriedOut, Classname: junitName(r.class), Time: seconds(r.took)}
	text := headline(r.Result) + ": " + cleanText(r.Reason) + "\n" + r.again()
	switch {
	case r.Dirty:
		tc.Failure = junitResult("dirty", "dirty: something could not be healed or removed", leftoverText(r.Result)+text, limit)
	case untold(r.Result):
		tc.Error = junitResult(string(r.Verdict), string(r.Verdict)+": "+cleanText(r.Reason), text, limit)
	default:
		tc.SystemOut = &junit.Output{Data: xmlText(cut(text, min(limit, junitPassing)))}
	}
	return tc
}

// untold says whether the run's verdict is one that its assertions do not show:
// without any, of a run that was not carried out or whose record is not whole.
func untold(r *harness.Result) bool {
	failed, unsure := 0, 0
	for i := range r.Assertions {
		switch r.Assertions[i].Status {
		case assert.Fail:
			failed++
		case assert.Inconclusive:
			unsure++
		}
	}
	switch r.Verdict {
	case harness.VerdictPass:
		return len(r.Assertions) == 0
	case harness.VerdictFail:
		return failed == 0
	case harness.VerdictInconclusive:
		return unsure == 0 || failed > 0
	}
	return true
}

func (r junitRun) assertion(v *assert.Verdict, limit int) junit.Testcase {
	tc := junit.Testcase{Name: junitName(v.Name), Classname: junitName(r.class), Time: "0.000"}
	switch text := details(v, limit); {
	case v.Status == assert.Fail:
		tc.Failure = junitResult("fail", cleanText(v.Summary), text+r.again(), limit)
	case v.Status == assert.Inconclusive:
		tc.Error = junitResult("inconclusive", "inconclusive: "+why(v), text+r.again(), limit)
	case v.NotExercised:
		tc.Skipped = junitResult("not exercised", "not exercised: "+cleanText(v.Summary), text, min(limit, junitPassing))
	default:
		tc.SystemOut = &junit.Output{Data: xmlText(cut(text, min(limit, junitPassing)))}
	}
	return tc
}

// junitResult is a failure, an error or what was skipped. Its body is never
// empty: GitLab would show the attributes in its stead.
func junitResult(kind, message, body string, limit int) *junit.Result {
	if strings.TrimSpace(body) == "" {
		body = message
	}
	return &junit.Result{Type: kind, Message: xmlText(cut(message, min(limit, junitMessage))), Data: xmlText(cut(body, limit))}
}

// junitName is a name or another short text.
func junitName(s string) string { return xmlText(cleanText(s)) }

// details is the assertion in plain text, one observation a line, until it is
// longer than limit.
func details(v *assert.Verdict, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: measured %s, bound %s\n", status(v), cut(measured(v), maxName), cut(bound(v), maxName))
	for _, s := range append([]string{v.Summary}, v.Reasons...) {
		if s != "" {
			fmt.Fprintln(&b, cleanText(s))
		}
	}
	if v.Fix != "" {
		fmt.Fprintf(&b, "To change it: %s\n", cleanText(v.Fix))
	}
	for i := range v.Evidence {
		if b.Len() > limit {
			break
		}
		fmt.Fprintln(&b, shortEvidence(&v.Evidence[i], maxText))
	}
	if v.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", v.More)
	}
	return b.String()
}

// again says how to repeat the run and where its record is.
func (r junitRun) again() string {
	text := ""
	if r.Command != "" {
		text += "Repeat it: " + cleanText(r.Command) + "\n"
	}
	if r.folder != "" {
		text += "Its folder: " + cleanText(filepath.Base(r.folder)) + "\n"
	}
	return text
}

// maxLeftovers bounds how much of what is left behind is listed.
const maxLeftovers = 50

func leftoverText(r *harness.Result) string {
	var b strings.Builder
	for _, l := range r.Leftovers[:min(len(r.Leftovers), maxLeftovers)] {
		fmt.Fprintln(&b, shortLeftover(l))
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }

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

func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
