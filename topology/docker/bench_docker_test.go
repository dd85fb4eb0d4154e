//go:build docker

package docker

import (
	"context"
	"testing"
	"time"

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

// BenchmarkJettyHA is the built-in topology from nothing to a request served
// through the VIP.
func BenchmarkJettyHA(b *testing.B) {
	def, err := topology.Lookup("jetty-ha")
	require.NoError(b, err)
	plan, err := def.Plan(topology.Options{})
	require.NoError(b, err)
	d, err := Open(b.Context(), Options{})
	require.NoError(b, err)
	for b.Loop() {
		began := time.Now()
		c, err := d.Start(b.Context(), testRun, plan, topology.StartOptions{Progress: func(line string) {
			b.Logf("%6d ms  %s", time.Since(began).Milliseconds(), line)
		}})
		require.NoError(b, err)
		b.Logf("%6d ms  started", time.Since(began).Milliseconds())
		require.NoError(b, c.Ready(b.Context()))
		b.Logf("%6d ms  ready", time.Since(began).Milliseconds())
		b.StopTimer()
		began = time.Now()
		require.NoError(b, c.Close(context.Background()))
		b.Logf("%6d ms  to remove", time.Since(began).Milliseconds())
		b.StartTimer()
	}
}
