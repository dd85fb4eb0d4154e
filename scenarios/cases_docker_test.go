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

// item is one system that a scenario is run on.
type item struct {
	scenario harness.Scenario
	harness.Case
}

// items are every scenario as it stands, which must pass, and each of its
// cases. The first three are in every build.
func items() []item {
	var all []item
	for _, s := range scenarios.All() {
		all = append(all, item{s, harness.Case{Name: "healthy"}})
		for _, c := range s.Cases {
			all = append(all, item{s, c})
		}
	}
	return all
}

// TestDockerCases runs the scenarios' short forms. `-run
// TestDockerCases/db-slow` runs all of one.
func TestDockerCases(t *testing.T) {
	all := items()
	r := newRotation(t, 3)
	for position, i := range r.order(len(all)) {
		it := all[i]
		t.Run(it.scenario.Name+"/"+strings.ReplaceAll(it.Name, " ", "-"), func(t *testing.T) {
			r.admit(t, position)
			opts := []hachaostest.Option{hachaostest.Short(), hachaostest.Nodes(it.Nodes)}
			for k, v := range it.Set {
				opts = append(opts, hachaostest.Set(k, v))
			}
			if len(it.Fails) == 0 {
				hachaostest.Run(t, it.scenario, opts...)
				return
			}
			holds(t, it.Case, hachaostest.Try(t, it.scenario, opts...))
		})
	}
}

// holds holds the result to exactly the failures that the case names.
func holds(t *testing.T, c harness.Case, r *harness.Result) {
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
	require.Subset(t, failed, c.Fails, "assertions that must fail: %s", r.Reason)
	require.Subset(t, slices.Concat(c.Fails, c.Also), failed, "nothing else may fail: %s", r.Reason)
	for _, v := range r.Assertions {
		if v.Name == c.Fails[0] && c.Evidence != "" {
			require.Contains(t, v.Evidence[0].Class+" "+v.Evidence[0].Text+" "+v.Summary, c.Evidence)
		}
	}
}
