//go:build docker

package docker

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// disked is the pair whose first node has a disk, where its image has files.
func disked(subnet netip.Prefix) (topology.Spec, error) {
	spec, err := pair(subnet)
	spec.Nodes[0].Disks = []string{"/usr/local/bin"}
	return spec, err
}

func startDisked(t *testing.T, d *Driver, id string, opts topology.StartOptions) (topology.Cluster, topology.Container) {
	t.Helper()
	c, err := d.Start(t.Context(), id, disked, opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, d.engine.removeRun(ctx, id))
	})
	return c, nodeNamed(t, c, "a")
}

// volumesOf are those that bear the run's label.
func volumesOf(t *testing.T, d *Driver, id string) []string {
	t.Helper()
	list, err := d.engine.VolumeList(t.Context(), client.VolumeListOptions{Filters: ofRun(id)})
	require.NoError(t, err)
	var names []string
	for _, v := range list.Items {
		names = append(names, v.Name)
	}
	return names
}

// A disk begins as the image has it, outlives a restart, is limited while the
// node runs and no longer, and goes with the cluster.
func TestDiskIsLimitedAndGoesWithItsNode(t *testing.T) {
	d := openDriver(t, Options{})
	if has, err := d.Has(t.Context(), topology.BlockThrottle); err != nil || !has {
		require.NoError(t, err)
		t.Skip("this engine limits no disk")
	}
	c, a := startDisked(t, d, testRun, topology.StartOptions{})
	l := a.(topology.DiskLimited)
	const at = "/usr/local/bin"
	out, err := a.Exec(t.Context(), "sh", "-c", "ls "+at+" && echo kept >"+at+"/mark")
	require.NoError(t, err)
	require.Contains(t, string(out.Stdout), "supervise\n", "what the image has there")
	require.Len(t, volumesOf(t, d, testRun), 1)

	none, err := l.DiskLimit(t.Context(), at)
	require.NoError(t, err)
	require.Regexp(t, deviceNumber, none.Device)
	require.Zero(t, none.Writes)
	for range 2 {
		require.NoError(t, l.LimitDisk(t.Context(), at, 20))
	}
	got, err := l.DiskLimit(t.Context(), at)
	require.NoError(t, err)
	require.Equal(t, topology.DiskLimit{Device: none.Device, Writes: 20}, got)
	began := time.Now()
	out, err = a.Exec(t.Context(), "dd", "if=/dev/zero", "of="+at+"/x", "bs=4096", "count=40", "oflag=direct")
	require.NoError(t, err)
	require.Zero(t, out.Code, string(out.Stderr))
	require.Greater(t, time.Since(began), time.Second, "40 writes at 20 a second")

	require.NoError(t, a.Pause(t.Context()))
	_, err = l.DiskLimit(t.Context(), at)
	require.NoError(t, err, "a paused one has a control group")
	require.NoError(t, a.Unpause(t.Context()))

	require.NoError(t, a.Kill(t.Context()))
	_, err = l.DiskLimit(t.Context(), at)
	require.ErrorIs(t, err, topology.ErrNotRunning)
	require.ErrorIs(t, l.LimitDisk(t.Context(), at, 0), topology.ErrNotRunning)
	require.NoError(t, a.Start(t.Context()))
	got, err = l.DiskLimit(t.Context(), at)
	require.NoError(t, err)
	require.Zero(t, got.Writes, "a limit ends with its container")
	require.NoError(t, l.LimitDisk(t.Context(), at, 7))
	require.NoError(t, l.LimitDisk(t.Context(), at, 0))
	got, err = l.DiskLimit(t.Context(), at)
	require.NoError(t, err)
	require.Zero(t, got.Writes)
	out, err = a.Exec(t.Context(), "cat", at+"/mark")
	require.NoError(t, err)
	require.Equal(t, "kept\n", string(out.Stdout), "a disk outlives a restart")

	// The helper is made again if somebody removed it.
	_, err = d.engine.ContainerRemove(t.Context(), "hachaos-"+testRun+"-host-helper", client.ContainerRemoveOptions{Force: true})
	require.NoError(t, err)
	_, err = l.DiskLimit(t.Context(), at)
	require.NoError(t, err)

	require.NoError(t, c.Close(t.Context()))
	left, err := c.Leftovers(t.Context())
	require.NoError(t, err)
	require.Empty(t, left)
	require.Empty(t, volumesOf(t, d, testRun))
}

// A disk without its container, such as of one that somebody removed by hand,
// is found by its label, and so is that of a process that is gone.
func TestGarbageHasDisks(t *testing.T) {
	d := openDriver(t, Options{})
	_, a := startDisked(t, d, testRun+"-disk", topology.StartOptions{})
	state, err := a.Inspect(t.Context())
	require.NoError(t, err)
	_, err = d.engine.ContainerRemove(t.Context(), state.ID, client.ContainerRemoveOptions{Force: true})
	require.NoError(t, err)
	left := volumesOf(t, d, testRun+"-disk")
	require.Len(t, left, 1, "without the engine being told to remove it, it stays")
	garbage, err := d.Garbage(t.Context(), testRun+"-disk")
	require.NoError(t, err)
	var names []string
	for _, g := range garbage {
		names = append(names, g.Name)
	}
	require.Contains(t, names, left[0])
	if others, err := d.Garbage(t.Context()); err != nil || len(others) > 0 {
		require.NoError(t, err)
		t.Log("something else on this engine is garbage; only what this test made is removed")
		require.NoError(t, d.engine.removeRun(t.Context(), testRun+"-disk"))
	} else {
		removed, err := d.Collect(t.Context(), testRun+"-disk")
		require.NoError(t, err)
		require.ElementsMatch(t, garbage, removed)
	}
	require.Empty(t, volumesOf(t, d, testRun+"-disk"))
}

// A guest's helper on the host goes with the guest; what stands keeps its disk.
func TestDiskOfWhatStands(t *testing.T) {
	d := openDriver(t, Options{})
	if has, err := d.Has(t.Context(), topology.BlockThrottle); err != nil || !has {
		require.NoError(t, err)
		t.Skip("this engine limits no disk")
	}
	startDisked(t, d, testRun, topology.StartOptions{Standing: testRun + "-standing"})
	guest, err := d.Attach(t.Context(), testRun+"-standing")
	require.NoError(t, err)
	require.NoError(t, nodeNamed(t, guest, "a").(topology.DiskLimited).LimitDisk(t.Context(), "/usr/local/bin", 20))
	require.NoError(t, guest.Close(t.Context()))
	left, err := guest.Leftovers(t.Context())
	require.NoError(t, err)
	require.Empty(t, left)
	all, err := d.engine.things(t.Context(), ofRun(testRun))
	require.NoError(t, err)
	require.Len(t, all, 4, "two nodes, a network and a disk: %+v", all)
	require.NoError(t, d.Down(t.Context(), testRun+"-standing"))
	require.Empty(t, volumesOf(t, d, testRun))
}
