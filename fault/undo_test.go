package fault_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// recorded is a container that notes what is done to it.
type recorded struct {
	name  string
	fails error
	did   *[]string
}

func (r *recorded) Name() string        { return r.name }
func (r *recorded) Role() topology.Role { return topology.Application }
func (r *recorded) Exec(_ context.Context, argv ...string) (topology.Output, error) {
	*r.did = append(*r.did, r.name+" "+argv[0])
	return topology.Output{Code: 3, Stderr: []byte("a line\nthe reason\n")}, r.fails
}

func TestUndoAllGoesOnAndIsLastInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := nodesOf(t, topology.Application)
		j1 := nodes[0].(topology.Container)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, j1.Kill(context.Background()))
		err := fault.UndoAll(ctx, nodes, []fault.Entry{
			{Undo: fault.ContainerRunning, Node: "j1"},
			{Undo: "of another version", Node: "j1"},
			{Undo: fault.Unpaused, Node: "j9"},
			{Undo: fault.FilterAbsent, Node: "j1", Params: map[string]string{"table": "filter"}},
		})
		require.ErrorIs(t, err, topology.ErrNotFound, "a node that is not there")
		require.ErrorContains(t, err, "another version")
		require.ErrorContains(t, err, `table "filter" is not one of hachaos`)
		u, ok := errors.AsType[*fault.UndoError](err)
		require.True(t, ok)
		require.Equal(t, fault.FilterAbsent, u.Entry.Undo, "the last entry comes first")
		state, err := j1.Inspect(context.Background())
		require.NoError(t, err)
		require.True(t, state.Running, "the first entry was undone although the others failed")
	})
}

func TestUndoOfAProcessStartsItsContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := nodesOf(t, topology.Application)
		j1 := nodes[0].(topology.Container)
		require.NoError(t, j1.Kill(context.Background()))
		require.NoError(t, fault.UndoAll(context.Background(), nodes, []fault.Entry{{Undo: fault.ProcessRunning, Node: "j1"}}))
		state, err := j1.Inspect(context.Background())
		require.NoError(t, err)
		require.True(t, state.Running)
	})
}

func TestUndoTellsTheLastLineOfAFailedCommand(t *testing.T) {
	var did []string
	n := &recorded{name: "j1", did: &did}
	err := fault.Undo(context.Background(), []topology.Node{n}, fault.Entry{Undo: fault.ProcessRunning, Node: "j1"})
	require.EqualError(t, err, "undo process-running on j1: exit status 3: the reason")
	require.Equal(t, []string{"j1 /usr/local/bin/app-start"}, did)
}

func TestUndoNeedsTheCapability(t *testing.T) {
	n := &recorded{name: "j1", did: new([]string)}
	for _, undo := range []string{fault.ContainerRunning, fault.FilterAbsent, fault.Unpaused} {
		err := fault.Undo(context.Background(), []topology.Node{n}, fault.Entry{Undo: undo, Node: "j1"})
		require.ErrorIs(t, err, fault.ErrCapability, undo)
	}
}
