//go:build docker

package docker

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func BenchmarkStartAndClose(b *testing.B) {
	d, err := Open(b.Context(), Options{})
	require.NoError(b, err)
	for b.Loop() {
		c, err := d.Start(b.Context(), testRun, pair, topology.StartOptions{})
		require.NoError(b, err)
		b.StopTimer()
		require.NoError(b, c.Close(context.Background()))
		b.StartTimer()
	}
}

func BenchmarkExec(b *testing.B) {
	d, err := Open(b.Context(), Options{})
	require.NoError(b, err)
	c, err := d.Start(b.Context(), testRun, pair, topology.StartOptions{})
	require.NoError(b, err)
	defer func() { require.NoError(b, c.Close(context.Background())) }()
	a := c.Nodes()[0]
	b.Run("in the node", func(b *testing.B) {
		for b.Loop() {
			_, err := a.Exec(b.Context(), "true")
			require.NoError(b, err)
		}
	})
	b.Run("beside the node", func(b *testing.B) {
		for b.Loop() {
			_, err := a.(topology.Namespace).InNamespace(b.Context(), "true")
			require.NoError(b, err)
		}
	})
	b.Run("inspect", func(b *testing.B) {
		for b.Loop() {
			_, err := a.(topology.Container).Inspect(b.Context())
			require.NoError(b, err)
		}
	})
}
