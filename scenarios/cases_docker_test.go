//go:build docker

package scenarios_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/hachaostest"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology/docker"
)

// TestDockerCases runs the scenarios' short forms. `-run
// TestDockerCases/db-slow` runs all of one.
func TestDockerCases(t *testing.T) {
	all := items()
	r := newRotation(t, 3)
	list := shown(t)
	for position, i := range r.order(len(all)) {
		it := all[i]
		t.Run(it.scenario.Name+"/"+strings.ReplaceAll(it.Name, " ", "-"), func(t *testing.T) {
			if !r.whole && !list[it.name()] {
				t.Skip("not shown yet, so the rotation does not draw it: `make catalogue` runs it")
			}
			if r.leavesOut(position) {
				t.Skipf("left out by the rotation (seed %d, budget %v is spent): `make test-all` runs it", r.seed, r.budget)
			}
			needKernel(t, it)
			opts := []hachaostest.Option{hachaostest.Short(), hachaostest.Nodes(it.Nodes), hachaostest.SkipStarved(), hachaostest.Decides(it.Fails...)}
			for k, v := range it.Set {
				opts = append(opts, hachaostest.Set(k, v))
			}
			if len(it.Fails) == 0 {
				hachaostest.Run(t, it.scenario, opts...)
				return
			}
			require.NoError(t, it.Holds(hachaostest.Try(t, it.scenario, opts...)))
		})
	}
}

// needKernel skips what this machine's kernel cannot carry out.
func needKernel(t *testing.T, it item) {
	t.Helper()
	d, err := docker.Open(t.Context(), docker.Options{})
	require.NoError(t, err)
	defer d.Close()
	r, opts := harness.Runner{Driver: d}, harness.Options{Set: it.Set, Nodes: it.Nodes}
	require.NoError(t, r.Validate(it.scenario, opts), "no matter of the kernel")
	if err := r.Afford(t.Context(), it.scenario, opts); errors.Is(err, harness.ErrUsage) {
		t.Skip(err)
	} else {
		require.NoError(t, err)
	}
}
