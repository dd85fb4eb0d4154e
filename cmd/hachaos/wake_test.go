package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWakesAreMeasured(t *testing.T) {
	took, err := wakes()
	require.NoError(t, err)
	require.Positive(t, took)
	c := wakeCheck()
	require.Equal(t, "wake-ups", c.Name)
	require.True(t, c.Optional, "a slow machine lacks nothing")
	require.Contains(t, c.Detail, "two threads wake each other in ")
}

func TestDearWakesAreToldWithWhatToDo(t *testing.T) {
	c := toldWake(dearWake, true)
	require.True(t, c.OK)
	require.Empty(t, c.Mend)
	c = toldWake(67300*time.Nanosecond, true)
	require.False(t, c.OK)
	require.Equal(t, "two threads wake each other in 67.3µs (at most 40µs)", c.Detail)
	require.Contains(t, c.Mend, "guest_halt_poll_ns")
	require.NotContains(t, toldWake(time.Millisecond, false).Mend, haltPoll)
}
