package fault

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// CPUStarvation gives each target so much of a core and no more, by the
// quota of the kernel's scheduler, and runs something in it that would take
// all of one: a process that ran wild beside the application, or a neighbour
// under the same limit. The zero value is ready to use.
type CPUStarvation struct {
	// CPU is in cores; 0 is DefaultCPU.
	CPU float64 `json:"cpu,omitempty"`
	// Port is the TCP port whose answer is part of the proof that the target
	// lives; 0 is the one that the node says it serves.
	Port int `json:"port,omitempty"`
}

// DefaultCPU is a fifth of a core, of which the application gets a half or
// less.
const DefaultCPU = 0.2

// starvedFor is how long the proof measures: twenty of the scheduler's
// periods, so that the end of one weighs a twentieth.
const starvedFor = 2 * time.Second

// Kind is "cpu-starvation".
func (CPUStarvation) Kind() string { return "cpu-starvation" }

func (f CPUStarvation) cpu() float64 {
	if f.CPU > 0 {
		return f.CPU
	}
	return DefaultCPU
}

// Validate reports a share or a port that cannot be. One core is the most that
// what is run can take.
func (f CPUStarvation) Validate() error {
	if f.CPU != 0 && (f.CPU < 0.02 || f.CPU > 0.9) {
		return fmt.Errorf("%s: %v of a core: want 0.02 to 0.9, or 0 for %v", f.Kind(), f.CPU, DefaultCPU)
	}
	return validPort(f.Kind(), f.Port)
}

// Inject sets the quotas and makes demand; the undo takes both away. A
// container that does not run, or whose quota another fault has changed, is an
// error, before any act.
func (f CPUStarvation) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	vs, err := limitedVictims(ctx, f.Kind(), nodes, f.Port, ofCPU)
	if err != nil {
		return err
	}
	if err := inTurn(f.Kind(), vs, func(v victim) error { return f.changes(ctx, v) }); err != nil {
		return err
	}
	return inTurn(f.Kind(), vs, func(v victim) error { return f.starve(ctx, v, log) })
}

// changes is an error of a container that has the quota already.
func (f CPUStarvation) changes(ctx context.Context, v victim) error {
	_, limits, err := limitsEntry(ctx, v, ofCPU)
	if err != nil {
		return err
	}
	if limits.CPU == f.cpu() {
		return fmt.Errorf("its quota is %v of a core already: nothing would change", limits.CPU)
	}
	return nil
}

func (f CPUStarvation) starve(ctx context.Context, v victim, log Recorder) error {
	restored, limits, err := limitsEntry(ctx, v, ofCPU)
	if err != nil {
		return err
	}
	if err := log.Record(restored); err != nil {
		return err
	}
	l, err := limited(v.Container)
	if err != nil {
		return err
	}
	if err := press(ctx, v, ofCPU, strconv.FormatFloat(f.cpu(), 'f', -1, 64), "while :; do :; done"); err != nil {
		return err
	}
	limits.CPU = f.cpu()
	return l.Limit(ctx, limits)
}

// Active holds when the processor time that the container takes, by its own
// cgroup's account over two seconds of demand, is the quota within a tenth,
// and the kernel held it back. Asked and Measured are in cores.
func (f CPUStarvation) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	asked := strconv.FormatFloat(f.cpu(), 'f', -1, 64) + " of a core, at most"
	return prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		before, err := seePressure(ctx, v, ofCPU)
		if err != nil {
			return s, err
		}
		if before.asked == "" {
			s.measured = "no demand and no quota of this fault"
			s.see(false, "nothing makes demand in the container")
			return s, nil
		}
		if err := pause(ctx, starvedFor); err != nil {
			return s, err
		}
		after, err := seePressure(ctx, v, ofCPU)
		if err != nil {
			return s, err
		}
		cores := float64(after.nanos-before.nanos) / float64(after.at.Sub(before.at))
		held := after.throttled - before.throttled
		s.measured = fmt.Sprintf("%.3f of a core, held back in %d periods", cores, held)
		s.see(within(cores, f.cpu()), "it took %.3f of a core over %v, asked %v", cores, after.at.Sub(before.at).Round(time.Millisecond), f.cpu())
		s.see(held > 0, "the scheduler held it back in %d periods", held)
		s.from, s.to = before.since, before.at
		return s, nil
	})
}

// Healed holds when nothing of it is left, the container is no longer held
// back, and the port answers.
func (f CPUStarvation) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, f.Port, false)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, "quota and demand gone", vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		p, err := seeReleased(ctx, &s, v, ofCPU)
		if err != nil {
			return s, err
		}
		s.measured = fmt.Sprintf("demand of a fault: %t", p.asked != "")
		if !s.ok {
			return s, nil
		}
		return s, seeConnect(ctx, &s, v, connected)
	})
}
