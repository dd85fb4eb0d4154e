package fault

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldRestarted is a node that ended so long after a mark, and started so long after
// that; a mark of zero is none.
func heldRestarted(ended, away time.Duration, marked bool) *heldNode {
	m := heldInside(databaseProcess)
	n := heldRunning(m)
	act := time.Now()
	if marked {
		m.files[restartMark] = act
	}
	n.state.FinishedAt = act.Add(ended)
	n.state.StartedAt = act.Add(ended + away)
	return n
}

// TestADatabaseIsAwayForItsPause: or 3 s longer, no less and no more, and its end came
// after the restart was asked for.
func TestADatabaseIsAwayForItsPause(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for name, tc := range map[string]struct {
		ended, away time.Duration
		marked      bool
		want        bool
		measured    string
	}{
		"as asked":           {ms, 5 * s, true, true, "n1: away for 5s, port 8080 connected"},
		"3 s longer":         {ms, 8 * s, true, true, "n1: away for 8s, port 8080 connected"},
		"longer than that":   {ms, 8*s + ms, true, false, "n1: away for 8.001s, port 8080 connected"},
		"shorter":            {ms, 5*s - ms, true, false, "n1: away for 4.999s, port 8080 connected"},
		"rounded":            {ms, 5*s - 400*time.Microsecond, true, true, "n1: away for 5s, port 8080 connected"},
		"never started anew": {10 * s, -5 * s, true, false, "n1: away for -5s, port 8080 connected"},
		"an earlier end":     {-ms, 5 * s, true, false, "n1: away for 5s, port 8080 connected"},
		"at the mark":        {0, 5 * s, true, false, "n1: away for 5s, port 8080 connected"},
		"nobody asked":       {ms, 5 * s, false, false, "n1: away for 5s, port 8080 connected"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldRestarted(tc.ended, tc.away, tc.marked)
				p, err := heldLook(t, 0, DatabaseRestart{Pause: 5 * s}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.True(t, p.From.Equal(n.state.FinishedAt))
				if tc.away > 0 {
					require.True(t, p.To.Equal(n.state.StartedAt))
				}
				require.Len(t, p.How, 4)
				p, err = heldLook(t, 0, DatabaseRestart{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, !tc.marked, p.OK, "%+v", p)
				require.Contains(t, p.How, fmt.Sprintf("n1: the mark of the restart is there: %t", tc.marked))
			})
		})
	}
}

// TestADatabaseThatDoesNotRunIsNotRestarted: nor is one that is frozen.
func TestADatabaseThatDoesNotRunIsNotRestarted(t *testing.T) {
	for _, state := range []topology.State{{}, {Running: true, Paused: true}} {
		for _, f := range []Fault{DatabaseRestart{}, InstanceRestart{}} {
			synctest.Test(t, func(t *testing.T) {
				n := heldRestarted(time.Millisecond, 0, true)
				n.state.Running, n.state.Paused = state.Running, state.Paused
				p, err := heldLook(t, 0, f.Active, n)
				require.NoError(t, err)
				require.False(t, p.OK)
				require.Equal(t, "n1: not running", p.Measured)
				require.Equal(t, []string{"n1: the engine says it does not run"}, p.How)
				p, err = heldLook(t, 0, f.Healed, n)
				require.NoError(t, err)
				require.False(t, p.OK)
				require.Contains(t, []string{"n1: not running", "n1: running: false"}, p.Measured)
				require.Len(t, p.How, 1)
				require.Empty(t, n.did, "it is not asked anything")
			})
		}
	}
}

// TestARestartOfADatabase: in order, with its pause between, one database after the
// other.
func TestARestartOfADatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := heldRunning(heldInside(databaseProcess)), heldRunning(heldInside(databaseProcess))
		second.name = "n2"
		log := &undos{}
		began := time.Now()
		require.NoError(t, DatabaseRestart{Pause: 5 * time.Second}.Inject(t.Context(), []topology.Node{first, second}, log))
		require.Equal(t, 2*(5*time.Second+150*time.Millisecond), time.Since(began))
		for _, n := range []*heldNode{first, second} {
			require.Equal(t, []string{"kill", "stop", "8s", "start"}, n.acts)
		}
		require.Equal(t, []Entry{{Undo: RestartMarkAbsent, Node: "n1"}, {Undo: RestartMarkAbsent, Node: "n2"}}, log.all)
		require.True(t, second.state.FinishedAt.After(first.state.StartedAt))
	})
	for err, f := range map[string]DatabaseRestart{
		"database-restart: pause -1ns: want 0s to 1m":  {Pause: -1},
		"database-restart: pause 1m0.000000001s: want": {Pause: time.Minute + 1},
		"database-restart: port -1":                    {Port: -1},
	} {
		require.ErrorContains(t, f.Validate(), err)
	}
	require.NoError(t, DatabaseRestart{Pause: time.Minute}.Validate())
}

// TestADatabaseThatWasKilledDidNotEndInOrder: nor does the heal leave its mark.
func TestADatabaseThatWasKilledDidNotEndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heldInside(databaseProcess)
		n := heldRunning(m)
		n.stubborn = true
		log := &undos{}
		err := DatabaseRestart{}.Inject(t.Context(), []topology.Node{n}, log)
		require.EqualError(t, err, "database-restart n1: it did not end in order within 8s and was killed: exit status 137")
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Empty(t, m.files)
		require.True(t, n.state.Running)
	})
}

// TestAMarkIsTakenAwayOnceItsContainerRuns: what was just started may not be asked yet,
// and what never comes is an error.
func TestAMarkIsTakenAwayOnceItsContainerRuns(t *testing.T) {
	e := Entry{Undo: RestartMarkAbsent, Node: "n1"}
	synctest.Test(t, func(t *testing.T) {
		m := heldInside(databaseProcess)
		m.files[restartMark], m.restart = time.Now(), "137"
		n := heldRunning(m)
		late := 3
		n.exec = func(argv []string) (topology.Output, error) {
			if late--; late >= 0 {
				return topology.Output{}, topology.ErrNotRunning
			}
			return m.exec(argv)
		}
		began := time.Now()
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, []Entry{e}))
		require.Equal(t, 3*poll, time.Since(began))
		require.Empty(t, m.files)
		require.Empty(t, m.restart)
		n.exec = func([]string) (topology.Output, error) { return topology.Output{}, topology.ErrNotRunning }
		began = time.Now()
		require.ErrorIs(t, UndoAll(t.Context(), []topology.Node{n}, []Entry{e}), topology.ErrNotRunning)
		require.Equal(t, UndoBudget, time.Since(began))
	})
}

// TestAnInstancesRestartIsToldByItsStatus: one that ended by itself was not killed, and
// the other way round; what is not known is neither.
func TestAnInstancesRestartIsToldByItsStatus(t *testing.T) {
	for status, want := range map[string][2]bool{"0": {true, false}, "143": {true, false}, "137": {false, true}, "": {false, false}} {
		for i, kill := range []bool{false, true} {
			t.Run(fmt.Sprintf("status %q, killed %t", status, kill), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := heldInside(applicationProcess)
					m.files[restartMark], m.restart = time.Now(), status
					n := heldRunning(m)
					n.state.FinishedAt, n.state.StartedAt = time.Now().Add(time.Second), time.Now().Add(3*time.Second)
					p, err := heldLook(t, 0, InstanceRestart{Kill: kill}.Active, n)
					require.NoError(t, err)
					require.Equal(t, want[i], p.OK, "%+v", p)
					require.Contains(t, p.Measured, "and started again within 2s")
					require.True(t, p.From.Equal(m.files[restartMark]), "the act")
					require.True(t, p.To.Equal(n.state.FinishedAt), "the last end")
					require.Len(t, p.How, 3)
				})
			})
		}
	}
}

// TestAnEndBeforeTheActIsNoRestart: nor is one without a mark, or without a start.
func TestAnEndBeforeTheActIsNoRestart(t *testing.T) {
	for name, tc := range map[string]struct {
		ended, away time.Duration
		marked      bool
		want        bool
		measured    string
	}{
		"after":     {time.Millisecond, time.Second, true, true, "n1: ended with exit status 143 and started again within 1s"},
		"at it":     {0, time.Second, true, false, "n1: not ended since the act"},
		"before":    {-time.Hour, time.Second, true, false, "n1: not ended since the act"},
		"no mark":   {time.Millisecond, time.Second, false, false, "n1: not ended since the act"},
		"no start":  {time.Millisecond, 0, true, false, "n1: running"},
		"one older": {time.Hour, -time.Minute, true, false, "n1: running"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldRestarted(tc.ended, tc.away, tc.marked)
				status := n.exec
				n.exec = func(argv []string) (topology.Output, error) {
					out, err := status(argv)
					if argv[2] == restarted {
						out.Stdout = append(out.Stdout[:len(out.Stdout)-len("-\n")], "143\n"...)
					}
					return out, err
				}
				p, err := heldLook(t, 0, InstanceRestart{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
			})
		})
	}
}

// TestInstancesAreRestartedAtTheSameTime: within the grace that was asked, and the mark
// and the status are left for the proof.
func TestInstancesAreRestartedAtTheSameTime(t *testing.T) {
	for want, f := range map[string]InstanceRestart{"10s": {}, "3s": {Grace: 3 * time.Second}, "": {Kill: true}} {
		synctest.Test(t, func(t *testing.T) {
			ms := []*heldMachine{heldInside(applicationProcess), heldInside(applicationProcess)}
			nodes := []*heldNode{heldRunning(ms[0]), heldRunning(ms[1])}
			nodes[1].name = "n2"
			began := time.Now()
			require.NoError(t, f.Inject(t.Context(), []topology.Node{nodes[0], nodes[1]}, &undos{}))
			require.Less(t, time.Since(began), 200*time.Millisecond, "one after the other takes longer")
			for i, n := range nodes {
				acts := []string{"kill", "stop", want, "start"}
				if f.Kill {
					acts = []string{"kill", "start"}
				}
				require.Equal(t, acts, n.acts)
				require.True(t, ms[i].exists(restartMark))
				require.Equal(t, map[bool]string{true: "137", false: "0"}[f.Kill], ms[i].restart)
			}
		})
	}
	require.ErrorContains(t, InstanceRestart{Kill: true, Grace: time.Second}.Validate(), "instance-restart: grace 1s: a container that is killed has none")
	require.ErrorContains(t, InstanceRestart{Grace: -time.Second}.Validate(), "instance-restart: grace -1s")
	require.NoError(t, InstanceRestart{Grace: time.Minute}.Validate())
}

// TestMarksOfARestartAreTwoWords: a time and a status.
func TestMarksOfARestartAreTwoWords(t *testing.T) {
	acted, status, err := parseRestarted("1732082400.100000000\n143\n")
	require.NoError(t, err)
	require.Equal(t, time.Unix(1732082400, 1e8), acted)
	require.Equal(t, "143", status)
	for _, bad := range []string{"", "-", "- - -", "1732082400 143"} {
		_, _, err := parseRestarted(bad)
		require.Error(t, err, bad)
		synctest.Test(t, func(t *testing.T) {
			n := heldRestarted(time.Millisecond, time.Second, true)
			n.exec = says(bad)
			_, err := heldLook(t, 0, InstanceRestart{}.Active, n)
			require.ErrorContains(t, err, "n1: ", bad)
		})
	}
	for text, want := range map[string]bool{"yes\n": true, "no\n": false} {
		there, err := victim{Container: &stub{exec: says(text)}}.marked(t.Context(), restartMark)
		require.NoError(t, err)
		require.Equal(t, want, there)
	}
}

// TestAnInstanceStopsByItself: what had to be killed was not stopped, and what runs, or
// never ended, was not either.
func TestAnInstanceStopsByItself(t *testing.T) {
	ended := time.Unix(1732082400, 0)
	for name, tc := range map[string]struct {
		state    topology.State
		want     bool
		measured string
	}{
		"in order":    {topology.State{FinishedAt: ended}, true, "n1: not running, exit status 0, port 8080 timed out"},
		"by SIGTERM":  {topology.State{FinishedAt: ended, ExitCode: 143}, true, "n1: not running, exit status 143, port 8080 timed out"},
		"killed":      {topology.State{FinishedAt: ended, ExitCode: 137}, false, "n1: not running, exit status 137"},
		"never began": {topology.State{}, false, "n1: not running, exit status 0"},
		"running":     {topology.State{Running: true, FinishedAt: ended}, false, "n1: running"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldRunning(heldInside(applicationProcess))
				n.state = tc.state
				p, err := heldLook(t, 0, InstanceStop{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.want, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				if tc.want {
					require.True(t, p.To.Equal(ended))
					require.Zero(t, p.From, "the engine's event is known to the caller")
				}
			})
		})
	}
}

// TestAnInstanceHasItsGraceToStop: and is killed after it, which is no proof.
func TestAnInstanceHasItsGraceToStop(t *testing.T) {
	for grace, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 3 * time.Second: 3 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := InstanceStop{Grace: grace}
			require.NoError(t, f.Validate())
			n := heldRunning(heldInside(applicationProcess))
			n.stubborn = true
			began := time.Now()
			require.NoError(t, f.Inject(t.Context(), []topology.Node{n}, &undos{}))
			require.Equal(t, want, time.Since(began))
			require.Equal(t, []string{"kill", "stop", want.String()}, n.acts)
			p, err := heldLook(t, 0, f.Active, n)
			require.NoError(t, err)
			require.False(t, p.OK)
			require.Equal(t, fmt.Sprintf("container ended by itself within %v", want), p.Asked)
		})
	}
	for _, grace := range []time.Duration{-time.Second, time.Minute + time.Second, 1500 * time.Millisecond} {
		require.ErrorContains(t, InstanceStop{Grace: grace}.Validate(), fmt.Sprintf("instance-stop: grace %v: want whole seconds up to 1m, or 0 for 10s", grace))
	}
	require.ErrorContains(t, InstanceStop{Port: 65536}.Validate(), "instance-stop: port 65536")
}

// TestAnUndoOfARestartStartsWhatIsDown: and leaves what runs.
func TestAnUndoOfARestartStartsWhatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heldInside(databaseProcess)
		n := heldRunning(m)
		log := &undos{}
		n.from = 5 // the looks, the mark and the stop are done, and the engine fails at what follows
		require.Error(t, DatabaseRestart{}.Inject(t.Context(), []topology.Node{n}, log))
		n.from = 0
		require.False(t, n.state.Running)
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Equal(t, 1, len(slices.DeleteFunc(slices.Clone(n.acts), func(a string) bool { return a != "start" })))
		require.False(t, m.exists(restartMark))
	})
}
