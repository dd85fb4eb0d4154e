//go:build docker

package clean_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/clean"
	"github.com/hachaos/hachaos/internal/wiring"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
)

// The test's binary is the reaper and Toxiproxy, too.
func init() { wiring.Agent() }

// TestDockerClean changes a real topology in the ways in which scenarios do,
// and holds Restore to putting back what it can and to naming what it cannot.
func TestDockerClean(t *testing.T) {
	c := start(t)
	s, err := clean.Remember(t.Context(), c, clean.Probes())
	require.NoError(t, err)
	require.Greater(t, s.Facts(), 100)
	did, err := s.Restore(t.Context())
	require.NoError(t, err)
	require.Empty(t, did, "nothing has happened")

	sql := func(text string) []string {
		return []string{"psql", "-X", "-q", "-U", "postgres", "-d", "jetty_sessions", "-v", "ON_ERROR_STOP=1", "-c", text}
	}
	tell := func(command string) []string {
		return []string{"bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/9999; printf '%s\n' "$1" >&3; cat <&3`, "tell", command}
	}
	tests := []struct {
		name, node string
		beside     bool
		argv, undo []string
		did, err   string
	}{
		{
			name: "orders", node: "db",
			argv: sql("INSERT INTO orders (tenant_id, idempotency_key, item, quantity, node, version) VALUES ('t', 'k', 'i', 1, 'j1', '1')"),
		},
		{
			name: "a toxic", node: "toxi", beside: true,
			argv: []string{"curl", "-sf", "-X", "POST", "http://127.0.0.1:8474/proxies/j1/toxics", "-d", `{"type":"latency","attributes":{"latency":5}}`},
			did:  "reset the proxies of toxi",
		},
		{name: "an override", node: "j2", argv: []string{"sh", "-c", "mkdir -p /etc/hachaos && echo READY_LIMIT_MS=299 > /etc/hachaos/override.env"}, did: "restarted j2"},
		{name: "a weight", node: "lb1", argv: tell("set server nodes/j1 weight 7"), did: "restarted lb1"},
		{name: "a process", node: "j1", argv: []string{"sh", "-c", "sleep 300 >/dev/null 2>&1 &"}, did: "restarted j1"},
		{name: "a shell", node: "j1", argv: []string{"setsid", "-f", "sh", "-c", "exec >/dev/null 2>&1 </dev/null; while :; do :; done"}, did: "restarted j1"},
		{name: "a dead keepalived", node: "lb2", argv: []string{"sh", "-c", `pid=$(cat /run/hachaos/keepalived.pid) && kill -KILL "$pid" $(pgrep -P "$pid")`}, did: "restarted lb2"},
		{name: "a frozen keepalived", node: "lb2", argv: []string{"sh", "-c", `pid=$(cat /run/hachaos/keepalived.pid) && kill -STOP "$pid" $(pgrep -P "$pid")`}, did: "restarted lb2"},
		{name: "a process's maxconn", node: "lb1", argv: tell("set maxconn global 2000"), did: "restarted lb1"},
		{
			name: "a check that is off", node: "lb2", argv: tell("disable health nodes/j1"), undo: tell("enable health nodes/j1"),
			err: "servers of lb2: server nodes/j1 is not checked",
		},
		{
			name: "a clock's offset", node: "j1", argv: []string{"sh", "-c", "echo +60 >/run/hachaos/clock"}, undo: []string{"sh", "-c", "echo +0 >/run/hachaos/clock"},
			err: `files of j1: there is "clock moved by +60 s"`,
		},
		{
			name: "a mark of pressure", node: "j2", argv: []string{"mkdir", "/run/hachaos-pressure"}, undo: []string{"rmdir", "/run/hachaos-pressure"},
			err: `files of j2: there is "file /run/hachaos-pressure"`,
		},
		{
			name: "a row", node: "db", argv: sql("UPDATE cluster_lock SET owner_id = 'j1', version = 7"),
			undo: sql("UPDATE cluster_lock SET owner_id = '', version = 0"), err: `"content of cluster_lock: `,
		},
		{
			name: "a drain", node: "lb2", argv: tell("set server nodes/j1 state drain"), undo: tell("set server nodes/j1 state ready"),
			err: "servers of lb2: server nodes/j1 is not up",
		},
		{
			name: "a filter", node: "j1", beside: true,
			argv: []string{"nft", "add table inet hachaos-left"}, undo: []string{"nft", "delete table inet hachaos-left"},
			err: `network of j1: there is "table inet hachaos-left", which was not there`,
		},
		{
			name: "an address", node: "lb1", beside: true,
			argv: []string{"ip", "addr", "add", "198.18.255.9/32", "dev", "eth0"}, undo: []string{"ip", "addr", "del", "198.18.255.9/32", "dev", "eth0"},
			err: `"address eth0 198.18.255.9/32"`,
		},
		{
			name: "a schema", node: "db", argv: sql("ALTER TABLE orders ADD COLUMN note text"), undo: sql("ALTER TABLE orders DROP COLUMN note"),
			err: "column orders.note",
		},
		{
			name: "a setting", node: "db", argv: sql("ALTER ROLE jetty_user CONNECTION LIMIT 3"), undo: sql("ALTER ROLE jetty_user CONNECTION LIMIT -1"),
			err: "role jetty_user limit 3",
		},
		{
			name: "a file", node: "lb1", argv: []string{"sh", "-c", "echo >> /etc/haproxy/haproxy.cfg"},
			undo: []string{"sh", "-c", "sed -i '$d' /etc/haproxy/haproxy.cfg"}, err: "files of lb1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			do(t, c, tt.node, tt.beside, tt.argv)
			s.Settle = clean.DefaultSettle
			if tt.err != "" {
				s.Settle = time.Second
			}
			did, err := s.Restore(t.Context())
			if tt.err == "" {
				require.NoError(t, err)
				require.Equal(t, tt.did, strings.Join(did, ", "))
				return
			}
			require.ErrorContains(t, err, tt.err)
			do(t, c, tt.node, tt.beside, tt.undo)
			s.Settle = clean.DefaultSettle
			_, err = s.Restore(t.Context())
			require.NoError(t, err, "undone by hand")
		})
	}
	t.Run("a limit of a disk", func(t *testing.T) {
		d, err := docker.Open(t.Context(), docker.Options{})
		require.NoError(t, err)
		defer d.Close()
		if has, err := d.Has(t.Context(), topology.BlockThrottle); err != nil || !has {
			require.NoError(t, err)
			t.Skip("this engine limits no disk")
		}
		limit := func(writes int) {
			for _, n := range c.Nodes() {
				if n.Name() == "db" {
					require.NoError(t, n.(topology.DiskLimited).LimitDisk(t.Context(), topology.DatabaseDisk, writes))
				}
			}
		}
		limit(200)
		s.Settle = time.Second
		_, err = s.Restore(t.Context())
		require.ErrorContains(t, err, `limits of db: there is "limit of a disk `)
		limit(0)
		s.Settle = clean.DefaultSettle
		_, err = s.Restore(t.Context())
		require.NoError(t, err, "undone by hand")
	})
	began := time.Now()
	_, err = s.Restore(t.Context())
	require.NoError(t, err)
	t.Logf("a look at %d facts takes %v", s.Facts(), time.Since(began))
}

func do(t *testing.T, c topology.Cluster, node string, beside bool, argv []string) {
	t.Helper()
	for _, n := range c.Nodes() {
		if n.Name() != node {
			continue
		}
		act := n.Exec
		if beside {
			act = n.(topology.Namespace).InNamespace
		}
		out, err := act(t.Context(), argv...)
		require.NoError(t, err)
		require.Zero(t, out.Code, "%s %s", out.Stdout, out.Stderr)
		return
	}
	require.Fail(t, "no such node", node)
}

// start brings a topology up that ends with the test.
func start(t *testing.T) topology.Cluster {
	t.Helper()
	d, err := docker.Open(t.Context(), docker.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	const id = "clean-test"
	guard, err := d.StartReaper(t.Context(), docker.ReaperOptions{RunID: id})
	require.NoError(t, err)
	plan, err := topology.JettyHA().Plan(topology.Options{Set: map[string]string{"database-disk": "volume"}})
	require.NoError(t, err)
	c, err := d.Start(t.Context(), id, plan, topology.StartOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, c.Close(ctx))
		require.NoError(t, guard.Release(ctx))
	})
	ready, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(t, c.Ready(ready))
	return c
}
