package harness

import (
	"time"

	"github.com/hachaos/hachaos/load"
)

// Progress shows a run to people while it goes on. Its methods are called
// from several goroutines and must return at once. Nothing a verdict rests on
// passes through it.
type Progress interface {
	// Step is something that happened, in words.
	Step(text string)
	// Tick is the state of the run, about four times a second.
	Tick(Tick)
}

// Tick is a run at one moment. What it points at is not written again.
type Tick struct {
	At time.Duration // since the run's start
	// Phase is the one that runs: the Number-th, from 1, of Of. By plan it
	// lasts until Ends, since the run's start; it may last longer.
	Phase      string
	Number, Of int
	Ends       time.Duration
	// Load is how the load goes.
	Load load.Stats
	// Nodes are the application's, in the topology's order.
	Nodes []NodeTick
	// Owners are the balancers that owned the shared address when they were
	// asked last, sorted: one, if all is well.
	Owners []string
	// Faults are those in place now, sorted: the kind and its targets.
	Faults []string
}

// NodeTick is an application node at one moment.
type NodeTick struct {
	Name string
	// Ready is what its readiness said when polled last, and false before
	// that.
	Ready bool
}

// Ready counts the nodes that are.
func (t Tick) Ready() int {
	n := 0
	for _, node := range t.Nodes {
		if node.Ready {
			n++
		}
	}
	return n
}
