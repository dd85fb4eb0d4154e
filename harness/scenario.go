// Package harness runs a scenario: it brings a topology up, loads it,
// observes it, injects and heals faults by phases, tears it down, and hands
// the sealed record to the judges.
package harness

import (
	"math/rand/v2"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/topology"
)

// Scenario is a test of availability as a literal.
type Scenario struct {
	// Name is unique and equals the file's name, with dashes.
	Name string
	// About says in a sentence what goes wrong and what is expected.
	About string
	// Story is a paragraph for `describe`: what happens, what it stands for
	// and where the expectation comes from.
	Story string
	// Topology is the name of a topology.Definition.
	Topology string
	// Load is the workload; the zero value is load.Default.
	Load load.Config
	// Phases in order. Exactly the ones of kind steady are held to the
	// steady objective.
	Phases []Phase
	// Asserts judge the record.
	Asserts []assert.Checker
	// Exercises names those of Asserts that About's claim hangs on: a run in
	// which one of them met no occasion to be tested does not pass. Each must be
	// in Asserts, once, whatever Apply makes of them; "leftovers" cannot be, for
	// it needs no occasion.
	Exercises []string
	// Tags group scenarios for `run --tag`: "process", "database".
	Tags []string
	// Set are switches of the topology and the load that the scenario needs
	// to differ from their defaults; a user's --set wins over them.
	Set map[string]string
	// Nodes counts the application nodes that it needs; 0 is the topology's
	// default.
	Nodes int
	// Companions are clients beside the mix.
	Companions []load.Companion
	// Cases are systems with what hachaos must say of each. The scenario as
	// it stands, which must pass, is not among them.
	Cases []Case
	// Settings are keys of --set that this scenario itself understands,
	// beside the topology's and the load's.
	Settings []topology.Switch
	// Apply returns the scenario changed by those settings; nil if there are
	// none. It validates them.
	Apply func(Scenario, map[string]string) (Scenario, error)
}

// Case is a system, made so by switches, and what must be said of it. At
// least one of a scenario's is broken on purpose: that is how its verdict is
// shown to be worth something.
type Case struct {
	// Name in a few words: "no deduplication". Unique in the scenario.
	Name string
	// Set are the switches, as of --set, on top of the scenario's own.
	Set map[string]string
	// Nodes counts the application nodes; 0 is the scenario's.
	Nodes int
	// Fails are the assertions that must fail, the one that the switch is
	// for first; none means that the run must pass.
	Fails []string
	// Also are those that may fail with them, since they rightly fire on the
	// same cause.
	Also []string
	// Because says why there is more than one; required if there is.
	Because string
	// Evidence must occur in the first assertion's first piece of evidence,
	// its class and text, or in its summary.
	Evidence string
	// Says is the same of the other assertions that fail, by their names; one
	// that is in neither may fail for any reason. Its keys are in Fails, but for
	// the first, or in Also: of one that need not fail it holds if it does.
	Says map[string]string
}

// Phase is a part of the run.
type Phase struct {
	Name string
	// Kind is one of history's Phase… kinds.
	Kind string
	// For is how long it lasts. A warm-up goes on, for at most twice that,
	// until every operation of a whole second was good and took no longer than
	// 500 ms.
	For time.Duration
	// Cover names bounds of the topology: For is extended to twice the
	// largest of them, so that a slow configuration is given the time that it
	// needs, and what it costs is seen whole. See Fitted.
	Cover []string
	// Await has the phase last until the acts of its faults, and its heals,
	// are over and proven, and then for For once more: a deployment takes as
	// long as the machine lets it.
	Await bool
	// Faults are injected when the phase begins.
	Faults []Injection
	// Heal undoes, when the phase begins, the faults injected under these
	// labels; "*" is all.
	Heal []string
}

// Injection aims a fault.
type Injection struct {
	// Label names it for Heal; unique in the scenario.
	Label string
	Fault fault.Fault
	Aim   Select
}

// Select chooses the targets of a fault. It must return at least one node:
// none is an error.
type Select struct {
	// Name says it in words: "one application node, by the seed".
	Name string
	Pick func(*rand.Rand, View) []topology.Node
	// Node is the name of a node that must exist for Pick to find one; empty
	// if it names none.
	Node string
	// Role is the role that this node must have; empty is any.
	Role topology.Role
}

// View is what a selection may look at.
type View struct {
	Nodes []topology.Node
	// Serving counts the sessions that are bound to each node now.
	Serving map[string]int
	// Users are the nodes that serve the users who are logged in now, by the
	// user's name.
	Users map[string]string
	// Owner is the balancer that owned the shared address when last asked;
	// empty if none did, or nobody asked.
	Owner string
}
