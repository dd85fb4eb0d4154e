package hachaostest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/history/historytest"
)

func TestStarved(t *testing.T) {
	looked := func(stolen int) string {
		dir, b := t.TempDir(), historytest.New()
		for i := range 20 {
			s := history.Host{Busy: 0.6}
			if i < stolen {
				s.Steal = 0.02
			}
			b.See(time.Duration(i)*250*time.Millisecond, s)
		}
		b.Save(t, dir)
		return dir
	}
	require.True(t, starved(looked(4)))
	require.False(t, starved(looked(3)))
	require.False(t, starved(looked(0)))
	require.False(t, starved(t.TempDir()), "no record")
}
