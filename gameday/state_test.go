package gameday

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
	"github.com/hachaos/hachaos/topology"
)

// Each state that can be looked at is one that a runbook can name.
func TestLookersAreStates(t *testing.T) {
	names := map[string]bool{}
	for _, s := range runbook.States() {
		names[s.Name] = true
	}
	for name := range lookers {
		require.True(t, names[name], name)
	}
	require.False(t, CanLook("no-such-state"))
}

func TestReadServers(t *testing.T) {
	got, err := readServers(strings.NewReader("# pxname,svname,status\nnodes,j1,UP\nnodes,j2,DOWN 1/2\n\n"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"j1": "UP", "j2": "DOWN 1/2"}, got)
	_, err = readServers(strings.NewReader(""))
	require.ErrorContains(t, err, "says nothing")
	_, err = readServers(strings.NewReader("Unknown command\n"))
	require.ErrorContains(t, err, "lists no servers")
}

func TestSample(t *testing.T) {
	page := "# HELP hachaos_pool_waiting x\nhachaos_pool_waiting 3\nhachaos_pool_waiting_more 9\nhachaos_up 1 1700000000\n"
	v, err := sample(page, "hachaos_pool_waiting")
	require.NoError(t, err)
	require.Equal(t, 3.0, v)
	v, err = sample(page, "hachaos_up")
	require.NoError(t, err)
	require.Equal(t, 1.0, v)
	_, err = sample(page, "hachaos_pool")
	require.ErrorContains(t, err, "says nothing of hachaos_pool")
}

func TestReadDisks(t *testing.T) {
	head := "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
	require.NoError(t, readDisks(head+"tmpfs 100 80 20 80% /a\n/dev/x 100 1 99 1% /b\n"))
	require.EqualError(t, readDisks(head+"tmpfs 100 1 99 1% /a\ntmpfs 100 81 19 81% /b\n"), "/b is 81 % full, more than 80 %")
	for _, bad := range []string{"", head, head + "x y\n", head + "tmpfs 1 1 1 - /a\n"} {
		require.Error(t, readDisks(bad))
	}
}

// Nodes are of one version with the same settings, but for those that the
// topology gives each of them for itself.
func TestDiffering(t *testing.T) {
	node := func(name, url string) topology.NodeSpec {
		return topology.NodeSpec{Name: name, Role: topology.Application, Env: map[string]string{"NODE": name, "DB_URL": url, "POOL_SIZE": "10"}}
	}
	spec := topology.Spec{Nodes: []topology.NodeSpec{node("j1", "a"), node("j2", "b"), {Name: "db", Role: topology.Database, Env: map[string]string{"POOL_SIZE": "99"}}}}
	said := func(j1, j2 map[string]string) error {
		return differing(map[string]map[string]string{"j1": j1, "j2": j2}, spec)
	}
	type m = map[string]string
	require.NoError(t, said(m{"NODE": "j1", "DB_URL": "a", "VERSION": "1"}, m{"NODE": "j2", "DB_URL": "b", "VERSION": "1"}))
	require.EqualError(t, said(m{"POOL_SIZE": "10"}, m{"POOL_SIZE": "8"}), `POOL_SIZE is "10" on j1 and "8" on j2`)
	require.EqualError(t, said(m{"VERSION": "1", "A": "x"}, m{"VERSION": "2"}), `VERSION is "1" on j1 and "2" on j2`)
	require.EqualError(t, said(m{"A": "x"}, m{}), `A is "x" on j1 and "" on j2`)
	require.NoError(t, differing(nil, spec))
}

func TestKeepalivedRuns(t *testing.T) {
	for stat, says := range map[string]string{"Ss\nS\n": "", "Ss\nT\n": "stopped by a signal", "ts\n": "stopped by a signal", "": "does not run"} {
		err := keepalivedRuns(t.Context(), stub{out: topology.Output{Stdout: []byte(stat)}})
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
	}
	require.ErrorIs(t, keepalivedRuns(t.Context(), stub{err: topology.ErrNotRunning}), topology.ErrNotRunning)
}

// stub answers every command alike.
type stub struct {
	topology.Node
	out topology.Output
	err error
}

func (s stub) Exec(context.Context, ...string) (topology.Output, error) { return s.out, s.err }

func TestAwait(t *testing.T) {
	holds := errors.New("not yet")
	looks := 0
	look := func(answers ...error) {
		looks = 0
		lookers["test"] = func(context.Context, *System) error {
			looks++
			return answers[min(looks, len(answers))-1]
		}
	}
	t.Cleanup(func() { delete(lookers, "test") })
	s := testSystem()

	look(nil)
	_, err := s.Await(t.Context(), time.Minute, "test")
	require.NoError(t, err)
	require.Greater(t, looks, 2, "one look alone is no state that holds")

	// A break begins the time anew.
	look(nil, nil, holds, nil)
	began := time.Now()
	since, err := s.Await(t.Context(), time.Minute, "test")
	require.NoError(t, err)
	require.Greater(t, since.Sub(began), 2*lookEvery)

	look(holds)
	_, err = s.Await(t.Context(), 300*time.Millisecond, "test")
	require.ErrorContains(t, err, "within 300ms: test: not yet")

	_, err = s.Await(t.Context(), 300*time.Millisecond, "no-such-state")
	require.ErrorContains(t, err, "nothing can look at this state")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(holds)
	_, err = s.Await(ctx, time.Minute, "test")
	require.ErrorIs(t, err, holds)
}
