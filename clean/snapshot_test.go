package clean

import (
	"context"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestCompare(t *testing.T) {
	fresh := Snapshot{"files j1": {"a", "b", "b"}, "network j1": {}, "servers lb1": {"server n/j1"}}
	tests := []struct {
		name string
		now  Snapshot
		want []string
	}{
		{"the same", Snapshot{"files j1": {"a", "b", "b"}, "network j1": {}, "servers lb1": {"server n/j1"}}, nil},
		{"more", Snapshot{"files j1": {"a", "b", "b", "c"}, "network j1": {"table x"}, "servers lb1": {"server n/j1"}}, []string{
			`files of j1: there is "c", which was not there`, `network of j1: there is "table x", which was not there`,
		}},
		{"less", Snapshot{"files j1": {"a", "b"}, "network j1": {}, "servers lb1": {}}, []string{
			`files of j1: "b" is gone`, `servers of lb1: "server n/j1" is gone`,
		}},
		{"not looked at", Snapshot{"files j1": {"a", "b", "b"}, "servers lb1": {"server n/j1"}}, []string{
			"network of j1: it was looked at only once",
		}},
		{"unsettled", Snapshot{"files j1": {"a", "b", "b"}, "network j1": {}, "servers lb1": {"server n/j1", Unsettled + "it is down"}}, []string{
			"servers of lb1: it is down",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range Compare(fresh, tt.now) {
				got = append(got, d.String())
			}
			require.Equal(t, tt.want, got)
		})
	}
	unsettled := Snapshot{"vip lb1": {Unsettled + "the VIP has 2 owners"}}
	require.Len(t, Compare(unsettled, unsettled), 1, "what was never settled is not clean")
	require.Len(t, unsettled.Unready(), 1)
	require.Empty(t, fresh.Unready())
	require.Equal(t, 4, fresh.Facts())
}

func TestWords(t *testing.T) {
	d := Difference{Probe: "p", Node: "n", Was: "x"}
	require.Equal(t, `p of n: "x" is gone; p of n: "x" is gone; p of n: "x" is gone; p of n: "x" is gone; and 2 more`, Words([]Difference{d, d, d, d, d, d}))
	require.Empty(t, Words(nil))
}

func TestSoles(t *testing.T) {
	s := Snapshot{"network lb1": {"a", Sole + "the VIP"}, "network lb2": {"a"}}
	s.soles()
	require.Equal(t, Snapshot{"network lb1": {"a"}, "network lb2": {"a"}, "sole all": {"the VIP: one node"}}, s)
	moved := Snapshot{"network lb1": {"a"}, "network lb2": {Sole + "the VIP", "a"}}
	moved.soles()
	require.Empty(t, Compare(s, moved), "whichever has it")
	both := Snapshot{"network lb1": {"a", Sole + "the VIP"}, "network lb2": {"a", Sole + "the VIP"}}
	both.soles()
	require.Equal(t, `sole of all: "the VIP: one node" is gone; sole of all: the VIP: 2 nodes`, Words(Compare(s, both)))
	none := Snapshot{"network lb1": {"a"}, "network lb2": {"a"}}
	none.soles()
	require.Len(t, Compare(s, none), 1)
}

// machine is a node that answers scripts.
type machine struct {
	topology.Node
	answers func(script string) topology.Output
}

func (m machine) Exec(_ context.Context, argv ...string) (topology.Output, error) {
	return m.answers(argv[2]), nil
}

// TestRestoreAwaits: what changes by itself is given its time, and what does
// not is named.
func TestRestoreAwaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, fails := time.Now(), ""
		c := fakeCluster{node: machine{answers: func(script string) topology.Output {
			switch {
			case strings.Contains(script, "TRUNCATE"):
				return topology.Output{}
			case fails != "":
				return topology.Output{Stdout: []byte("== clock\n\n== clock failed\n" + fails)}
			case time.Since(began) < 3*time.Second:
				return topology.Output{Stdout: []byte("== clock\nunsettled: it is early\n")}
			}
			return topology.Output{Stdout: []byte("== clock\nlate\n")}
		}}}
		one := Probe{Name: "clock", Where: InNode, Script: "date"}
		s, err := Remember(t.Context(), c, []Probe{one})
		require.NoError(t, err)
		require.Equal(t, 1, s.Facts())
		began = time.Now()
		did, err := s.Restore(t.Context())
		require.NoError(t, err)
		require.Empty(t, did)
		require.GreaterOrEqual(t, time.Since(began), 3*time.Second)
		fails = "exit status 7"
		_, err = s.Restore(t.Context())
		require.EqualError(t, err, "clock of db: \"late\" is gone; clock of db: it could not be looked at: exit status 7")
		fails, began = "", time.Now().Add(time.Hour)
		_, err = Remember(t.Context(), c, []Probe{one})
		require.EqualError(t, err, "it does not settle: clock of db: it is early")
	})
}

// TestRestoreMissesWhatIsNotLookedAtAnyMore: a node that there is no more is not as it
// was, although nothing of what is left differs.
func TestRestoreMissesWhatIsNotLookedAtAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, gone := time.Now(), &atomic.Bool{}
		node := machine{answers: func(script string) topology.Output {
			if !strings.Contains(script, "TRUNCATE") && time.Since(began) < time.Second {
				return topology.Output{Stdout: []byte("== clock\nunsettled: it is early\n")}
			}
			return topology.Output{Stdout: []byte("== clock\nlate\n")}
		}}
		c := shrinking{fakeCluster{node: node}, gone}
		s, err := Remember(t.Context(), c, []Probe{{Name: "clock", Where: InNode, Script: "date"}})
		require.NoError(t, err)
		began = time.Now()
		time.AfterFunc(500*time.Millisecond, func() { gone.Store(true) })
		_, err = s.Restore(t.Context())
		require.EqualError(t, err, "clock of db: it was looked at only once")
	})
}

// shrinking is a cluster whose node goes.
type shrinking struct {
	fakeCluster
	gone *atomic.Bool
}

func (c shrinking) Nodes() []topology.Node {
	if c.gone.Load() {
		return nil
	}
	return c.fakeCluster.Nodes()
}

func TestJoinedAndParted(t *testing.T) {
	script := joined([]Probe{{Name: "a", Script: "echo $2"}, {Name: "b", Script: "echo some; exit 3"}, {Name: "c", Script: "echo last"}})
	out, err := exec.Command("sh", "-c", script, "look", "vip", "80").Output()
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "80\n", "b": "some\n\n", "b failed": "exit status 3\n", "c": "last\n"}, parted(string(out)))
}

func TestRoutineEmptiesWhatWasEmpty(t *testing.T) {
	s := State{fresh: Snapshot{"database db": {"rows of leases: 1", "rows of orders: 0", "rows of jettysessions: 0", "setting a=b"}, "files j1": {"rows of x: 0"}}}
	var got []string
	for _, step := range s.routine() {
		got = append(got, step.about)
	}
	require.Equal(t, []string{"empty orders, jettysessions"}, got)
}

// fakeCluster has one node, a database.
type fakeCluster struct {
	topology.Cluster
	node machine
}

func (c fakeCluster) Nodes() []topology.Node { return []topology.Node{c.node} }
func (c fakeCluster) Spec() topology.Spec    { return topology.Spec{} }

func (machine) Name() string        { return "db" }
func (machine) Role() topology.Role { return topology.Database }

func TestConcerned(t *testing.T) {
	probes := []Probe{{Name: "network", Script: "echo '" + Sole + "the VIP'"}, {Name: "files", Script: "ls"}, {Name: "servers"}}
	for want, found := range map[string][]Difference{
		"":                {{Probe: "another", Node: "j1"}},
		"files":           {{Probe: "files", Node: "j1"}, {Probe: "files", Node: "j2"}},
		"network":         {{Probe: soleProbe, Node: "all"}},
		"network servers": {{Probe: "servers", Node: "lb1"}, {Probe: "network", Node: "lb2"}},
	} {
		var names []string
		for _, p := range concerned(probes, found) {
			names = append(names, p.Name)
		}
		require.Equal(t, want, strings.Join(names, " "))
	}
	fresh := Snapshot{"files j1": {"a"}, "servers lb1": {"b"}}
	require.Equal(t, Snapshot{"files j1": {"a"}}, fresh.of(Snapshot{"files j1": {"c"}, "new j1": nil}))
}
