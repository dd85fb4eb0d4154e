package historytest

import (
	"slices"
	"sync"

	"github.com/hachaos/hachaos/history"
)

// Sink keeps the events that it is given, for the tests of those who put
// them. The zero value is ready; it is safe for concurrent use.
type Sink struct {
	mu     sync.Mutex
	events []history.Event
}

// Put keeps a copy of the event, numbered.
func (s *Sink) Put(e history.Event) {
	if e.Op != nil {
		c := *e.Op
		c.Tries = slices.Clone(c.Tries)
		e.Op = &c
	}
	e.Nodes, e.Data = slices.Clone(e.Nodes), slices.Clone(e.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Seq = uint64(len(s.events)) + 1
	s.events = append(s.events, e)
}

// Events are those put so far.
func (s *Sink) Events() []history.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Build makes a history of those put so far, or ends the test.
func (s *Sink) Build(t TB) *history.History {
	t.Helper()
	h, err := history.FromEvents(s.Events())
	if err != nil {
		t.Fatalf("build history: %v", err)
	}
	return h
}
