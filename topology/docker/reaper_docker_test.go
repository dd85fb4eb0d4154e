//go:build docker

package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// The run that dies is this test binary, started again as one of these
// programs. What it prints tells the test how far it got.
func init() {
	programs["doomed-run"] = doomedRun
	programs["doomed-guest"] = doomedGuest
}

// doomedRun starts a topology under a reaper, freezes one node, filters the
// other, says so and waits to be killed.
func doomedRun(ctx context.Context, args []string) error {
	d, err := Open(ctx, Options{})
	if err != nil {
		return err
	}
	_, err = d.StartReaper(ctx, ReaperOptions{RunID: args[0], UndoLog: args[1]})
	if err != nil {
		return err
	}
	c, err := d.Start(ctx, args[0], disked, topology.StartOptions{})
	if err != nil {
		return err
	}
	return sufferAndWait(ctx, c, args[1])
}

// doomedGuest does the same on a topology that stands.
func doomedGuest(ctx context.Context, args []string) error {
	d, err := Open(ctx, Options{})
	if err != nil {
		return err
	}
	c, err := d.Attach(ctx, args[0])
	if err != nil {
		return err
	}
	if _, err = d.StartReaper(ctx, ReaperOptions{RunID: c.ID(), UndoLog: args[1], HealOnly: true}); err != nil {
		return err
	}
	return sufferAndWait(ctx, c, args[1])
}

func sufferAndWait(ctx context.Context, c topology.Cluster, undoLog string) error {
	if err := os.WriteFile(undoLog, []byte("thaw a, unfilter b\n"), 0o600); err != nil {
		return err
	}
	a, b := c.Nodes()[0].(topology.Container), c.Nodes()[1].(topology.Namespace)
	if err := a.Pause(ctx); err != nil {
		return err
	}
	if _, err := b.InNamespace(ctx, "nft", "add", "table", "inet", "hachaos"); err != nil {
		return err
	}
	fmt.Println("suffering")
	<-ctx.Done()
	return errors.New("nobody killed me")
}

// killSuffering starts the program, awaits that it suffers and kills it.
func killSuffering(t *testing.T, program, name, undoLog string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], name, undoLog)
	cmd.Env = append(os.Environ(), agent.Env+"="+program)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	word, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "suffering\n", word)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
}

func TestReaperRemovesWhatAKilledRunLeft(t *testing.T) {
	d := openDriver(t, Options{})
	bystander := startPair(t, d, testRun+"-bystander", topology.StartOptions{})
	undoLog := filepath.Join(t.TempDir(), "undo.jsonl")
	id := testRun + "-doomed"
	killSuffering(t, "doomed-run", id, undoLog)
	require.Eventually(t, func() bool {
		left, err := d.engine.things(t.Context(), ofRun(id))
		return err == nil && len(left) == 0
	}, 30*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Count(reaperLogOf(t, undoLog), "done") == 2 },
		30*time.Second, 50*time.Millisecond, "it heals, and it removes")
	t.Log(reaperLogOf(t, undoLog))
	left, err := bystander.Leftovers(t.Context())
	require.NoError(t, err)
	require.Len(t, left, 3, "what belongs to another run stays")
}

func TestReaperHealsWhatStands(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{Standing: testRun + "-standing"})
	undoLog := filepath.Join(t.TempDir(), "undo.jsonl")
	killSuffering(t, "doomed-guest", testRun+"-standing", undoLog)
	t.Cleanup(func() { t.Log(reaperLogOf(t, undoLog)) })
	require.Eventually(t, func() bool { return strings.Count(reaperLogOf(t, undoLog), "done") == 3 },
		30*time.Second, 50*time.Millisecond, "it heals, heals again what came late, and removes the helpers")
	state, err := nodeNamed(t, c, "a").Inspect(t.Context())
	require.NoError(t, err)
	require.True(t, state.Running)
	require.False(t, state.Paused)
	out, err := c.Nodes()[1].(topology.Namespace).InNamespace(t.Context(), "nft", "list", "tables")
	require.NoError(t, err)
	require.NotContains(t, string(out.Stdout), "hachaos")
	things, err := d.engine.things(t.Context(), make(client.Filters).Add("label", labelHelper).Add("label", topology.RunLabel+"="+testRun))
	require.NoError(t, err)
	require.Len(t, things, 1, "only the helper that this test just used")
}

func reaperLogOf(t *testing.T, undoLog string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(undoLog), "reaper.log"))
	if err != nil {
		return ""
	}
	return string(content)
}

func TestReaperIsReleased(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	r, err := d.StartReaper(t.Context(), ReaperOptions{RunID: testRun})
	require.NoError(t, err)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		require.NoError(t, r.cmd.Process.Signal(signal), "it outlives what asks a run to end")
	}
	for range 2 {
		require.NoError(t, r.Release(t.Context()))
	}
	left, err := c.Leftovers(t.Context())
	require.NoError(t, err)
	require.Len(t, left, 3)

	r, err = d.StartReaper(t.Context(), ReaperOptions{RunID: testRun})
	require.NoError(t, err)
	require.NoError(t, r.cmd.Process.Kill())
	require.ErrorContains(t, r.Release(t.Context()), "before the run did")
}
