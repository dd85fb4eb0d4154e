package fault

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
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

// addDelay makes a trigger that sleeps once a statement, so that a statement
// which writes no row is delayed too: that is how it is measured.
func (f DatabaseSlowInside) addDelay() []string {
	return []string{fmt.Sprintf(`SET lock_timeout = '5s';
CREATE OR REPLACE FUNCTION hachaos_slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('hachaos.unhurried', true) IS DISTINCT FROM 'on' THEN PERFORM pg_sleep(%s); END IF;
	RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER hachaos_slow BEFORE INSERT OR UPDATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION hachaos_slow();`,
		strconv.FormatFloat(f.Delay.Seconds(), 'f', 3, 64), f.table())}
}

// dropDelay takes it away, whether or not it is there.
func dropDelay(table string) []string {
	return []string{"SET client_min_messages = error", "DROP TRIGGER IF EXISTS hachaos_slow ON " + table, "DROP FUNCTION IF EXISTS hachaos_slow()"}
}

// Inject adds the delay; the undo removes it.
func (f DatabaseSlowInside) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(TriggerAbsent, map[string]string{"table": f.table()}), func(v victim) error {
		return succeed(v.Exec(ctx, asSuperuser(f.addDelay()...)...))
	})
}

// samples is how many statements a look measures: 30, or as many as fit into
// three seconds, and at least five.
func (f DatabaseSlowInside) samples() int {
	return min(30, max(5, int(3*time.Second/f.Delay)))
}

// measureSQL prints the median of what statements take that would write the
// table and find nothing to write, in milliseconds.
func (f DatabaseSlowInside) measureSQL() []string {
	return []string{fmt.Sprintf(`DO $$
DECLARE began timestamptz; took float8[];
BEGIN
	FOR i IN 1..%d LOOP
		began := clock_timestamp();
		INSERT INTO %s SELECT * FROM %[2]s WHERE false;
		took := took || (extract(epoch FROM clock_timestamp() - began) * 1000)::float8;
	END LOOP;
	PERFORM set_config('hachaos.median', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(took) t)::text, false);
END $$`, f.samples(), f.table()), "SELECT current_setting('hachaos.median')"}
}

// tolerance of a measured delay: 10 % of the asked one, or 5 ms.
func (f DatabaseSlowInside) tolerance() time.Duration { return max(f.Delay/10, 5*time.Millisecond) }

// Active holds when the median of writing statements, less that of the same
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
		with, err := f.median(ctx, v, "off")
		if err != nil {
			return s, err
		}
		without, err := f.median(ctx, v, "on")
		if err != nil {
			return s, err
		}
		added := with - without
		s.measured = strconv.FormatFloat(float64(added.Microseconds())/1000, 'f', 1, 64)
		s.see(right(added), "%d statements that write %s, by the database's clock: median %.1f ms; with the delay left out: %.1f ms",
			f.samples(), f.table(), float64(with.Microseconds())/1000, float64(without.Microseconds())/1000)
		return s, nil
	})
	p.Unit = "ms"
	return p, err
}

// median measures, with the delay left out if unhurried is "on".
func (f DatabaseSlowInside) median(ctx context.Context, v victim, unhurried string) (time.Duration, error) {
	text, err := v.query(ctx, append([]string{"SET hachaos.unhurried = " + unhurried}, f.measureSQL()...)...)
	if err != nil {
		return 0, err
	}
	ms, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("median of the statements: %w", err)
	}
	return time.Duration(ms * float64(time.Millisecond)), nil
}
