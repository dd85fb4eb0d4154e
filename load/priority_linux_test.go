package load

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// While it sends, every thread is in the real-time class, where that is
// allowed, and in the ordinary one again afterwards.
func TestPrioritise(t *testing.T) {
	policies := func() map[uint32]int {
		found := map[uint32]int{}
		eachThread(func(tid int) {
			if a, err := unix.SchedGetAttr(tid, 0); err == nil {
				found[a.Policy]++
			}
		})
		return found
	}
	before := policies()
	relax := prioritise()
	during := policies()
	relax()
	if during[unix.SCHED_RR] == 0 {
		t.Skip("this user may not use the real-time class")
	}
	require.Len(t, during, 1, "a thread was left out: %v", during)
	require.Zero(t, policies()[unix.SCHED_RR])
	require.NotZero(t, before[unix.SCHED_NORMAL])
}
