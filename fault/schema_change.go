package fault

import (
	"context"
	"fmt"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// Steps of a schema change.
const (
	StepExpand   = "expand"
	StepContract = "contract"
)

// SchemaChange takes a step of the migration by which the second version of
// the sample application has an order's quantity in a column of another name:
// units in the place of quantity. Its target is the database.
//
// The first step, expand, adds the new column, lets the old one be empty, and
// has a trigger keep both in step, so that each version finds its own; what
// was there before is filled in. The second, contract, takes trigger and old
// column away: no version that needs them can run from then on.
type SchemaChange struct {
	// Step is StepExpand or StepContract; required. Contract is refused by a
	// database that was not expanded.
	Step string `json:"step"`
}

// Kind is "schema-change".
func (SchemaChange) Kind() string { return "schema-change" }

// Validate reports a step that is none.
func (f SchemaChange) Validate() error {
	if f.Step != StepExpand && f.Step != StepContract {
		return fmt.Errorf("%s: step %q: want %s or %s", f.Kind(), f.Step, StepExpand, StepContract)
	}
	return nil
}

// Statements of the steps. Each that locks the table waits for it at most 3 s,
// and holds it for no longer than itself.
const (
	patience = `SET lock_timeout = '3s'`

	twinsFunction = `CREATE OR REPLACE FUNCTION hachaos_twins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.units := coalesce(NEW.units, NEW.quantity);
  NEW.quantity := coalesce(NEW.quantity, NEW.units);
  RETURN NEW;
END $$`
	twinsTrigger = `CREATE OR REPLACE TRIGGER hachaos_twins BEFORE INSERT OR UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION hachaos_twins()`
	noTwins = `DROP TRIGGER IF EXISTS hachaos_twins ON orders; DROP FUNCTION IF EXISTS hachaos_twins()`
)

// expand is StepExpand, statement by statement. A column comes with its
// trigger in one transaction, or orders in between would have only one.
var expand = []string{
	patience + `; ALTER TABLE orders ADD COLUMN IF NOT EXISTS units INT, ALTER quantity DROP NOT NULL; ` + twinsFunction + `; ` + twinsTrigger,
	`UPDATE orders SET units = quantity WHERE units IS NULL`,
}

// contract is StepContract.
var contract = []string{
	patience + `; ALTER TABLE orders ALTER units SET NOT NULL; ` + noTwins + `; ALTER TABLE orders DROP COLUMN IF EXISTS quantity`,
}

// unexpand ensures the schema that the database was made with.
var unexpand = []string{patience + `; DO $do$ BEGIN
IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'units') THEN
  ` + noTwins + `;
  ALTER TABLE orders ADD COLUMN IF NOT EXISTS quantity INT;
  UPDATE orders SET quantity = units WHERE quantity IS NULL;
  ALTER TABLE orders ALTER quantity SET NOT NULL, DROP COLUMN units;
END IF; END $do$`}

// uncontract ensures that the old column is there, beside the new one if that
// is there.
var uncontract = []string{patience + `; DO $do$ BEGIN
IF NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'quantity') THEN
  ALTER TABLE orders ADD COLUMN quantity INT, ALTER units DROP NOT NULL;
  ` + twinsFunction + `;
  ` + twinsTrigger + `;
  UPDATE orders SET quantity = units;
END IF; END $do$`}

// look prints which columns and triggers the table has, as "columns|triggers".
const schemaLook = `SELECT
 (SELECT string_agg(column_name, ',' ORDER BY column_name) FROM information_schema.columns
  WHERE table_name = 'orders' AND column_name IN ('quantity', 'units')),
 (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND tgname = 'hachaos_twins')`

// Schemas as schemaLook prints them.
const (
	schemaFirst      = "quantity|0"
	schemaExpanded   = "quantity,units|1"
	schemaContracted = "units|0"
)

// migration is a step as it is carried out, taken back and proven.
type migration struct {
	do          []string
	undo        string
	after, back []string // schemas, of which one holds after it and once it is undone
}

func (f SchemaChange) migration() migration {
	if f.Step == StepContract {
		return migration{contract, SchemaUncontracted, []string{schemaContracted}, []string{schemaExpanded, schemaFirst}}
	}
	return migration{expand, SchemaUnexpanded, []string{schemaExpanded, schemaContracted}, []string{schemaFirst}}
}

// statements is the command that carries out SQL, each argument in a
// transaction of its own, as the role that a migration runs as: it may change
// tables that are the application's.
func statements(sql ...string) []string {
	argv := []string{"psql", "-X", "-q", "-A", "-t", "-U", "postgres", "-d", "jetty_sessions", "-v", "ON_ERROR_STOP=1"}
	for _, s := range sql {
		argv = append(argv, "-c", s)
	}
	return argv
}

// Inject takes the step. A database that has taken it is an error, before any act.
func (f SchemaChange) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	for _, done := range f.migration().after {
		if err := unlike(ctx, f.Kind(), vs, schemaLook, done, "the table orders has "+schemaWords(done)); err != nil {
			return err
		}
	}
	for _, v := range vs {
		if err := log.Record(Entry{Undo: f.migration().undo, Node: v.Name()}); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind(), v.Name(), err)
		}
		if err := succeed(v.Exec(ctx, statements(f.migration().do...)...)); err != nil {
			return fmt.Errorf("%s %s: %s: %w", f.Kind(), v.Name(), f.Step, err)
		}
	}
	return nil
}

// Active holds when the database itself says that the table has the columns
// of the step; after an expansion also those of a later contraction.
func (f SchemaChange) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, f.migration().after)
}

// Healed holds when it has those of before.
func (f SchemaChange) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, f.migration().back)
}

func (f SchemaChange) look(ctx context.Context, nodes []topology.Node, want []string) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "table orders with "+schemaWords(want[0]), vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, statements(schemaLook)...)
		if err := succeed(out, err); err != nil {
			return s, err
		}
		got := strings.TrimSpace(string(out.Stdout))
		ok := false
		for _, w := range want {
			ok = ok || got == w
		}
		s.measured = schemaWords(got)
		s.see(ok, "the database's own catalogue: %s", schemaWords(got))
		return s, nil
	})
}

// schemaWords puts what schemaLook prints into words.
func schemaWords(schema string) string {
	columns, triggers, _ := strings.Cut(schema, "|")
	words := "columns " + strings.ReplaceAll(columns, ",", " and ")
	if !strings.Contains(columns, ",") {
		words = "column " + columns
	}
	if triggers == "1" {
		words += ", kept in step"
	}
	return words
}

func ensureUnexpanded(ctx context.Context, n topology.Node, _ map[string]string) error {
	return onceStarted(ctx, n, statements(unexpand...))
}

func ensureUncontracted(ctx context.Context, n topology.Node, _ map[string]string) error {
	return onceStarted(ctx, n, statements(uncontract...))
}
