package trust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/load"
	"github.com/hachaos/hachaos/observe"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/fake"
)

// generators are mutants of what makes the load.
func generators() []Mutant {
	nodeKilled, balancerDown := control("node-killed", killed), control("balancer-killed", balancerKilled)
	return []Mutant{
		{
			Name: "generator-starved", Title: "The generator may have one operation outstanding, and drops what goes beyond that.",
			Stands:  "a pool of workers that is capped below what an outage needs",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"generator on time", "the generator dropped"},
			Run: once(killed, func(m *memory) { m.scenario.Load.Ceiling = 1 }),
		},
		{
			Name: "generator-stalled", Title: "The generator stands still for a second, and then sends all that was due.",
			Stands:  "a pause of the process: a collection of garbage, a suspended virtual machine",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"generator on time", "sent more than 5ms late"},
			Run: restated(stalled(steadyAgain, time.Second)),
		},
		{
			Name: "generator-without-sockets", Title: "The generator's machine has no file descriptor, or no port, left for a new connection.",
			Stands:  "a limit of open files, or a machine full of connections that were just closed",
			Control: balancerDown, Ends: Inconclusive, Says: []string{"generator on time", "the generator dropped"},
			Run: each(balancerKilled, []string{"files", "ports"}, func(m *memory, name string) {
				var poor atomic.Bool
				m.at = map[string]func(){healed: func() { poor.Store(true) }}
				m.cluster = func(c *fake.Cluster) topology.Cluster {
					return socketless{c, &poor, map[string]syscall.Errno{"files": syscall.EMFILE, "ports": syscall.EADDRNOTAVAIL}[name]}
				}
			}),
		},
		{
			Name: "machine-starved", Title: "The machine has no processor to spare, so that answers are slow.",
			Stands:  "a run beside a build on the same machine",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"while the machine was 95 % busy or more", "the result hangs on them"},
			Run: once(killed, slowly(history.Host{Busy: 1})),
		},
		{
			Name: "disk-stands-still", Title: "The machine's disk stands still, so that answers are slow.",
			Stands:  "a snapshot of the machine, or another's writes to the same disk",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"or its disk stood still", "the result hangs on them"},
			Run: once(killed, slowly(history.Host{Busy: 0.3, Disk: 1})),
		},
		{
			Name: "machine-short-before", Title: "The machine has no processor to spare before the fault, and reads fail after it.",
			Stands:  "a run beside a long build",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"the machine was short before any fault", "of phase " + steady},
			Run: restated(func(events []history.Event) ([]history.Event, error) {
				before, err := beginning(events, steady)
				if err != nil {
					return nil, err
				}
				again, err := beginning(events, steadyAgain)
				if err != nil {
					return nil, err
				}
				return starved(turnedAway(events, again, again+time.Second), before, before+1500*time.Millisecond), nil
			}),
		},
		{
			Name: "machine-leaves-checks-no-time", Title: "Health checks wait for the machine, until a balancer has no server left and turns reads away.",
			Stands:  "a node that starts on a machine of one processor, beside the only other one",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"turned away, while the machine was 95 % busy or more", "the result hangs on them"},
			Run: restated(func(events []history.Event) ([]history.Event, error) {
				from, err := beginning(events, steadyAgain)
				if err != nil {
					return nil, err
				}
				to := from + time.Second
				return starved(heldDown(turnedAway(events, from, to), from, to), from-2*time.Second, to), nil
			}),
		},
		{
			Name: "too-few-operations", Title: "Twenty operations a second are sent where forty were to be.",
			Stands:  "a rate for a test on somebody's own machine that was left in",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"fewer than 50"},
			Run: once(killed, func(m *memory) { m.scenario.Load.Rate = 20 }),
		},
		{
			Name: "no-operation", Title: "No operation is sent at all.",
			Stands:  "a load that begins when the run is over",
			Control: nodeKilled, Ends: Inconclusive, Says: []string{"nothing was sent"},
			Run: once(killed, func(m *memory) {
				m.beforeTheLoad()
			}),
		},
	}
}

// beforeTheLoad has the run end before the first operation is due.
func (m *memory) beforeTheLoad() {
	m.scenario.Load = load.Config{Rate: 1}
	p := m.scenario.Phases
	for i := range p {
		p[i].For = 50 * time.Millisecond
	}
	p[0].Kind = history.PhaseSteady   // a warm-up would wait for the load
	p[2].For = 500 * time.Millisecond // until the fault is proven
}

// slowly has the answers of the last phase be slow, and that be seen of the machine.
func slowly(sees history.Host) func(*memory) {
	return func(m *memory) {
		var short atomic.Bool
		m.at = map[string]func(){steadyAgain: func() { short.Store(true) }}
		m.cluster = func(c *fake.Cluster) topology.Cluster { return slowed{c, &short} }
		m.observers = func(all []observe.Observer) []observe.Observer { return append(all, looking{sees}) }
	}
}

// slowed is a cluster whose answers take 600 ms to be read while the machine
// is short.
type slowed struct {
	*fake.Cluster
	short *atomic.Bool
}

// DialContext implements topology.Dialer.
func (s slowed) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.Cluster.DialContext(ctx, network, address)
	if err != nil || "http://"+address != s.Entry().URL {
		return c, err
	}
	return slowConn{c, s.short}, nil
}

type slowConn struct {
	net.Conn
	short *atomic.Bool
}

// Read implements net.Conn.
func (c slowConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.short.Load() {
		time.Sleep(600 * time.Millisecond)
	}
	return n, err
}

// looking is an observer that sees the same of the machine, each second.
type looking struct{ sees history.Host }

// Name implements observe.Observer.
func (looking) Name() string { return "host" }

// Observe implements observe.Observer.
func (l looking) Observe(ctx context.Context, sink history.Sink) error {
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		sink.Put(history.Observe(time.Since(began), l.sees))
		select {
		case <-tick.C:
		case <-ctx.Done():
			sink.Put(history.Observe(time.Since(began), history.Coverage{Stream: history.StreamHost, Complete: true}))
			return nil
		}
	}
}

// starved has the machine be busy from one time to another.
func starved(events []history.Event, from, to time.Duration) []history.Event {
	events = without(events, func(e *history.Event) bool {
		return e.Kind == history.Observed && e.Name == history.StreamHost && from <= e.At && e.At <= to
	})
	for at := from; at <= to; at += 250 * time.Millisecond {
		events = append(events, history.Observe(at, history.Host{Busy: 1}))
	}
	return events
}

// turnedAway has the balancer answer 503 by itself to the reads that are due
// from one time to another.
func turnedAway(events []history.Event, from, to time.Duration) []history.Event {
	for i := range events {
		e := &events[i]
		if e.Op == nil || e.Name != history.OpSessionRead || !e.Kind.Completes() || e.Op.Intended < from || e.Op.Intended > to {
			continue
		}
		e.Kind = history.Fail
		e.Op.Status, e.Op.Error, e.Op.Node, e.Op.Version = http.StatusServiceUnavailable, history.ErrStatus, "", ""
	}
	return events
}

// heldDown has each balancer hold j2 for down from one time to another, since
// its checks were not answered in time.
func heldDown(events []history.Event, from, to time.Duration) []history.Event {
	for _, lb := range []string{"lb1", "lb2"} {
		look := history.Server{Balancer: lb, Server: "j2", Status: "UP", Up: true, Check: "L7OK"}
		events = append(events, history.Observe(from, look))
		look.Status, look.Up, look.Check = "DOWN", false, "L7TOUT"
		events = append(events, history.Observe(from+time.Millisecond, look), history.Observe(to, look))
	}
	return without(events, func(e *history.Event) bool {
		return e.Kind == history.Observed && e.Name == history.StreamServer && from < e.At && e.At < to && !bytes.Contains(e.Data, []byte("L7TOUT"))
	})
}

// stalled has the generator stand still from the beginning of the phase on:
// what was due meanwhile is sent, and ends, as much later.
func stalled(phase string, d time.Duration) change {
	return func(events []history.Event) ([]history.Event, error) {
		from, err := beginning(events, phase)
		if err != nil {
			return nil, err
		}
		late := func(due time.Duration) time.Duration {
			if due < from || due >= from+d {
				return 0
			}
			return from + d - due
		}
		by := map[uint64]time.Duration{} // by operation
		for i := range events {
			if c := events[i].Op; c != nil {
				by[c.ID] = late(c.Intended)
			}
		}
		for i := range events {
			delay(&events[i], by)
		}
		return events, nil
	}
}

// delay puts off what an operation that was sent late did, and left behind.
func delay(e *history.Event, by map[uint64]time.Duration) {
	switch {
	case e.Op != nil:
		d := by[e.Op.ID]
		e.At += d
		if e.Kind.Completes() {
			e.Op.Late, e.Op.Sent, e.Op.End = e.Op.Late+d, e.Op.Sent+d, e.Op.End+d
		}
	case e.Name == history.StreamReceipt, e.Name == history.StreamDispatch:
		var of struct{ Op uint64 }
		if json.Unmarshal(e.Data, &of) == nil {
			e.At += by[of.Op]
		}
	}
}

// beginning is when the phase begins; that it does not is an error.
func beginning(events []history.Event, phase string) (time.Duration, error) {
	for i := range events {
		if events[i].Kind == history.PhaseBegin && events[i].Name == phase {
			return events[i].At, nil
		}
	}
	return 0, errors.New("the record has no phase " + phase)
}

// balancerKilled is a run in which the VIP's owner is killed, so that all
// clients connect anew.
func balancerKilled() *memory {
	m := suffering(fault.BalancerKill{}, harness.Named("lb1"))
	m.scenario.Asserts = []assert.Checker{assert.SessionSurvival{}, assert.ErrorBudget{Steady: 98, Overall: 50}, assert.Leftovers{}}
	return m
}

// socketless is a cluster that the load cannot connect to, for want of the
// generator's own machine.
type socketless struct {
	*fake.Cluster
	poor *atomic.Bool
	err  syscall.Errno
}

func (s socketless) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if s.poor.Load() && "http://"+address == s.Entry().URL {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", s.err)}
	}
	return s.Cluster.DialContext(ctx, network, address)
}
