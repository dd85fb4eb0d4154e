//go:build docker

package docker

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestReadyThroughTheEntry(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.Equal(t, "direct", c.Entry().Via)
	require.NoError(t, c.Ready(ctx))
}

func TestReadyNamesWhoIsNot(t *testing.T) {
	d := openDriver(t, Options{})
	plan := func(subnet netip.Prefix) (topology.Spec, error) {
		spec, err := pair(subnet)
		spec.Nodes[0].Cmd = []string{"sh", "-c", "echo the reason >&2; until [ -e /end ]; do sleep 0.05; done; exit 7"}
		return spec, err
	}
	c, err := d.Start(t.Context(), testRun, plan, topology.StartOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.Background())) }()

	// It is given longer each time, until it has asked and was answered.
	told := false
	for patience := 500 * time.Millisecond; !told && patience < time.Minute; patience *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err = c.Ready(ctx)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		told = strings.Contains(err.Error(), "refused") && strings.Contains(err.Error(), "the reason")
	}
	require.ErrorContains(t, err, "node a")
	require.ErrorContains(t, err, "refused")
	require.ErrorContains(t, err, "the reason")

	out, err := nodeNamed(t, c, "a").Exec(t.Context(), "touch", "/end")
	require.NoError(t, err)
	require.Zero(t, out.Code, string(out.Stderr))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = c.Ready(ctx)
	require.ErrorIs(t, err, topology.ErrNotRunning)
	require.ErrorContains(t, err, "status 7")
}

func TestEvents(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	since := time.Now()
	a := nodeNamed(t, c, "a")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	early, _ := c.Events(ctx, since)
	require.NoError(t, a.Pause(ctx))
	require.NoError(t, a.Unpause(ctx))
	require.NoError(t, a.Kill(ctx))
	require.NoError(t, a.Start(ctx))
	late, lateErr := c.Events(ctx, since)
	want := []string{"pause", "unpause", "kill", "die", "start"}
	for _, stream := range []<-chan topology.EngineEvent{early, late} {
		for _, action := range want {
			event := <-stream
			// An engine that hears of a pause from containerd only after it was
			// told to unpause takes it for a new one, and tells of both again.
			for event.Action != action && (event.Action == "pause" || event.Action == "unpause") && action != "pause" {
				event = <-stream
			}
			require.Equal(t, "a", event.Node)
			require.Equal(t, action, event.Action)
			require.False(t, event.Wall.Before(since), "the engine's clock is this host's")
			switch action {
			case "kill":
				require.Equal(t, "9", event.Signal)
			case "die":
				require.Equal(t, "137", event.ExitCode)
			}
		}
	}
	cancel()
	for event := range late {
		require.Fail(t, "an event that did not happen", "%v", event)
	}
	require.NoError(t, lateErr())
}

// lockedBuffer can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestLogsAcrossRestarts(t *testing.T) {
	d := openDriver(t, Options{})
	long := strings.Repeat("x", 40_000) // longer than the engine's pieces
	plan := func(subnet netip.Prefix) (topology.Spec, error) {
		spec, err := pair(subnet)
		spec.Nodes[0].Cmd = []string{
			"sh", "-c",
			"n=$(cat /n 2>/dev/null || echo 0); for i in $(seq 300); do n=$((n+1)); echo line $n; done; " +
				"head -c 40000 /dev/zero | tr '\\0' x; echo; echo the end $n; echo $n >/n; sleep infinity",
		}
		return spec, err
	}
	since := time.Now()
	c, err := d.Start(t.Context(), testRun, plan, topology.StartOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	a := nodeNamed(t, c, "a")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got lockedBuffer
	done := make(chan error, 1)
	go func() { done <- c.Logs(ctx, "a", since, &got) }()
	var want strings.Builder
	for life := range 3 {
		for i := range 300 {
			fmt.Fprintf(&want, "line %d\n", life*300+i+1)
		}
		fmt.Fprintf(&want, "%s\nthe end %d\n", long, (life+1)*300)
		require.Eventually(t, func() bool {
			out, err := a.Exec(t.Context(), "cat", "/n")
			return err == nil && strings.TrimSpace(string(out.Stdout)) == fmt.Sprint((life+1)*300)
		}, 20*time.Second, 20*time.Millisecond)
		require.NoError(t, a.Kill(t.Context()))
		if life < 2 {
			require.NoError(t, a.Start(t.Context()))
		}
	}
	cancel() // at once: what was written before still belongs to it
	require.NoError(t, <-done)
	require.Equal(t, want.String(), got.String())
}
