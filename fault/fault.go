// Package fault holds what hachaos can break. A fault is a value with no
// state of a run, which JSON can carry; one file each.
//
// Its life has three separate acts, and each is observed:
//
//	          Inject                Active                 Undo               Healed
//	(none) ──────────▶ (acting) ──────────▶ (proven) ──────────▶ (healing) ──────────▶ (healed)
//	             │ writes its undo, as data,     │ bites by the wrong      │ the undo failed:
//	             ▼ before it acts                ▼ amount, or not at all   ▼ the run is dirty
//	           error                         inconclusive                dirty
package fault

import (
	"context"
	"errors"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// Errors of faults, wrapped with the object concerned.
var (
	// ErrNoTargets: the selection is empty, so the fault would bite nothing.
	ErrNoTargets = errors.New("no target")
	// ErrCapability: a target cannot be acted on in this way.
	ErrCapability = errors.New("the node does not offer what the fault needs")
)

// Fault is a kind of failure with its parameters. Implementations are plain
// values, safe for concurrent use, and can be marshalled by encoding/json.
type Fault interface {
	// Kind names it: "instance-kill". It equals the file's name with dashes.
	Kind() string
	// Validate reports parameters that make no sense, before anything starts.
	Validate() error
	// Inject makes the nodes suffer. It records each undo in log before it
	// acts, so that an act that reports failure after taking effect is still
	// undone. No nodes is an error that wraps ErrNoTargets; a node without
	// the needed capability one that wraps ErrCapability, before any act.
	// A node that suffers the same already is an error, too, before anything is
	// recorded, since the undo of one would end both; but a deployment takes the
	// place of the one before.
	Inject(ctx context.Context, nodes []topology.Node, log Recorder) error
	// Active looks, from the victims' side and without changing anything,
	// whether the fault bites, and by how much. It waits, within ctx, for a
	// fault that takes a moment. A Proof with OK false is an answer; an
	// error means that it could not look.
	Active(ctx context.Context, nodes []topology.Node) (Proof, error)
	// Healed looks, without changing anything, whether nothing of the fault
	// is left, waiting within ctx.
	Healed(ctx context.Context, nodes []topology.Node) (Proof, error)
}

// Proof is what was observed: asked against measured.
type Proof struct {
	OK       bool
	Asked    string
	Measured string
	Unit     string
	// From and To bracket when it took effect, in the engine's wall clock;
	// both are zero if the fault does not know better than its caller.
	From, To time.Time
	// How are the observations, one line each.
	How []string
}

// Entry is one undo, as data: it says what state to ensure, not what to do
// step by step. Carrying it out twice, or on a node where the act never took
// effect, is harmless.
type Entry struct {
	// Undo names the undoer: see Undo.
	Undo string `json:"undo"`
	// Node is the target's name.
	Node string `json:"node"`
	// Params are the undoer's.
	Params map[string]string `json:"params,omitempty"`
}

// Recorder keeps undos. Record returns once the entry is safe from a crash of
// the process; an error means that the act must not happen.
type Recorder interface {
	Record(Entry) error
}

// Lasting is a fault whose act is a course of steps, such as a rolling
// deployment: Inject may take so long, on top of what any act may.
type Lasting interface {
	Fault
	Takes() time.Duration
}

// Gradual is a fault whose magnitude is a time that must pass before it can
// be told: Active may take so long, on top of what any proof may.
type Gradual interface {
	Fault
	Shows() time.Duration
}

// Demanding is a fault that not every kernel can carry out. It is refused
// before anything starts where the kernel cannot.
type Demanding interface {
	Fault
	// Demands is what the kernel must have.
	Demands() topology.Feature
	// Instead says what to do where it has not.
	Instead() string
}

// Indirect is a fault whose targets are only the means: balancers that are
// ordered to spare a server.
type Indirect interface {
	Fault
	// Victims names the nodes that suffer; the record names them in the
	// targets' place. None means that they are among the targets: see Directed.
	Victims() []string
}

// Directed is a fault some of whose targets are only the means: the balancers
// that a deployment directs.
type Directed interface {
	Fault
	// Suffers says which of the targets are more than that; the record names
	// these alone.
	Suffers(topology.Node) bool
}

// Eventful is a fault that takes effect no earlier than an event of the
// engine: its caller knows when that came, and brackets a Proof that has a
// To but no From by it.
type Eventful interface {
	Fault
	// Begins is the event's action, such as "kill".
	Begins() string
}
