package fault

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlansOfSQL(t *testing.T) {
	require.Equal(t, []string{
		"psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "dbname=jetty_sessions user=postgres application_name=hachaos-proof connect_timeout=5",
		"-c", "SELECT 1", "-c", "SELECT 2",
	}, asSuperuser("SELECT 1", "SELECT 2"))
	argv := background("perl", "-e", "x")
	require.Equal(t, []string{"/bin/sh", "-c", `setsid sh -c '"$@"; exit 0' sh "$@" </dev/null >/dev/null 2>&1 &`, "sh", "perl", "-e", "x"}, argv)
	slow := DatabaseSlowInside{Delay: 50 * time.Millisecond}
	require.Contains(t, slow.addDelay()[0], "pg_sleep(0.050)")
	require.Contains(t, slow.addDelay()[0], "BEFORE INSERT OR UPDATE ON orders FOR EACH STATEMENT")
	require.Equal(t, "DROP TRIGGER IF EXISTS hachaos_slow ON orders", dropDelay("orders")[1])
	require.Equal(t, "DROP FUNCTION IF EXISTS hachaos_slow_orders()", dropDelay("orders")[2])
	other := DatabaseSlowInside{Delay: 70 * time.Millisecond, Table: "feed"}
	require.Contains(t, slow.addDelay()[0], "CREATE FUNCTION hachaos_slow_orders()")
	require.Contains(t, other.addDelay()[0], "CREATE FUNCTION hachaos_slow_feed()", "a delay of its own for each table")
	require.Contains(t, other.addDelay()[0], "EXECUTE FUNCTION hachaos_slow_feed()")
	require.Equal(t, []int{2, 15}, []int{slow.parallel(), slow.share()})
	require.Contains(t, slow.measureSQL()[0], "FOR i IN 1..15 LOOP")
	slower := DatabaseSlowInside{Delay: 300 * time.Millisecond}
	require.Equal(t, []int{5, 6}, []int{slower.parallel(), slower.share()}, "six rounds within two seconds")
	slowest := DatabaseSlowInside{Delay: 10 * time.Second}
	require.Equal(t, []int{30, 1}, []int{slowest.parallel(), slowest.share()})
	require.Contains(t, RowLock{}.lockSQL(), "application_name = 'hachaos-lock-orders' AND l.relation = 'orders'::regclass")
}

func TestResourcesValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		fault Fault
		err   string
	}{
		"a lock":               {RowLock{Table: "jettysessions"}, ""},
		"a lock on SQL":        {RowLock{Table: "orders; DROP TABLE orders"}, "small letters"},
		"a delay":              {DatabaseSlowInside{Delay: time.Second}, ""},
		"no delay":             {DatabaseSlowInside{}, "10ms to 10s"},
		"too fine a delay":     {DatabaseSlowInside{Delay: 10*time.Millisecond + 1}, "whole milliseconds"},
		"the default disk":     {DiskFull{}, ""},
		"the root":             {DiskFull{Path: "/"}, "small file system"},
		"a relative path":      {DiskFull{Path: "data"}, "small file system"},
		"a path upwards":       {DiskFull{Path: "/data/../etc"}, "small file system"},
		"a slow disk":          {DiskSlow{}, ""},
		"a disk of ten":        {DiskSlow{Writes: 10}, ""},
		"a disk of a thousand": {DiskSlow{Writes: 1000, Path: "/data"}, ""},
		"a disk too slow":      {DiskSlow{Writes: 9}, "want 10 to 1000, or 0 for 20"},
		"a disk of none":       {DiskSlow{Writes: -20}, "want 10 to 1000"},
		"a disk too fast":      {DiskSlow{Writes: 1001}, "want 10 to 1000"},
		"the root's disk":      {DiskSlow{Path: "/"}, "a disk of the target's own"},
		"a disk upwards":       {DiskSlow{Path: "/a/../b"}, "a disk of the target's own"},
		"a leak":               {PoolLeak{Connections: 10}, ""},
		"no leak":              {PoolLeak{}, "1 to 200"},
		"all threads":          {ThreadsExhausted{}, ""},
		"fewer than none":      {ThreadsExhausted{Threads: -1}, "1 to 1000"},
		"slow dependency":      {DependencySlow{Delay: time.Second}, ""},
		"dependency not slow":  {DependencySlow{}, "10ms to 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.fault.Validate()
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestParsersOfResources(t *testing.T) {
	c, err := parseCeiling("170|192|192")
	require.NoError(t, err)
	require.Equal(t, ceiling{170, 192, 192}, c)
	for _, bad := range []string{"", "1|2", "1|x|3"} {
		_, err = parseCeiling(bad)
		require.Error(t, err, bad)
	}

	took, err := parseStatements("60.5 61\n59\n", 3)
	require.NoError(t, err)
	require.Equal(t, 60500*time.Microsecond, took.median())
	for _, bad := range []string{"60.5 61", "1 2 x", "1 2 3 4"} {
		_, err = parseStatements(bad, 3)
		require.Error(t, err, bad)
	}

	held, waiting, err := parseLock("1|7")
	require.NoError(t, err)
	require.Equal(t, []int{1, 7}, []int{held, waiting})
	_, _, err = parseLock("1")
	require.Error(t, err)

	full, err := parseSpace("0 8192 4096\n33554432\n")
	require.NoError(t, err)
	require.Equal(t, space{free: 0, size: 32 << 20, filler: 32 << 20}, full)
	empty, err := parseSpace("8000 8192 4096\n-\n")
	require.NoError(t, err)
	require.Equal(t, space{free: 8000 << 12, size: 32 << 20, filler: -1}, empty)
	for _, bad := range []string{"", "1 2 3", "x 2 3 -", "1 2 3 x"} {
		_, err = parseSpace(bad)
		require.Error(t, err, bad)
	}

	require.Equal(t, map[string]float64{"a": 3, "b": 1}, parseGauges("# HELP a b\na 3\nb 1 1732082400123\nc\nd x\n"))

	p, err := parseHTTP("200 0.100\n000 0.001\n000 1.000\n503 0.002\n404 0.950\n", 5, time.Second)
	require.NoError(t, err)
	require.Equal(t, "1 answered, 2 answered otherwise, 1 silent, 1 closed", p.String())
	p, err = parseHTTP("503 0.001\n503 0.001\n404 0.001\n", cutProbes, time.Second)
	require.NoError(t, err)
	require.False(t, p.all(cutProbes, probeClosed), "a service that answers is not down")
	for _, bad := range []string{"200 0.1\n", "200\n200 1\n"} {
		_, err = parseHTTP(bad, 2, time.Second)
		require.Error(t, err, bad)
	}
	argv := probeHTTP(netip.MustParseAddrPort("198.18.7.20:15400"), 5, 2, time.Second)
	require.Equal(t, "http://198.18.7.20:15400/probe?[1-5]", argv[len(argv)-1])
	require.Equal(t, []string{"--parallel-max", "2"}, argv[4:6])
}

// Undos act on nothing but what hachaos itself can have made.
func TestUndosOfResourcesRefuse(t *testing.T) {
	for name, undo := range map[string]func() error{
		"a session of somebody else's": func() error { return ensureNoSessions(t.Context(), nil, map[string]string{"name": "j1"}) },
		"SQL in a session's name": func() error {
			return ensureNoSessions(t.Context(), nil, map[string]string{"name": "hachaos-' OR ''='"})
		},
		"another setting":        func() error { return ensureSettingReset(t.Context(), nil, map[string]string{"setting": "fsync"}) },
		"SQL for a table":        func() error { return ensureNoTrigger(t.Context(), nil, map[string]string{"table": "a b"}) },
		"the root of all files":  func() error { return ensureNoFiller(t.Context(), nil, map[string]string{"path": "/"}) },
		"the root of all disks":  func() error { return ensureDiskUnlimited(t.Context(), nil, map[string]string{"path": "/"}) },
		"something else to hold": func() error { return ensureNoHold(t.Context(), nil, map[string]string{"what": "../x"}) },
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, undo()) })
	}
	require.True(t, strings.HasPrefix(connectionsName, sessionPrefix))
}
