package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/load"
)

func at(d time.Duration, change ...func(*harness.Tick)) harness.Tick {
	t := harness.Tick{At: d, Phase: "steady", Number: 1, Of: 3, Ends: 10 * time.Second}
	for _, c := range change {
		c(&t)
	}
	return t
}

func sent(n uint64) func(*harness.Tick) {
	return func(t *harness.Tick) { t.Load.LastSecond = load.Counts{Sent: n, OK: n} }
}

func TestEachSecondIsCountedOnce(t *testing.T) {
	var s Story
	s.See(at(900*time.Millisecond, sent(9)))
	require.Empty(t, s.seconds, "no second is over")
	s.See(at(1010*time.Millisecond, sent(10)))
	s.See(at(1990*time.Millisecond, sent(11))) // the load's clock was read later
	s.See(at(2240*time.Millisecond, sent(11)))
	s.See(at(5*time.Second, sent(14)))
	require.Equal(t, []second{
		{number: 0, sent: 10, all: 10, known: true},
		{number: 1, sent: 11, all: 11, known: true},
		{number: 2},
		{number: 3},
		{number: 4, sent: 14, all: 14, known: true},
	}, s.seconds)

	s.See(at(time.Hour, sent(1)))
	require.Len(t, s.seconds, window)
	require.Equal(t, int64(3599), s.seconds[window-1].number)
	require.Equal(t, int64(3540), s.seconds[0].number)
}

func TestWhatIsBad(t *testing.T) {
	require.EqualValues(t, 1111, bad(load.Counts{Sent: 7, OK: 5, Slow: 1, Failed: 10, Info: 100, Dropped: 1000, Late: 9}))
}

func TestSinceWhenThingsAreSo(t *testing.T) {
	var s Story
	down := func(t *harness.Tick) {
		t.Nodes = []harness.NodeTick{{Name: "j1"}, {Name: "j2", Ready: true}}
		t.Faults = []string{"instance-kill j1"}
	}
	s.See(at(3*time.Second, down))
	s.See(at(4*time.Second, down, func(t *harness.Tick) { t.Faults = append(t.Faults, "weight j2") }))
	require.Equal(t, map[string]time.Duration{"j1": 3 * time.Second}, s.unready)
	require.Equal(t, map[string]time.Duration{"instance-kill j1": 3 * time.Second, "weight j2": 4 * time.Second}, s.faults)
	s.See(at(5 * time.Second))
	require.Empty(t, s.faults)
	s.See(at(6*time.Second, down))
	require.Equal(t, 6*time.Second, s.faults["instance-kill j1"], "one that came back is new")
}

// TestAnotherRunBeginsAnew: what is told of one is not told of the next.
func TestAnotherRunBeginsAnew(t *testing.T) {
	var s Story
	s.Begin(Plan{Title: "one"})
	s.See(at(8*time.Second, sent(5), func(t *harness.Tick) { t.Owners = []string{"lb1"} }))
	s.See(at(2*time.Second, sent(6)))
	require.Equal(t, "one", s.plan.Title)
	require.Len(t, s.seconds, 1)
	require.Empty(t, s.before)
	s.Begin(Plan{Title: "two"})
	require.Nil(t, s.Lines(Look{Width: 80, Rows: 24}), "nothing was told of it")
}

func TestPhasesAreThePlansOnlyIfTheyAgree(t *testing.T) {
	for name, tc := range map[string]struct {
		plan  []string
		names []string
	}{
		"agree":         {[]string{"steady", "killed", "back"}, []string{"steady", "killed", "back"}},
		"none":          {nil, []string{"steady"}},
		"another count": {[]string{"steady", "killed"}, []string{"steady"}},
		"another name":  {[]string{"calm", "killed", "back"}, []string{"steady"}},
	} {
		t.Run(name, func(t *testing.T) {
			var s Story
			s.Begin(Plan{Phases: tc.plan})
			s.See(at(time.Second))
			names, present := s.phases()
			require.Equal(t, tc.names, names)
			require.Zero(t, present)
		})
	}
}
