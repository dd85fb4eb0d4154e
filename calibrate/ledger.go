package calibrate

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/topology"
)

// Damage takes orders out of the database that were acknowledged, and doubles
// others: so many of each, the oldest first. There is no way back from it, and
// so it is only for a topology that ends with its run.
type Damage struct {
	Lost    int `json:"lost"`
	Doubled int `json:"doubled"`
}

// Kind is "calibrated-damage".
func (Damage) Kind() string { return "calibrated-damage" }

// Validate reports counts that cannot be.
func (d Damage) Validate() error {
	if d.Lost < 0 || d.Doubled < 0 || d.Lost+d.Doubled == 0 {
		return fmt.Errorf("%s: %d lost, %d doubled: want some", d.Kind(), d.Lost, d.Doubled)
	}
	return nil
}

// damageSQL does both at once, and prints how many rows it took out and put
// in. Only orders whose answer has had its second are touched.
const damageSQL = `WITH own AS (SELECT *, row_number() OVER (ORDER BY id) AS n FROM orders WHERE created_at < clock_timestamp() - interval '1 second'),
gone AS (DELETE FROM orders USING own WHERE orders.id = own.id AND own.n <= %[1]d RETURNING orders.id),
more AS (INSERT INTO orders (tenant_id, idempotency_key, op, attempt, item, quantity, node, version)
  SELECT tenant_id, idempotency_key, op, attempt, item, quantity, node, version FROM own WHERE n > %[1]d AND n <= %[1]d + %[2]d RETURNING id)
SELECT (SELECT count(*) FROM gone) || ' ' || (SELECT count(*) FROM more)`

// damagePath is where what was done is kept for the proof.
const damagePath = "/tmp/calibrated-damage"

// Inject does the damage. It records no undo: there is none.
func (d Damage) Inject(ctx context.Context, nodes []topology.Node, _ fault.Recorder) error {
	if len(nodes) != 1 {
		return fmt.Errorf("%s: %d targets: want the database: %w", d.Kind(), len(nodes), fault.ErrNoTargets)
	}
	out, err := nodes[0].Exec(ctx, "/bin/sh", "-ec", `psql -XAtq -v ON_ERROR_STOP=1 "dbname=jetty_sessions user=postgres" -c "$0" >`+damagePath,
		fmt.Sprintf(damageSQL, d.Lost, d.Doubled))
	if err != nil {
		return fmt.Errorf("%s: %w", d.Kind(), err)
	}
	if out.Code != 0 {
		return fmt.Errorf("%s: %s", d.Kind(), strings.TrimSpace(string(out.Stderr)))
	}
	return nil
}

// Active holds when as many rows were taken out and put in as was asked.
func (d Damage) Active(ctx context.Context, nodes []topology.Node) (fault.Proof, error) {
	p := fault.Proof{Asked: d.say(d.Lost, d.Doubled)}
	out, err := nodes[0].Exec(ctx, "cat", damagePath)
	if err != nil {
		return p, err
	}
	lost, doubled, err := parseDamage(string(out.Stdout))
	if err != nil {
		return p, err
	}
	p.Measured, p.OK = d.say(lost, doubled), lost == d.Lost && doubled == d.Doubled
	return p, nil
}

// Healed holds: what was done stays done.
func (d Damage) Healed(context.Context, []topology.Node) (fault.Proof, error) {
	return fault.Proof{OK: true, Asked: "done once", Measured: "done once"}, nil
}

func (Damage) say(lost, doubled int) string {
	return fmt.Sprintf("%d rows taken out, %d put in", lost, doubled)
}

func parseDamage(text string) (lost, doubled int, err error) {
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0, 0, fmt.Errorf("%q: want two counts", text)
	}
	if lost, err = strconv.Atoi(f[0]); err != nil {
		return 0, 0, err
	}
	if doubled, err = strconv.Atoi(f[1]); err != nil {
		return 0, 0, err
	}
	if lost < 0 || doubled < 0 {
		return 0, 0, fmt.Errorf("%q: want two counts", text)
	}
	return lost, doubled, nil
}
