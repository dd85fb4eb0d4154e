package fault

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldHolding is a node that loses what it is asked to lose, and tells of it. Without
// threads it answers nothing.
func heldHolding(m *heldMachine) *heldNode {
	n := heldRunning(m)
	mute := func() bool { return m.holds["threads"] == "1000" }
	n.serves = func() string {
		if mute() {
			return silent
		}
		return answered
	}
	n.beside = func(argv []string) (topology.Output, error) {
		if strings.Join(argv, " ") != "curl -sS --max-time 1 http://198.18.7.21:8080/metrics" {
			return topology.Output{}, errUnasked
		}
		if mute() {
			return topology.Output{Code: 28}, nil
		}
		zero := func(s string) string {
			if s == "" {
				return "0"
			}
			return s
		}
		pool, threads := zero(m.holds["pool"]), zero(m.holds["threads"])
		return text("# TYPE hachaos_pool_active gauge\nhachaos_held_connections %s\nhachaos_held_threads %s\nhachaos_pool_active %s\n", pool, threads, pool)
	}
	return n
}

// TestALeakIsOfSoManyConnections: no more and no fewer, and the pool itself misses
// them.
func TestALeakIsOfSoManyConnections(t *testing.T) {
	for name, tc := range map[string]struct {
		figures  topology.Output
		active   bool
		healed   bool
		measured string
	}{
		"lost":           {topology.Output{Stdout: []byte("hachaos_held_connections 3\nhachaos_pool_active 3\n")}, true, false, "n1: 3"},
		"and others":     {topology.Output{Stdout: []byte("hachaos_held_connections 3\nhachaos_pool_active 9\n")}, true, false, "n1: 3"},
		"one more":       {topology.Output{Stdout: []byte("hachaos_held_connections 4\nhachaos_pool_active 9\n")}, false, false, "n1: 4"},
		"one fewer":      {topology.Output{Stdout: []byte("hachaos_held_connections 2\nhachaos_pool_active 9\n")}, false, false, "n1: 2"},
		"of a full pool": {topology.Output{Stdout: []byte("hachaos_held_connections 3\nhachaos_pool_active 2\n")}, false, false, "n1: 3"},
		"none":           {topology.Output{Stdout: []byte("hachaos_held_connections 0\nhachaos_pool_active 3\n")}, false, true, "n1: 0"},
		"no answer":      {topology.Output{Code: 28}, false, false, "n1: no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "n1", port: 8080, state: up, beside: func([]string) (topology.Output, error) { return tc.figures, nil }}
				f := PoolLeak{Connections: 3}
				p, err := heldLook(t, 0, f.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Equal(t, "connections", p.Unit)
				p, err = heldLook(t, 0, f.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				require.Equal(t, "connections", p.Unit)
				require.NotEmpty(t, p.How)
			})
		})
	}
}

// TestSomeThreadsAreCounted: all but one, or one more than asked, are no proof.
func TestSomeThreadsAreCounted(t *testing.T) {
	for name, tc := range map[string]struct {
		figures        topology.Output
		active, healed bool
		measured       string
	}{
		"lost":      {topology.Output{Stdout: []byte("hachaos_held_threads 40\n")}, true, false, "n1: 40 threads"},
		"one more":  {topology.Output{Stdout: []byte("hachaos_held_threads 41\n")}, false, false, "n1: 41 threads"},
		"one fewer": {topology.Output{Stdout: []byte("hachaos_held_threads 39\n")}, false, false, "n1: 39 threads"},
		"none":      {topology.Output{Stdout: []byte("hachaos_held_threads 0\n")}, false, true, "n1: 0 threads"},
		"no answer": {topology.Output{Code: 28}, false, false, "n1: 0 threads"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "n1", port: 8080, state: up, beside: func([]string) (topology.Output, error) { return tc.figures, nil }}
				f := ThreadsExhausted{Threads: 40}
				p, err := heldLook(t, 0, f.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				p, err = heldLook(t, 0, f.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
			})
		})
	}
}

// TestANodeWithoutThreadsIsSilentAtBothAsks: one that refuses, or answers, is not, and
// is not asked for its figures.
func TestANodeWithoutThreadsIsSilentAtBothAsks(t *testing.T) {
	for _, how := range []string{answered, refused, unreachable} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldHolding(heldInside(applicationProcess))
				n.serves = func() string { return how }
				p, err := heldLook(t, 0, ThreadsExhausted{}.Active, n)
				require.NoError(t, err)
				require.False(t, p.OK, "%+v", p)
				require.Contains(t, p.Measured, "port 8080 "+how)
				require.Empty(t, n.did)
			})
		})
	}
}

// TestWhatANodeIsAskedToLose: a number in a file of the thing's name; all threads are
// more than any pool has.
func TestWhatANodeIsAskedToLose(t *testing.T) {
	for name, tc := range map[string]struct {
		fault        Fault
		what, number string
	}{
		"connections":  {PoolLeak{Connections: 200}, "pool", "200"},
		"a connection": {PoolLeak{Connections: 1}, "pool", "1"},
		"threads":      {ThreadsExhausted{Threads: 1000}, "threads", "1000"},
		"all threads":  {ThreadsExhausted{}, "threads", "1000"},
		"a thread":     {ThreadsExhausted{Threads: 1}, "threads", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := heldInside(applicationProcess)
				require.NoError(t, tc.fault.Inject(t.Context(), []topology.Node{heldHolding(m)}, &undos{}))
				require.Equal(t, map[string]string{tc.what: tc.number}, m.holds)
			})
		})
	}
	for _, f := range []Fault{PoolLeak{}, PoolLeak{Connections: -1}, PoolLeak{Connections: 201}, ThreadsExhausted{Threads: -1}, ThreadsExhausted{Threads: 1001}} {
		n := &stub{name: "n1", port: 8080, state: up}
		log := &undos{}
		err := f.Inject(t.Context(), []topology.Node{n}, log)
		require.ErrorContains(t, err, f.Kind()+": ")
		require.ErrorContains(t, err, "want 1 to ")
		require.Empty(t, log.all)
		require.Empty(t, n.did)
	}
}

// TestAHolderHasAPort: its figures cannot be read without one.
func TestAHolderHasAPort(t *testing.T) {
	for _, f := range []Fault{PoolLeak{Connections: 3}, ThreadsExhausted{}, ThreadsExhausted{Threads: 4}} {
		n := &stub{name: "n1", state: up, dialed: func(string) (net.Conn, error) { return nil, errUnasked }}
		log := &undos{}
		err := f.Inject(t.Context(), []topology.Node{n}, log)
		require.ErrorIs(t, err, ErrCapability)
		require.ErrorContains(t, err, f.Kind()+": node n1: ")
		require.Empty(t, log.all)
		_, err = f.Active(t.Context(), []topology.Node{n})
		require.ErrorIs(t, err, ErrCapability)
		_, err = f.Healed(t.Context(), []topology.Node{n})
		require.ErrorIs(t, err, ErrCapability)
	}
}

// TestAHoldIsTakenBackFromANodeThatIsDown: the file outlives the container's end, so
// that it is started for that.
func TestAHoldIsTakenBackFromANodeThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heldInside(applicationProcess)
		n := heldHolding(m)
		log := &undos{}
		require.NoError(t, ThreadsExhausted{}.Inject(t.Context(), []topology.Node{n}, log))
		require.NoError(t, n.Kill(t.Context()))
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Equal(t, []string{"kill", "start"}, n.acts)
		require.Empty(t, m.holds)
		require.Equal(t, []string{"rm", "-f", "/run/hachaos/hold.threads", "/run/hachaos/hold.threads.new"}, n.did[len(n.did)-1])
	})
	n := heldHolding(heldInside(applicationProcess))
	require.ErrorContains(t, ensureNoHold(t.Context(), n, map[string]string{"what": "disk"}), `"disk" is nothing that a node can be asked to lose`)
	require.Empty(t, n.did)
}
