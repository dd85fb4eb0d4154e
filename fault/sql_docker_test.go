//go:build docker

package fault_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/fault"
)

// entries keeps undos.
type entries []fault.Entry

func (e *entries) Record(x fault.Entry) error {
	*e = append(*e, x)
	return nil
}

// TestDockerSessionsEndAlone ends what faults keep open in the database, and
// looks that PostgreSQL did not take it for a crash, in which case it ends
// every other session, too.
func TestDockerSessionsEndAlone(t *testing.T) {
	if _, ok := os.LookupEnv("HACHAOS_ROTATION"); ok {
		t.Skip("the rotation does not draw it: `make test-all` runs it")
	}
	db := readyNodes(t, standing(t), []string{"db"})
	began := func() string {
		out, err := db[0].Exec(t.Context(), "psql", "-XAtq", "-U", "postgres", "-d", "postgres",
			"-c", "SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
		require.NoError(t, err)
		require.Zero(t, out.Code, "%s", out.Stderr)
		return strings.TrimSpace(string(out.Stdout))
	}
	before := began()
	for _, f := range []fault.Fault{fault.RowLock{}, fault.ConnectionsUsedUp{}} {
		var undos entries
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.NoError(t, f.Inject(ctx, db, &undos))
		p, err := f.Active(ctx, db)
		require.NoError(t, err)
		require.True(t, p.OK, p.Measured)
		for _, e := range undos {
			require.NoError(t, fault.Undo(ctx, db, e))
		}
		require.Equal(t, before, began(), "after %s PostgreSQL has begun anew", f.Kind())
	}
}
