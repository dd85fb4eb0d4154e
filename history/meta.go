package history

import (
	"encoding/json"
	"time"
)

// Format is the version of the journal's format.
const Format = "hachaos.journal/1"

// Meta is the run as it was asked for: the journal's first event.
type Meta struct {
	Format   string `json:"format"`
	ID       string `json:"id"`       // the value of the run's label
	Scenario string `json:"scenario"` // its name
	About    string `json:"about,omitempty"`
	Topology string `json:"topology"`
	Profile  string `json:"profile,omitempty"`
	Seed     uint64 `json:"seed"`
	Version  string `json:"version"` // of hachaos
	// Machine is where the run was made, in words: processors, memory, kernel,
	// engine. Records of before it was kept have none.
	Machine   string    `json:"machine,omitempty"`
	StartedAt time.Time `json:"startedAt"`
	// Set holds the switches that differ from their defaults.
	Set map[string]string `json:"set,omitempty"`
	// Entry and Via are where the load went and how.
	Entry string `json:"entry,omitempty"`
	Via   string `json:"via,omitempty"`
	// Nodes in the topology's order.
	Nodes []NodeMeta `json:"nodes"`
	// Load is the workload as it was asked for.
	Load LoadMeta `json:"load"`
	// Bounds follow from the configuration.
	Bounds []Bound `json:"bounds,omitempty"`
	// Values are the settings that matter.
	Values []Value `json:"values,omitempty"`
	// Asserts are the checkers with their parameters: check builds them
	// again from here.
	Asserts []AssertMeta `json:"asserts"`
	// Exercises are the names of those of them that must have met an occasion
	// to be tested: the scenario is about them. Empty asks it of none in
	// particular.
	Exercises []string `json:"exercises,omitempty"`
	// Command repeats the run.
	Command string `json:"command,omitempty"`
	// Standing says that the topology outlives the run.
	Standing bool `json:"standing,omitempty"`
	// On is the name under which it stands; empty if it does not, and in
	// records of before it was kept.
	On string `json:"on,omitempty"`
	// Faultless says that the scenario asks for no fault: that none was
	// injected is then as it should be.
	Faultless bool `json:"faultless,omitempty"`
}

// NodeMeta is a node of the run.
type NodeMeta struct {
	Name   string `json:"name"`
	Role   string `json:"role"`
	Addr   string `json:"addr,omitempty"`
	Image  string `json:"image,omitempty"`
	Weight int    `json:"weight,omitempty"` // the balancer's, of an application node
}

// LoadMeta is the workload.
type LoadMeta struct {
	Rate     int           `json:"rate"`     // operations a second
	Sessions int           `json:"sessions"` // concurrent client sessions
	Timeout  time.Duration `json:"timeout"`  // the client's patience
	Retry    bool          `json:"retry"`    // an order is retried after an unknown outcome
	// Late is how much later than intended a send counts as late.
	Late time.Duration `json:"late"`
}

// Interval is the time between two operations; 0 if there is no rate.
func (l LoadMeta) Interval() time.Duration {
	if l.Rate <= 0 {
		return 0
	}
	return time.Second / time.Duration(l.Rate)
}

// Bound is a limit that follows from the configuration: topology.Bound as
// the journal keeps it.
type Bound struct {
	Name    string        `json:"name"`
	Limit   time.Duration `json:"limit"`
	Count   int           `json:"count,omitempty"`
	Formula string        `json:"formula"`
	Source  string        `json:"source"`
	File    string        `json:"file"`
}

// Value is one setting with its reason.
type Value struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
	File   string `json:"file"`
}

// AssertMeta is a checker as data.
type AssertMeta struct {
	Name   string          `json:"name"`
	Params json.RawMessage `json:"params,omitempty"`
}

// PhaseMeta is the data of a phase's beginning.
type PhaseMeta struct {
	Kind string        `json:"kind"` // see the Phase… constants
	For  time.Duration `json:"for"`  // as planned
}

// FaultMeta is the data of a FaultInject. Without it the act orders nothing of
// the engine.
type FaultMeta struct {
	// Orders are the acts of the engine that it orders at its targets, as
	// Engine.Action names them.
	Orders []string `json:"orders,omitempty"`
}

// FaultErrorMeta is the data of a FaultError. Without it the failure counts
// as an undo's if the fault's heal had begun.
type FaultErrorMeta struct {
	Undo bool `json:"undo"` // an undo failed, which makes the run dirty
}

// EndMeta is the data of the End, when a seal follows: its files once more,
// where the seal's sum covers them.
type EndMeta struct {
	Files []SealedFile `json:"files,omitempty"`
}
