//go:build docker

package fault_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// committing has as many sessions commit as a topology's pools have, all the time.
const committing = `printf '\\set i random(1, 400)\nUPDATE beside SET v = v + 1 WHERE id = :i;\n' >/tmp/beside.sql
psql -XAtq -U postgres -d jetty_sessions -c 'CREATE TABLE beside AS SELECT generate_series(1, 400) AS id, 0 AS v' || exit
setsid -f pgbench -n -U postgres -c 20 -j 2 -T 300 -f /tmp/beside.sql jetty_sessions >/dev/null 2>&1 </dev/null`

// TestDockerDiskSlowBesideALoad: what the database itself writes is part of what
// is measured, so that a proof is as right beside it as alone. The limit ends with
// its container, and a proof says so.
func TestDockerDiskSlowBesideALoad(t *testing.T) {
	if _, ok := os.LookupEnv("HACHAOS_ROTATION"); ok {
		t.Skip("the rotation does not draw it: `make test-all` runs it")
	}
	f := fault.DiskSlow{}
	needKernel(t, f)
	c := standingWith(t, map[string]string{"database-disk": "volume"})
	nodes := readyNodes(t, c, []string{"db"})
	db := nodes[0].(topology.Container)
	out, err := db.Exec(t.Context(), "/bin/sh", "-c", committing)
	require.NoError(t, err)
	require.Zero(t, out.Code, "%s", out.Stderr)
	commits := func() int {
		out, err := db.Exec(t.Context(), "psql", "-XAtq", "-U", "postgres", "-d", "jetty_sessions", "-c", "SELECT sum(v) FROM beside")
		require.NoError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(string(out.Stdout)))
		require.NoError(t, err, "%s", out.Stderr)
		return n
	}
	require.Eventually(t, func() bool { return commits() > 1000 }, 30*time.Second, 50*time.Millisecond)

	var log entries
	require.NoError(t, f.Inject(t.Context(), nodes, &log))
	for range 3 {
		p := looked(t, f.Active, nodes)
		require.True(t, p.OK, "%+v", p)
		t.Log(p.Measured, p.How)
	}
	before, began := commits(), time.Now()
	wait := time.NewTimer(2 * time.Second)
	<-wait.C
	rate := float64(commits()-before) / time.Since(began).Seconds()
	t.Logf("%.0f commits a second", rate)
	require.Less(t, rate, 200.0, "twenty at once, at most ten times a second")

	require.NoError(t, fault.UndoAll(t.Context(), nodes, log))
	p := looked(t, f.Healed, nodes)
	require.True(t, p.OK, "%+v", p)
	t.Log(p.Measured, p.How)

	require.NoError(t, f.Inject(t.Context(), nodes, &log))
	require.NoError(t, db.Kill(t.Context()))
	require.NoError(t, fault.UndoAll(t.Context(), nodes, log), "a container that is down has no limit")
	require.NoError(t, db.Start(t.Context()))
	bounded, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	p, err = f.Active(bounded, nodes)
	require.NoError(t, err)
	require.False(t, p.OK)
	require.Equal(t, "db: no limit", p.Measured)
}

// looked is a proof within the time that the harness gives one.
func looked(t *testing.T, look func(context.Context, []topology.Node) (fault.Proof, error), nodes []topology.Node) fault.Proof {
	t.Helper()
	bounded, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p, err := look(bounded, nodes)
	require.NoError(t, err)
	return p
}
