package assert_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// An oracle decides the same question as a checker, from the definition in the
// checker's doc comment, by another way: it is slow, and obviously right. The
// tests of oracle_…_test.go hold the two together on random histories, of
// which each verdict must be met often. They are functions of their seeds,
// which they name when they fail.

// rounds are the seeds of the random histories that a test judges: the numbers
// below n, or below HACHAOS_ROUNDS times n where that is set, or the one of
// HACHAOS_SEED alone, which is how a failure is repeated.
func rounds(t *testing.T, n int) iter.Seq[uint64] {
	t.Helper()
	if seed, set := setting(t, seedVariable); set {
		return func(yield func(uint64) bool) { yield(seed) }
	}
	times, set := setting(t, roundsVariable)
	if !set {
		times = 1
	}
	require.Positive(t, times, roundsVariable)
	return func(yield func(uint64) bool) {
		for seed := uint64(0); seed < times*uint64(n) && yield(seed); seed++ {
		}
	}
}

const (
	roundsVariable  = "HACHAOS_ROUNDS"
	seedVariable    = "HACHAOS_SEED"
	plantedVariable = "HACHAOS_PLANTED"
)

// setting is a number from the environment.
func setting(t *testing.T, name string) (n uint64, set bool) {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n, true
}

// sizes are those of the histories in which violations are planted: those of
// some thousand operations, and up to a million where HACHAOS_ROUNDS is set; or that of
// HACHAOS_PLANTED alone, as `make unit` has it without the race detector.
func sizes(t *testing.T) []int {
	t.Helper()
	if n, set := setting(t, plantedVariable); set {
		return []int{int(n)}
	}
	if _, set := setting(t, roundsVariable); set {
		return []int{1_000, 10_000, 100_000, 1_000_000}
	}
	return []int{1_000, 10_000}
}

// random is the source of one history.
func random(seed, of uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, of)) }

// oneOf draws an element.
func oneOf[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// chance is true once in n times.
func chance(rng *rand.Rand, n int) bool { return rng.IntN(n) == 0 }

// tape numbers what is observed in a history that is made by hand.
type tape struct{ seq uint64 }

func (s *tape) next() uint64 { s.seq++; return s.seq }

// seen is an observation with the tape's next number.
func seen[T any](s *tape, at time.Duration, v T) history.At[T] {
	return history.At[T]{Seq: s.next(), Time: at, V: v}
}

// byTime puts observations in order, as a history has them.
func byTime[T any](list []history.At[T]) {
	slices.SortStableFunc(list, func(a, b history.At[T]) int { return int(a.Time - b.Time) })
}

// covered are complete accounts of streams, given after all else.
func covered(streams ...string) (out []history.At[history.Coverage]) {
	for _, s := range streams {
		out = append(out, history.At[history.Coverage]{Time: time.Hour, V: history.Coverage{Stream: s, Complete: true}})
	}
	return out
}

// ruling is what an oracle or a checker decides.
type ruling struct {
	Status assert.Status
	Idle   bool // not exercised
	// Found are the violations as "class number", sorted: of the journal's line
	// if the evidence names one, else of the operation.
	Found []string
}

// mark words one violation as rulings have it.
func mark(class string, number uint64) string { return fmt.Sprintf("%s %d", class, number) }

// ruled is the ruling of a verdict whose evidence is shown in full.
func ruled(t *testing.T, v assert.Verdict) ruling {
	t.Helper()
	require.Zero(t, v.More, "the history is too large for its evidence to be compared")
	r := ruling{Status: v.Status, Idle: v.NotExercised}
	for _, e := range v.Evidence {
		n := e.Seq
		if n == 0 {
			n = e.Op
		}
		r.Found = append(r.Found, mark(e.Class, n))
	}
	slices.Sort(r.Found)
	return r
}

// agrees holds a verdict against an oracle's ruling. Where not all evidence is
// shown, what is shown is some of the oracle's.
func agrees(t *testing.T, want ruling, v assert.Verdict, format string, args ...any) {
	t.Helper()
	said := fmt.Sprintf(format, args...)
	if v.More == 0 {
		require.Equal(t, want, ruled(t, v), said)
		return
	}
	shown := v
	shown.More = 0
	require.Equal(t, want.Status, v.Status, said)
	require.Len(t, want.Found, len(v.Evidence)+v.More, said)
	require.Subset(t, want.Found, ruled(t, shown).Found, said)
}

// sorted gives the ruling with its violations in order.
func (r ruling) sorted() ruling {
	slices.Sort(r.Found)
	return r
}

// census counts what random histories came to.
type census struct {
	of     int
	counts map[string]int
}

// add counts one history under the status of its verdict, and the words.
func (c *census) add(s assert.Status, words ...string) {
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.of++
	c.counts[s.String()]++
	slices.Sort(words)
	for _, w := range slices.Compact(words) {
		c.counts[w]++
	}
}

// require demands that each word was met by at least that many histories of a
// thousand. One that is judged alone, again, need not meet any.
func (c *census) require(t *testing.T, perMille int, words ...string) {
	t.Helper()
	if _, alone := setting(t, seedVariable); alone {
		return
	}
	for _, w := range words {
		require.GreaterOrEqual(t, 1000*c.counts[w], perMille*c.of, "%q was met by %d of %d histories: %v", w, c.counts[w], c.of, c.counts)
		require.Positive(t, c.counts[w], "%q was met by none of %d histories: %v", w, c.of, c.counts)
	}
}

// classes are the classes of violations.
func classes(list []string) (out []string) {
	for _, f := range list {
		i := len(f)
		for f[i-1] >= '0' && f[i-1] <= '9' {
			i--
		}
		out = append(out, f[:i-1])
	}
	return out
}
