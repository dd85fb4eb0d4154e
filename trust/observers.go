package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// observers are mutants of what watches the system, and of what reads it after
// the load.
func observers() []Mutant {
	nodeKilled := control("node-killed", killed)
	return []Mutant{
		{
			Name: "observer-died", Title: "An observer dies in the run, and gives no account of itself: of a node, of a balancer.",
			Stands:  "a panic, or a process that is killed for want of memory",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"it panicked: index out of range"},
			Run: each(killed, []string{"log j1", "vip lb2"}, func(m *memory, name string) {
				m.watching(name, func(o observe.Observer) observe.Observer { return mortal{o} })
			}),
		},
		{
			Name: "observer-endless", Title: "An observer does not end with the run.",
			Stands:  "a read without a limit of time",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer vip lb2 did not end in time"},
			Run: once(killed, func(m *memory) {
				m.watching("vip lb2", func(o observe.Observer) observe.Observer { return endless{o} })
			}),
		},
		{
			Name: "observer-late", Title: "An observer has seen nothing yet when the load begins.",
			Stands:  "a helper that takes its time to start on a busy machine",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer vip lb1", "had seen nothing when the load began"},
			Run: once(killed, func(m *memory) {
				m.watching("vip lb1", func(o observe.Observer) observe.Observer { return late{o} })
			}),
		},
		{
			Name: "balancer-lost-lines", Title: "The balancers lose lines of their log, and count them.",
			Stands:  "a log whose pipe is full",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (dispatch)", "lb1 lost lines of its log"},
			Run: once(killed, func(m *memory) { m.system.Options.LoseLogs = true }),
		},
		{
			Name: "balancer-log-lost-on-the-way", Title: "Lines of a balancer's log are lost between it and hachaos.",
			Stands:  "a log driver that drops what it cannot deliver",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (dispatch)"},
			Run: once(killed, func(m *memory) {
				m.logs("lb1", func(n int, _ []byte) bool { return n%50 != 7 })
			}),
		},
		{
			Name: "node-log-lost-on-the-way", Title: "Lines of a node's log are lost between it and hachaos.",
			Stands:  "a log driver that drops what it cannot deliver",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (receipt)", "not in the log of who answered"},
			Run: once(killed, func(m *memory) {
				m.logs("j2", func(n int, _ []byte) bool { return n%50 != 7 })
			}),
		},
		{
			Name: "log-garbled", Title: "Lines of a log are cut in the middle: of a balancer, of a node.",
			Stands:  "two writers that share a pipe",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete"},
			Run: each(killed, []string{"lb1", "j2"}, func(m *memory, name string) {
				m.cluster = func(c *fake.Cluster) topology.Cluster {
					return logs{c, name, func(_ context.Context, w io.Writer) io.Writer { return &garbler{to: w} }, nil}
				}
			}),
		},
		{
			Name: "log-ends-early", Title: "A component's log ends while the run goes on: of a balancer, of a node.",
			Stands:  "a log that is rotated away under its reader",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete", "it ended before the run did"},
			Run: each(killed, []string{"lb1", "j2"}, func(m *memory, name string) {
				m.cluster = func(c *fake.Cluster) topology.Cluster {
					return logs{c, name, nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
						return context.WithTimeout(ctx, inTheRun)
					}}
				}
			}),
		},
		{
			Name: "node-transitions-lost", Title: "What the victim logged of its own state is lost on the way; its receipts are not.",
			Stands:  "a log driver with a filter, or a level of logging",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (transition)", "j1 was started at ", "logged no state of its own"},
			Run: once(killed, func(m *memory) {
				m.logs("j1", func(_ int, line []byte) bool { return !strings.Contains(string(line), `"transition"`) })
			}),
		},
		{
			Name: "never-quiet", Title: "The system is read while it still works on requests.",
			Stands:  "a fixed sleep before the reading",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"the system was not quiet when it was read"},
			Run: once(killed, func(m *memory) {
				m.quiesce = func(context.Context) error { return errors.New("j1 has 3 in flight") }
			}),
		},
		{
			Name: "ledger-unread", Title: "The ledger cannot be read.",
			Stands:  "a database that refuses one connection more",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (ledger)", "too many clients"},
			Run: once(killed, func(m *memory) { m.ledger = unread(history.StreamLedger) }),
		},
		{
			Name: "ledger-unread-in-silence", Title: "The ledger is not read, and nobody says so.",
			Stands:  "an error that is dropped",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (ledger)", "no observer gave an account of itself"},
			Run: once(killed, func(m *memory) { m.ledger = func(context.Context, history.Sink) error { return nil } }),
		},
		{
			Name: "ledger-rows-lost", Title: "Rows of the ledger are lost between their reading and the record.",
			Stands:  "a buffer that is full",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"observer complete (ledger)", "its observers saw"},
			Run: once(killed, func(m *memory) { m.reads = lossy(history.StreamLedger) }),
		},
		{
			Name: "standing-ledger-rows-lost", Title: "On a topology that stands, rows of the ledger are lost between their reading and the record.",
			Stands:  "a buffer that is full",
			Control: control("standing", standing), Ends: Inconclusive, Says: []string{"observer complete (ledger)", "its observers saw"},
			Run: once(standing, func(m *memory) { m.reads = lossy(history.StreamLedger) }),
		},
		{
			Name: "sessions-unread", Title: "The sessions cannot be read.",
			Stands:  "an entry that refuses one client more",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"session-survival", "observer complete (session)"},
			Run: once(killed, func(m *memory) { m.sessions = unread(history.StreamSession) }),
		},
		{
			Name: "sessions-lost", Title: "What was read of some sessions is lost before it is in the record.",
			Stands:  "a buffer that is full",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"session-survival", "observer complete (session)", "its observers saw"},
			Run: once(killed, func(m *memory) { m.reads = lossy(history.StreamSession) }),
		},
		{
			Name: "record-full", Title: "An observation does not fit into the record, and is lost with the seal.",
			Stands:  "a disk that is full",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"The record has no seal", "was broken off"},
			Run: once(killed, func(m *memory) {
				m.observers = func(all []observe.Observer) []observe.Observer { return append(all, endlessLine{}) }
			}),
		},
	}
}

// inTheRun is a time of the run in the baseline.
const inTheRun = 2 * time.Second

// watching has wrap's observer take the place of the one of that name.
func (m *memory) watching(name string, wrap func(observe.Observer) observe.Observer) {
	m.observers = func(all []observe.Observer) []observe.Observer {
		for i, o := range all {
			if o.Name() == name {
				all[i] = wrap(o)
			}
		}
		return all
	}
}

// mortal is an observer that dies in the run, with no account of itself.
type mortal struct{ observe.Observer }

// Observe implements observe.Observer.
func (o mortal) Observe(ctx context.Context, sink history.Sink) error {
	alive, cancel := context.WithTimeout(ctx, inTheRun)
	defer cancel()
	err := o.Observer.Observe(alive, unaccounted{sink})
	panic(fmt.Sprintf("index out of range (%v)", err))
}

// unaccounted leaves accounts out.
type unaccounted struct{ history.Sink }

// Put implements history.Sink.
func (s unaccounted) Put(e history.Event) {
	if e.Name != history.StreamCoverage {
		s.Sink.Put(e)
	}
}

// endless is an observer that does not end for ten minutes.
type endless struct{ observe.Observer }

// Observe implements observe.Observer.
func (o endless) Observe(ctx context.Context, sink history.Sink) error {
	err := o.Observer.Observe(ctx, unaccounted{sink})
	time.Sleep(10 * time.Minute)
	return err
}

// late is an observer that has to set something up, and does not get there.
type late struct{ observe.Observer }

// Begun implements observe.Beginner.
func (late) Begun() <-chan struct{} { return make(chan struct{}) }

// endlessLine is an observer of something too long for a journal.
type endlessLine struct{}

// Name implements observe.Observer.
func (endlessLine) Name() string { return "too much" }

// Observe implements observe.Observer.
func (endlessLine) Observe(_ context.Context, sink history.Sink) error {
	sink.Put(history.Observe(0, history.NodeInfo{Node: strings.Repeat("j", history.MaxLine)}))
	return nil
}

// unread is a reading that says that it failed.
func unread(stream string) func(context.Context, history.Sink) error {
	return func(_ context.Context, sink history.Sink) error {
		err := errors.New("sorry, too many clients already")
		sink.Put(history.Observe(0, history.Coverage{Stream: stream, Reason: err.Error()}))
		return err
	}
}

// lossy loses every tenth observation of a stream.
func lossy(stream string) func(history.Sink) history.Sink {
	return func(to history.Sink) history.Sink { return &losing{to: to, stream: stream} }
}

type losing struct {
	to     history.Sink
	stream string
	n      atomic.Int64
}

// Put implements history.Sink.
func (l *losing) Put(e history.Event) {
	if e.Name == l.stream {
		if l.n.Add(1)%10 == 0 {
			return
		}
	}
	l.to.Put(e)
}

// logs is a cluster one of whose logs is not what the component wrote.
type logs struct {
	*fake.Cluster
	of    string
	wrap  func(context.Context, io.Writer) io.Writer                  // nil: as it is
	until func(context.Context) (context.Context, context.CancelFunc) // nil: to the end
}

// Logs implements topology.Cluster.
func (l logs) Logs(ctx context.Context, node string, since time.Time, w io.Writer) error {
	if node != l.of {
		return l.Cluster.Logs(ctx, node, since, w)
	}
	if l.wrap != nil {
		w = l.wrap(ctx, w)
	}
	if l.until != nil {
		var cancel context.CancelFunc
		ctx, cancel = l.until(ctx)
		defer cancel()
	}
	return l.Cluster.Logs(ctx, node, since, w)
}

// logs keeps those lines of a node's log, by their number, that keep says.
func (m *memory) logs(name string, keep func(n int, line []byte) bool) {
	m.cluster = func(c *fake.Cluster) topology.Cluster {
		return logs{c, name, func(_ context.Context, w io.Writer) io.Writer { return &sieve{to: w, keep: keep} }, nil}
	}
}

// sieve passes lines on, of which there is one a Write.
type sieve struct {
	to   io.Writer
	keep func(n int, line []byte) bool
	n    int
}

// Write implements io.Writer.
func (s *sieve) Write(line []byte) (int, error) {
	s.n++
	if !s.keep(s.n, line) {
		return len(line), nil
	}
	return s.to.Write(line)
}

// garbler cuts every fiftieth line in the middle.
type garbler struct {
	to io.Writer
	n  int
}

// Write implements io.Writer.
func (g *garbler) Write(line []byte) (int, error) {
	if g.n++; g.n%50 == 7 {
		line = append(bytes.Clone(line[:len(line)/2]), '\n')
	}
	_, err := g.to.Write(line)
	return len(line), err
}
