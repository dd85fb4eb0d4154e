package assert_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// wholeSizes are those of the runs in which violations are planted. With
// HACHAOS_BENCH_LARGE it is 10⁷ alone, which takes some 8 GB.
func wholeSizes(t *testing.T) []int {
	t.Helper()
	if os.Getenv("HACHAOS_BENCH_LARGE") != "" {
		return []int{10_000_000}
	}
	return sizes(t)
}

// Each violation is found by its checker, first of all, with the number of the
// operation or of the journal's line that was spoilt, and gone when it is taken
// out again.
func TestViolationsPlantedInWholeRunsAreFound(t *testing.T) {
	t.Parallel()
	plants := map[string]bool{}
	for _, n := range wholeSizes(t) {
		for _, kind := range []string{killWhole, slowWhole} {
			w := makeWhole(kind, n, uint64(n))
			for _, p := range plantsOf(kind) {
				what := fmt.Sprintf("%q of %s in %s of %d operations", p.class, p.checker, kind, n)
				put := p.put(w)
				isFound(t, judgeWhole(w.h, w.checkers()[p.checker]), p, put, what)
				put.undo()
				plants[p.checker] = true
			}
			for _, name := range judgedBy(kind) {
				v := judgeWhole(w.h, w.checkers()[name])
				require.Equal(t, assert.Pass, v.Status, "%s of a %s run of %d operations, all taken out again: %s %v", name, kind, n, v.Summary, v.Reasons)
			}
		}
	}
	for _, name := range assert.Known() {
		require.True(t, plants[name], "no violation of %s is planted", name)
	}
}

func isFound(t *testing.T, v assert.Verdict, p wholePlant, put planted, what string) {
	t.Helper()
	require.Equal(t, assert.Fail, v.Status, "%s: %s %v", what, v.Summary, v.Reasons)
	require.NotEmpty(t, v.Evidence, what)
	require.Equal(t, p.class, v.Evidence[0].Class, "%s: %s", what, v.Evidence[0].Text)
	if put.op != 0 {
		require.Equal(t, put.op, v.Evidence[0].Op, "%s: %s", what, v.Evidence[0].Text)
	}
	if put.seq != 0 {
		require.Equal(t, put.seq, v.Evidence[0].Seq, "%s: %s", what, v.Evidence[0].Text)
	}
	if put.says != "" {
		require.Contains(t, v.Summary, put.says, what)
	}
	require.True(t, put.op != 0 || put.seq != 0 || put.says != "", "%s names nothing", what)
}

// A violation of one checker leaves the others alone, but for those that are
// about the same thing.
func TestAPlantedViolationIsItsCheckersAlone(t *testing.T) {
	want, got := map[string][]string{}, map[string][]string{}
	for _, kind := range []string{killWhole, slowWhole} {
		w := makeWhole(kind, 1_000, 7)
		for i, p := range plantsOf(kind) {
			what := fmt.Sprintf("%d. %q of %s in a %s run", i, p.class, p.checker, kind)
			put := p.put(w)
			for _, name := range judgedBy(kind) {
				if v := judgeWhole(w.h, w.checkers()[name]); name != p.checker && v.Status != assert.Pass {
					got[what] = append(got[what], name+" "+v.Status.String())
				}
			}
			put.undo()
			for _, name := range p.also {
				if checker, _, _ := strings.Cut(name, " "); slices.Contains(judgedBy(kind), checker) {
					want[what] = append(want[what], name)
				}
			}
			slices.Sort(want[what])
		}
	}
	maps.DeleteFunc(want, func(_ string, names []string) bool { return len(names) == 0 })
	require.Equal(t, want, got)
}

// Without the load of the machine nobody can tell whether it was the machine that was
// slow: what fails says so, unless its evidence is the clients' and the database's own.
func TestAFailWithoutTheMachinesLoadSaysSo(t *testing.T) {
	const unknown = "how busy the machine was is not known (no observer gave an account of itself)"
	w := makeWhole(killWhole, 1_000, 7)
	whole := w.h.Coverage
	beside := slices.DeleteFunc(slices.Clone(whole), func(c history.At[history.Coverage]) bool { return c.V.Stream == history.StreamHost })
	said := map[bool]int{}
	for _, p := range plantsOf(killWhole) {
		put := p.put(w)
		w.h.Coverage = beside
		v := judgeWhole(w.h, w.checkers()[p.checker])
		says := strings.Contains(strings.Join(v.Notes, " "), unknown)
		require.Equal(t, !v.Safety && p.checker != "leftovers", says, "%q of %s: %v", p.class, p.checker, v.Notes)
		said[says]++
		w.h.Coverage = whole
		v = judgeWhole(w.h, w.checkers()[p.checker])
		require.NotContains(t, strings.Join(v.Notes, " "), "how busy", "%q of %s", p.class, p.checker)
		put.undo()
	}
	require.NotZero(t, said[true])
	require.NotZero(t, said[false])
}
