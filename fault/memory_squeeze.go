package fault

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// MemorySqueeze lowers each target's limit of memory to what it holds and
// cannot give back, and Room on top: its file cache is given up, and whatever
// needs more is made to wait, or ends. The zero value is ready to use.
type MemorySqueeze struct {
	// Room is in bytes; 0 is DefaultRoom.
	Room int64 `json:"room,omitempty"`
	// Port is the TCP port whose answer is part of the proof that the target
	// lives; 0 is the one that the node says it serves.
	Port int `json:"port,omitempty"`
}

// DefaultRoom is what a small virtual machine of Java needs to go on under
// load: threads, buffers, compiled code.
const DefaultRoom = 24 << 20

// Kind is "memory-squeeze".
func (MemorySqueeze) Kind() string { return "memory-squeeze" }

func (f MemorySqueeze) room() int64 {
	if f.Room > 0 {
		return f.Room
	}
	return DefaultRoom
}

// Validate reports a room or a port that cannot be.
func (f MemorySqueeze) Validate() error {
	if f.Room != 0 && (f.Room < 1<<20 || f.Room > 1<<40) {
		return fmt.Errorf("%s: room of %d bytes: want 1 MiB to 1 TiB, or 0 for %s", f.Kind(), f.Room, megabytes(DefaultRoom))
	}
	return validPort(f.Kind(), f.Port)
}

// Inject lowers the limits; the undo restores them. A container that does not
// run, or whose limit another fault has changed, is an error, before any act.
func (f MemorySqueeze) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := limitedVictims(ctx, f.Kind(), nodes, f.Port, ofMemory)
	if err != nil {
		return err
	}
	return inTurn(f.Kind(), vs, func(v victim) error { return f.squeeze(ctx, v, log) })
}

func (f MemorySqueeze) squeeze(ctx context.Context, v victim, log Recorder) error {
	restored, limits, err := limitsEntry(ctx, v, ofMemory)
	if err != nil {
		return err
	}
	if err := log.Record(restored); err != nil {
		return err
	}
	p, err := seePressure(ctx, v, ofMemory)
	if err != nil {
		return err
	}
	l, err := limited(v.Container)
	if err != nil {
		return err
	}
	limits.Memory = p.held + f.room()
	if err := press(ctx, v, ofMemory, fmt.Sprintf("%d-%d", limits.Memory, p.held), "sleep infinity"); err != nil {
		return err
	}
	return l.Limit(ctx, limits)
}

// squeezed reads what was asked: the limit, and what the container held then.
func squeezed(asked string) (limit, held int64, err error) {
	text, base, _ := strings.Cut(asked, "-")
	if limit, err = strconv.ParseInt(text, 10, 64); err == nil {
		held, err = strconv.ParseInt(base, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("what was asked: %q: want a limit and what was held, in bytes", asked)
	}
	return limit, held, nil
}

// Active holds when the limit that the container's own cgroup tells is the
// one that was asked for, within a tenth, and exceeds what the container held
// then by the room, within a tenth; what it holds now leaves no more; the kernel
// has killed nothing, and the port answers. Asked and Measured are in MiB.
func (f MemorySqueeze) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	asked := fmt.Sprintf("at most %s above what it holds", megabytes(f.room()))
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		p, err := seePressure(ctx, v, ofMemory)
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("limit %s, holds %s", megabytes(p.limit), megabytes(p.held))
		if p.asked == "" {
			s.see(false, "no fault has changed the limit of its memory")
			return s, nil
		}
		want, held, err := squeezed(p.asked)
		if err != nil {
			return s, err
		}
		s.see(p.limit > 0 && within(float64(p.limit), float64(want)), "its cgroup's limit is %d bytes, asked %d", p.limit, want)
		s.see(within(float64(p.limit-held), float64(f.room())), "that is %s above the %s that it held then", megabytes(p.limit-held), megabytes(held))
		s.see(p.killed == p.killedBefore, "the kernel has killed %d of its processes since the act", p.killed-p.killedBefore)
		if !s.ok {
			return s, nil
		}
		s.see(p.limit-p.held <= f.room()*11/10, "%s are left above what it holds", megabytes(p.limit-p.held))
		s.from, s.to = p.since, p.at
		return s, seeConnect(ctx, &s, v, connected)
	})
}

// Healed holds when nothing of it is left and the port answers.
func (f MemorySqueeze) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "limit restored", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		p, err := seeReleased(ctx, &s, v, ofMemory)
		if err != nil {
			return s, err
		}
		s.measured = "limit " + megabytes(p.limit)
		if p.limit == 0 {
			s.measured = "no limit"
		}
		if !s.ok {
			return s, nil
		}
		return s, seeConnect(ctx, &s, v, connected)
	})
}
