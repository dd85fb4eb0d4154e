package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// DatabaseCrash ends the database's process, with all that it began, by SIGKILL, and
// leaves its container: new connections are refused at once, and nothing starts it
// again. It recovers from its log when it is started. The zero value is ready to use.
type DatabaseCrash struct {
	// Port is the TCP port whose refusal is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// Kind is "database-crash".
func (DatabaseCrash) Kind() string { return "database-crash" }

// Validate reports a port that cannot be.
func (f DatabaseCrash) Validate() error { return validPort(f.Kind(), f.Port) }

func (f DatabaseCrash) process() supervised { return supervised{f.Kind(), databaseProcess} }

// Inject kills the processes; the undo starts the database again. One that does not run
// is an error, before any act.
func (f DatabaseCrash) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	p := f.process()
	return p.inject(ctx, nodes, log, p.killed(), ProcessRunning)
}

// Active holds when no process of the database is left, its port refuses and the
// container runs on. From is when the signal was sent, To when the end was noticed.
func (f DatabaseCrash) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().goneAt(ctx, nodes, f.Port)
}

// Healed holds when the database runs and its port answers.
func (f DatabaseCrash) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().backAt(ctx, nodes, f.Port)
}
