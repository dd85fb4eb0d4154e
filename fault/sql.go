package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// The sample application's database, and the role that it logs in by.
const (
	databaseName    = "jetty_sessions"
	applicationRole = "jetty_user"
)

// asRole is the command that carries out statements one by one, in one session
// under a name, within the database's container.
func asRole(role, name string, statements ...string) []string {
	argv := []string{
		"psql", "-XAtq", "-v", "ON_ERROR_STOP=1",
		fmt.Sprintf("dbname=%s user=%s application_name=%s connect_timeout=5", databaseName, role, name),
	}
	for _, s := range statements {
		argv = append(argv, "-c", s)
	}
	return argv
}

// asSuperuser is who injects and looks: neither a ceiling on connections nor a
// read-only default stops it (PostgreSQL 17 Documentation, 19.3.1
// "superuser_reserved_connections").
func asSuperuser(statements ...string) []string { return asRole("postgres", proofName, statements...) }

// ReadingOnly is the option of a session in which PostgreSQL refuses whatever
// would change the database (PostgreSQL 17 Documentation, 19.11.1
// "default_transaction_read_only").
const ReadingOnly = "default_transaction_read_only=on"

// asReader is asSuperuser for what is asked before anything is recorded.
func asReader(statement string) []string {
	argv := asSuperuser(statement)
	for i, a := range argv {
		if strings.HasPrefix(a, "dbname=") {
			argv[i] = a + " options='-c " + ReadingOnly + "'"
		}
	}
	return argv
}

// proofName is the session name of whoever looks.
const proofName = "hachaos-proof"

// unconnected is psql's exit status where it has no connection (PostgreSQL 17
// Documentation, psql, "Exit Status").
const unconnected = 2

// onceStarted carries out a command of psql in the node's container, which it starts
// if it is down, and again while the database is only starting, within ctx.
func onceStarted(ctx context.Context, n topology.Node, argv []string) error {
	if err := ensureContainer(ctx, n, nil); err != nil {
		return err
	}
	for {
		out, err := n.Exec(ctx, argv...)
		if err != nil || out.Code != unconnected {
			return succeed(out, err)
		}
		if pause(ctx, poll) != nil {
			return succeed(out, nil)
		}
	}
}

// query is what the statements print, without the last end of line.
func (v victim) query(ctx context.Context, statements ...string) (string, error) {
	out, err := v.Exec(ctx, asSuperuser(statements...)...)
	if err := succeed(out, err); err != nil {
		return "", err
	}
	return strings.TrimSpace(string(out.Stdout)), nil
}

// endSessions is a script that ends every process of the container which
// bears the session name $1, but for the shells that background leaves as
// their parents, and every session of the database under that name, waiting
// for each. A database that is only starting is waited for.
const endSessions = `for p in /proc/[0-9]*; do
	[ "$(cat "$p/comm" 2>/dev/null)" != sh ] || continue
	case "$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)" in
	*"application_name=$1"*) kill -KILL "${p#/proc/}" 2>/dev/null ;;
	esac
done
i=0
until psql -XAtq -d postgres -U postgres -c "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '$1'"; do
	[ $? -eq 2 ] && [ $i -lt 100 ] || exit 1
	i=$((i + 1))
	sleep 0.1
done`

// sessionPrefix begins the names of the sessions that hachaos keeps open, so
// that none of anybody else is ever ended.
const sessionPrefix = "hachaos-"

// ensureNoSessions needs nothing where the container is down: its sessions
// went with it.
func ensureNoSessions(ctx context.Context, n topology.Node, params map[string]string) error {
	name := params["name"]
	if !strings.HasPrefix(name, sessionPrefix) || strings.ContainsAny(name, `'" \`) {
		return fmt.Errorf("session %q is not one of hachaos: its name does not begin with %s", name, sessionPrefix)
	}
	err := succeed(n.Exec(ctx, "/bin/sh", "-c", endSessions, "sh", name))
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	return err
}

// ensureSettingReset takes back what ALTER SYSTEM set.
func ensureSettingReset(ctx context.Context, n topology.Node, params map[string]string) error {
	if params["setting"] != readOnlySetting {
		return fmt.Errorf("setting %q is none that hachaos changes", params["setting"])
	}
	return onceStarted(ctx, n, asSuperuser("ALTER SYSTEM RESET "+readOnlySetting, "SELECT pg_reload_conf()"))
}

// ensureNoTrigger takes a delay away from a table, whether or not it is
// there.
func ensureNoTrigger(ctx context.Context, n topology.Node, params map[string]string) error {
	table := params["table"]
	if err := validTable("undo", table); err != nil {
		return err
	}
	return onceStarted(ctx, n, asSuperuser(dropDelay(table)...))
}

// validTable reports what cannot be the name of a table.
func validTable(kind, table string) error {
	if table == "" || strings.Trim(table, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return fmt.Errorf("%s: table %q: want a name of small letters, such as orders", kind, table)
	}
	return nil
}
