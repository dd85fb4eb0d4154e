package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// heldAfter is a database node with a fault in place, and what was changed since.
func heldAfter(t *testing.T, f Fault, change func(*heldDatabase)) *heldNode {
	t.Helper()
	d := heldDB()
	n := heldOn(d)
	require.NoError(t, f.Inject(t.Context(), []topology.Node{n}, &undos{}))
	change(d)
	return n
}

// TestARowLockIsProvenByTheDatabase: the session must have the lock, and on the table
// that was asked; how many wait for it decides nothing.
func TestARowLockIsProvenByTheDatabase(t *testing.T) {
	for name, tc := range map[string]struct {
		change         func(*heldDatabase)
		active, healed bool
		how            string
	}{
		"locked":              {func(*heldDatabase) {}, true, false, "db: pg_locks: locks of session hachaos-lock-orders on orders that are granted: 1; sessions that wait for it: 0"},
		"others wait":         {func(d *heldDatabase) { d.waiting = 4 }, true, false, "db: pg_locks: locks of session hachaos-lock-orders on orders that are granted: 1; sessions that wait for it: 4"},
		"behind another":      {func(d *heldDatabase) { d.blocked = true }, false, true, "db: pg_locks: locks of session hachaos-lock-orders on orders that are granted: 0; sessions that wait for it: 0"},
		"another table's":     {func(d *heldDatabase) { d.locks = map[string]string{"hachaos-lock-orders": "feed"} }, false, true, ""},
		"of somebody else":    {func(d *heldDatabase) { d.locks = map[string]string{"a report": "orders"} }, false, true, ""},
		"of the same for two": {func(d *heldDatabase) { d.locks["hachaos-lock-feed"] = "feed" }, true, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldAfter(t, RowLock{}, tc.change)
				p, err := heldLook(t, 0, RowLock{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, map[bool]string{true: "db: locked", false: "db: not locked"}[tc.active], p.Measured)
				if tc.how != "" {
					require.Equal(t, []string{tc.how}, p.How)
				}
				p, err = heldLook(t, 0, RowLock{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
			})
		})
	}
}

// TestARowLockOnAnotherTableIsNoProof: nor does its undo touch the lock of the other.
func TestARowLockOnAnotherTableIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := heldDB()
		n := heldOn(d)
		feed, orders := &undos{}, &undos{}
		require.NoError(t, RowLock{Table: "feed"}.Inject(t.Context(), []topology.Node{n}, feed))
		p, err := heldLook(t, 0, RowLock{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK)
		require.NoError(t, RowLock{}.Inject(t.Context(), []topology.Node{n}, orders))
		require.NoError(t, UndoAll(t.Context(), []topology.Node{n}, feed.all))
		require.Equal(t, map[string]string{"hachaos-lock-orders": "orders"}, d.locks)
	})
	require.EqualError(t, RowLock{Table: "Orders"}.Validate(), `row-lock: table "Orders": want a name of small letters, such as orders`)
	require.NoError(t, RowLock{}.Validate())
}

// TestTwoLocksOfOneSessionAreNotTheFaults: it takes one.
func TestTwoLocksOfOneSessionAreNotTheFaults(t *testing.T) {
	for text, want := range map[string]bool{"0|9": false, "1|0": true, "2|0": false} {
		synctest.Test(t, func(t *testing.T) {
			p, err := heldLook(t, 0, RowLock{}.Active, &stub{name: "db", state: up, exec: says(text + "\n")})
			require.NoError(t, err)
			require.Equal(t, want, p.OK, text)
		})
	}
}

// TestNoLockIsReadFromWhatSaysNone: two numbers, or it is an error.
func TestNoLockIsReadFromWhatSaysNone(t *testing.T) {
	for _, bad := range []string{"", "1", "|", "x|1", "1|x", "1|2|3"} {
		_, _, err := parseLock(bad)
		require.ErrorContains(t, err, "want two numbers", bad)
		synctest.Test(t, func(t *testing.T) {
			_, err := heldLook(t, 0, RowLock{}.Active, &stub{name: "db", state: up, exec: says(bad)})
			require.ErrorContains(t, err, "db: locks: ", bad)
		})
	}
}
