//go:build docker

package docker

import (
	"testing"

	"github.com/stretchr/testify/require"
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
