package assert

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

const tick = 10 * time.Millisecond

// row makes operations, one a tick: g is good, b bad, s ok and slow, o never
// completed, d dropped, c cancelled early, C cancelled late.
func row(pattern string) *history.History {
	h := &history.History{Names: &history.Names{}}
	dropped := uint16(h.Names.Intern(history.ErrDropped))
	cancelled := uint16(h.Names.Intern(history.ErrCancelled))
	for i, c := range pattern {
		at := time.Duration(i) * tick
		o := history.Op{ID: uint64(i + 1), Intended: at, Sent: at, End: at + 3*time.Millisecond, Outcome: history.Good}
		switch c {
		case 'b':
			o.Outcome = history.Unknown
		case 's':
			o.End = at + DefaultThreshold + 1
		case 'o':
			o.Outcome, o.End = history.Unknown, -1
		case 'd':
			o.Outcome, o.Error = history.Failed, dropped
		case 'c':
			o.Outcome, o.Error = history.Unknown, cancelled
		case 'C':
			o.Outcome, o.Error, o.End = history.Unknown, cancelled, at+time.Second
		}
		h.Ops = append(h.Ops, o)
	}
	h.End = time.Duration(len(pattern)) * tick
	h.Phases = []history.Phase{{Name: "steady", Kind: history.PhaseSteady, To: h.End}}
	return h
}

func longest(h *history.History) outage {
	var r runs
	g := newGrader(h, 0)
	inOrder(h, func(o *history.Op) { r.add(o, g.grade(o)) })
	r.finish(func(t time.Duration) time.Duration { return phaseEnd(h, t) })
	return r.best
}

func TestOutage(t *testing.T) {
	for _, c := range []struct {
		pattern string
		length  time.Duration
		first   uint64
		until   uint64
		open    bool
	}{
		{pattern: ""},
		{pattern: "ggg"},
		{pattern: "gbg", length: tick, first: 2, until: 3},
		{pattern: "gbbbg", length: 3 * tick, first: 2, until: 5},
		{pattern: "gbgbbg", length: 2 * tick, first: 4, until: 6},
		{pattern: "gbbgbbg", length: 2 * tick, first: 2, until: 4}, // of equals the first
		{pattern: "gsg", length: tick, first: 2, until: 3},         // a slow answer is no answer
		{pattern: "gog", length: tick, first: 2, until: 3},
		{pattern: "gbdbg", length: 3 * tick, first: 2, until: 5}, // dropped: nobody's experience
		{pattern: "gdg"},
		{pattern: "gbcg", length: 2 * tick, first: 2, until: 4}, // cut off before it was slow
		{pattern: "gcg"},
		{pattern: "gCg", length: tick, first: 2, until: 3}, // it was slow already
		{pattern: "gbb", length: 2 * tick, first: 2, open: true},
		{pattern: "bbb", length: 3 * tick, first: 1, open: true},
		{pattern: "bd", length: 2 * tick, first: 1, open: true},
	} {
		t.Run(c.pattern, func(t *testing.T) {
			got := longest(row(c.pattern))
			require.Equal(t, c.length, got.length())
			require.Equal(t, c.first, got.First)
			require.Equal(t, c.until, got.Until)
			require.Equal(t, c.open, got.Open)
		})
	}
}

func TestThresholdIsInclusive(t *testing.T) {
	h := row("g")
	g := newGrader(h, 500*time.Millisecond)
	h.Ops[0].End = h.Ops[0].Intended + 500*time.Millisecond
	require.Equal(t, good, g.grade(&h.Ops[0]))
	h.Ops[0].End++
	require.Equal(t, bad, g.grade(&h.Ops[0]))
}

// A slow good order between fast bad reads counts when it was asked for.
func TestConcurrencyDoesNotBlurARun(t *testing.T) {
	h := row("bbgbb")
	h.Ops[2].End = h.Ops[2].Intended + 250*time.Millisecond
	require.Equal(t, 2*tick, longest(h).length())
}

// bruteOutage is the definition, word for word, in quadratic time.
func bruteOutage(h *history.History) time.Duration {
	g := newGrader(h, 0)
	var seen []*history.Op
	for i := range h.Ops {
		if g.grade(&h.Ops[i]) != void {
			seen = append(seen, &h.Ops[i])
		}
	}
	var worst time.Duration
	for _, first := range seen {
		if g.grade(first) != bad {
			continue
		}
		end := h.End
		for _, o := range seen {
			if g.grade(o) == good && o.Intended > first.Intended && o.Intended < end {
				end = o.Intended
			}
		}
		worst = max(worst, end-first.Intended)
	}
	return worst
}

func TestOutageAgreesWithOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		pattern := make([]byte, r.IntN(40))
		for i := range pattern {
			pattern[i] = "ggggbbbsodcC"[r.IntN(12)]
		}
		h := row(string(pattern))
		want := bruteOutage(h)
		require.Equal(t, want, longest(h).length(), string(pattern))

		// The order of the record does not matter, nor does the clock's zero.
		r.Shuffle(len(h.Ops), func(i, j int) { h.Ops[i], h.Ops[j] = h.Ops[j], h.Ops[i] })
		shift(h, 3*time.Second)
		require.Equal(t, want, longest(h).length(), string(pattern))
	}
}

// shift moves a record in time.
func shift(h *history.History, by time.Duration) {
	for i := range h.Ops {
		o := &h.Ops[i]
		o.Intended += by
		if o.Sent >= 0 {
			o.Sent += by
		}
		if o.End >= 0 {
			o.End += by
		}
	}
	for _, tries := range h.Tries {
		for i := range tries {
			tries[i].End += by
		}
	}
	for i := range h.Phases {
		h.Phases[i].From += by
		h.Phases[i].To += by
	}
	for i := range h.Faults {
		f := &h.Faults[i]
		for _, t := range []*time.Duration{&f.Injected, &f.Active, &f.Heal, &f.Healed} {
			if *t >= 0 {
				*t += by
			}
		}
		if f.Proof != nil && f.Proof.To > 0 {
			p := *f.Proof
			p.From, p.To = p.From+by, p.To+by
			f.Proof = &p
		}
	}
	moveAll(h.Readiness, by)
	moveAll(h.Truth, by)
	moveAll(h.Transitions, by)
	moveAll(h.Receipts, by)
	moveAll(h.Dispatches, by)
	moveAll(h.Servers, by)
	moveAll(h.VIPs, by)
	moveAll(h.Engine, by)
	for _, c := range h.Coverage {
		for i := range c.V.Unknown {
			w := &c.V.Unknown[i]
			w.From, w.To = w.From+by, w.To+by
		}
	}
	h.End += by
}

func moveAll[T any](list []history.At[T], by time.Duration) {
	for i := range list {
		list[i].Time += by
	}
}

func TestPhaseEnd(t *testing.T) {
	h := &history.History{End: 100, Phases: []history.Phase{{From: 10, To: 20}, {From: 20, To: 30}}}
	for at, want := range map[time.Duration]time.Duration{5: 100, 10: 20, 19: 20, 20: 30, 29: 30, 30: 100, 200: 200} {
		require.Equal(t, want, phaseEnd(h, at), at)
	}
}

// A row of fewer than three is no outage of its own, however long.
func TestSpanned(t *testing.T) {
	for pattern, want := range map[string]outage{
		"bddddbg":     {},
		"bbbg":        {From: 0, Last: 2 * tick, To: 3 * tick, Bad: 3, First: 1, Final: 3, Until: 4},
		"bbbgbdbbg":   {From: 4 * tick, Last: 7 * tick, To: 8 * tick, Bad: 3, First: 5, Final: 8, Until: 9},
		"bdbbgbbbg":   {From: 0, Last: 3 * tick, To: 4 * tick, Bad: 3, First: 1, Final: 4, Until: 5},
		"bbbgbbbg":    {From: 0, Last: 2 * tick, To: 3 * tick, Bad: 3, First: 1, Final: 3, Until: 4}, // of equals the first
		"bbbgbddddbg": {From: 0, Last: 2 * tick, To: 3 * tick, Bad: 3, First: 1, Final: 3, Until: 4},
	} {
		h := row(pattern)
		var r runs
		g := newGrader(h, 0)
		inOrder(h, func(o *history.Op) { r.add(o, g.grade(o)) })
		require.Equal(t, want, r.spanned, pattern)
	}
}

func TestInOrderBreaksTiesByNumber(t *testing.T) {
	at := func(id uint64, t time.Duration) history.Op { return history.Op{ID: id, Intended: t} }
	for _, ops := range [][]history.Op{
		{at(1, 5), at(2, 5), at(3, 7)}, {at(2, 5), at(1, 5), at(3, 7)}, {at(3, 7), at(1, 5), at(2, 5)}, {at(1, 5), at(3, 7), at(2, 5)},
	} {
		var got []uint64
		inOrder(&history.History{Ops: ops}, func(o *history.Op) { got = append(got, o.ID) })
		require.Equal(t, []uint64{1, 2, 3}, got)
	}
	require.True(t, scheduled([]history.Op{at(2, 5), at(1, 6)}), "a smaller number may be due later")
}
