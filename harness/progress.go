package harness

import "time"

// Progress shows a run to people while it goes on. Its methods are called
// from several goroutines and must return at once. Nothing a verdict rests on
// passes through it.
type Progress interface {
	// Step is something that happened, in words.
	Step(text string)
	// Tick is the state of the run, about four times a second.
	Tick(Tick)
}

// Tick is a run at one moment.
type Tick struct {
	At    time.Duration // since the run's start
	Phase string
	// Rate and Errors are operations a second, now, and bad ones so far.
	Rate   float64
	Errors uint64
	// Up of Nodes application nodes are ready.
	Up, Nodes int
	// Fault is what is in place now; empty if nothing is.
	Fault string
}
