package wiring

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
)

// TestWhatGoesOnWithoutTheRun: an engine ends a container that it was asked to
// stop, although nobody waits for it any more.
func TestWhatGoesOnWithoutTheRun(t *testing.T) {
	require.Zero(t, goesOn(nil))
	require.Zero(t, goesOn([]fault.Entry{{Undo: fault.Unpaused, Node: "j1"}, {Undo: fault.FilterAbsent, Node: "j2"}}))
	for _, undo := range []string{fault.ContainerRunning, fault.RestartMarkAbsent} {
		require.Greater(t, goesOn([]fault.Entry{{Undo: fault.Unpaused, Node: "j1"}, {Undo: undo, Node: "j2"}}), 10*time.Second)
	}
}
