//go:build docker

package docker

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// BenchmarkReady compares, in one run, the whole topology from nothing to a
// request served through the VIP with its slowest node alone: the same node,
// killed and started again with everything else in place. ready-ratio is the
// first by the second.
func BenchmarkReady(b *testing.B) {
	def, err := topology.Lookup("jetty-ha")
	require.NoError(b, err)
	plan, err := def.Plan(topology.Options{})
	require.NoError(b, err)
	d, err := Open(b.Context(), Options{})
	require.NoError(b, err)
	var whole, slowest time.Duration
	for b.Loop() {
		began := time.Now()
		c, err := d.Start(b.Context(), testRun, plan, topology.StartOptions{})
		require.NoError(b, err)
		require.NoError(b, c.Ready(b.Context()))
		whole += time.Since(began)
		alone := time.Duration(0)
		for _, n := range c.Nodes() {
			spec, _ := c.Spec().NodeByName(n.Name())
			if spec.Ready != "" {
				alone = max(alone, restart(b, n, spec))
			}
		}
		slowest += alone
		require.NoError(b, c.Close(context.Background()))
	}
	b.ReportMetric(whole.Seconds()/float64(b.N), "s/topology")
	b.ReportMetric(slowest.Seconds()/float64(b.N), "s/slowest-node")
	b.ReportMetric(whole.Seconds()/slowest.Seconds(), "ready-ratio")
}

// restart kills a node, starts it and returns the time until it is ready.
func restart(b *testing.B, n topology.Node, spec topology.NodeSpec) time.Duration {
	b.Helper()
	box, ok := n.(topology.Container)
	require.True(b, ok)
	require.NoError(b, box.Kill(b.Context()))
	began := time.Now()
	require.NoError(b, box.Start(b.Context()))
	client := http.Client{Timeout: 100 * time.Millisecond}
	for ticker := time.NewTicker(5 * time.Millisecond); ; <-ticker.C {
		res, err := client.Get("http://" + net.JoinHostPort(spec.Addr.String(), strconv.Itoa(spec.Port)) + spec.Ready)
		if err != nil {
			require.Less(b, time.Since(began), time.Minute, "%s is not ready again", n.Name())
			continue
		}
		require.NoError(b, res.Body.Close())
		if res.StatusCode == http.StatusOK {
			return time.Since(began)
		}
	}
}
