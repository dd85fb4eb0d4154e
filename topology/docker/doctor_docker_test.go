//go:build docker

package docker

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestDoctorOnThisEngine(t *testing.T) {
	d := openDriver(t, Options{})
	require.NoError(t, d.Builder().Build(t.Context(), []string{netImage}, nil))
	for _, check := range Doctor(t.Context(), Options{}) {
		t.Logf("%+v", check)
		require.True(t, check.OK || check.Optional, check)
		require.Equal(t, check.OK, check.Mend == "", check)
	}
}

// A feature that is asked for alone is found as doctor finds it.
func TestHasAsDoctorSays(t *testing.T) {
	d := openDriver(t, Options{})
	checks := Doctor(t.Context(), Options{})
	for _, f := range []topology.Feature{topology.Netem, topology.BlockThrottle} {
		has, err := d.Has(t.Context(), f)
		require.NoError(t, err)
		i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == "kernel: "+string(f) })
		require.GreaterOrEqual(t, i, 0, f)
		require.Equal(t, checks[i].OK, has, f)
	}
}
