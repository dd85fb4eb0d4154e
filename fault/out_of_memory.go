package fault

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hachaos/hachaos/topology"
)

// OutOfMemory lets the kernel's out-of-memory killer end the application's
// process: the container's limit of memory is lowered to little more than it
// holds, and something in it goes on taking more. The kernel kills what holds
// most, which is the application. Its container, of which it is not the first
// process, runs on, and its connections are reset, as the kernel does for any
// process that dies. The zero value is ready to use.
//
// The proof is the kernel's own count of such kills in the container's
// cgroup: the engine's mark (OOMKilled) is set only when the container itself
// ends, and a supervisor as its first process keeps it alive.
type OutOfMemory struct {
	// Port is the TCP port whose refusal is part of the proof; 0 is the one
	// that the node says it serves.
	Port int `json:"port,omitempty"`
}

// outOfMemoryRoom is how much the container may take, in bytes, beyond what it
// holds and cannot give back, as it could its file cache. What is put into it
// takes three times as much, which is well below what a virtual machine of
// Java holds, and the kernel kills what holds most.
const outOfMemoryRoom = 16 << 20

// Kind is "out-of-memory".
func (OutOfMemory) Kind() string { return "out-of-memory" }

// Validate reports a port that cannot be.
func (f OutOfMemory) Validate() error { return validPort(f.Kind(), f.Port) }

// Inject lowers the limits and makes demand. The undo restores the limits and
// starts the processes. A container that does not run, or whose limit another
// fault has changed, is an error, before any act.
func (f OutOfMemory) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := limitedVictims(ctx, f.Kind(), nodes, f.Port, ofMemory)
	if err != nil {
		return err
	}
	return inTurn(f.Kind(), vs, func(v victim) error { return f.exhaust(ctx, v, log) })
}

func (f OutOfMemory) exhaust(ctx context.Context, v victim, log Recorder) error {
	restored, limits, err := limitsEntry(ctx, v, ofMemory)
	if err != nil {
		return err
	}
	for _, e := range []Entry{{Undo: ProcessRunning, Node: v.Name()}, restored} {
		if err := log.Record(e); err != nil {
			return err
		}
	}
	p, err := seePressure(ctx, v, ofMemory)
	if err != nil {
		return err
	}
	limits.Memory = p.held + outOfMemoryRoom
	l, err := limited(v.Container)
	if err != nil {
		return err
	}
	if err := press(ctx, v, ofMemory, strconv.FormatInt(limits.Memory, 10), takeMemory(3*outOfMemoryRoom)); err != nil {
		return err
	}
	return l.Limit(ctx, limits)
}

// takeMemory is a program that waits for the limit of memory to change from the
// one that it was begun under, and then takes so many bytes and keeps them: a
// block that nobody reads from its writer. It is taken by one call of read(2),
// within which the kernel needs no page of the program's. One that takes its
// memory step by step is itself evicted between two steps, and the container
// went on reading its programs from the disk for a second, which everybody on
// that disk felt.
func takeMemory(bytes int64) string {
	return fmt.Sprintf(`c=/sys/fs/cgroup
now() { cat $c/memory/memory.limit_in_bytes 2>/dev/null || cat $c/memory.max; }
while [ "$(now)" = "$limit" ]; do sleep 0.05; done
dd if=/dev/zero bs=%d count=1 2>/dev/null | sleep infinity`, bytes)
}

// Active holds when the kernel says that it has killed a process of the
// container for want of memory since the act, no process of the application
// is left, and its port refuses. From is the act, To when the end was
// noticed.
func (f OutOfMemory) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "killed by the kernel for want of memory", vs, func(ctx context.Context, v victim) (sight, error) {
		s, proc, err := seeProcess(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		p, err := seePressure(ctx, v, ofMemory)
		if err != nil {
			return s, err
		}
		kills := p.killed - p.killedBefore
		s.measured = fmt.Sprintf("%d killed for want of memory, process running: %t", kills, proc.pid != 0)
		s.see(p.asked != "" && kills > 0, "the kernel has killed %d processes of its cgroup since the act; the limit is %s, asked %s bytes", kills, megabytes(p.limit), p.asked)
		s.see(proc.pid == 0, "process of the application: %d", proc.pid)
		if !s.ok {
			return s, nil
		}
		s.from, s.to = p.since, proc.gone
		if s.to.Before(s.from) {
			s.to = s.from
		}
		return s, seeConnect(ctx, &s, v, refused)
	})
}

// Healed holds when a process runs, its port answers, and neither the limit
// nor the demand is left.
func (f OutOfMemory) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "process running again, limit restored", vs, func(ctx context.Context, v victim) (sight, error) {
		s, proc, err := seeProcess(ctx, v)
		if err != nil || !s.ok {
			return s, err
		}
		s.measured = fmt.Sprintf("process running: %t", proc.pid != 0)
		s.see(proc.pid != 0, "process %d runs", proc.pid)
		if _, err := seeReleased(ctx, &s, v, ofMemory); err != nil || !s.ok {
			return s, err
		}
		return s, seeConnect(ctx, &s, v, connected)
	})
}
