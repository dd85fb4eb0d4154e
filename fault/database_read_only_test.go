package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestADatabaseIsReadOnlyToTheApplication: a setting that is not in force, and one
// that is in force while the file says otherwise, are told by a transaction.
func TestADatabaseIsReadOnlyToTheApplication(t *testing.T) {
	for name, tc := range map[string]struct {
		set, on  bool
		measured string
	}{
		"read-only":       {true, true, "db: read-only"},
		"not read again":  {true, false, "db: read and write"},
		"not yet undone":  {false, true, "db: read-only"},
		"neither of both": {false, false, "db: read and write"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldAfter(t, DatabaseReadOnly{}, func(d *heldDatabase) { d.set, d.on = tc.set, tc.on })
				p, err := heldLook(t, 0, DatabaseReadOnly{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.on, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				p, err = heldLook(t, 0, DatabaseReadOnly{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, !tc.on, p.OK, "%+v", p)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := &stub{name: "db", state: up, exec: says("neither\n")}
		p, err := heldLook(t, 0, DatabaseReadOnly{}.Active, n)
		require.NoError(t, err)
		require.False(t, p.OK)
		require.Equal(t, []string{"db: a new transaction of jetty_user has transaction_read_only neither"}, p.How)
		p, err = heldLook(t, 0, DatabaseReadOnly{}.Healed, n)
		require.NoError(t, err)
		require.False(t, p.OK)
	})
	require.NoError(t, DatabaseReadOnly{}.Validate())
}
