package harness_test

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// TestSystemMutants: for each assertion, a system in memory that is wrong in
// just that way makes it fail, and no other.
func TestSystemMutants(t *testing.T) {
	for name, tc := range map[string]struct {
		set   map[string]string
		fails []string
	}{
		"healthy":            {nil, nil},
		"three nodes":        {map[string]string{"nodes": "3"}, nil},
		"no deduplication":   {map[string]string{"dedupe": "off"}, []string{"write-ledger"}},
		"sessions in memory": {map[string]string{"sessions": "memory"}, []string{"session-survival"}},
		"constant readiness": {map[string]string{"readiness": "constant"}, []string{"readiness-gating"}},
		// Without orders: one that the kill meets at work was due in the
		// steady phase, and would spoil the baseline.
		"no redispatch":      {map[string]string{"redispatch": "off", "mix": "1:1:0"}, []string{"error-budget"}},
		"lying health check": {map[string]string{"check": "liar"}, []string{"failover-anatomy", "readiness-gating"}},
		"weight 1 of 100":    {map[string]string{"weight.j2": "1"}, []string{"distribution"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.opts.Set = maps.Clone(tc.set)
				if _, ok := r.opts.Set["nodes"]; ok {
					delete(r.opts.Set, "nodes")
					r.opts.Nodes = 3
				}
				res := r.run(t, t.Context(), kill())
				var failed []string
				for _, v := range res.Assertions {
					if v.Status == assert.Fail {
						failed = append(failed, v.Name)
						require.NotEmpty(t, v.Evidence, v.Name)
					}
					t.Log(v.Name, v.Status, v.Summary, v.Reasons)
				}
				slices.Sort(failed)
				require.Equal(t, tc.fails, failed)
				want := harness.VerdictPass
				if len(tc.fails) > 0 {
					want = harness.VerdictFail
				}
				require.Equal(t, want, res.Verdict, res.Reason)
			})
		})
	}
}
