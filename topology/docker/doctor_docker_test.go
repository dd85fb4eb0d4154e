//go:build docker

package docker

import (
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
	has, err := d.Has(t.Context(), topology.Netem)
	require.NoError(t, err)
	for _, check := range Doctor(t.Context(), Options{}) {
		if check.Name == "kernel: "+string(topology.Netem) {
			require.Equal(t, check.OK, has)
		}
	}
}
