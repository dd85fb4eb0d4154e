package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/topology"
)

// rolledSchema is a database that keeps the columns of its table, as its catalogue
// prints them. It answers so many commands with that it only starts.
type rolledSchema struct {
	schema   string
	starting int
	breaks   string // what fails; empty is nothing
	did      []string
}

func (d *rolledSchema) node(name string) rolledNode {
	return newRolledNode(&stub{name: name, role: topology.Database, state: up, exec: d.exec})
}

func (d *rolledSchema) exec(argv []string) (topology.Output, error) {
	if d.starting > 0 {
		d.starting--
		return topology.Output{Code: unconnected, Stderr: []byte("the database system is starting up")}, nil
	}
	steps := map[string][]string{"expand": expand, "contract": contract, "unexpand": unexpand, "uncontract": uncontract, "look": {schemaLook}}
	var step string
	for name, sql := range steps {
		if slices.Equal(argv, statements(sql...)) {
			step = name
		}
	}
	if slices.Equal(argv, asReader(schemaLook)) {
		step = "read"
	}
	if step == "" {
		return topology.Output{}, errUnasked
	}
	if step != "look" && step != "read" {
		d.did = append(d.did, step)
	}
	if step == d.breaks {
		return topology.Output{Code: 3, Stderr: []byte("ERROR: it fails")}, nil
	}
	switch {
	case step == "look" || step == "read":
		return text("%s\n", d.schema)
	case step == "contract" && d.schema == schemaFirst:
		return topology.Output{Code: 3, Stderr: []byte(`ERROR:  column "units" does not exist`)}, nil
	case step == "unexpand":
		d.schema = schemaFirst
	case step == "expand", step == "uncontract" && d.schema == schemaContracted:
		d.schema = schemaExpanded
	case step == "contract":
		d.schema = schemaContracted
	}
	return topology.Output{}, nil
}

func TestAStepOfTheSchemaIsProvenAndTakenBack(t *testing.T) {
	for step, tc := range map[string]struct {
		before, after string
		undo, undid   string
		asked, over   string
	}{
		StepExpand: {
			schemaFirst, schemaExpanded, SchemaUnexpanded, "unexpand",
			"table orders with columns quantity and units, kept in step", "table orders with column quantity",
		},
		StepContract: {
			schemaExpanded, schemaContracted, SchemaUncontracted, "uncontract",
			"table orders with column units", "table orders with columns quantity and units, kept in step",
		},
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, log, f := &rolledSchema{schema: tc.before}, &undos{}, SchemaChange{Step: step}
				n := d.node("db")
				db := []topology.Node{n}
				require.False(t, rolledProof(t, f.Active, db).OK)
				require.True(t, rolledProof(t, f.Healed, db).OK)

				require.NoError(t, f.Inject(t.Context(), db, log))
				require.Equal(t, []Entry{{Undo: tc.undo, Node: "db"}}, log.all)
				require.Equal(t, []string{step}, d.did)
				require.Equal(t, tc.after, d.schema)
				p := rolledProof(t, f.Active, db)
				require.True(t, p.OK, "%+v", p)
				require.Equal(t, tc.asked, p.Asked)
				require.Equal(t, "db: "+schemaWords(tc.after), p.Measured)
				require.Equal(t, []string{"db: the database's own catalogue: " + schemaWords(tc.after)}, p.How)
				require.ErrorContains(t, f.Inject(t.Context(), db, log), "schema-change db: the table orders has "+schemaWords(tc.after)+" already")
				require.Len(t, log.all, 1)
				p = rolledProof(t, f.Healed, db)
				require.False(t, p.OK)
				require.Equal(t, tc.over, p.Asked)

				n.served.state, d.starting = topology.State{}, 3 // it went down meanwhile
				for range 2 {
					require.NoError(t, UndoAll(t.Context(), db, log.all))
				}
				require.Equal(t, []string{step, tc.undid, tc.undid}, d.did)
				require.Equal(t, tc.before, d.schema)
				p = rolledProof(t, f.Healed, db)
				require.True(t, p.OK, "%+v", p)
			})
		})
	}
}

// TestWhichSchemasAStepLeaves: an expansion is one, too, that was contracted since,
// and a contraction is over also where the expansion is.
func TestWhichSchemasAStepLeaves(t *testing.T) {
	for schema, tc := range map[string]struct{ expanded, unexpanded, contracted, uncontracted bool }{
		schemaFirst:        {false, true, false, true},
		schemaExpanded:     {true, false, false, true},
		schemaContracted:   {true, false, true, false},
		"quantity,units|0": {}, // nothing keeps them in step
		"quantity|1":       {},
		"|0":               {},
	} {
		t.Run(schema, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := []topology.Node{(&rolledSchema{schema: schema}).node("db")}
				for want, look := range map[*bool]func(context.Context, []topology.Node) (Proof, error){
					&tc.expanded: SchemaChange{Step: StepExpand}.Active, &tc.unexpanded: SchemaChange{Step: StepExpand}.Healed,
					&tc.contracted: SchemaChange{Step: StepContract}.Active, &tc.uncontracted: SchemaChange{Step: StepContract}.Healed,
				} {
					p := rolledProof(t, look, db)
					require.Equal(t, *want, p.OK, "%+v", p)
					require.Equal(t, "db: "+schemaWords(schema), p.Measured)
				}
			})
		})
	}
}

// TestAStepThatIsTakenIsRefused: an expansion also by what was contracted since.
func TestAStepThatIsTakenIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ step, schema, err string }{
		"expanded":       {StepExpand, schemaExpanded, "the table orders has columns quantity and units, kept in step already"},
		"contracted":     {StepExpand, schemaContracted, "the table orders has column units already"},
		"and once more":  {StepContract, schemaContracted, "the table orders has column units already"},
		"not before one": {StepContract, schemaFirst, `schema-change db: contract: exit status 3: ERROR:  column "units" does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			d, log := &rolledSchema{schema: tc.schema}, &undos{}
			err := SchemaChange{Step: tc.step}.Inject(t.Context(), []topology.Node{d.node("db")}, log)
			require.ErrorContains(t, err, tc.err)
			require.Equal(t, tc.schema, d.schema)
			if tc.schema != schemaFirst {
				require.Empty(t, log.all)
				require.Empty(t, d.did)
			}
		})
	}
}

func TestAStepOfTheSchemaSaysWhereItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &rolledSchema{schema: schemaFirst}, &rolledSchema{schema: schemaFirst, breaks: "expand"}
		both := []topology.Node{one.node("db"), two.node("db2")}
		f, log := SchemaChange{Step: StepExpand}, &undos{}
		require.EqualError(t, f.Inject(t.Context(), both, log), "schema-change db2: expand: exit status 3: ERROR: it fails")
		require.Equal(t, []Entry{{Undo: SchemaUnexpanded, Node: "db"}, {Undo: SchemaUnexpanded, Node: "db2"}}, log.all)

		d := &rolledSchema{schema: schemaFirst}
		s := &rolledStack{breaks: func(string) bool { return true }}
		err := f.Inject(t.Context(), []topology.Node{d.node("db")}, s)
		require.EqualError(t, err, "schema-change db: "+errRolled.Error())
		require.Empty(t, d.did, "an act that could not be undone")

		ended := d.node("db")
		ended.served.state = topology.State{}
		require.ErrorIs(t, f.Inject(t.Context(), []topology.Node{ended}, log), topology.ErrNotRunning)
		require.ErrorIs(t, f.Inject(t.Context(), nil, log), ErrNoTargets)
		d.breaks = "read"
		require.EqualError(t, f.Inject(t.Context(), []topology.Node{d.node("db")}, log), "schema-change db: exit status 3: ERROR: it fails")
		require.Empty(t, d.did)
		d.breaks = "look"
		for _, look := range []func(context.Context, []topology.Node) (Proof, error){f.Active, f.Healed} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*poll)
			p, err := look(ctx, []topology.Node{d.node("db")})
			cancel()
			require.EqualError(t, err, "db: exit status 3: ERROR: it fails")
			require.Zero(t, p)
			_, err = look(t.Context(), nil)
			require.ErrorIs(t, err, ErrNoTargets)
			require.EqualError(t, err, "schema-change: no target")
		}
	})
}

// TestTheUndoOfAStepWaitsForTheDatabase: which may only be starting, for as long as
// there is.
func TestTheUndoOfAStepWaitsForTheDatabase(t *testing.T) {
	for _, undo := range []string{SchemaUnexpanded, SchemaUncontracted} {
		synctest.Test(t, func(t *testing.T) {
			d := &rolledSchema{schema: schemaContracted, starting: 1 << 20}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := Undo(ctx, []topology.Node{d.node("db")}, Entry{Undo: undo, Node: "db"})
			require.EqualError(t, err, fmt.Sprintf("undo %s on db: exit status 2: the database system is starting up", undo))
			require.Empty(t, d.did)
		})
	}
}

// TestTheStepsLockBriefly: whatever changes the table waits for it for a while, and no
// statement that is taken back is taken blindly.
func TestTheStepsLockBriefly(t *testing.T) {
	for name, step := range map[string][]string{"expand": expand[:1], "contract": contract, "unexpand": unexpand, "uncontract": uncontract} {
		for _, sql := range step {
			require.True(t, strings.HasPrefix(sql, patience+"; "), name)
		}
	}
	require.Contains(t, unexpand[0], "IF EXISTS (SELECT")
	require.Contains(t, uncontract[0], "IF NOT EXISTS (SELECT")
}

func TestTheStepsOfASchemaChangeAreTwo(t *testing.T) {
	for _, step := range []string{StepExpand, StepContract} {
		require.NoError(t, SchemaChange{Step: step}.Validate())
	}
	for _, step := range []string{"", "Expand", "both"} {
		require.EqualError(t, SchemaChange{Step: step}.Validate(), fmt.Sprintf("schema-change: step %q: want expand or contract", step))
	}
}
