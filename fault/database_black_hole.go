package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseBlackHole has all packets to and from the database vanish: nothing
// is refused or reset, and connections that stood look alive. The zero value
// is ready to use.
type DatabaseBlackHole struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// blackHoleTable is the packet filter's table in the victim's namespace.
const blackHoleTable = tablePrefix + "black_hole"

// Kind is "database-black-hole".
func (DatabaseBlackHole) Kind() string { return "database-black-hole" }

// Validate reports a port that cannot be.
func (f DatabaseBlackHole) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject drops all packets of the targets, each in one transaction; the undo
// removes the filters. A target that has such a filter is an error, before any
// act.
func (f DatabaseBlackHole) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, true)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), vs, func(v victim) error { return noFilter(ctx, v.ns, blackHoleTable) }); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(FilterAbsent, map[string]string{"table": blackHoleTable}), func(v victim) error {
		return succeed(v.ns.InNamespace(ctx, dropAll(blackHoleTable)...))
	})
}

// Active holds when the containers run, the filter is there, and an attempt to
// connect is not even refused.
func (f DatabaseBlackHole) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "running, packets vanish", true, unreachable)
}

// Healed holds when they run, no filter is there, and a connection is made.
func (f DatabaseBlackHole) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "running, packets flow", false, connected)
}

func (f DatabaseBlackHole) look(ctx context.Context, nodes []topology.Node, asked string, filtered bool, want string) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, true)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		st, err := v.Inspect(ctx)
		if err != nil {
			return s, err
		}
		s.measured = "running"
		s.see(st.Running, "the engine says it runs: %t", st.Running)
		if !s.ok {
			s.measured = "not running"
			return s, nil
		}
		tables, err := v.ns.InNamespace(ctx, listTables()...)
		if err := succeed(tables, err); err != nil {
			return s, err
		}
		there := hasTable(string(tables.Stdout), blackHoleTable)
		s.see(there == filtered, "packet filter %s in its namespace: %t", blackHoleTable, there)
		return s, seeConnect(ctx, &s, v, want)
	})
}
