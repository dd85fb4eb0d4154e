package fault

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

func TestParseWritten(t *testing.T) {
	w, err := parseWritten("35 96 1000000000 4050000000 61\n")
	require.NoError(t, err)
	require.Equal(t, written{all: 61, own: 61, over: 3050 * time.Millisecond}, w)
	require.Equal(t, 20.0, w.rate())
	for _, bad := range []string{"", "1 2 3 4", "1 2 3 4 5 6", "1 2 3 x 5", "9 2 3 4 5", "1 2 4 4 5", "1 2 3 4 -5"} {
		_, err := parseWritten(bad)
		require.Error(t, err, bad)
	}
}

// The look lasts long enough for its tolerance, at any rate, and short enough for
// the harness, which gives a proof ten seconds.
func TestDiskSlowLooksLongEnough(t *testing.T) {
	for _, writes := range []int{10, 20, 40, 1000} {
		f := DiskSlow{Writes: writes}
		lasts := f.lasts().Seconds()
		slice, ends := 0.1/lasts, 3/(float64(writes)*lasts)
		require.LessOrEqual(t, slice+ends, 0.1+1e-9, writes)
		require.Less(t, lasts+float64(f.ahead())/float64(writes), 7.0, writes)
		require.Greater(t, f.most(), 2*int(float64(writes)*lasts), "the limit ends it, and not the number")
	}
	require.Equal(t, []int{6, 180}, []int{DiskSlow{}.ahead(), DiskSlow{}.most()})
	require.Equal(t, 3*time.Second, DiskSlow{}.lasts())
}

// What the kernel says and what is measured must agree: neither alone is a proof.
func TestDiskSlowIsProvenByBoth(t *testing.T) {
	for name, tc := range map[string]struct {
		says int
		line string
		ok   bool
	}{
		"both":                           {20, "0 60 1 3000000001 31", true},
		"all but one write are others'":  {20, "0 60 1 3000000001 1", true},
		"the limit is another":           {21, "0 60 1 3000000001 31", false},
		"the disk takes more":            {20, "0 67 1 3000000001 31", false},
		"the disk takes less":            {20, "0 53 1 3000000001 31", false},
		"nothing was written":            {20, "0 60 1 3000000001 0", false},
		"what was written did not count": {20, "0 60 1 3000000001 61", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "db", disk: topology.DiskLimit{Device: "8:0", Writes: tc.says}, exec: says(tc.line)}
				n.state = up
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				p, err := DiskSlow{}.Active(ctx, []topology.Node{n})
				require.NoError(t, err)
				require.Equal(t, tc.ok, p.OK, "%+v", p)
				require.Equal(t, "writes/s", p.Unit)
				require.Equal(t, []string{"/var/lib/hachaos/pgdata", "8:0", "6", "180", "3"}, n.did[0][4:])
			})
		})
	}
}

func TestDiskSlowIsHealedByBoth(t *testing.T) {
	for name, tc := range map[string]struct {
		says int
		line string
		ok   bool
	}{
		"both":                  {0, "0 180 1 10000001 180", true},
		"the limit is there":    {20, "0 180 1 10000001 180", false},
		"it is as slow as that": {0, "0 66 1 3000000001 66", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stub{name: "db", disk: topology.DiskLimit{Device: "8:0", Writes: tc.says}, exec: says(tc.line)}
				n.state = up
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				p, err := DiskSlow{}.Healed(ctx, []topology.Node{n})
				require.NoError(t, err)
				require.Equal(t, tc.ok, p.OK, "%+v", p)
			})
		})
	}
}

// A target without a volume is told how to get one, before any act.
func TestDiskSlowTellsHowToGetADisk(t *testing.T) {
	n := &stub{name: "db", diskErr: fmt.Errorf("a disk of its own there: %w", topology.ErrNotFound)}
	log := &undos{}
	err := DiskSlow{}.Inject(t.Context(), []topology.Node{n}, log)
	require.ErrorIs(t, err, ErrCapability)
	require.ErrorContains(t, err, "disk-slow db: ")
	require.ErrorContains(t, err, "--set database-disk=volume")
	require.Empty(t, log.all)
}

// The undo needs no container, which took its limit along, but it does need an
// answer from one that runs.
func TestDiskSlowIsUndone(t *testing.T) {
	n := &stub{name: "db"}
	log := &undos{}
	require.NoError(t, DiskSlow{Writes: 30}.Inject(t.Context(), []topology.Node{n}, log))
	require.Equal(t, 30, n.disk.Writes)
	require.Equal(t, []Entry{{Undo: DiskUnlimited, Node: "db", Params: map[string]string{"path": topology.DatabaseDisk}}}, log.all)
	for range 2 {
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
		require.Zero(t, n.disk.Writes)
	}
	n.diskErr = topology.ErrNotRunning
	require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, log.all))
	n.diskErr = topology.ErrNoEngine
	require.ErrorIs(t, UndoAll(t.Context(), []topology.Node{n}, log.all), topology.ErrNoEngine)
	err := Undo(t.Context(), []topology.Node{limitless{}}, Entry{Undo: DiskUnlimited, Node: "j1"})
	require.ErrorIs(t, err, ErrCapability)
}

// TestWriteOut runs the script itself, in a folder of this machine, over a control
// group of each version that counts nothing: it leaves no file, and says when it
// cannot write.
func TestWriteOut(t *testing.T) {
	group := func(file, content string) string {
		at := filepath.Join(t.TempDir(), file)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
		return strings.TrimSuffix(at, file)
	}
	write := func(dir, group string) (string, error) {
		script := strings.Replace(writeOut, "c=/sys/fs/cgroup", "c="+group, 1)
		// It is the number that ends it: how long this machine's disk takes for
		// five writes nobody knows.
		out, err := exec.Command("/bin/sh", "-c", script, "sh", dir, "254:0", "2", "5", "600").CombinedOutput()
		return string(out), err
	}
	dir := t.TempDir()
	if err := exec.Command("dd", "if=/dev/zero", "of="+filepath.Join(t.TempDir(), "x"), "bs=4096", "count=1", "oflag=direct").Run(); err != nil {
		t.Skipf("this file system takes no direct writes: %v", err)
	}
	for name, c := range map[string]string{
		"7":  group("blkio/blkio.throttle.io_serviced", "8:0 Write 3\n254:0 Read 4\n254:0 Write 7\n254:0 Sync 5\nTotal 9\n"),
		"11": group("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n254:0 rbytes=1 wbytes=2 rios=3 wios=11 dbytes=0 dios=0\n"),
		"0":  group("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"),
	} {
		out, err := write(dir, c)
		require.NoError(t, err, out)
		require.True(t, strings.HasPrefix(out, name+" "+name+" "), out)
		w, err := parseWritten(out)
		require.NoError(t, err)
		require.EqualValues(t, 5, w.own)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
	out, err := write(filepath.Join(dir, "none"), "/none")
	require.Error(t, err)
	require.Contains(t, out, "none")
}
