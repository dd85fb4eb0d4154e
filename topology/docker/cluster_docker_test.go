//go:build docker

package docker

import (
	"context"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// testRun is the id of this package's clusters.
const testRun = "dev-docker"

func openDriver(t *testing.T, opts Options) *Driver {
	t.Helper()
	d, err := Open(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// pair plans two nodes of the image "net", the first of which answers HTTP on
// port 80.
func pair(subnet netip.Prefix) (topology.Spec, error) {
	addr := subnet.Addr()
	at := func(n int) netip.Addr {
		for range n {
			addr = addr.Next()
		}
		return addr
	}
	first, second := at(10), at(10)
	return topology.Spec{
		Name: "pair", Subnet: subnet, Port: 80, ReadyPath: "/ready",
		Nodes: []topology.NodeSpec{
			{
				Name: "a", Role: topology.Application, Image: "net", Addr: first, Port: 80, Ready: "/ready",
				Files: []topology.File{{Path: "/etc/hachaos/greeting", Mode: 0o640, Content: "hello\n"}},
				Env:   map[string]string{"WHO": "a"}, Shm: 32 << 20, Shares: 256, Memory: 64 << 20,
				Cmd: []string{"sh", "-c", "echo up; while :; do printf 'HTTP/1.0 200 OK\r\n\r\nok' | nc -lN -p 80 >/dev/null; done"},
			},
			{
				Name: "b", Role: topology.Proxy, Image: "net", Addr: second, Caps: []string{"NET_ADMIN"},
				Cmd: []string{"sleep", "infinity"},
			},
		},
	}, nil
}

func startPair(t *testing.T, d *Driver, id string, opts topology.StartOptions) topology.Cluster {
	t.Helper()
	if opts.Progress == nil {
		opts.Progress = func(line string) { t.Log(line) }
	}
	c, err := d.Start(t.Context(), id, pair, opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, d.engine.removeRun(ctx, id))
	})
	return c
}

func nodeNamed(t *testing.T, c topology.Cluster, name string) topology.Container {
	t.Helper()
	for _, n := range c.Nodes() {
		if n.Name() == name {
			return n.(topology.Container)
		}
	}
	require.Fail(t, "no node "+name)
	return nil
}

func TestStartActsAndClose(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	a := nodeNamed(t, c, "a")

	out, err := a.Exec(t.Context(), "sh", "-c", "cat /etc/hachaos/greeting; stat -c %a /etc/hachaos/greeting; echo $WHO; echo no >&2; exit 3")
	require.NoError(t, err)
	require.Equal(t, "hello\n640\na\n", string(out.Stdout))
	require.Equal(t, "no\n", string(out.Stderr))
	require.Equal(t, 3, out.Code)

	for range 2 { // each act is an assurance of a state
		require.NoError(t, a.Kill(t.Context()))
	}
	state, err := a.Inspect(t.Context())
	require.NoError(t, err)
	require.False(t, state.Running)
	require.Equal(t, 137, state.ExitCode)
	_, err = a.Exec(t.Context(), "true")
	require.ErrorIs(t, err, topology.ErrNotRunning)
	require.ErrorIs(t, a.Pause(t.Context()), topology.ErrNotRunning)
	for range 2 {
		require.NoError(t, a.Start(t.Context()))
	}
	for range 2 {
		require.NoError(t, a.Pause(t.Context()))
	}
	_, err = a.Exec(t.Context(), "true")
	require.ErrorIs(t, err, topology.ErrNotRunning)
	for range 2 {
		require.NoError(t, a.Unpause(t.Context()))
	}
	for range 2 {
		require.NoError(t, a.Stop(t.Context(), 200*time.Millisecond))
	}
	left, err := c.Leftovers(t.Context())
	require.NoError(t, err)
	require.Len(t, left, 3, "two containers and a network")
	for range 2 {
		require.NoError(t, c.Close(t.Context()))
	}
	left, err = c.Leftovers(t.Context())
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestNamespaceFollowsTheNode(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	a := nodeNamed(t, c, "a")
	beside := a.(topology.Namespace)
	addr := a.(topology.Addressed).Addr().String()
	shows := func() {
		t.Helper()
		out, err := beside.InNamespace(t.Context(), "ip", "-4", "-o", "addr", "show", "dev", "eth0")
		require.NoError(t, err)
		require.Contains(t, string(out.Stdout), addr)
		require.Equal(t, 0, out.Code)
	}
	shows()
	require.NoError(t, a.Pause(t.Context()))
	shows()
	out, err := beside.InNamespace(t.Context(), "nft", "add", "table", "inet", "hachaos")
	require.NoError(t, err)
	require.Equal(t, 0, out.Code, string(out.Stderr))
	require.NoError(t, a.Unpause(t.Context()))
	require.NoError(t, a.Kill(t.Context()))
	_, err = beside.InNamespace(t.Context(), "ip", "addr")
	require.ErrorIs(t, err, topology.ErrNotRunning)
	require.NoError(t, a.Start(t.Context()))
	shows()
	out, err = beside.InNamespace(t.Context(), "nft", "list", "tables")
	require.NoError(t, err)
	require.NotContains(t, string(out.Stdout), "hachaos", "a new namespace has no filter of the old one")
}

func TestPinnedSubnetInUse(t *testing.T) {
	d := openDriver(t, Options{})
	c := startPair(t, d, testRun, topology.StartOptions{})
	_, err := d.Start(t.Context(), testRun+"-2", pair, topology.StartOptions{Subnet: c.Spec().Subnet})
	require.ErrorIs(t, err, topology.ErrSubnetInUse)
	require.ErrorContains(t, err, networkName(testRun))
	_, err = d.Start(t.Context(), testRun, pair, topology.StartOptions{})
	require.ErrorContains(t, err, "in use")
}

func TestTwoAtTheSameTime(t *testing.T) {
	d := openDriver(t, Options{})
	var subnets [2]netip.Prefix
	t.Run("both", func(t *testing.T) {
		for i := range subnets {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				subnets[i] = startPair(t, d, testRun+"-"+strconv.Itoa(i), topology.StartOptions{}).Spec().Subnet
			})
		}
	})
	require.NotEqual(t, subnets[0], subnets[1])
}

func TestStartThatFailsLeavesNothing(t *testing.T) {
	d := openDriver(t, Options{})
	nothing := func() {
		t.Helper()
		left, err := d.engine.things(t.Context(), ofRun(testRun))
		require.NoError(t, err)
		require.Empty(t, left)
	}
	broken := func(subnet netip.Prefix) (topology.Spec, error) {
		spec, err := pair(subnet)
		spec.Nodes[1].Image = "broken"
		return spec, err
	}
	_, err := d.Start(t.Context(), testRun, broken, topology.StartOptions{})
	require.ErrorContains(t, err, `"broken"`, "before anything is created")
	nothing()

	_, err = d.Start(t.Context(), testRun, pair, topology.StartOptions{
		Images: map[string]string{"net": "127.0.0.1:1/none:1"},
	})
	require.ErrorIs(t, err, topology.ErrImage)
	require.ErrorContains(t, err, "docker pull 127.0.0.1:1/none:1")
	nothing()

	clash := func(subnet netip.Prefix) (topology.Spec, error) {
		spec, err := pair(subnet)
		spec.Nodes[1].Addr = spec.Nodes[0].Addr
		return spec, err
	}
	_, err = d.Start(t.Context(), testRun, clash, topology.StartOptions{})
	require.ErrorContains(t, err, "node ")
	require.ErrorContains(t, err, "Address already in use")
	nothing()

	_, err = d.Start(t.Context(), "no/id", pair, topology.StartOptions{})
	require.ErrorContains(t, err, "letters, digits")

	ctx, cancel := context.WithCancel(t.Context())
	_, err = d.Start(ctx, testRun, pair, topology.StartOptions{Progress: func(line string) {
		if line == "node a: started" {
			cancel()
		}
	}})
	cancel()
	if err == nil { // the other node was as quick
		require.NoError(t, d.engine.removeRun(t.Context(), testRun))
	}
	nothing()
}

func TestStartWithAReplacedImage(t *testing.T) {
	d := openDriver(t, Options{})
	tag, err := d.Builder().Tag("net")
	require.NoError(t, err)
	_, err = d.engine.ImageTag(t.Context(), client.ImageTagOptions{Source: tag, Target: "dev-docker/replaced:1"})
	require.NoError(t, err)
	defer func() {
		_, err := d.engine.ImageRemove(context.Background(), "dev-docker/replaced:1", client.ImageRemoveOptions{})
		require.NoError(t, err)
	}()
	c := startPair(t, d, testRun, topology.StartOptions{Images: map[string]string{"net": "dev-docker/replaced:1"}})
	made, err := d.engine.ContainerInspect(t.Context(), c.(*cluster).nodes[0].id, client.ContainerInspectOptions{})
	require.NoError(t, err)
	require.Equal(t, "dev-docker/replaced:1", made.Container.Config.Image)
	require.NoError(t, c.Close(t.Context()))
}
