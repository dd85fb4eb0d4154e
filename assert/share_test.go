package assert

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

// victims is a record in which j2 dies at 10 s and is healed at 20 s.
func victims() *historytest.Builder {
	b := historytest.New()
	b.Phase("break", history.PhaseBreak, 5*sec, 20*sec).Phase("recover", history.PhaseRecover, 20*sec, 30*sec)
	b.Fault("instance-kill", 10*sec, "j2").Active(10*sec + 20*mil).Heal(20 * sec).Healed(21 * sec)
	return b
}

func TestShareMembers(t *testing.T) {
	b := victims()
	b.Op(history.OpSessionRead, 9*sec).In(1).Bound("j2").OK()               // over before the fault
	b.Op(history.OpSessionRead, 11*sec).In(1).Bound("j1").OK()              // and moved by then
	b.Op(history.OpOrder, 9900*mil).In(2).Bound("j2").End(10100 * mil).OK() // under way when it struck
	b.Op(history.OpSessionRead, 11*sec).In(2).Bound("j1").OK()              // stays a member
	b.Op(history.OpSessionRead, 19*sec).In(3).Bound("j2").Info("reset")     // bound as long as it lasts
	b.Op(history.OpSessionRead, 20*sec).In(4).Bound("j2").OK()              // bound after the heal
	b.Op(history.OpLogin, 12*sec).In(5).On("j1").OK()                       // begun after the fault
	b.Op(history.OpSessionWrite, 9900*mil).In(6).Bound("j2").Open()         // never completed
	b.Op(history.OpSessionRead, 10500*mil).In(7).Bound("j2").NotSent().Fail("not-sent")
	h := b.Build(t)
	s := shares(h)
	require.Len(t, s, 1)
	require.False(t, s[0].all)
	require.Equal(t, map[uint32]bool{2: true, 3: true, 6: true, 7: true}, s[0].sessions)
	var ops []uint64
	inOrder(h, func(o *history.Op) {
		if s[0].has(o) {
			ops = append(ops, o.ID)
		}
	})
	require.Equal(t, []uint64{3, 8, 9, 4, 5}, ops, "by intended time")
}

func TestShareOfABalancerIsAllTraffic(t *testing.T) {
	b := historytest.New()
	b.Fault("instance-kill", 10*sec, "lb1").Active(10*sec + 20*mil)
	b.Op(history.OpSessionRead, 9*sec).OK()
	b.Op(history.OpSessionRead, 11*sec).OK()
	h := b.Build(t)
	s := shares(h)
	require.True(t, s[0].all)
	require.False(t, s[0].empty())
	require.False(t, s[0].has(&h.Ops[0]), "over before the fault")
	require.True(t, s[0].has(&h.Ops[1]))
}

func TestFaultThatWasNeverInjectedHasNoShare(t *testing.T) {
	h := &history.History{Faults: []history.Fault{{Injected: -1, Active: -1, Heal: -1, Healed: -1, Nodes: []string{"j2"}}}}
	require.Empty(t, shares(h))
}

// The users of a share go on under new sessions, which end its last outage.
func TestNextSessionOfAUserEndsAnOpenOutage(t *testing.T) {
	run := func(build func(b *historytest.Builder)) outage {
		b := victims()
		b.Op(history.OpSessionRead, 10100*mil).In(1).Bound("j2").Info("reset")
		b.Op(history.OpLogout, 10300*mil).In(1).Bound("j2").Info("reset")
		build(b)
		h := b.Build(t)
		s := shares(h)
		return s[0].findRuns(h, newGrader(h, 0), nothing, sec).pool.best
	}
	user := func(c *history.Call) { c.User = "u1" }

	open := run(func(*historytest.Builder) {})
	require.True(t, open.Open)
	require.Equal(t, 20*sec, open.To, "to the end of the phase")

	ended := run(func(b *historytest.Builder) {
		b.Op(history.OpLogin, 10400*mil).In(9).With(user).Info("reset")
		b.Op(history.OpLogin, 10500*mil).In(9).With(user).OK()
		b.Op(history.OpSessionRead, 10600*mil).In(9).With(user).OK()
	})
	require.False(t, ended.Open)
	require.Equal(t, 400*mil, ended.length())

	other := run(func(b *historytest.Builder) { b.Op(history.OpLogin, 10500*mil).In(9).OK() })
	require.True(t, other.Open, "another user's login says nothing")

	later := run(func(b *historytest.Builder) {
		b.Op(history.OpLogin, 10200*mil).In(9).With(user).OK()
	})
	require.True(t, later.Open, "a good one before the last bad one ends nothing")
}

// A good operation that is left out ends an outage; a bad one is as if it had
// never been.
func TestAnOperationThatIsLeftOutDoesNotBridgeAnOutage(t *testing.T) {
	b := victims()
	for i := range 9 {
		o := b.Op(history.OpSessionRead, 10100*mil+time.Duration(i)*100*mil).In(1).Bound("j2")
		if i == 4 || i == 8 {
			o.OK()
		} else {
			o.Info("reset")
		}
	}
	h := b.Build(t)
	s := shares(h)
	leave := func(ats ...time.Duration) (*shareRuns, []time.Duration) {
		r := s[0].findRuns(h, newGrader(h, 0), func(o *history.Op) bool { return slices.Contains(ats, o.Intended) }, sec)
		return r, []time.Duration{r.pool.best.length(), r.pool.spanned.certain(), r.session[1].spanned.certain(), r.types[history.SessionRead].spanned.certain()}
	}
	with, lengths := leave()
	require.Equal(t, []time.Duration{400 * mil, 300 * mil, 300 * mil, 300 * mil}, lengths)
	without, lengths := leave(10500*mil, 10900*mil)
	require.Equal(t, []time.Duration{400 * mil, 300 * mil, 300 * mil, 300 * mil}, lengths, "good ones")
	require.Equal(t, with.early-2, without.early)
	_, lengths = leave(10100*mil, 10200*mil)
	require.Equal(t, []time.Duration{300 * mil, 200 * mil, 200 * mil, 200 * mil}, lengths, "bad ones")

	v := ErrorBudget{}.defaults().judge(h, func(o *history.Op) bool { return o.Intended == 10500*mil })
	i := slices.IndexFunc(v.Measures, func(m Measure) bool { return m.Name == "longest outage of all traffic" })
	require.Equal(t, 400.0, v.Measures[i].Value, "of all users, too")
}

func TestSpellsStated(t *testing.T) {
	at := func(t time.Duration, bad bool) look { return look{lo: t - 1, hi: t + 1, bad: bad} }
	for _, c := range []struct {
		name  string
		looks []look
		lag   time.Duration
		want  spells
	}{
		{name: "nothing"},
		{name: "never bad", looks: []look{at(5, false)}},
		{name: "bad and good", looks: []look{at(10, true), at(20, false)}, want: spells{{from: 11, to: 19}}},
		{name: "bad again while bad", looks: []look{at(10, true), at(15, true), at(20, false)}, want: spells{{from: 11, to: 19}}},
		{name: "bad for ever", looks: []look{at(10, true)}, want: spells{{from: 11, to: 100}}},
		{name: "shorter than the lag", looks: []look{at(10, true), at(20, false)}, lag: 8},
		{name: "longer than the lag", looks: []look{at(10, true), at(20, false)}, lag: 7, want: spells{{from: 11, to: 12}}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, stated(c.looks, "", c.lag, 100)) })
	}
}

func TestSpellsChain(t *testing.T) {
	at := func(t time.Duration, bad bool) look { return look{lo: t, hi: t + 2, bad: bad} }
	for _, c := range []struct {
		name  string
		looks []look
		least int
		want  spells
	}{
		{name: "one sample has no length", looks: []look{at(10, true)}, least: 1},
		{name: "two", looks: []look{at(10, true), at(20, true)}, least: 1, want: spells{{from: 12, to: 20}}},
		{name: "two of three", looks: []look{at(10, true), at(20, true)}, least: 3},
		{name: "a good one parts them", looks: []look{at(10, true), at(20, true), at(30, false), at(40, true), at(50, true)}, least: 1, want: spells{{from: 12, to: 20}, {from: 42, to: 50}}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, chain(c.looks, "", c.least)) })
	}
}

func TestSpellsFind(t *testing.T) {
	l := spells{{from: 10, to: 20}, {from: 30, to: 50}}
	for _, c := range []struct {
		lo, hi, grace time.Duration
		want          bool
	}{
		{lo: 11, hi: 19, want: true},
		{lo: 10, hi: 19},
		{lo: 11, hi: 20},
		{lo: 25, hi: 26},
		{lo: 19, hi: 31},
		{lo: 36, hi: 49, grace: 5, want: true},
		{lo: 35, hi: 49, grace: 5},
		{lo: 60, hi: 61},
	} {
		_, ok := l.find(c.lo, c.hi, c.grace)
		require.Equal(t, c.want, ok, c)
	}
}
