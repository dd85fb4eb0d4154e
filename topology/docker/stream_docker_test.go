//go:build docker

package docker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestStream(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	a := nodeNamed(t, c, "a").(topology.Streamer)

	var all lockedBuffer
	require.NoError(t, a.Stream(t.Context(), &all, "sh", "-c", "echo one; echo noise >&2; echo two"))
	require.Equal(t, "one\ntwo\n", all.String())
	err := a.Stream(t.Context(), &all, "sh", "-c", "echo the reason >&2; exit 3")
	require.ErrorContains(t, err, "exit status 3")
	require.ErrorContains(t, err, "the reason")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var endless lockedBuffer
	done := make(chan error, 1)
	go func() {
		done <- a.Stream(ctx, &endless, "sh", "-c", "while :; do ip -4 -o addr show dev eth0; sleep 0.05; done")
	}()
	addr := a.(topology.Addressed).Addr().String()
	require.Eventually(t, func() bool { return strings.Count(endless.String(), addr) > 3 }, 10*time.Second, 10*time.Millisecond)
	cancel()
	asked := time.Now()
	require.ErrorIs(t, <-done, context.Canceled)
	t.Logf("ended %s after it was asked to", time.Since(asked))
	require.Eventually(t, func() bool {
		out, err := a.(topology.Namespace).InNamespace(t.Context(), "ps", "-e", "-o", "args")
		return err == nil && !strings.Contains(string(out.Stdout), "while :")
	}, 10*time.Second, 50*time.Millisecond, "the command is ended")

	require.NoError(t, a.(topology.Container).Kill(t.Context()))
	require.ErrorIs(t, a.Stream(t.Context(), &all, "true"), topology.ErrNotRunning)
}
