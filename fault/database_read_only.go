package fault

import (
	"cmp"
	"context"
	"strconv"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseReadOnly makes every new transaction of the database read-only, as
// one is that lost its role of primary, or that its operator protects while
// the disk is nearly full. What reads goes on, what writes is refused with
// SQLSTATE 25006 (PostgreSQL 17 Documentation, 19.11.1
// "default_transaction_read_only"). The zero value is ready to use.
type DatabaseReadOnly struct{}

const readOnlySetting = "default_transaction_read_only"

// readOnlySet asks whether the server's files make transactions read-only; what the
// asking session itself may do says nothing.
const readOnlySet = "SELECT EXISTS (SELECT FROM pg_file_settings WHERE name = '" + readOnlySetting + "' AND setting = 'on')"

// Kind is "database-read-only".
func (DatabaseReadOnly) Kind() string { return "database-read-only" }

// Validate accepts every value: there are no parameters.
func (DatabaseReadOnly) Validate() error { return nil }

// Inject changes the server's configuration and has it read again, which
// reaches sessions that are open; the undo resets it. A server that is set so is an
// error, before any act.
func (f DatabaseReadOnly) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	if err := unlike(ctx, f.Kind(), vs, readOnlySet, "t", "the database's own configuration says that it is read-only"); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(SettingReset, map[string]string{"setting": readOnlySetting}), func(v victim) error {
		return succeed(v.Exec(ctx, asSuperuser("ALTER SYSTEM SET "+readOnlySetting+" = on", "SELECT pg_reload_conf()")...))
	})
}

// Active holds when a transaction of the application's role is read-only.
func (f DatabaseReadOnly) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "read-only", "on")
}

// Healed holds when it may write.
func (f DatabaseReadOnly) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "read and write", "off")
}

func (f DatabaseReadOnly) look(ctx context.Context, nodes []topology.Node, asked, want string) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, asRole(applicationRole, proofName, "SHOW transaction_read_only")...)
		if err := succeed(out, err); err != nil {
			return s, err
		}
		got := lastLine(out)
		s.measured = cmp.Or(map[string]string{"on": "read-only", "off": "read and write"}[got], strconv.Quote(got))
		s.see(got == want, "a new transaction of %s has transaction_read_only %s", applicationRole, got)
		return s, nil
	})
}
