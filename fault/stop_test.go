package fault_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// whole is a node with what faults of containers need.
type whole interface {
	topology.Container
	topology.Addressed
	topology.Served
	topology.Dialer
}

// unhurried is a container that takes its time to end after SIGTERM, and for all
// else that the engine is asked to do to it, whether or not anybody waits for it,
// as one of an engine does.
type unhurried struct{ whole }

const lameDuck = 3 * time.Second

func (u unhurried) Stop(ctx context.Context, grace time.Duration) error {
	return later(ctx, func(ctx context.Context) error { return u.whole.Stop(ctx, grace) })
}

func (u unhurried) Kill(ctx context.Context) error  { return later(ctx, u.whole.Kill) }
func (u unhurried) Pause(ctx context.Context) error { return later(ctx, u.whole.Pause) }

// later does something after a while, and waits for it as long as ctx lasts.
func later(ctx context.Context, act func(context.Context) error) error {
	ended := make(chan error, 1)
	go func() {
		time.Sleep(lameDuck)
		ended <- act(context.Background())
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestAnActThatIsBrokenOffIsUndone: what the engine was asked for cannot be taken
// back, so that a heal must not come before what it leads to.
func TestAnActThatIsBrokenOffIsUndone(t *testing.T) {
	for _, tc := range []struct {
		fault fault.Fault
		role  topology.Role
	}{
		{fault.InstanceKill{}, topology.Application},
		{fault.InstanceFreeze{}, topology.Application},
		{fault.InstanceRestart{Kill: true}, topology.Application},
		{fault.DatabaseDown{}, topology.Database},
		{fault.InstanceStop{}, topology.Application},
		{fault.InstanceRestart{}, topology.Application},
		{fault.DatabaseDown{Stop: true}, topology.Database},
		{fault.DatabaseRestart{}, topology.Database},
	} {
		t.Run(fmt.Sprintf("%T%+v", tc.fault, tc.fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := unhurried{nodesOf(t, tc.role)[0].(whole)}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				log := &kept{}
				began := time.Now()
				_ = tc.fault.Inject(ctx, []topology.Node{n}, log) // it may end well or not
				require.GreaterOrEqual(t, time.Since(began), lameDuck)
				require.NoError(t, fault.UndoAll(t.Context(), []topology.Node{n}, log.all))
				time.Sleep(10 * lameDuck)
				state, err := n.Inspect(t.Context())
				require.NoError(t, err)
				require.True(t, state.Running, "it ended after it was healed")
				require.False(t, state.Paused, "it froze after it was healed")

				ended, end := context.WithCancel(t.Context())
				end()
				require.Error(t, tc.fault.Inject(ended, []topology.Node{n}, log))
				time.Sleep(10 * lameDuck)
				state, err = n.Inspect(t.Context())
				require.NoError(t, err)
				require.True(t, state.Running, "nothing is stopped that was broken off before")
			})
		})
	}
}

// kept are undos, in memory.
type kept struct{ all []fault.Entry }

func (l *kept) Record(e fault.Entry) error {
	l.all = append(l.all, e)
	return nil
}

// stubborn is a container that does not end by itself.
type stubborn struct{ whole }

func (s stubborn) Stop(ctx context.Context, _ time.Duration) error { return s.Kill(ctx) }

// TestARestartThatHadToKillIsNone: once started again, a container does not tell
// any more how it ended.
func TestARestartThatHadToKillIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodesOf(t, topology.Database)[0].(whole)
		log := &kept{}
		require.NoError(t, fault.DatabaseRestart{}.Inject(t.Context(), []topology.Node{n}, log))
		require.NoError(t, fault.UndoAll(t.Context(), []topology.Node{n}, log.all))
		err := fault.DatabaseRestart{}.Inject(t.Context(), []topology.Node{stubborn{n}}, log)
		require.EqualError(t, err, "database-restart db: it did not end in order within 8s and was killed: exit status 137")
		require.NoError(t, fault.UndoAll(t.Context(), []topology.Node{n}, log.all))
		state, err := n.Inspect(t.Context())
		require.NoError(t, err)
		require.True(t, state.Running)
	})
}
