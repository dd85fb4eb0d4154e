//go:build docker

package scenarios_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/hachaostest"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/scenarios"
)

// broken is a system made wrong on purpose, and what must be said of it.
type broken struct {
	name string
	set  []string // KEY=VALUE
	// fails are the assertions that must fail, the one that the switch is
	// for first; also are those that may fail with them, since they rightly
	// fire on the same cause, as because says.
	fails, also []string
	because     string
	// evidence must be in the first assertion's first piece of evidence.
	evidence string
}

// cases are the healthy system, which must pass, and for each assertion a
// system that is wrong in just that way. The first three are in every build.
var cases = []broken{
	{name: "healthy"},
	{name: "no deduplication", set: []string{"dedupe=off"}, fails: []string{"write-ledger"}, evidence: "duplicate"},
	{
		name: "sessions in memory", set: []string{"sessions=memory"}, fails: []string{"session-survival"}, also: []string{"error-budget"},
		because: "a user whose session is gone reads nothing and cannot log out: 404 until the next write begins a new session",
	},
	{name: "constant readiness", set: []string{"readiness=constant"}, fails: []string{"readiness-gating"}},
	{name: "no redispatch", set: []string{"redispatch=off"}, fails: []string{"error-budget"}},
	{
		name: "lying health check", set: []string{"check=liar"}, fails: []string{"failover-anatomy", "readiness-gating"},
		because: "a health check that always answers neither takes the dead node out nor keeps the cold one out",
	},
	{name: "weight 1 of 100", set: []string{"weight.j2=1"}, fails: []string{"distribution"}},
	{name: "process crash", set: []string{"kill=process"}},
	// The tuned profile does not bear the loss of a node's power unnoticed, and
	// hachaos must say so: the peer's packets vanish with it, so that requests
	// under way, and those on kept-alive connections, wait for HAProxy's
	// timeout server (3 s) where a killed process would reset them.
	{name: "power loss", set: []string{"kill=power"}, fails: []string{"error-budget"}, evidence: "slow"},
	{name: "busiest node", set: []string{"victim=busiest"}},
}

func TestDockerInstanceKill(t *testing.T) {
	r := newRotation(t, 3)
	for position, i := range r.order(len(cases)) {
		c := cases[i]
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			r.admit(t, position)
			var opts []hachaostest.Option
			for _, s := range c.set {
				k, v, _ := strings.Cut(s, "=")
				opts = append(opts, hachaostest.Set(k, v))
			}
			if len(c.fails) == 0 {
				hachaostest.Run(t, scenarios.InstanceKill(), opts...)
				return
			}
			c.check(t, hachaostest.Try(t, scenarios.InstanceKill(), opts...))
		})
	}
}

// check holds the result to exactly the failures that the case names.
func (c broken) check(t *testing.T, r *harness.Result) {
	t.Helper()
	require.Equal(t, harness.VerdictFail, r.Verdict, r.Reason)
	require.False(t, r.Dirty)
	var failed []string
	for _, v := range r.Assertions {
		if v.Status == assert.Fail {
			failed = append(failed, v.Name)
			require.NotEmpty(t, v.Evidence, "%s fails without evidence", v.Name)
		}
	}
	require.Subset(t, failed, c.fails, "assertions that must fail: %s", r.Reason)
	require.Subset(t, slices.Concat(c.fails, c.also), failed, "nothing else may fail: %s", r.Reason)
	require.True(t, len(c.fails)+len(c.also) == 1 || c.because != "", "more than one assertion, and no reason")
	for _, v := range r.Assertions {
		if v.Name == c.fails[0] && c.evidence != "" {
			require.Contains(t, v.Evidence[0].Class+" "+v.Evidence[0].Text, c.evidence)
		}
	}
}
