package harness

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUntold: dirt that the record has needs no other word; where the record
// was lost, all of it is told, as often as somebody asks.
func TestUntold(t *testing.T) {
	var d dirt
	full := errors.New("no space left on device")
	require.NoError(t, d.untold(full), "there is none")
	require.False(t, d.any())
	d.add("container %s", "j1")
	d.add("network %s", "n")
	require.True(t, d.any())
	require.NoError(t, d.untold(nil), "the record has it")
	for range 2 {
		err := d.untold(full)
		require.ErrorIs(t, err, ErrDirty)
		require.ErrorIs(t, err, full)
		require.ErrorContains(t, err, "container j1; network n: no space left on device")
	}
}
