// Package historytest makes histories for the tests of those who judge them:
// literal ones, line by line, and large random ones in which every answer is
// right but for what was planted.
package historytest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/hachaos/hachaos/history"
)

// TB is what a builder needs of a *testing.T.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Builder collects what a literal history holds, in any order: the lines are
// sorted by time, and where times are equal they stay as they were given.
// Make one by New. It is not safe for concurrent use.
type Builder struct {
	meta   history.Meta
	events []history.Event
	ops    map[uint64]*history.Call
	next   uint64
	faults int
	err    error
}

// New begins a history: application nodes j1 and j2, balancers lb1 and lb2,
// database db; 100 operations a second of 10 sessions, with a patience of
// 10 s, retries and 5 ms until late. Meta changes that.
func New() *Builder {
	return &Builder{ops: map[uint64]*history.Call{}, next: 1, meta: history.Meta{
		Format: history.Format, ID: "test", Scenario: "literal", Topology: "literal", Seed: 1,
		Nodes: []history.NodeMeta{
			{Name: "j1", Role: "application", Weight: 100},
			{Name: "j2", Role: "application", Weight: 100},
			{Name: "lb1", Role: "balancer"},
			{Name: "lb2", Role: "balancer"},
			{Name: "db", Role: "database"},
		},
		Load: history.LoadMeta{Rate: 100, Sessions: 10, Timeout: 10 * time.Second, Retry: true, Late: 5 * time.Millisecond},
	}}
}

// Meta changes what the run was asked for.
func (b *Builder) Meta(change func(*history.Meta)) *Builder {
	change(&b.meta)
	return b
}

// Event adds a line as it is; its Seq is set by its place.
func (b *Builder) Event(e history.Event) *Builder {
	e.Seq = 0
	b.events = append(b.events, e)
	return b
}

// Phase adds a phase that ends; kind is one of history's Phase kinds.
func (b *Builder) Phase(name, kind string, from, to time.Duration) *Builder {
	b.Event(history.Event{At: from, Kind: history.PhaseBegin, Name: name, Data: b.data(history.PhaseMeta{Kind: kind, For: to - from})})
	return b.Event(history.Event{At: to, Kind: history.PhaseEnd, Name: name})
}

// See adds an observation, whose type tells its stream.
func (b *Builder) See(at time.Duration, v any) *Builder {
	stream, ok := history.StreamOf(v)
	if !ok {
		b.fail(fmt.Errorf("a %T is no observation", v))
	}
	return b.Event(history.Event{At: at, Kind: history.Observed, Name: stream, Data: b.data(v)})
}

// Row adds an order to the ledger: that of the operation's attempt, with the
// operation's key. The operation must be known already.
func (b *Builder) Row(at time.Duration, order int64, op uint64, attempt int, node string) *Builder {
	c, ok := b.ops[op]
	if !ok {
		b.fail(fmt.Errorf("a row of operation %d, which is not known", op))
		return b
	}
	return b.See(at, history.LedgerRow{Order: order, Key: c.Key, Op: op, Attempt: attempt, Node: node, Version: "1"})
}

// Covered adds a complete account of each stream.
func (b *Builder) Covered(at time.Duration, streams ...string) *Builder {
	for _, s := range streams {
		b.See(at, history.Coverage{Stream: s, Complete: true})
	}
	return b
}

// Clock adds a pair of the clocks; wall is in Unix nanoseconds.
func (b *Builder) Clock(mono time.Duration, wall int64) *Builder {
	return b.Event(history.ClockPair{Mono: mono, Wall: wall}.Event())
}

// Aborted breaks the run off.
func (b *Builder) Aborted(at time.Duration, why string) *Builder {
	return b.Event(history.Event{At: at, Kind: history.Aborted, Err: why})
}

// Events gives the lines, sorted and with the run before them. Those who watch
// the engine and the nodes account for themselves at the end, unless something
// was said of them.
func (b *Builder) Events() ([]history.Event, error) {
	run := history.Event{Kind: history.Run, Data: b.data(b.meta)}
	events := slices.Concat([]history.Event{run}, b.events, b.accounts())
	slices.SortStableFunc(events[1:], func(x, y history.Event) int { return cmp.Compare(x.At, y.At) })
	return events, b.err
}

// accounts are the complete ones of the engine and the nodes, as far as none
// was given.
func (b *Builder) accounts() []history.Event {
	given, end := map[string]bool{}, time.Duration(0)
	for _, e := range b.events {
		end = max(end, e.At)
		var c history.Coverage
		if e.Kind == history.Observed && e.Name == history.StreamCoverage {
			b.fail(json.Unmarshal(e.Data, &c))
		}
		given[c.Stream] = true
	}
	own := Builder{}
	for _, stream := range []string{history.StreamEngine, history.StreamNode} {
		if !given[stream] {
			own.Covered(end, stream)
		}
	}
	return own.events
}

// Build makes the history, or ends the test.
func (b *Builder) Build(t TB) *history.History {
	t.Helper()
	events, err := b.Events()
	if err != nil {
		t.Fatalf("build history: %v", err)
	}
	h, err := history.FromEvents(events)
	if err != nil {
		t.Fatalf("build history: %v", err)
	}
	return h
}

// Save writes a sealed journal into dir, over the named files of it, or ends
// the test.
func (b *Builder) Save(t TB, dir string, files ...string) {
	t.Helper()
	events, err := b.Events()
	if err != nil {
		t.Fatalf("build history: %v", err)
	}
	w, err := history.Create(filepath.Join(dir, history.Journal))
	if err != nil {
		t.Fatalf("save history: %v", err)
	}
	for _, e := range events {
		w.Put(e)
	}
	err = w.Seal(dir, files)
	if err := cmp.Or(err, w.Close()); err != nil {
		t.Fatalf("save history: %v", err)
	}
}

func (b *Builder) data(v any) json.RawMessage {
	data, err := json.Marshal(v)
	b.fail(err)
	return data
}

// fail keeps the first error for Build.
func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
