package gameday

import (
	"encoding/json"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
)

// mended is a fault that a runbook ends before its undo does: it does not
// endure, and is as it was otherwise.
type mended struct{ fault.Fault }

// asMended has a fault be one that may be over before its undo.
func asMended(f fault.Fault) fault.Fault {
	m := mended{f}
	demanding, demands := f.(fault.Demanding)
	eventful, begins := f.(fault.Eventful)
	switch {
	case demands && begins:
		return struct {
			mended
			demand
			event
		}{m, demand{demanding}, event{eventful}}
	case demands:
		return struct {
			mended
			demand
		}{m, demand{demanding}}
	case begins:
		return struct {
			mended
			event
		}{m, event{eventful}}
	}
	return m
}

// allMended has all faults of a phase be so.
func allMended(all []harness.Injection) []harness.Injection {
	out := make([]harness.Injection, len(all))
	for i, in := range all {
		in.Fault = asMended(in.Fault)
		out[i] = in
	}
	return out
}

// MarshalJSON gives the fault's own parameters.
func (m mended) MarshalJSON() ([]byte, error) { return json.Marshal(m.Fault) }

// Takes implements fault.Lasting; 0 is what any act takes.
func (m mended) Takes() time.Duration {
	if f, ok := m.Fault.(fault.Lasting); ok {
		return f.Takes()
	}
	return 0
}

// Shows implements fault.Gradual; 0 is what any proof takes.
func (m mended) Shows() time.Duration {
	if f, ok := m.Fault.(fault.Gradual); ok {
		return f.Shows()
	}
	return 0
}

// Victims implements fault.Indirect; none are those among the targets.
func (m mended) Victims() []string {
	if f, ok := m.Fault.(fault.Indirect); ok {
		return f.Victims()
	}
	return nil
}

// Suffers implements fault.Directed; all of a fault's that is not directed do.
func (m mended) Suffers(n topology.Node) bool {
	if f, ok := m.Fault.(fault.Directed); ok {
		return f.Suffers(n)
	}
	return true
}

// Orders implements fault.Ordering.
func (m mended) Orders() []string {
	if f, ok := m.Fault.(fault.Ordering); ok {
		return f.Orders()
	}
	return nil
}

// demand is what a fault asks of the kernel. It embeds nothing, so that the
// fault's own methods are those of mended.
type demand struct{ of fault.Demanding }

// Demands implements fault.Demanding.
func (d demand) Demands() topology.Feature { return d.of.Demands() }

// Instead implements fault.Demanding.
func (d demand) Instead() string { return d.of.Instead() }

// event is the engine's event with which a fault begins.
type event struct{ of fault.Eventful }

// Begins implements fault.Eventful.
func (e event) Begins() string { return e.of.Begins() }
