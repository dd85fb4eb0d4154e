package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// TestAFrozenEngine takes connections and says nothing.
func TestAFrozenEngine(t *testing.T) {
	listener, host := listen(t)
	defer listener.Close()
	cli, err := client.New(client.WithHost(host))
	require.NoError(t, err)
	defer cli.Close()
	e := &engine{Client: cli, host: host}
	err = e.greet(t.Context(), 20*time.Millisecond)
	require.ErrorIs(t, err, topology.ErrNoEngine)
	require.ErrorContains(t, err, "it has said nothing for 20ms: restart it")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NotErrorIs(t, e.greet(ended, time.Hour), topology.ErrNoEngine, "the caller's end says nothing of the engine")
}

// TestPatiently: an engine that restarts is waited for, and nothing else is.
func TestPatiently(t *testing.T) {
	away := fmt.Errorf("list: %w", topology.ErrNoEngine)
	refused := errors.New("device or resource busy")
	for name, tc := range map[string]struct {
		errs  []error
		want  error
		calls int
	}{
		"it answers":          {[]error{nil}, nil, 1},
		"it comes back":       {[]error{away, away, away, nil}, nil, 4},
		"it refuses":          {[]error{refused, nil}, refused, 1},
		"comes back, refuses": {[]error{away, refused, nil}, refused, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := patiently(t.Context(), time.Minute, func() error { calls++; return tc.errs[calls-1] })
				require.ErrorIs(t, err, tc.want)
				require.Equal(t, tc.calls, calls)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.ErrorIs(t, patiently(t.Context(), time.Minute, func() error { return away }), topology.ErrNoEngine)
		require.InDelta(t, time.Minute, time.Since(began), float64(5*time.Second))
	})
}

// TestAMakerIsAskedToEnd: one that is killed leaves its mounts behind.
func TestAMakerIsAskedToEnd(t *testing.T) {
	dir := t.TempDir()
	begun, unmounted := filepath.Join(dir, "begun"), filepath.Join(dir, "unmounted")
	m := maker{steps: func(string, string) [][]string {
		return [][]string{{"sh", "-c", `trap 'touch "$2"; kill $!; exit 1' TERM; sleep 1000 & touch "$1"; wait`, "sh", begun, unmounted}}
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.run(ctx, os.Stderr, dir, "") }()
	require.Eventually(t, func() bool { _, err := os.Stat(begun); return err == nil }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.FileExists(t, unmounted)
}
