package fault

import (
	"context"

	"github.com/hachaos/hachaos/topology"
)

// ProcessFreeze stops the application's process by SIGSTOP, as a dump of its memory,
// a Ctrl-Z or somebody who looks into it does, and leaves the rest of the container
// running: the kernel goes on to accept connections that nobody answers, as
// InstanceFreeze has it do, and whoever looks from inside the node can tell why. The
// process is the one whose number /run/hachaos/java.pid holds. The zero value is ready
// to use.
type ProcessFreeze struct {
	// Port is the TCP port whose silence is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// applicationProcess is the name of the application's process, for its init and for
// the kernel.
const applicationProcess = "java"

// Kind is "process-freeze".
func (ProcessFreeze) Kind() string { return "process-freeze" }

// Validate reports a port that cannot be.
func (f ProcessFreeze) Validate() error { return validPort(f.Kind(), f.Port) }

func (f ProcessFreeze) process() supervised { return supervised{f.Kind(), applicationProcess} }

// Inject stops the processes; the undo thaws them, or starts one that somebody ended
// meanwhile. One that does not run, or is frozen, is an error, before any act.
func (f ProcessFreeze) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	p := f.process()
	return p.inject(ctx, nodes, log, p.stopped(), ApplicationThawed)
}

// Active holds when the process is stopped and its port accepts and does not
// answer, or, with its queue full, takes no more. From and To bracket the signal.
func (f ProcessFreeze) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().silentAt(ctx, nodes, f.Port, silent, unreachable)
}

// Healed holds when the process runs, and its port answers.
func (f ProcessFreeze) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.process().answersAt(ctx, nodes, f.Port)
}

// Endures implements Enduring: nothing ends a frozen process but its undo.
func (ProcessFreeze) Endures() {}

// ensureApplicationThawed thaws the application's process, and starts it where it was
// ended meanwhile.
func ensureApplicationThawed(ctx context.Context, n topology.Node, _ map[string]string) error {
	return supervised{name: applicationProcess}.ensureThawed(ctx, n)
}
