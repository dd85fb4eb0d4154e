package fault

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestALoopIsTwoDeathsAndAStart: that go on, at the asked pace.
func TestALoopIsTwoDeathsAndAStart(t *testing.T) {
	const (
		first  = "end 100.000000000 30\nrested 100.500000000\nstart 100.500000000 31\n"
		second = "end 102.500000000 31\n"
	)
	for name, tc := range map[string]struct {
		text     string
		active   bool
		measured string
	}{
		"a loop":                         {"on\n-\n" + first + second, true, "n1: died 2 times, started 1 times, lived for 2s and rested for 500ms"},
		"with a process":                 {"on\n32\n" + first + second, true, "n1: died 2 times, started 1 times, lived for 2s and rested for 500ms"},
		"over":                           {"off\n-\n" + first + second, false, "n1: died 2 times, started 1 times, lived for 2s and rested for 500ms"},
		"half of it":                     {"part\n-\n" + first + second, false, "n1: died 2 times, started 1 times, lived for 2s and rested for 500ms"},
		"one death":                      {"on\n31\n" + first, false, "n1: died 1 times, started 1 times"},
		"no death":                       {"on\n30\n", false, "n1: died 0 times, started 0 times"},
		"no start between":               {"on\n-\nend 100.000000000 30\nend 102.000000000 31\n", false, "n1: died 2 times, started 0 times"},
		"one death of one that was dead": {"on\n-\nstart 98.000000000 30\nend 100.000000000 30\nrested 100.500000000\n", false, "n1: died 1 times, started 1 times, lived for 2s and rested for 500ms"},
		"a longer life":                  {"on\n-\n" + first + "end 103.501000000 31\n", false, "n1: died 2 times, started 1 times, lived for 3.001s and rested for 500ms"},
		"half a life longer":             {"on\n-\n" + first + "end 103.500000000 31\n", true, "n1: died 2 times, started 1 times, lived for 3s and rested for 500ms"},
		"a shorter life":                 {"on\n-\n" + first + "end 102.489000000 31\n", false, "n1: died 2 times, started 1 times, lived for 1.989s and rested for 500ms"},
		"10 ms shorter":                  {"on\n-\n" + first + "end 102.490000000 31\n", true, "n1: died 2 times, started 1 times, lived for 1.99s and rested for 500ms"},
		"a longer rest":                  {"on\n-\nend 100.000000000 30\nrested 100.751000000\nstart 100.800000000 31\nend 102.800000000 31\n", false, "n1: died 2 times, started 1 times, lived for 2s and rested for 751ms"},
		"250 ms of rest more":            {"on\n-\nend 100.000000000 30\nrested 100.750000000\nstart 100.800000000 31\nend 102.800000000 31\n", true, "n1: died 2 times, started 1 times, lived for 2s and rested for 750ms"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := CrashLoop{Life: 2 * time.Second, Rest: 500 * time.Millisecond}
				p, err := heldLook(t, 0, f.Active, &stub{name: "n1", state: up, exec: says(tc.text)})
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				if strings.Contains(tc.text, "end ") {
					require.True(t, p.From.Equal(time.Unix(100, 0)), "the first death")
					require.True(t, p.To.Equal(time.Unix(100, 0)))
				} else {
					require.Zero(t, p.From)
				}
				require.Len(t, p.How, 5)
			})
		})
	}
}

// TestABriefPaceHasAQuarterOfASecond: and no more; a longer one has its half.
func TestABriefPaceHasAQuarterOfASecond(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		asked, got time.Duration
		want       bool
	}{
		{100 * ms, 350 * ms, true},
		{100 * ms, 351 * ms, false},
		{100 * ms, 90 * ms, true},
		{100 * ms, 89 * ms, false},
		{time.Second, 1500 * ms, true},
		{time.Second, 1501 * ms, false},
	} {
		require.Equal(t, tc.want, paced(tc.asked, []time.Duration{tc.got}), "%+v", tc)
	}
}

// TestALoopIsOverWhenNothingOfItIsLeft: and a process runs.
func TestALoopIsOverWhenNothingOfItIsLeft(t *testing.T) {
	for text, want := range map[string]bool{"off\n31\n": true, "off\n1\n": true, "off\n-\n": false, "part\n31\n": false, "on\n31\n": false} {
		synctest.Test(t, func(t *testing.T) {
			n := heldRunning(heldInside(applicationProcess))
			n.exec = says(text)
			p, err := heldLook(t, 0, CrashLoop{}.Healed, n)
			require.NoError(t, err)
			require.Equal(t, want, p.OK, text)
			if !want {
				require.Empty(t, n.dials, "a port that answers says nothing of a loop that is left")
			}
		})
	}
}

// TestALoopHasTheTimesThatItWasGiven: by default, at the least and at the most.
func TestALoopHasTheTimesThatItWasGiven(t *testing.T) {
	for _, f := range []CrashLoop{{Life: 100 * time.Millisecond, Rest: 100 * time.Millisecond}, {Life: time.Minute, Rest: time.Minute}, {Port: 65535}} {
		require.NoError(t, f.Validate())
	}
	for err, f := range map[string]CrashLoop{
		"crash-loop: life 99ms: want 100ms to 1m": {Life: 99 * time.Millisecond},
		"crash-loop: rest 1m0.001s: want":         {Rest: time.Minute + time.Millisecond},
		"crash-loop: rest 100.5ms: want":          {Rest: 100*time.Millisecond + 500*time.Microsecond},
		"crash-loop: life -1s: want":              {Life: -time.Second},
		"crash-loop: port 65536":                  {Port: 65536},
	} {
		require.ErrorContains(t, f.Validate(), err)
	}
	for _, tc := range []struct {
		f          CrashLoop
		life, rest time.Duration
	}{
		{CrashLoop{}, 3 * time.Second, time.Second},
		{CrashLoop{Life: time.Minute}, time.Minute, time.Second},
		{CrashLoop{Rest: 250 * time.Millisecond}, 3 * time.Second, 250 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := heldInside(applicationProcess)
			require.NoError(t, tc.f.Inject(t.Context(), []topology.Node{heldRunning(m)}, &undos{}))
			require.Equal(t, [2]time.Duration{tc.life, tc.rest}, [2]time.Duration{m.loop.life, m.loop.rest})
		})
	}
}

// TestALoopThatCannotBeToldIsAnError: and one of a container that is down is a sight.
func TestALoopThatCannotBeToldIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &stub{name: "n1", state: up, exec: says("on\n-\nend soon 30\n")}
		_, err := heldLook(t, 0, CrashLoop{}.Active, n)
		require.ErrorContains(t, err, "n1: state of the crash loop: time")
		n.exec = says("on\nx\n")
		_, err = heldLook(t, 0, CrashLoop{}.Healed, n)
		require.ErrorContains(t, err, "n1: state of the crash loop: strconv.Atoi")
		n.state = topology.State{}
		p, err := heldLook(t, 0, CrashLoop{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, "n1: container not running", p.Measured)
	})
}

// TestALoopOfAContainerThatIsDownIsEnded: it is started for that, and the process with
// it, so that no loop is left to begin anew.
func TestALoopOfAContainerThatIsDownIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heldInside(applicationProcess)
		n := heldRunning(m)
		n.boots = nil
		log := &undos{}
		require.NoError(t, CrashLoop{}.Inject(t.Context(), []topology.Node{n}, log))
		require.NoError(t, n.Kill(t.Context()))
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Equal(t, []string{"kill", "start"}, n.acts)
		require.False(t, m.exists(loopMark))
		require.NotZero(t, m.alive())
	})
}
