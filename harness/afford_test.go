package harness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

// What the kernel lacks is told by name, and nothing is started.
func TestWhatTheKernelLacksIsRefusedBeforeTheStart(t *testing.T) {
	r, s := newRig(t), kill()
	inject(harness.Injection{Label: "far", Fault: fault.LinkLatency{Delay: 50 * time.Millisecond}, Aim: harness.OneApplication()})(&s, &r.opts)
	require.NoError(t, r.runner.Afford(t.Context(), s, r.opts), "a kernel that has it")
	r.driver.Options.Lacks = []topology.Feature{topology.Netem}
	_, err := r.runner.Run(t.Context(), s, r.opts)
	require.ErrorIs(t, err, harness.ErrUsage)
	require.ErrorContains(t, err, "fault link-latency needs netem, which this machine's kernel has not: use the fault latency")
	require.Nil(t, r.driver.Last(), "something was started")
	require.Empty(t, entriesOf(t, r.runner.Dir), "a folder was made")
	require.NoError(t, r.runner.Afford(t.Context(), kill(), r.opts), "what demands nothing asks nothing")
}
