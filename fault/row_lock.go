package fault

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// RowLock holds the lock on a table that a SELECT … FOR UPDATE takes on a
// row, but for all its rows, those to come included: readers go on, writers
// wait. It stands for a report, a migration or a forgotten transaction at a
// prompt (PostgreSQL 17 Documentation, 13.3.1, EXCLUSIVE). The zero value
// locks the orders.
type RowLock struct {
	// Table is what is locked; empty is "orders".
	Table string `json:"table,omitempty"`
}

// Kind is "row-lock".
func (RowLock) Kind() string { return "row-lock" }

func (f RowLock) table() string { return cmp.Or(f.Table, "orders") }

// name of the session that holds the lock.
func (f RowLock) name() string { return sessionPrefix + "lock-" + f.table() }

// Validate reports a name that no table has.
func (f RowLock) Validate() error { return validTable(f.Kind(), f.table()) }

// Inject begins to wait for the lock, behind whoever has a part of it; the
// undo ends the session. A database that has such a session is an error, before
// any act.
func (f RowLock) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	if err := unnamed(ctx, f.Kind(), vs, f.name()); err != nil {
		return err
	}
	argv := asRole("postgres", f.name(), "BEGIN", "LOCK TABLE "+f.table()+" IN EXCLUSIVE MODE", "SELECT pg_sleep(86400)")
	return actOn(f.Kind(), vs, log, ensures(SessionsEnded, map[string]string{"name": f.name()}), func(v victim) error {
		return succeed(v.Exec(ctx, background(argv...)...))
	})
}

// lockSQL asks whether the fault's session has its lock, and how many others
// wait for it.
func (f RowLock) lockSQL() string {
	return fmt.Sprintf(`SELECT
	(SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE a.application_name = '%s' AND l.relation = '%s'::regclass AND l.mode = 'ExclusiveLock' AND l.granted),
	(SELECT count(*) FROM pg_stat_activity w
		WHERE EXISTS (SELECT FROM pg_stat_activity h WHERE h.application_name = '%[1]s' AND h.pid = ANY (pg_blocking_pids(w.pid))))`,
		f.name(), f.table())
}

// Active holds when the database says that the lock is granted.
func (f RowLock) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "locked", 1)
}

// Healed holds when the database knows of no such lock.
func (f RowLock) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "not locked", 0)
}

func (f RowLock) look(ctx context.Context, nodes []topology.Node, asked string, want int) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		text, err := v.query(ctx, f.lockSQL())
		if err != nil {
			return s, err
		}
		held, waiting, err := parseLock(text)
		if err != nil {
			return s, err
		}
		s.measured = map[bool]string{true: "locked", false: "not locked"}[held > 0]
		s.see(held == want, "pg_locks: locks of session %s on %s that are granted: %d; sessions that wait for it: %d", f.name(), f.table(), held, waiting)
		return s, nil
	})
}

// parseLock reads the two numbers that lockSQL gives.
func parseLock(text string) (held, waiting int, err error) {
	a, b, _ := strings.Cut(text, "|")
	if held, err = strconv.Atoi(a); err == nil {
		waiting, err = strconv.Atoi(b)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("locks: %q: want two numbers: %w", text, err)
	}
	return held, waiting, nil
}
