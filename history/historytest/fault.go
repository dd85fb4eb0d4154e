package historytest

import (
	"time"

	"github.com/hachaos/hachaos/history"
)

// Fault is an injection that is being described; each call adds a line.
type Fault struct {
	b     *Builder
	id    int
	kind  string
	nodes []string
}

// Fault injects a fault at a time; it gets the next number.
func (b *Builder) Fault(kind string, at time.Duration, nodes ...string) *Fault {
	b.faults++
	f := &Fault{b: b, id: b.faults, kind: kind, nodes: nodes}
	return f.step(at, history.FaultInject, nil)
}

// Orders says what its act orders of the engine. It follows Fault.
func (f *Fault) Orders(actions ...string) *Fault {
	f.b.events[len(f.b.events)-1].Data = f.b.data(history.FaultMeta{Orders: actions})
	return f
}

// ID is its number.
func (f *Fault) ID() int { return f.id }

// Active proves that it bites as asked, at a time.
func (f *Fault) Active(at time.Duration) *Fault {
	return f.Proof(at, history.Proof{OK: true, Asked: "down", Measured: "down"})
}

// Proof adds any proof that it bites, or does not.
func (f *Fault) Proof(at time.Duration, p history.Proof) *Fault {
	return f.step(at, history.FaultActive, &p)
}

// Held adds a look shortly before the undo.
func (f *Fault) Held(at time.Duration, p history.Proof) *Fault {
	return f.step(at, history.FaultHeld, &p)
}

// Heal begins its undo.
func (f *Fault) Heal(at time.Duration) *Fault { return f.step(at, history.FaultHeal, nil) }

// Healed proves that it has healed, at a time.
func (f *Fault) Healed(at time.Duration) *Fault {
	return f.HealProof(at, history.Proof{OK: true, Asked: "up", Measured: "up"})
}

// HealProof adds any proof that it has healed, or has not.
func (f *Fault) HealProof(at time.Duration, p history.Proof) *Fault {
	return f.step(at, history.FaultHealed, &p)
}

// Error adds an act that failed, or an undo.
func (f *Fault) Error(at time.Duration, err string, undo bool) *Fault {
	f.b.Event(history.Event{
		At: at, Kind: history.FaultError, Name: f.kind, Nodes: f.nodes, Fault: f.id, Err: err,
		Data: f.b.data(history.FaultErrorMeta{Undo: undo}),
	})
	return f
}

func (f *Fault) step(at time.Duration, kind history.Kind, p *history.Proof) *Fault {
	e := history.Event{At: at, Kind: kind, Name: f.kind, Nodes: f.nodes, Fault: f.id}
	if p != nil {
		e.Data = f.b.data(p)
	}
	f.b.Event(e)
	return f
}
