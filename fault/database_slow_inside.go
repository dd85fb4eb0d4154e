package fault

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseSlowInside makes every statement that writes a table wait inside of
// the database, as one does that has lost its index or whose disk is slow:
// the network is well, and so is each statement that only reads. There is no
// useful zero value: Delay must be given.
type DatabaseSlowInside struct {
	// Delay is added to each writing statement, 10 ms to 10 s, in whole
	// milliseconds.
	Delay time.Duration `json:"delay"`
	// Table is what is slow to write; empty is "orders".
	Table string `json:"table,omitempty"`
}

// Kind is "database-slow-inside".
func (DatabaseSlowInside) Kind() string { return "database-slow-inside" }

func (f DatabaseSlowInside) table() string { return cmp.Or(f.Table, "orders") }

// Validate reports a delay that cannot be made or measured, and a name that
// no table has.
func (f DatabaseSlowInside) Validate() error {
	if f.Delay < 10*time.Millisecond || f.Delay > 10*time.Second || f.Delay%time.Millisecond != 0 {
		return fmt.Errorf("%s: delay %v: want 10ms to 10s, in whole milliseconds", f.Kind(), f.Delay)
	}
	return validTable(f.Kind(), f.table())
}

// slowFunction is the function of a table's delay: each table has its own.
func slowFunction(table string) string { return "hachaos_slow_" + table }

// addDelay makes a trigger that sleeps once a statement, so that a statement
// which writes no row is delayed too: that is how it is measured. It fails on a
// table that is slow already, whose delay has been proven: of two faults that
// look at the same time, the later.
func (f DatabaseSlowInside) addDelay() []string {
	return []string{fmt.Sprintf(`SET lock_timeout = '5s';
CREATE FUNCTION %[3]s() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('hachaos.unhurried', true) IS DISTINCT FROM 'on' THEN PERFORM pg_sleep(%[1]s); END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER hachaos_slow BEFORE INSERT OR UPDATE ON %[2]s FOR EACH STATEMENT EXECUTE FUNCTION %[3]s();`,
		strconv.FormatFloat(f.Delay.Seconds(), 'f', 3, 64), f.table(), slowFunction(f.table()))}
}

// dropDelay takes it away, whether or not it is there.
func dropDelay(table string) []string {
	return []string{"SET client_min_messages = error", "DROP TRIGGER IF EXISTS hachaos_slow ON " + table, "DROP FUNCTION IF EXISTS " + slowFunction(table) + "()"}
}

// unhurried checks that the table has no such delay: the undo of a second would
// end the first.
func (f DatabaseSlowInside) unhurried(ctx context.Context, v victim) error {
	out, err := v.Exec(ctx, asReader("SELECT to_regproc('"+slowFunction(f.table())+"') IS NULL")...)
	if err := succeed(out, err); err != nil {
		return err
	}
	if strings.TrimSpace(string(out.Stdout)) != "t" {
		return fmt.Errorf("writing %s is delayed already, by the same fault: heal that first, or slow another table", f.table())
	}
	return nil
}

// Inject adds the delay; the undo removes it. A table that is delayed already
// is an error, before any act.
func (f DatabaseSlowInside) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), vs, func(v victim) error { return f.unhurried(ctx, v) }); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(TriggerAbsent, map[string]string{"table": f.table()}), func(v victim) error {
		return succeed(v.Exec(ctx, asSuperuser(f.addDelay()...)...))
	})
}

// parallel is how many sessions measure at a time.
func (f DatabaseSlowInside) parallel() int { return atATime(latencyProbes, f.Delay) }

// measureSQL prints what statements take that would write the table and find
// nothing to write, in milliseconds: of each session its share of 30.
func (f DatabaseSlowInside) measureSQL() []string {
	return []string{fmt.Sprintf(`DO $$
DECLARE began timestamptz; took float8[];
BEGIN
	FOR i IN 1..%d LOOP
		began := clock_timestamp();
		INSERT INTO %s SELECT * FROM %[2]s WHERE false;
		took := took || (extract(epoch FROM clock_timestamp() - began) * 1000)::float8;
	END LOOP;
	PERFORM set_config('hachaos.took', array_to_string(took, ' '), false);
END $$`, f.share(), f.table()), "SELECT current_setting('hachaos.took')"}
}

// share is how many statements each session measures.
func (f DatabaseSlowInside) share() int { return (latencyProbes + f.parallel() - 1) / f.parallel() }

// atOnce is a script that carries the command "$@" out $1 times at a time. It
// fails if one of them does.
const atOnce = `n=$1; shift
pids=
while [ "$n" -gt 0 ]; do "$@" & pids="$pids $!"; n=$((n - 1)); done
for p in $pids; do wait "$p" || exit; done`

// tolerance of a measured delay: 10 % of the asked one, or 5 ms.
func (f DatabaseSlowInside) tolerance() time.Duration { return max(f.Delay/10, 5*time.Millisecond) }

// Shows implements Gradual: a statement takes the delay at least.
func (f DatabaseSlowInside) Shows() time.Duration { return f.Delay }

// Active holds when the median of at least 30 writing statements, less that of the same
// ones with the delay left out, is the asked delay within 10 % or 5 ms.
func (f DatabaseSlowInside) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := fmt.Sprintf("%d within %d", f.Delay.Milliseconds(), f.tolerance().Milliseconds())
	return f.look(ctx, nodes, asked, func(added time.Duration) bool { return (added - f.Delay).Abs() <= f.tolerance() })
}

// Healed holds when less than the tolerance is left of it.
func (f DatabaseSlowInside) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	asked := fmt.Sprintf("less than %d", f.tolerance().Milliseconds())
	return f.look(ctx, nodes, asked, func(added time.Duration) bool { return added < f.tolerance() })
}

func (f DatabaseSlowInside) look(ctx context.Context, nodes []topology.Node, asked string, right func(time.Duration) bool) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	p, err := prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		with, err := f.measure(ctx, v, "off")
		if err != nil {
			return s, err
		}
		without, err := f.measure(ctx, v, "on")
		if err != nil {
			return s, err
		}
		added := with.median() - without.median()
		s.measured = fmt.Sprintf("%.1f", milliseconds(added))
		s.see(right(added), "%d statements that write %s, by the database's clock: median %.1f ms; with the delay left out: %.1f ms",
			len(with.answered), f.table(), milliseconds(with.median()), milliseconds(without.median()))
		return s, nil
	})
	p.Unit = "ms"
	return p, err
}

// measure takes the times, with the delay left out if unhurried is "on".
func (f DatabaseSlowInside) measure(ctx context.Context, v victim, unhurried string) (probes, error) {
	statements := append([]string{"SET hachaos.unhurried = " + unhurried}, f.measureSQL()...)
	out, err := v.Exec(ctx, append([]string{"/bin/sh", "-c", atOnce, "sh", strconv.Itoa(f.parallel())}, asSuperuser(statements...)...)...)
	if err := succeed(out, err); err != nil {
		return probes{}, err
	}
	return parseStatements(string(out.Stdout), f.share()*f.parallel())
}

// parseStatements reads milliseconds; fewer or more than were made is an
// error.
func parseStatements(text string, made int) (probes, error) {
	var p probes
	for word := range strings.FieldsSeq(text) {
		ms, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return p, fmt.Errorf("times of statements: %q: want milliseconds", word)
		}
		p.answered = append(p.answered, time.Duration(ms*float64(time.Millisecond)))
	}
	if n := len(p.answered); n != made {
		return p, fmt.Errorf("times of statements: %d of %d ended", n, made)
	}
	slices.Sort(p.answered)
	return p, nil
}
