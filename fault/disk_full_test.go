package fault

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldDisk is a small file system of 8192 blocks of 4000 bytes.
type heldDisk struct {
	at     string // where it is mounted; empty is topology.SmallDisk
	filled bool
	kept   int // blocks that cannot be filled
	empty  bool
}

func (d *heldDisk) path() string {
	if d.at == "" {
		return topology.SmallDisk
	}
	return d.at
}

func (d *heldDisk) exec(argv []string) (topology.Output, error) {
	filler := d.path() + "/hachaos-filler"
	switch {
	case slices.Equal(argv, []string{"test", "-e", filler}):
		if d.filled {
			return topology.Output{}, nil
		}
		return topology.Output{Code: 1}, nil
	case slices.Equal(argv, []string{"rm", "-f", filler}):
		d.filled = false
		return topology.Output{}, nil
	case slices.Equal(argv, []string{"/bin/sh", "-c", fill, "sh", d.path()}):
		d.filled = true
		return topology.Output{}, nil
	case slices.Equal(argv, []string{"/bin/sh", "-c", room, "sh", d.path()}):
		switch {
		case d.filled && d.empty:
			return text("8192 8192 4000\n0\n")
		case d.filled:
			return text("%d 8192 4000\n%d\n", d.kept, (8192-d.kept)*4000)
		case d.empty:
			return text("1 8192 8192\n-\n")
		}
		return text("8192 8192 4000\n-\n")
	}
	return topology.Output{}, errUnasked
}

func heldMounted(d *heldDisk) *heldNode {
	return &heldNode{stub: &stub{name: "db", role: topology.Database, state: up, exec: d.exec}}
}

// TestADiskIsFullWhenNoPageFits: less than what PostgreSQL writes at once, and the
// fault's own file must be what takes the room.
func TestADiskIsFullWhenNoPageFits(t *testing.T) {
	for name, tc := range map[string]struct {
		text           string
		active, healed bool
		measured, how  string
	}{
		"to the last byte":       {"0 8192 4096\n33554432\n", true, false, "db: 0", "db: statfs of /small: 0 bytes free of 33554432; the filler has 33554432 bytes"},
		"less than a page":       {"8191 8192 1\n1\n", true, false, "db: 8191", "db: statfs of /small: 8191 bytes free of 8192; the filler has 1 bytes"},
		"an empty filler":        {"0 8192 4096\n0\n", true, false, "db: 0", "db: statfs of /small: 0 bytes free of 33554432; the filler has 0 bytes"},
		"one page":               {"2 8192 4096\n1000\n", false, false, "db: 8192", "db: statfs of /small: 8192 bytes free of 33554432; the filler has 1000 bytes"},
		"an empty one, and room": {"8192 9000 1\n0\n", false, false, "db: 8192", "db: statfs of /small: 8192 bytes free of 9000; the filler has 0 bytes"},
		"full of others":         {"0 8192 4096\n-\n", false, false, "db: 0", "db: statfs of /small: 0 bytes free of 33554432; there is no filler"},
		"less than a page left":  {"8191 9000 1\n-\n", false, false, "db: 8191", "db: statfs of /small: 8191 bytes free of 9000; there is no filler"},
		"a page left":            {"8192 9000 1\n-\n", false, true, "db: 8192", "db: statfs of /small: 8192 bytes free of 9000; there is no filler"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := DiskFull{Path: "/small"}
				n := &stub{name: "db", state: up, exec: says(tc.text)}
				p, err := heldLook(t, 0, f.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK)
				require.Equal(t, tc.measured, p.Measured)
				require.Equal(t, []string{tc.how}, p.How)
				require.Equal(t, "bytes free", p.Unit)
				p, err = heldLook(t, 0, f.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK)
				require.Equal(t, "bytes free", p.Unit)
				require.Equal(t, []string{"/bin/sh", "-c", room, "sh", "/small"}, n.did[0])
			})
		})
	}
}

// TestAFullDiskIsOneThatIsNamed: another path is neither filled nor looked at, and a
// bad one is refused before any command.
func TestAFullDiskIsOneThatIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &heldDisk{at: "/data"}
		n := heldMounted(d)
		f := DiskFull{Path: "/data"}
		log := &undos{}
		require.NoError(t, f.Inject(t.Context(), []topology.Node{n}, log))
		require.Equal(t, []Entry{{Undo: FillerAbsent, Node: "db", Params: map[string]string{"path": "/data"}}}, log.all)
		require.True(t, d.filled)

		bad := heldMounted(&heldDisk{})
		for _, path := range []string{"/", "data", "/data/", "/data/../etc"} {
			err := DiskFull{Path: path}.Inject(t.Context(), []topology.Node{bad}, log)
			require.ErrorContains(t, err, `disk-full: path "`+path+`": want where a small file system is mounted, such as `+topology.SmallDisk)
			require.Error(t, Undo(t.Context(), []topology.Node{bad}, Entry{Undo: FillerAbsent, Node: "db", Params: map[string]string{"path": path}}))
		}
		require.Len(t, log.all, 1)
		require.Empty(t, bad.did)
	})
}

// TestAFillerGoesWithItsContainer: what it had in memory is lost with it, so that
// there is nothing to remove.
func TestAFillerGoesWithItsContainer(t *testing.T) {
	e := Entry{Undo: FillerAbsent, Node: "db", Params: map[string]string{"path": "/data"}}
	n := heldMounted(&heldDisk{at: "/data"})
	n.state.Running = false
	require.NoError(t, Undo(t.Context(), []topology.Node{n}, e))
	n.from = 1
	require.ErrorIs(t, Undo(t.Context(), []topology.Node{n}, e), errEngine, "an engine that does not answer is none that says it is down")
}

// TestNoSpaceIsReadFromWhatSaysNone: each of the words must be a number.
func TestNoSpaceIsReadFromWhatSaysNone(t *testing.T) {
	for _, bad := range []string{"1 2 3", "1 2 3 4 5", "x 2 3 -", "1 x 3 -", "1 2 x -", "1 2 3 x"} {
		_, err := parseSpace(bad)
		require.ErrorContains(t, err, "space of the disk: \""+bad+"\"", bad)
	}
	got, err := parseSpace("5 7 11\n0\n")
	require.NoError(t, err)
	require.Equal(t, space{free: 55, size: 77, filler: 0}, got)
}
