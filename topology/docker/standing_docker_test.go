//go:build docker

package docker

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestAttachToWhatStands(t *testing.T) {
	d := openDriver(t, Options{})
	const name = testRun + "-up"
	_, err := d.Attach(t.Context(), name)
	require.ErrorIs(t, err, topology.ErrNotFound)
	require.ErrorIs(t, d.Down(t.Context(), name), topology.ErrNotFound)

	up := startPair(t, d, testRun, topology.StartOptions{Standing: name})
	_, err = d.Start(t.Context(), testRun+"-2", pair, topology.StartOptions{Standing: name})
	require.ErrorContains(t, err, "stands already")

	c, err := d.Attach(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, testRun, c.ID())
	require.Equal(t, up.Spec(), c.Spec())
	require.Equal(t, up.Entry(), c.Entry())
	_, err = d.Attach(t.Context(), name)
	require.ErrorIs(t, err, topology.ErrInUse, "two runs would meet each other's faults")
	require.ErrorIs(t, d.Down(t.Context(), name), topology.ErrInUse)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, c.Ready(ctx))
	out, err := c.Nodes()[1].(topology.Namespace).InNamespace(ctx, "true")
	require.NoError(t, err)
	require.Zero(t, out.Code)
	left, err := c.Leftovers(ctx)
	require.NoError(t, err)
	require.Len(t, left, 1, "the mark that it is in use: the helper is of the cluster that this driver started")
	require.NoError(t, c.Close(ctx))
	left, err = c.Leftovers(ctx)
	require.NoError(t, err)
	require.Empty(t, left, "what stands is no leftover")
	require.Equal(t, 1, helpers(t, up), "it stays for the next")

	other := openDriver(t, Options{})
	c, err = other.Attach(ctx, name)
	require.NoError(t, err, "it is free again")
	_, err = c.Nodes()[1].(topology.Namespace).InNamespace(ctx, "true")
	require.NoError(t, err)
	require.Equal(t, 2, helpers(t, up), "another driver has one of its own")
	left, err = c.Leftovers(ctx)
	require.NoError(t, err)
	require.Len(t, left, 2, "the helper, and the mark that it is in use")
	require.NoError(t, c.Close(ctx))
	require.Equal(t, 1, helpers(t, up))

	node := up.Nodes()[1].(topology.Container)
	require.NoError(t, node.Kill(ctx))
	require.NoError(t, node.Start(ctx))
	c, err = d.Attach(ctx, name)
	require.NoError(t, err)
	for _, n := range []topology.Node{c.Nodes()[1], up.Nodes()[1]} { // both follow it into its new namespace
		out, err = n.(topology.Namespace).InNamespace(ctx, "ip", "-4", "-o", "addr")
		require.NoError(t, err)
		require.Contains(t, string(out.Stdout), n.(topology.Addressed).Addr().String())
	}
	require.Equal(t, 1, helpers(t, up))
	require.NoError(t, c.Close(ctx))

	standing, err := d.Standing(ctx)
	require.NoError(t, err)
	var found bool
	for _, s := range standing {
		if s.Name == name {
			found = true
			require.Equal(t, 2, s.Running)
			require.Equal(t, up.Entry(), s.Entry)
		}
	}
	require.True(t, found)
	require.NoError(t, d.Down(ctx, name))
	left, err = up.Leftovers(ctx)
	require.NoError(t, err)
	require.Empty(t, left)
}

// helpers counts the containers beside the nodes of what a cluster started.
func helpers(t *testing.T, c topology.Cluster) int {
	t.Helper()
	own := c.(*cluster)
	all, err := own.engine.things(t.Context(), ofRun(own.id))
	require.NoError(t, err)
	n := 0
	for _, thing := range all {
		if thing.helper != "" && thing.helper != claimHelper && thing.helper != relayHelper {
			n++
		}
	}
	return n
}

// doomedOrphan starts a topology with nobody to look after it.
func doomedOrphan(ctx context.Context, args []string) error {
	d, err := Open(ctx, Options{})
	if err != nil {
		return err
	}
	c, err := d.Start(ctx, args[0], pair, topology.StartOptions{})
	if err != nil {
		return err
	}
	return sufferAndWait(ctx, c, args[1])
}

func init() { programs["doomed-orphan"] = doomedOrphan }

func TestCollectGarbage(t *testing.T) {
	d := openDriver(t, Options{})
	startPair(t, d, testRun, topology.StartOptions{})
	const orphan = testRun + "-orphan"
	killSuffering(t, "doomed-orphan", orphan, t.TempDir()+"/undo")
	garbage, err := d.Garbage(t.Context())
	require.NoError(t, err)
	var own, living int
	for _, g := range garbage {
		switch g.Name {
		case networkName(orphan), containerName(orphan, "a"), containerName(orphan, "b"), containerName(orphan, "b") + "-net":
			own++
		case networkName(testRun), containerName(testRun, "a"), containerName(testRun, "b"):
			living++
		}
	}
	require.Equal(t, 4, own)
	require.Zero(t, living, "what belongs to a process that lives is none")
	if len(garbage) > own {
		t.Log("something else on this engine is garbage; only what this test made is removed")
		require.NoError(t, d.engine.removeRun(t.Context(), orphan))
		return
	}
	removed, err := d.Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, removed, own)
	garbage, err = d.Garbage(t.Context())
	require.NoError(t, err)
	require.Empty(t, garbage)
}

func TestRelay(t *testing.T) {
	d := openDriver(t, Options{ForceRelay: true})
	c := startPair(t, d, testRun, topology.StartOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.Equal(t, "relay", c.Entry().Via)
	require.NoError(t, c.Ready(ctx))

	require.Eventually(t, func() bool { // the node serves one connection after the other
		response, err := http.Get(c.Entry().URL + "/ready")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return err == nil && string(body) == "ok"
	}, 10*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool {
		conn, err := topology.Dial(c)(ctx, "tcp", c.Nodes()[0].(topology.Addressed).Addr().String()+":80")
		if err != nil {
			return false
		}
		defer conn.Close()
		return strings.HasPrefix(conn.RemoteAddr().String(), "127.0.0.1:")
	}, 10*time.Second, 20*time.Millisecond, "each node's address, too, and not straight")
	_, err := topology.Dial(c)(ctx, "tcp", c.Nodes()[1].(topology.Addressed).Addr().String()+":81")
	require.ErrorContains(t, err, "refused")
	require.Len(t, c.Nodes(), 2, "the relay is no node")
}
