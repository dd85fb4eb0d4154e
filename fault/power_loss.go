package fault

import (
	"cmp"
	"context"
	"errors"

	"github.com/hachaos/hachaos/topology"
)

// PowerLoss stops the packets of each target first and then kills its
// container: like a machine whose plug was pulled, it says no goodbye, and no
// connection is ever refused or reset. The zero value is ready to use.
type PowerLoss struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// powerTable is the packet filter's table in the victim's namespace.
const powerTable = tablePrefix + "power_loss"

// Kind is "power-loss".
func (PowerLoss) Kind() string { return "power-loss" }

// Validate reports a port that cannot be.
func (f PowerLoss) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject drops all packets of the targets in one transaction and then kills
// the containers. The undo starts them, with a namespace that is new, and
// ensures that no filter is left where the kill did not happen. A container
// that does not run is an error: an earlier death would pass for this one. So is
// one in whose namespace the filter is not seen before the kill: the namespace
// goes with the container, and nobody can look any more.
func (f PowerLoss) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := runningVictims(ctx, f.Kind(), nodes, f.Port, true)
	if err != nil {
		return err
	}
	return inTurn(f.Kind(), vs, func(v victim) error { return f.cut(ctx, v, log) })
}

func (f PowerLoss) cut(ctx context.Context, v victim, log Recorder) error {
	for _, e := range []Entry{
		{Undo: FilterAbsent, Node: v.Name(), Params: map[string]string{"table": powerTable}},
		{Undo: ContainerRunning, Node: v.Name()},
	} {
		if err := log.Record(e); err != nil {
			return err
		}
	}
	if err := succeed(v.ns.InNamespace(ctx, dropAll(powerTable)...)); err != nil {
		return err
	}
	if left, err := f.filtered(ctx, v); err != nil || !left {
		return cmp.Or(err, errors.New("its packets were not stopped: the filter is not in its namespace"))
	}
	return v.kill(ctx)
}

// filtered says whether the filter is in the victim's namespace.
func (PowerLoss) filtered(ctx context.Context, v victim) (bool, error) {
	tables, err := v.ns.InNamespace(ctx, listTables()...)
	if err := succeed(tables, err); err != nil {
		return false, err
	}
	return hasTable(string(tables.Stdout), powerTable), nil
}

// Active holds when the engine reports the containers as ended by SIGKILL
// and an attempt to connect is not even refused; that its packets were stopped
// before Inject has seen. To is the last end; the effect began with the filter,
// before it.
func (f PowerLoss) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, true)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "packets stopped, then container ended by SIGKILL", vs, func(ctx context.Context, v victim) (sight, error) {
		return seeGone(ctx, v, unreachable)
	})
}

// Healed holds when the containers were started after their end, no filter
// is in their namespace and their ports answer again.
func (f PowerLoss) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, true)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "container running again, packets flow", vs, func(ctx context.Context, v victim) (sight, error) {
		s, err := seeBack(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		left, err := f.filtered(ctx, v)
		if err != nil {
			return s, err
		}
		s.see(!left, "packet filter %s in its namespace: %t", powerTable, left)
		return s, nil
	})
}
