package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestConnectionsAreUsedUpWhenNoneIsLeft: by the database's count and by an attempt,
// and the fault must have some of them.
func TestConnectionsAreUsedUpWhenNoneIsLeft(t *testing.T) {
	for name, tc := range map[string]struct {
		change         func(*heldDatabase)
		active, healed bool
		measured       string
		how            []string
	}{
		"none left": {func(*heldDatabase) {}, true, false, "db: 97 of 97 in use, 85 by the fault", []string{
			"db: the database counts 97 connections, 85 of them the fault's, of 97 that are not reserved",
			"db: a new connection of jetty_user: psql: error: FATAL:  remaining connection slots are reserved",
		}},
		"one of the fault's":  {func(d *heldDatabase) { d.kept = 1 }, true, false, "db: 97 of 97 in use, 1 by the fault", nil},
		"more than there are": {func(d *heldDatabase) { d.used = 98 }, true, false, "db: 98 of 97 in use, 85 by the fault", nil},
		"one left":            {func(d *heldDatabase) { d.used = 96 }, false, false, "db: 96 of 97 in use, 85 by the fault", nil},
		"all of others":       {func(d *heldDatabase) { d.kept = 0 }, false, false, "db: 97 of 97 in use, 0 by the fault", nil},
		"given back": {func(d *heldDatabase) { d.used, d.kept = 12, 0 }, false, true, "db: 12 of 97 in use, 0 by the fault", []string{
			"db: the database counts 12 connections, 0 of them the fault's, of 97 that are not reserved",
			"db: a new connection of jetty_user: accepted",
		}},
		"one not given back": {func(d *heldDatabase) { d.used, d.kept = 13, 1 }, false, false, "db: 13 of 97 in use, 1 by the fault", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := heldAfter(t, ConnectionsUsedUp{}, tc.change)
				p, err := heldLook(t, 0, ConnectionsUsedUp{}.Active, n)
				require.NoError(t, err)
				require.Equal(t, tc.active, p.OK, "%+v", p)
				require.Equal(t, tc.measured, p.Measured)
				if tc.how != nil {
					require.Equal(t, tc.how, p.How)
				}
				p, err = heldLook(t, 0, ConnectionsUsedUp{}.Healed, n)
				require.NoError(t, err)
				require.Equal(t, tc.healed, p.OK, "%+v", p)
			})
		})
	}
}

// TestACountOfConnectionsIsThreeNumbers: anything else is an error.
func TestACountOfConnectionsIsThreeNumbers(t *testing.T) {
	for _, bad := range []string{"", "1|2", "1|2|3|4", "x|2|3", "1|x|3", "1|2|x"} {
		synctest.Test(t, func(t *testing.T) {
			_, err := heldLook(t, 0, ConnectionsUsedUp{}.Active, &stub{name: "db", state: up, exec: says(bad)})
			require.ErrorContains(t, err, "db: connections: \""+bad+"\"")
		})
	}
	got, err := parseCeiling("1|2|3")
	require.NoError(t, err)
	require.Equal(t, ceiling{held: 1, used: 2, most: 3}, got)
	require.NoError(t, ConnectionsUsedUp{}.Validate())
}
