package assert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// ran is a run of three bad operations.
func ran(from, last, to time.Duration) outage {
	return outage{From: from, Last: last, To: to, Bad: 3, First: 1, Final: 3, Until: 4}
}

func pooled(best, spanned outage) *shareRuns {
	return &shareRuns{pool: runs{best: best, spanned: spanned}, session: map[uint32]*runs{}}
}

// The bound is 100, of which the sample may leave 10 open, and the fault at 0.
func TestBeyond(t *testing.T) {
	typed := func(o outage) *shareRuns {
		r := pooled(outage{}, outage{})
		r.types[history.Order].spanned = o
		return r
	}
	alone := func(o outage) *shareRuns {
		r := pooled(outage{}, outage{})
		r.session[7] = &runs{spanned: o}
		return r
	}
	for _, c := range []struct {
		name  string
		runs  *shareRuns
		found bool
		want  outage
	}{
		{name: "none", runs: pooled(outage{}, outage{})},
		{name: "as long as the bound", runs: pooled(ran(0, 95, 100), outage{})},
		{name: "longer, finely sampled", runs: pooled(ran(0, 91, 101), outage{}), found: true, want: ran(0, 91, 101)},
		{name: "longer, perhaps", runs: pooled(ran(0, 90, 101), outage{})},
		{name: "longer, coarsely sampled and certain", runs: pooled(ran(0, 101, 300), outage{}), found: true, want: ran(0, 101, 300)},
		{name: "longer, coarsely sampled, certain to the bound", runs: pooled(ran(0, 100, 300), outage{})},
		{name: "another one is certain", runs: pooled(ran(0, 90, 300), ran(400, 501, 502)), found: true, want: ran(400, 501, 502)},
		{name: "another one is as long as the bound", runs: pooled(ran(0, 90, 300), ran(400, 500, 501))},
		{name: "a type, twice the bound", runs: typed(ran(0, 200, 201))},
		{name: "a type, more", runs: typed(ran(0, 201, 202)), found: true, want: ran(0, 201, 202)},
		{name: "a session, twice the bound", runs: alone(ran(0, 200, 201))},
		{name: "a session, more", runs: alone(ran(0, 201, 202)), found: true, want: ran(0, 201, 202)},
		{name: "a session, counted from its beginning", runs: alone(ran(50, 250, 251))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, found := c.runs.beyond(100)
			require.Equal(t, c.found, found)
			if found {
				require.Equal(t, c.want, got.outage)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	r := pooled(outage{}, outage{})
	_, none := r.worstSession()
	require.Zero(t, none)
	r.session = map[uint32]*runs{
		5: {spanned: ran(10, 30, 31)}, 3: {spanned: ran(20, 40, 41)}, 9: {spanned: ran(0, 20, 21)}, 4: {spanned: ran(0, 10, 11)}, 2: {},
	}
	for range 20 { // whatever the map's order
		s, o := r.worstSession()
		require.EqualValues(t, 3, s, "of equals the lowest number")
		require.Equal(t, ran(20, 40, 41), o)
	}
	r.types[history.SessionRead].spanned = ran(100, 110, 111)
	r.types[history.Order].spanned = ran(0, 10, 11)
	typ, _ := r.worstType()
	require.Equal(t, history.SessionRead, typ, "of equals the first")
	r.types[history.Order].spanned = ran(0, 11, 12)
	typ, _ = r.worstType()
	require.Equal(t, history.Order, typ)
}

func TestBreakLength(t *testing.T) {
	h := &history.History{End: 100, Phases: []history.Phase{{From: 10, To: 30}}}
	for _, c := range []struct {
		injected, heal, want time.Duration
	}{
		{10, 25, 20}, {29, 25, 20}, {30, 50, 20}, {5, 40, 35}, {40, -1, 60}, {0, 0, 0},
	} {
		require.Equal(t, c.want, breakLength(h, &history.Fault{Injected: c.injected, Heal: c.heal}), c)
	}
}

// What the sample leaves open is no pass.
func TestOutageDoubt(t *testing.T) {
	h := killed()
	spoil(h, 10*sec, 10900*mil, onVictim)
	var kept []history.Op // nothing of the victim's share between 10.9 s and 11.2 s
	for _, o := range h.Ops {
		if o.Intended < 10900*mil || o.Intended >= 11200*mil || !onVictim(o.Session) {
			kept = append(kept, o)
		}
	}
	h.Ops = kept
	v := ErrorBudget{OutageBound: "outage/vanished", Overall: 90}.Check(h)
	require.Equal(t, Inconclusive, v.Status)
	require.Contains(t, v.Reasons[0], "too few operations to say when the outage ended")
	require.Contains(t, v.Reasons[0], "outage 890 ms to 1.2 s")
}

// Ten operations of the share within twice the bound are enough to see it.
func TestLeastShare(t *testing.T) {
	for n, want := range map[int]Status{9: Inconclusive, 10: Pass} {
		h := killed()
		seen := 0
		kept := h.Ops[:0]
		for _, o := range h.Ops {
			if onVictim(o.Session) && o.Intended >= 10*sec && o.Intended < 12*sec {
				if seen++; seen > n {
					continue
				}
			}
			kept = append(kept, o)
		}
		h.Ops = kept
		require.Equal(t, want, ErrorBudget{OutageBound: "outage/vanished"}.Check(h).Status, n)
	}
}

// What was under way at the fault was being served until then: the outage
// begins with the fault, however long such an operation takes.
func TestAnOutageBeginsWithItsFault(t *testing.T) {
	h := killed()
	for i := range h.Ops {
		o := &h.Ops[i]
		if onVictim(o.Session) && o.Intended >= 9700*mil && o.Intended < 10100*mil {
			o.End = 10900 * mil
		}
	}
	v := ErrorBudget{OutageBound: "outage/vanished", Overall: 90}.Check(h)
	require.Equal(t, Pass, v.Status, v.Summary)
	require.Contains(t, v.Summary, "The users of j2 were without service for 105 ms at the longest")
}
