// Package wiring ties the parts together for the programs that run on this
// machine's engine: the command line and hachaostest.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/topology"
	"github.com/hachaos/hachaos/topology/docker"
	"github.com/hachaos/hachaos/topology/docker/agent"
)

// Agent takes over, and does not return, in a process that hachaos started
// from its own executable; in any other it returns at once. It must run
// before flags are read.
func Agent() {
	agent.Main(agent.Programs{agent.Reaper: docker.Reaper(heal)})
}

// heal carries out an undo log on the nodes that still exist; late is how long
// what the log's run did may go on without it.
func heal(ctx context.Context, nodes []topology.Node, undoLog string) (late time.Duration, err error) {
	entries, err := fault.ReadLog(undoLog)
	if err != nil {
		err = fmt.Errorf("undo log: %w", err) // what could be read is undone all the same
	}
	return goesOn(entries), errors.Join(err, fault.UndoAll(ctx, nodes, entries))
}

// goesOn is how long the engine may still be about to end a container that one
// of the entries would have started again: the grace of a stop, as far as it
// is the faults' default. Nothing else that they ask for takes its time.
func goesOn(entries []fault.Entry) time.Duration {
	for _, e := range entries {
		if e.Undo == fault.ContainerRunning || e.Undo == fault.RestartMarkAbsent {
			return fault.DefaultGrace + time.Second // in which the engine acts
		}
	}
	return 0
}

// Session is an open engine and what runs on it.
type Session struct {
	Driver *docker.Driver
	Runner *harness.Runner
}

// Open finds the engine. The runs' folders go to dir.
func Open(ctx context.Context, dir, version string) (*Session, error) {
	d, err := docker.Open(ctx, docker.Options{})
	if err != nil {
		return nil, err
	}
	machine := Machine()
	if engine := d.Version(ctx); engine != "" {
		machine += ", engine " + engine
	}
	return &Session{Driver: d, Runner: &harness.Runner{Driver: d, Dir: dir, Version: version, Machine: machine, Guard: guard(d)}}, nil
}

// Close lets go of the engine.
func (s *Session) Close() error { return s.Driver.Close() }

// guard starts a reaper beside each run.
func guard(d *docker.Driver) func(context.Context, harness.Guarded) (func(context.Context) error, error) {
	return func(ctx context.Context, g harness.Guarded) (func(context.Context) error, error) {
		r, err := d.StartReaper(ctx, docker.ReaperOptions{RunID: g.ID, UndoLog: g.UndoLog, HealOnly: g.Standing != ""})
		if err != nil {
			return nil, fmt.Errorf("reaper: %w", err)
		}
		return r.Release, nil
	}
}
