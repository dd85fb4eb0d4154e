package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample makes a module of one package, of the files given by name and text.
func sample(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module sample\n\ngo 1.26\n")
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

func data(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "operators", name))
	require.NoError(t, err)
	return string(b)
}

// ready is the sample's package with its mutants, and a session to run them.
func ready(t *testing.T, dir string) *session {
	t.Helper()
	p, err := load(dir, ".")
	require.NoError(t, err)
	require.NoError(t, p.mutate())
	b, err := openBook(filepath.Join(dir, "results"), p)
	require.NoError(t, err)
	t.Cleanup(b.close)
	return &session{p: p, book: b, workers: 2, log: io.Discard, margin: patience}
}

// patience is the margin of mutants that end, on a machine however slow: none
// waits for it. Those that do not end are known by soon.
const (
	patience = time.Minute
	soon     = time.Second
)

// all runs every mutant that has no result; endless are parts of the lines of
// those that do not end.
func (s *session) all(t *testing.T, endless ...string) {
	t.Helper()
	var finite, infinite []*mutant
	for _, m := range choose(s.p.mutants, s.book, options{}) {
		if slices.ContainsFunc(endless, func(text string) bool { return strings.Contains(m.String(), text) }) {
			infinite = append(infinite, m)
		} else {
			finite = append(finite, m)
		}
	}
	require.Len(t, infinite, len(endless))
	require.NoError(t, s.run(t.Context(), finite))
	s.margin = soon
	require.NoError(t, s.run(t.Context(), infinite))
	s.margin = patience
}

// find is the one mutant whose line contains the text.
func (s *session) find(t *testing.T, text string) *mutant {
	t.Helper()
	var found []*mutant
	for _, m := range s.p.mutants {
		if strings.Contains(m.String(), text) {
			found = append(found, m)
		}
	}
	require.Lenf(t, found, 1, "%q in:\n%s", text, lines(s.p.mutants))
	return found[0]
}

func (s *session) verdict(t *testing.T, text string) string {
	t.Helper()
	r, ok := s.book.result(s.find(t, text))
	require.Truef(t, ok, "%s was not run", text)
	return r.String()
}

func lines(all []*mutant) string {
	var b strings.Builder
	for _, m := range all {
		fmt.Fprintln(&b, m)
	}
	return b.String()
}

// TestOperators: each operator makes the mutants that testdata lists, of which
// tests that look kill those they should, and a test that does not look none
// but those that panic.
func TestOperators(t *testing.T) {
	var out strings.Builder
	strict := ready(t, sample(t, map[string]string{"code.go": data(t, "code.go"), "strict_test.go": data(t, "strict_test.go")}))
	endless := []string{"Branch: n-- → removed", "Branch: n-- → n++"}
	strict.all(t, endless...)
	loose := ready(t, sample(t, map[string]string{"code.go": data(t, "code.go"), "loose_test.go": data(t, "loose.txt")}))
	loose.all(t, endless...)
	ops := map[string]map[string]bool{}
	for _, m := range strict.p.mutants {
		s, _ := strict.book.result(m)
		l, _ := loose.book.result(m)
		fmt.Fprintf(&out, "%s\n\t%s; not looking: %s\n", m, s, l.Verdict)
		if ops[m.op] == nil {
			ops[m.op] = map[string]bool{}
		}
		if l.Verdict == survived {
			ops[m.op][string(s.Verdict)] = true
		}
	}
	for _, op := range []string{
		"arithmetic", "bits", "boundary", "branch", "case", "constant", "jump", "logical", "negate", "negation", "remove", "return", "step",
	} {
		require.Truef(t, ops[op][string(killed)], "no mutant of %s is killed by the strict tests and survives the loose one", op)
	}
	require.Len(t, ops, 13)
	const golden = "testdata/operators/mutants.txt"
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
	require.Equal(t, "code.go:54: LogicalFlag: return a && b → return a || b [logical]\n", lines(strict.p.dropped))
}

// reached has two functions, each with a test, and one with none.
var reached = map[string]string{
	"code.go": `package sample

import "time"

func Fast(n int) int { return n + 1 }

func Slow(n int) int { return n + 2 }

func Never(n int) int { return n + 3 }

var Wait = 5 * time.Millisecond
`,
	"code_test.go": `package sample

import (
	"testing"
	"time"
)

func TestSlow(t *testing.T) {
	time.Sleep(200 * Wait)
	if Fast(1) != 2 || Slow(1) != 3 {
		t.Fatal("wrong")
	}
}

func TestFast(t *testing.T) {
	if Fast(1) != 2 {
		t.Fatal("wrong")
	}
}

func TestSkipped(t *testing.T) {
	Never(1)
	t.Skip("not today")
}
`,
}

// TestPicksTests: a mutant is run against the tests that reach it, the fastest
// first. A test that was skipped is none.
func TestPicksTests(t *testing.T) {
	s := ready(t, sample(t, reached))
	s.all(t)
	require.Equal(t, "killed TestFast", s.verdict(t, "return n + 1 → return n - 1"))
	require.Equal(t, "killed TestSlow", s.verdict(t, "return n + 2 → return n - 2"))
	require.Equal(t, "not-covered", s.verdict(t, "return n + 3 → return n - 3"))
	require.Equal(t, "survived", s.verdict(t, "Wait = 6 * time.Millisecond"), "run by all tests, for it is reached at the start")
	base, err := s.book.baseline()
	require.NoError(t, err)
	require.Len(t, base.Tests, 2)
	require.Equal(t, "TestFast", base.Tests[0].Name)
	require.True(t, base.Tests[0].reaches(s.find(t, "Wait = 4 * time.Millisecond")))
}

// TestSplitsLongTests: a mutant meets only the subtests of a long test that
// reach it, and the whole test only for what none of them does.
func TestSplitsLongTests(t *testing.T) {
	s := ready(t, sample(t, map[string]string{
		"code.go": "package sample\n\nfunc A(n int) int { return n + 1 }\n\nfunc B(n int) int { return n + 2 }\n\nfunc C(n int) int { return n + 3 }\n",
		"code_test.go": `package sample

import (
	"testing"
	"time"
)

func TestLong(t *testing.T) {
	ran := 0
	t.Run("a", func(t *testing.T) {
		time.Sleep(600 * time.Millisecond)
		ran++
		A(1)
	})
	t.Run("b or|c", func(t *testing.T) {
		ran++
		t.Run("inner", func(t *testing.T) {
			if B(1) != 3 {
				t.Fatal("wrong")
			}
		})
	})
	if ran == 2 && C(1) != 4 {
		t.Fatal("wrong")
	}
}
`,
	}))
	s.all(t)
	require.Equal(t, "survived", s.verdict(t, "return n + 1 → return n - 1"))
	require.Equal(t, "killed TestLong/b_or|c", s.verdict(t, "return n + 2 → return n - 2"))
	require.Equal(t, "killed TestLong", s.verdict(t, "return n + 3 → return n - 3"))
	base, err := s.book.baseline()
	require.NoError(t, err)
	require.Len(t, base.Tests, 3)
	require.Empty(t, base.Refused)
}

func TestBatches(t *testing.T) {
	m := &mutant{id: 1}
	test := func(name string, took time.Duration, hit byte) testInfo {
		return testInfo{Name: name, Took: took, Hits: []byte{0, hit}}
	}
	tests := []testInfo{
		test("A", 40*time.Millisecond, 1), test("B", 50*time.Millisecond, 0), test("C", 70*time.Millisecond, 1),
		test("D", 300*time.Millisecond, 1), test("E", 350*time.Millisecond, 1), test("F", time.Second, 1),
	}
	names := func(batches [][]testInfo) (out []string) {
		for _, b := range batches {
			var in []string
			for _, t := range b {
				in = append(in, t.Name)
			}
			out = append(out, strings.Join(in, " "))
		}
		return out
	}
	require.Equal(t, []string{"A", "C D", "E F"}, names(batch(tests, m, "")))
	require.Equal(t, []string{"E", "A", "C D", "F"}, names(batch(tests, m, "E")), "what killed it before is first")
	require.Equal(t, []string{"A", "C D", "E F"}, names(batch(tests, m, "B")), "unless it does not reach it any more")
	require.Empty(t, batch(tests, &mutant{id: 9}, ""))
}

// TestResumes: what has a result is not run again, until the package or its
// tests change; a line that was torn is forgotten.
func TestResumes(t *testing.T) {
	dir := sample(t, reached)
	s := ready(t, dir)
	all := choose(s.p.mutants, s.book, options{})
	require.NoError(t, s.run(t.Context(), all[:2]))
	require.Len(t, choose(s.p.mutants, s.book, options{}), len(all)-2)

	text, err := os.ReadFile(s.book.file.Name())
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(text), "\n"))
	require.NoError(t, os.WriteFile(s.book.file.Name(), text[:len(text)-5], 0o644))
	s = ready(t, dir)
	require.Len(t, choose(s.p.mutants, s.book, options{}), len(all)-1, "the torn one is run again")
	s.all(t)
	require.Empty(t, choose(s.p.mutants, s.book, options{}))
	s = ready(t, dir)
	require.Empty(t, choose(s.p.mutants, s.book, options{}), "another process reads them all")

	write(t, dir, "more_test.go", "package sample\n")
	s = ready(t, dir)
	require.Len(t, choose(s.p.mutants, s.book, options{}), len(all))
	m := s.find(t, "return n + 1 → return n - 1")
	require.Equal(t, "TestFast", s.book.lastKiller(m), "of the state before")
	write(t, dir, "unrelated.txt", "is not a source")
	before := s.p.state
	require.Equal(t, before, ready(t, dir).p.state)
}

// TestStopsAtItsBudget: a run that is broken off keeps what it has, and is no
// error.
func TestStopsAtItsBudget(t *testing.T) {
	s := ready(t, sample(t, reached))
	ctx, cancel := context.WithCancel(t.Context())
	s.log = after{"measured", cancel}
	require.NoError(t, s.run(ctx, s.p.mutants))
	require.Less(t, len(s.book.results), len(s.p.mutants))
}

// after calls a function when a text is written.
type after struct {
	text string
	do   func()
}

func (a after) Write(b []byte) (int, error) {
	if strings.Contains(string(b), a.text) {
		a.do()
	}
	return len(b), nil
}

// TestRefusesTests: a test that fails with no mutant kills none, and is named.
func TestRefusesTests(t *testing.T) {
	s := ready(t, sample(t, map[string]string{
		"code.go": "package sample\n\nvar set bool\n\nfunc Double(n int) int { return n * 2 }\n\nfunc Half(n int) int { return n / 2 }\n",
		"code_test.go": `package sample

import "testing"

func TestFails(t *testing.T) {
	Half(4)
	t.Fatal("always")
}

func TestSets(t *testing.T) { set = Double(1) == 2 }

func TestOnlyAlone(t *testing.T) {
	if Half(4); set {
		t.Fatal("set by another")
	}
}
`,
	}))
	s.all(t)
	base, err := s.book.baseline()
	require.NoError(t, err)
	require.Equal(t, []string{
		"TestFails fails with no mutant, run alone",
		"TestOnlyAlone fails with no mutant, run with the others",
	}, base.Refused)
	require.Equal(t, "not-covered", s.verdict(t, "return n / 2 → return n * 2"))
	require.Equal(t, "survived", s.verdict(t, "return n * 2 → return n / 2"))
	var out strings.Builder
	writeReport(&out, []section{newSection(s.p, s.book, base, options{})}, options{})
	require.Contains(t, out.String(), "TestFails fails with no mutant, run alone")
}

// TestBoundsMutants: one that does not end, one that takes all memory and one
// that calls itself for ever are killed, each in its way.
func TestBoundsMutants(t *testing.T) {
	s := ready(t, sample(t, map[string]string{
		"code.go": `package sample

func Down(n int) int {
	steps := 0
	for n > 0 {
		n -= 1
		steps++
	}
	return steps
}

func Pages(n int) [][]byte {
	var out [][]byte
	for i := 0; i < n; {
		out = append(out, make([]byte, 1<<24))
		i++
	}
	return out
}

func Depth(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + Depth(n-1)
}
`,
		"code_test.go": `package sample

import "testing"

func TestDown(t *testing.T)  { Down(3) }
func TestPages(t *testing.T) { Pages(1) }
func TestDepth(t *testing.T) { Depth(3) }
`,
	}))
	require.NoError(t, s.run(t.Context(), []*mutant{s.find(t, "i++ → removed"), s.find(t, "if n == 0 → if false")}))
	require.Equal(t, "killed TestPages", s.verdict(t, "i++ → removed"))
	require.Equal(t, "killed TestDepth", s.verdict(t, "if n == 0 → if false"))

	s.margin = soon
	require.NoError(t, s.run(t.Context(), []*mutant{s.find(t, "n -= 1 → removed")}))
	require.Equal(t, "timed-out TestDown", s.verdict(t, "n -= 1 → removed"))
}

// TestSample: a sample is a part of a greater one with the same seed, and
// another seed draws another.
func TestSample(t *testing.T) {
	dir := sample(t, map[string]string{"code.go": data(t, "code.go")})
	s := ready(t, dir)
	small := choose(s.p.mutants, s.book, options{sample: 10, seed: 1})
	require.Len(t, small, 10)
	require.Equal(t, small, choose(s.p.mutants, s.book, options{sample: 20, seed: 1})[:10])
	require.NotEqual(t, small, choose(s.p.mutants, s.book, options{sample: 10, seed: 2}))
	require.Len(t, choose(s.p.mutants, s.book, options{sample: 1 << 20}), len(s.p.mutants))
	for _, m := range choose(s.p.mutants, s.book, options{match: "[jump]"}) {
		require.Equal(t, "jump", m.op)
	}

	// What another sample's results say is no part of the score.
	for _, m := range small {
		require.NoError(t, s.book.add(m, result{Verdict: killed}))
	}
	require.Empty(t, choose(s.p.mutants, s.book, options{sample: 10, seed: 1}))
	run := func(o options) int { return newSection(s.p, s.book, nil, o).count().run }
	require.Equal(t, 10, run(options{}))
	require.Equal(t, 10, run(options{sample: 10, seed: 1}))
	require.Equal(t, 4, run(options{sample: 4, seed: 1}))
	require.Less(t, run(options{sample: 10, seed: 2}), 10)
	var out strings.Builder
	writeReport(&out, nil, options{sample: 10, seed: 2})
	require.Contains(t, out.String(), "Sample: at most 10 mutants of each package, drawn with seed 2.\n")
}

// TestKeys: a mutant's key stays as it is if the file changes above it, and no
// two have the same.
func TestKeys(t *testing.T) {
	keys := func(code string) []string {
		var out []string
		for _, m := range ready(t, sample(t, map[string]string{"code.go": code})).p.mutants {
			out = append(out, m.key())
		}
		slices.Sort(out)
		return out
	}
	code := data(t, "code.go")
	was := keys(code)
	require.Len(t, slices.Compact(slices.Clone(was)), len(was))
	now := keys(strings.Replace(code, "func Boundary", "func First2() int { return 7 }\n\n\nfunc Boundary", 1))
	require.Subset(t, now, was)
	require.Greater(t, len(now), len(was))
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"--package", "a,b", "--package", "c", "--budget", "3m", "--sample", "5"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, o.packages)
	require.Equal(t, 3*time.Minute, o.budget)
	o, err = parse(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, served, o.packages)
	_, err = parse([]string{"history"}, io.Discard)
	require.ErrorContains(t, err, "--package")
	for _, args := range [][]string{{"--least", "101"}, {"--least", "NaN"}, {"--least", "85", "--match", "seal.go"}, {"--least", "85", "--package", "history"}} {
		_, err = parse(args, io.Discard)
		require.ErrorContains(t, err, "--least")
	}
	_, err = parse([]string{"--workers", "0"}, io.Discard)
	require.Error(t, err)
	_, err = parse([]string{"-h"}, io.Discard)
	require.ErrorIs(t, err, flag.ErrHelp)
}
