package fault

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// SessionCleanup runs, once, the job that removes old sessions from the
// database's table jettysessions, while the nodes serve from it. Beforehand it
// plants sessions that ended long ago, so that a job which removes nothing is
// told from one that had nothing to do: the fault bites if the job removed
// them, whatever else it removed. Two more sessions, which nobody but the job ever
// sees, tell by what it goes, and by how much. It acts on database nodes.
//
// The zero value is the tutorial's hourly job: a session that was not used for
// 4 hours is removed.
type SessionCleanup struct {
	// Idle is for how long a session must not have been used, by the time of
	// access in its row, to be removed; 0 is 4 hours.
	Idle time.Duration `json:"idle,omitempty"`
	// Expired goes by each session's own time of expiry instead, as Jetty's
	// scavenger does.
	Expired bool `json:"expired,omitempty"`
	// Dead is how many sessions that ended long ago are planted; 0 is 40.
	Dead int `json:"dead,omitempty"`
}

// Defaults of SessionCleanup, and the most that it plants.
const (
	cleanupIdle    = 4 * time.Hour
	cleanupDead    = 40
	cleanupMaxDead = 10000
)

// deadPrefix begins the id of each planted session: no session of Jetty's has
// a dash in its id's beginning.
const deadPrefix = "hachaos-dead-"

// The ids of two sessions that are there for as long as the job runs: one was last
// used a tenth of Idle longer ago than Idle and has not expired, the other a tenth
// less long ago and has.
const (
	probePrefix  = "hachaos-probe-"
	unusedProbe  = probePrefix + "unused"
	expiredProbe = probePrefix + "expired"
)

// cleanupSQL plants, removes and leaves a trace, in one transaction. Its arguments
// are how many sessions are planted, for how many milliseconds these were not used,
// the condition of the DELETE, and for how many milliseconds the two probes were not:
// the older and the younger.
const cleanupSQL = `
CREATE TABLE IF NOT EXISTS hachaos_cleanup (began timestamptz, ended timestamptz, planted int, dead int, others int,
	unused int, expired int, older bigint, younger bigint);
DELETE FROM hachaos_cleanup;
INSERT INTO jettysessions (sessionid, contextpath, virtualhost, lastnode, accesstime, lastaccesstime, createtime,
	cookietime, lastsavedtime, expirytime, maxinterval, map)
SELECT '` + deadPrefix + `' || i, '', '0.0.0.0', 'none', t, t, t, t, t, t + 1800000, 1800000, ''
FROM generate_series(1, %[1]d) i, (SELECT (extract(epoch FROM now()) * 1000)::bigint - %[2]d AS t) old;
INSERT INTO jettysessions (sessionid, contextpath, virtualhost, lastnode, accesstime, lastaccesstime, createtime,
	cookietime, lastsavedtime, expirytime, maxinterval, map)
SELECT id, '', '0.0.0.0', 'none', t - ago, t - ago, t - ago, t - ago, t - ago, t + till, 1800000, ''
FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS t) n,
	(VALUES ('` + unusedProbe + `', %[4]d, 1800000), ('` + expiredProbe + `', %[5]d, -1800000)) AS p(id, ago, till);
WITH gone AS (DELETE FROM jettysessions WHERE %[3]s RETURNING sessionid)
INSERT INTO hachaos_cleanup SELECT statement_timestamp(), clock_timestamp(), %[1]d,
	count(*) FILTER (WHERE sessionid LIKE '` + deadPrefix + `%%'),
	count(*) FILTER (WHERE sessionid NOT LIKE '` + deadPrefix + `%%' AND sessionid NOT LIKE '` + probePrefix + `%%'),
	count(*) FILTER (WHERE sessionid = '` + unusedProbe + `'), count(*) FILTER (WHERE sessionid = '` + expiredProbe + `'),
	%[4]d, %[5]d FROM gone;
DELETE FROM jettysessions WHERE sessionid LIKE '` + probePrefix + `%%'`

// cleanupTrace prints whether the job left its trace; where it did, cleanupSeen
// tells what it did and how many planted sessions are left.
const (
	cleanupTrace = `SELECT to_regclass('public.hachaos_cleanup') IS NOT NULL, count(*) FROM jettysessions WHERE sessionid LIKE '` + deadPrefix + `%'`
	cleanupSeen  = `SELECT to_char(extract(epoch FROM began), 'FM9999999999.000000000'), to_char(extract(epoch FROM ended), 'FM9999999999.000000000'), planted, dead, others, unused, expired, older, younger FROM hachaos_cleanup`
	cleanupUndo  = `DROP TABLE IF EXISTS hachaos_cleanup; DELETE FROM jettysessions WHERE sessionid LIKE '` + deadPrefix + `%'`
)

// Kind is "session-cleanup".
func (SessionCleanup) Kind() string { return "session-cleanup" }

// Validate reports figures that cannot be.
func (f SessionCleanup) Validate() error {
	switch {
	case f.Idle < 0 || f.Idle%time.Millisecond != 0:
		return fmt.Errorf("%s: idle %s: want whole milliseconds, at least 0", f.Kind(), f.Idle)
	case f.Expired && f.Idle != 0:
		return fmt.Errorf("%s: idle %s and expired: choose by which of them the job goes", f.Kind(), f.Idle)
	case f.Dead < 0 || f.Dead > cleanupMaxDead:
		return fmt.Errorf("%s: dead %d: want 1 to %d, or 0 for %d", f.Kind(), f.Dead, cleanupMaxDead, cleanupDead)
	}
	return nil
}

func (f SessionCleanup) idle() time.Duration {
	if f.Idle == 0 {
		return cleanupIdle
	}
	return f.Idle
}

func (f SessionCleanup) dead() int {
	if f.Dead == 0 {
		return cleanupDead
	}
	return f.Dead
}

// statement is what the database is told. That of the tutorial's job is its
// own, but for the figure: accesstime is in milliseconds.
func (f SessionCleanup) statement() string {
	where := fmt.Sprintf("accesstime < extract(epoch FROM now() - interval '%g seconds') * 1000", f.idle().Seconds())
	if f.Expired {
		where = "expirytime > 0 AND expirytime < extract(epoch FROM now()) * 1000"
	}
	return fmt.Sprintf(cleanupSQL, f.dead(), (f.idle() + time.Hour).Milliseconds(), where,
		(f.idle() + f.tenth()).Milliseconds(), (f.idle() - f.tenth()).Milliseconds())
}

// tenth is how far the two probes are from Idle: the database's times are in
// milliseconds.
func (f SessionCleanup) tenth() time.Duration { return max(f.idle()/10, time.Millisecond) }

// bounds says whether the ages of the two probes are those to either side of Idle,
// no farther from it than twice what they should be.
func (f SessionCleanup) bounds(older, younger time.Duration) bool {
	return younger < f.idle() && f.idle() < older && older-younger <= 4*f.tenth()
}

// psql is the command that has the database of the node it runs in carry out
// the statements as one transaction. Columns are parted by spaces.
func psql(statements string) []string {
	return []string{"psql", "-X", "-q", "-A", "-t", "-F", " ", "-v", "ON_ERROR_STOP=1", "-U", "jetty_user", "-d", "jetty_sessions", "-c", statements}
}

// Inject plants and removes; the undo takes the trace away, and what is left
// of the planted. A database that has the trace of another is an error, before any
// act.
func (f SessionCleanup) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := f.databases(nodes)
	if err != nil {
		return err
	}
	if err := allRun(ctx, f.Kind(), vs); err != nil {
		return err
	}
	if err := unlike(ctx, f.Kind(), vs, "SELECT to_regclass('public.hachaos_cleanup') IS NOT NULL", "t", "the database has the trace of such a job"); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(NoCleanupTrace, nil), func(v victim) error {
		return succeed(v.Exec(ctx, psql(f.statement())...))
	})
}

// databases are the targets, all of them databases.
func (f SessionCleanup) databases(nodes []topology.Node) ([]victim, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return nil, err
	}
	for _, v := range vs {
		if v.Role() != topology.Database {
			return nil, fmt.Errorf("%s: node %s: %w (a database: aim it at the one that keeps the sessions)", f.Kind(), v.Name(), ErrCapability)
		}
	}
	return vs, nil
}

// Active holds when the job removed every planted session, and of two others the one
// that was last used a little longer ago than Idle, and not the one that was used a
// little less long ago; or, of these, the one that had expired. From and To are the
// beginning and the end of the removal, by the database's clock.
func (f SessionCleanup) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := fmt.Sprintf("%d dead sessions removed, of those not used for %v", f.dead(), f.idle())
	if f.Expired {
		asked = fmt.Sprintf("%d dead sessions removed, of those that had expired", f.dead())
	}
	return f.look(ctx, nodes, asked, func(ctx context.Context, v victim, s *sight, t trace) error {
		if !t.there {
			s.measured = "the job has not run"
			s.see(false, "the job left no trace")
			return nil
		}
		out, err := v.Exec(ctx, psql(cleanupSeen)...)
		if err := succeed(out, err); err != nil {
			return err
		}
		c, err := parseCleanup(string(out.Stdout))
		if err != nil {
			return err
		}
		s.from, s.to = c.began, c.ended
		s.measured = fmt.Sprintf("%d dead sessions removed, %s", c.dead, c.by())
		s.see(c.planted == f.dead(), "dead sessions that were planted: %d", c.planted)
		s.see(c.dead == f.dead() && t.planted == 0, "of them the job removed %d, and %d are left", c.dead, t.planted)
		s.see((c.expired > 0) == f.Expired && (c.unused > 0) != f.Expired, "removed of one that was last used %v ago and had not expired: %d; of one %v ago that had: %d", c.older, c.unused, c.younger, c.expired)
		s.see(f.Expired || f.bounds(c.older, c.younger), "the two are to either side of %v: %t", f.idle(), f.bounds(c.older, c.younger))
		s.how = append(s.how, fmt.Sprintf("other sessions that it removed: %d", c.others))
		return nil
	})
}

// Healed holds when neither the trace nor a planted session is left.
func (f SessionCleanup) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "no trace", func(_ context.Context, _ victim, s *sight, t trace) error {
		s.measured = "no trace"
		if t.there || t.planted > 0 {
			s.measured = "a trace"
		}
		s.see(!t.there, "the job's trace is there: %t", t.there)
		s.see(t.planted == 0, "planted sessions that are left: %d", t.planted)
		return nil
	})
}

func (f SessionCleanup) look(ctx context.Context, nodes []topology.Node, asked string, see func(context.Context, victim, *sight, trace) error) (Proof, error) {
	vs, err := f.databases(nodes)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, psql(cleanupTrace)...)
		if err := succeed(out, err); err != nil {
			return s, err
		}
		t, err := parseTrace(string(out.Stdout))
		if err != nil {
			return s, err
		}
		return s, see(ctx, v, &s, t)
	})
}

// ensureNoCleanupTrace takes away what the job left.
func ensureNoCleanupTrace(ctx context.Context, n topology.Node, _ map[string]string) error {
	return onceStarted(ctx, n, psql(cleanupUndo))
}

// trace is what is left of the job.
type trace struct {
	there   bool
	planted int // sessions
}

// parseTrace reads what cleanupTrace prints.
func parseTrace(text string) (trace, error) {
	f := strings.Fields(text)
	if len(f) != 2 || f[0] != "t" && f[0] != "f" {
		return trace{}, fmt.Errorf("trace of the job: %.80q: want t or f and a number", text)
	}
	n, err := strconv.Atoi(f[1])
	return trace{f[0] == "t", n}, err
}

// cleanup is what the job did.
type cleanup struct {
	began, ended          time.Time
	planted, dead, others int
	// unused and expired are how many of the two probes it removed; older and younger
	// say how long ago these were used.
	unused, expired int
	older, younger  time.Duration
}

// by says, in words, by what it removed.
func (c cleanup) by() string {
	switch {
	case c.unused > 0 && c.expired == 0:
		return fmt.Sprintf("of those not used for a time from %v to %v", c.younger, c.older)
	case c.unused == 0 && c.expired > 0:
		return "of those that had expired"
	}
	return fmt.Sprintf("by neither use nor expiry: %d and %d of one each", c.unused, c.expired)
}

// parseCleanup reads the line that cleanupSeen prints.
func parseCleanup(text string) (c cleanup, err error) {
	f := strings.Fields(text)
	if len(f) != 9 {
		return c, fmt.Errorf("trace of the job: %.80q: want two times and seven numbers", text)
	}
	if c.began, err = parseStamp(f[0]); err != nil {
		return c, err
	}
	if c.ended, err = parseStamp(f[1]); err != nil {
		return c, err
	}
	var older, younger int
	for i, to := range []*int{&c.planted, &c.dead, &c.others, &c.unused, &c.expired, &older, &younger} {
		if *to, err = strconv.Atoi(f[2+i]); err != nil {
			return c, fmt.Errorf("trace of the job: %w", err)
		}
	}
	c.older, c.younger = time.Duration(older)*time.Millisecond, time.Duration(younger)*time.Millisecond
	return c, nil
}
