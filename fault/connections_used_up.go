package fault

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// ConnectionsUsedUp opens connections to the database, as a neighbour that
// leaks them does, until it refuses another, and takes each that becomes free
// afterwards. They are opened inside of the database's container by the
// application's role; those that PostgreSQL reserves for superusers and for
// monitoring stay free. The zero value is ready to use.
type ConnectionsUsedUp struct{}

// connectionsName is the name of the sessions that are kept.
const connectionsName = sessionPrefix + "connections"

// takeConnections speaks as much of PostgreSQL's protocol as a login needs
// (PostgreSQL 17 Documentation, 53.2.1): Perl is in every Debian, and a
// thousand sessions in one process of it cost less than one psql each.
const takeConnections = `use strict; use IO::Socket::UNIX;
my @held;
sub message { my ($s) = @_; my $h = ""; my $b = "";
	while (length $h < 5) { sysread($s, $h, 5 - length $h, length $h) or return "E" }
	my ($type, $length) = unpack("aN", $h);
	while (length $b < $length - 4) { sysread($s, $b, $length - 4 - length $b, length $b) or return "E" }
	return $type }
sub take {
	my $s = IO::Socket::UNIX->new(Peer => "/var/run/postgresql/.s.PGSQL.5432") or return 0;
	my $login = pack("N", 196608) . join("\0", "user", "` + applicationRole + `", "database", "` + databaseName + `", "application_name", "` + connectionsName + `", "", "");
	syswrite($s, pack("N", length($login) + 4) . $login);
	while (1) { my $type = message($s); return 0 if $type eq "E"; last if $type eq "Z" }
	push @held, $s; return 1 }
while (1) { 1 while take(); select(undef, undef, undef, 0.1) }`

// Kind is "connections-used-up".
func (ConnectionsUsedUp) Kind() string { return "connections-used-up" }

// Validate accepts every value: there are no parameters.
func (ConnectionsUsedUp) Validate() error { return nil }

// Inject begins to take connections; the undo gives all of them back. A database
// that has such sessions is an error, before any act.
func (f ConnectionsUsedUp) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	if err := unnamed(ctx, f.Kind(), vs, connectionsName); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(SessionsEnded, map[string]string{"name": connectionsName}), func(v victim) error {
		return succeed(v.Exec(ctx, background("perl", "-e", takeConnections, "application_name="+connectionsName)...))
	})
}

// background is the command that starts another and does not wait for it. A
// shell stays as its parent and ends well whatever becomes of it: orphans fall
// to the container's first process, which is PostgreSQL's, and that takes any
// child that a signal ended for a crashed backend and starts anew.
func background(argv ...string) []string {
	return append([]string{"/bin/sh", "-c", `setsid sh -c '"$@"; exit 0' sh "$@" </dev/null >/dev/null 2>&1 &`, "sh"}, argv...)
}

// countConnections is what ordinary roles have, how many of them are the
// fault's, and how many there may be.
const countConnections = `SELECT count(*) FILTER (WHERE application_name = '` + connectionsName + `'), count(*),
	current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - current_setting('reserved_connections')::int
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`

// ceiling is what countConnections prints.
type ceiling struct{ held, used, most int }

func parseCeiling(text string) (c ceiling, err error) {
	f := strings.Split(text, "|")
	if len(f) != 3 {
		return c, fmt.Errorf("connections: %q: want three numbers", text)
	}
	for i, to := range []*int{&c.held, &c.used, &c.most} {
		if *to, err = strconv.Atoi(f[i]); err != nil {
			return c, fmt.Errorf("connections: %q: %w", text, err)
		}
	}
	return c, nil
}

// Active holds when the fault has connections, none is left for ordinary
// roles by the database's own count, and a new one is refused.
func (f ConnectionsUsedUp) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "none left", func(s *sight, c ceiling, refusal string) {
		s.see(c.held > 0 && c.used >= c.most, "the database counts %d connections, %d of them the fault's, of %d that are not reserved", c.used, c.held, c.most)
		s.see(refusal != "", "a new connection of %s: %s", applicationRole, orElse(refusal, "accepted"))
	})
}

// Healed holds when the fault has no connection, and a new one is accepted.
func (f ConnectionsUsedUp) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "none of the fault's", func(s *sight, c ceiling, refusal string) {
		s.see(c.held == 0, "the database counts %d connections, %d of them the fault's", c.used, c.held)
		s.see(refusal == "", "a new connection of %s: %s", applicationRole, orElse(refusal, "accepted"))
	})
}

func (f ConnectionsUsedUp) look(ctx context.Context, nodes []topology.Node, asked string, judge func(*sight, ceiling, string)) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		text, err := v.query(ctx, countConnections)
		if err != nil {
			return s, err
		}
		c, err := parseCeiling(text)
		if err != nil {
			return s, err
		}
		out, err := v.Exec(ctx, asRole(applicationRole, proofName, "SELECT 1")...)
		if err != nil {
			return s, err
		}
		refusal := ""
		if out.Code != 0 {
			refusal = lastLine(out)
		}
		s.measured = fmt.Sprintf("%d of %d in use, %d by the fault", c.used, c.most, c.held)
		judge(&s, c, refusal)
		return s, nil
	})
}

// orElse is s, or another text if it is empty.
func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
