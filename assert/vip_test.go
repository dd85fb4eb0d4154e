package assert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// owns has a balancer asked ten times a second whether it owns the address,
// and whether its HAProxy answers.
func (s stage) owns(lb string, from, to time.Duration, owner, up bool) {
	for at := from; at < to; at += 100 * mil {
		s.See(at, history.VIP{Balancer: lb, Known: true, Owner: owner, Took: mil / 10})
		s.See(at, history.BalancerInfo{Balancer: lb, Up: up, Took: mil})
	}
}

// handover has lb1 own the address, its HAProxy dead from 10 s on, until its
// end, and lb2 from another time on.
func handover(dead, gone, taken time.Duration) stage {
	dead = min(dead, gone)
	s := boundedStage()
	s.owns("lb1", 0, dead, true, true)
	s.owns("lb1", dead, gone, true, false)
	s.owns("lb1", gone, 40*sec, false, false)
	s.owns("lb2", 0, taken, false, true)
	s.owns("lb2", taken, 40*sec, true, true)
	return s
}

// thereAndBack is a history of the address that goes to lb2 and comes back.
func thereAndBack() stage {
	s := boundedStage()
	s.owns("lb1", 0, 10*sec, true, true)
	s.owns("lb1", 10*sec, 20400*mil, false, true)
	s.owns("lb1", 20400*mil, 40*sec, true, true)
	s.owns("lb2", 0, 10400*mil, false, true)
	s.owns("lb2", 10400*mil, 20*sec, true, true)
	s.owns("lb2", 20*sec, 40*sec, false, true)
	return s
}

// boundedStage is one whose topology states the VIP's bounds.
func boundedStage() stage {
	s := newStage()
	s.Meta(func(m *history.Meta) {
		m.Bounds = []history.Bound{
			{Name: "vip", Limit: 900 * mil, Formula: "3 × advert_int + skew", File: "keepalived.conf"},
			{Name: "vip/two-owners", Limit: 450 * mil, Formula: "advert_int", File: "keepalived.conf"},
		}
	})
	return s
}

func TestVIP(t *testing.T) {
	cut := func(s stage, heal time.Duration) stage {
		s.Fault("vrrp-cut", 10*sec, "lb1", "lb2").Proof(10500*mil, history.Proof{OK: true}).Heal(heal).Healed(heal + 50*mil)
		return s
	}
	for _, c := range []struct {
		name    string
		build   func() stage
		check   VIP
		status  Status
		none    bool
		says    string
		measure float64
	}{
		{name: "nothing observed", status: Inconclusive, says: "no balancer was asked", build: newStage},
		{name: "one owner throughout", status: Pass, none: true, says: "Nothing happened to the owner", build: func() stage { return handover(40*sec, 40*sec, 40*sec) }},
		{
			name: "moved in time", status: Pass, says: "without an owner that serves for 400 ms to 599 ms (at most 900 ms)", measure: 400,
			build: func() stage { return handover(10*sec, 10500*mil, 10500*mil) },
		},
		{
			name: "away for too long", status: Fail, says: "without an owner for 1.9 s to 2.1 s (at most 900 ms)", measure: 1900,
			build: func() stage { return handover(10*sec, 10*sec, 12*sec) },
		},
		{
			name: "the owner's HAProxy is dead for too long", status: Fail, says: "without an owner that serves for 1.9 s", measure: 1900,
			build: func() stage { return handover(10*sec, 12*sec, 12*sec) },
		},
		{
			name: "perhaps too long", status: Inconclusive, says: "too coarse", measure: 800,
			build: func() stage { return handover(10*sec, 10*sec, 10900*mil) },
		},
		{
			name: "it comes back", status: Fail, says: "address moved 2 times (at most once)", check: VIP{Moves: 1}, measure: 300,
			build: thereAndBack,
		},
		{
			name: "it comes back, and may", status: Pass, says: "without an owner for 300 ms", measure: 300,
			build: thereAndBack,
		},
		{
			name: "it moves and no more", status: Pass, says: "the address moved once (at most once)", check: VIP{Moves: 1},
			build: func() stage { return handover(10*sec, 10*sec, 10400*mil) }, measure: 300,
		},
		{
			name: "two owners for a moment", status: Pass, says: "with two owners for 100 ms to 300 ms",
			build: func() stage { return handover(40*sec, 10200*mil, 10*sec) },
		},
		{
			name: "two owners for too long", status: Fail, says: "with two owners for 1.9 s",
			build: func() stage { return handover(40*sec, 12*sec, 10*sec) },
		},
		{
			name: "two owners while cut off", status: Pass, says: "with two owners for 50 ms", check: VIP{Cut: "vrrp-cut"},
			build: func() stage { return cut(handover(40*sec, 20200*mil, 11*sec), 20*sec) },
		},
		{
			name: "a cut that makes no second owner", status: Inconclusive, none: true, says: "no second balancer certainly owned the address while vrrp-cut lasted", check: VIP{Cut: "vrrp-cut"},
			build: func() stage { return cut(handover(40*sec, 40*sec, 40*sec), 20*sec) },
		},
		{
			name: "a cut that only moves the address", status: Inconclusive, none: true, says: "no second balancer certainly owned", check: VIP{Cut: "vrrp-cut"}, measure: 400,
			build: func() stage { return cut(handover(12*sec, 12500*mil, 12500*mil), 20*sec) },
		},
		{
			name: "two owners while cut off, and none expected", status: Fail, says: "with two owners for 9.1 s",
			build: func() stage { return cut(handover(40*sec, 20200*mil, 11*sec), 20*sec) },
		},
		{
			name: "two owners long after the heal", status: Fail, says: "with two owners for 1.85 s", check: VIP{Cut: "vrrp-cut"},
			build: func() stage { return cut(handover(40*sec, 22*sec, 11*sec), 20*sec) },
		},
		{
			name: "two owners after the undo, until the proof of the heal", status: Fail, says: "with two owners for 900 ms", check: VIP{Cut: "vrrp-cut"},
			build: func() stage {
				s := handover(40*sec, 21*sec, 11*sec)
				s.Fault("vrrp-cut", 10*sec, "lb1", "lb2").Proof(10500*mil, history.Proof{OK: true}).Heal(20*sec).
					HealProof(21*sec, history.Proof{OK: true, From: 20 * sec, To: 20 * sec})
				return s
			},
		},
		{
			name: "two owners before the cut", status: Fail, says: "with two owners", check: VIP{Cut: "vrrp-cut"},
			build: func() stage { return cut(handover(40*sec, 20200*mil, 5*sec), 20*sec) },
		},
		{
			name: "a balancer that could not be asked", status: Inconclusive, says: "too coarse",
			build: func() stage {
				s := newStage()
				s.Meta(func(m *history.Meta) {
					m.Bounds = []history.Bound{{Name: "vip", Limit: 900 * mil}, {Name: "vip/two-owners", Limit: 450 * mil}}
				})
				s.owns("lb1", 0, 10*sec, true, true)
				s.See(10*sec, history.VIP{Balancer: "lb1"})
				s.owns("lb1", 15*sec, 40*sec, true, true)
				s.owns("lb2", 0, 40*sec, false, true)
				return s
			},
		},
		{
			name: "no such bound", status: Inconclusive, says: `no bound "vip/refused"`, check: VIP{Bound: "vip/refused"}, measure: 400,
			build: func() stage { return handover(10*sec, 10500*mil, 10500*mil) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.build()
			for i := range 200 {
				s.Op(history.OpSessionRead, time.Duration(i)*200*mil).OK()
			}
			h := s.Build(t)
			v := c.check.Check(h)
			said := v.Summary + " " + strings.Join(v.Reasons, " ")
			require.Equal(t, c.status, v.Status, said)
			require.Contains(t, said, c.says)
			require.Equal(t, c.none, v.NotExercised)
			if v.Measured != nil {
				require.InDelta(t, c.measure, *v.Measured, 2, said)
			}
			if v.Status == Fail {
				require.NotEmpty(t, v.Evidence)
				require.Contains(t, v.Fix, "keepalived.conf")
			}
			shift(h, 5*sec)
			moveAll(h.Balancers, 5*sec)
			require.Equal(t, v.Status, c.check.Check(h).Status)
		})
	}
}

// Of spells that were certainly as long, the one that may have been longest is
// told, wherever it stands among them.
func TestLongestOf(t *testing.T) {
	long, wide, narrow := stretch{least: 5, most: 6}, stretch{least: 3, most: 9}, stretch{least: 3, most: 4}
	for _, c := range []struct {
		of   []stretch
		want stretch
	}{
		{nil, stretch{}},
		{[]stretch{wide, narrow}, wide},
		{[]stretch{narrow, wide}, wide},
		{[]stretch{wide, long, narrow}, long},
		{[]stretch{{most: 2}, {most: 7}, {most: 3}}, stretch{most: 7}},
	} {
		require.Equal(t, c.want, longestOf(c.of))
	}
}

func TestVIPTellsOfMovesAndOfTheGap(t *testing.T) {
	s := handover(10*sec, 10500*mil, 10500*mil)
	s.Op(history.OpSessionRead, 10*sec).Fail(history.ErrRefused)
	s.Op(history.OpSessionRead, 10500*mil).OK()
	v := VIP{}.Check(s.Build(t))
	got := map[string]float64{}
	for _, m := range v.Measures {
		got[m.Name] = m.Value
	}
	require.EqualValues(t, 1, got["moves"])
	require.EqualValues(t, 500, got["gap that clients saw"])
}
